/* What is done with open files: read(2), write(2), poll(2), flock(2). */
#include "container.h"

#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "compat.h"

/***
Reads what is there, at most `size` bytes. read(2)
@function read
@param fd
@int[opt=4096] size
@return a string, empty at the end of the file, or nil, message, errno
*/
static int io_read(lua_State *L)
{
	int fd = fd_check(L, 1);
	size_t size = (size_t)(lua_isnoneornil(L, 2) ? 4096
						     : sys_check_range(L, 2, 0, 1 << 30));
	luaL_Buffer b;
	char *room = luaL_buffinitsize(L, &b, size);
	ssize_t n;

	do
		n = read(fd, room, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sys_fail(L, "read", NULL);
	luaL_pushresultsize(&b, (size_t)n);
	return 1;
}

/***
Writes; a pipe may take less than all of it. write(2)
@function write
@param fd
@string data
@return the number of bytes written, or nil, message, errno
*/
static int io_write(lua_State *L)
{
	int fd = fd_check(L, 1);
	size_t size;
	const char *data = luaL_checklstring(L, 2, &size);
	ssize_t n;

	do
		n = write(fd, data, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sys_fail(L, "write", NULL);
	lua_pushinteger(L, n);
	return 1;
}

/***
Waits until one of several fds can be read or has come to its end. poll(2)
@function poll
@tparam table fds an array of fds
@number[opt] seconds how long at most; for ever if left out
@treturn table for each place in `fds` true or nil; all nil when the time is up or a signal came;
or nil, message, errno
*/
static int io_poll(lua_State *L)
{
	lua_Unsigned i, n;
	struct pollfd *set;
	int rc, timeout = -1;

	luaL_checktype(L, 1, LUA_TTABLE);
	n = lua_rawlen(L, 1);
	luaL_argcheck(L, n < 1 << 20, 1, "too many fds");
	if (!lua_isnoneornil(L, 2)) {
		lua_Number seconds = luaL_checknumber(L, 2);
		luaL_argcheck(L, seconds >= 0, 2, "number out of range");
		timeout = seconds > INT_MAX / 1000 ? INT_MAX : (int)(seconds * 1000 + 0.999);
	}
	set = lua_newuserdatauv(L, (n + 1) * sizeof(*set), 0);
	for (i = 0; i < n; i++) {
		set[i].fd = fd_check_element(L, 1, (lua_Integer)i + 1);
		set[i].events = POLLIN;
	}
	rc = poll(set, n, timeout);
	if (rc < 0 && errno != EINTR)
		return sys_fail(L, "poll", NULL);
	lua_createtable(L, (int)n, 0);
	for (i = 0; i < n; i++)
		if (rc > 0 && set[i].revents) {
			lua_pushboolean(L, 1);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
	return 1;
}

/***
Takes a lock that lasts as long as the open file, whichever process holds it. flock(2)
@function flock
@param fd
@string[opt="ex"] how comma words: sh ex nb un
@return true, or nil, message, errno (EWOULDBLOCK when another holds it, with nb)
*/
static int io_flock(lua_State *L)
{
	static const struct sys_word words[] = { { "sh", LOCK_SH },
						 { "ex", LOCK_EX },
						 { "nb", LOCK_NB },
						 { "un", LOCK_UN },
						 { NULL, 0 } };
	int rc, fd = fd_check(L, 1);
	int how = (int)sys_check_words(L, 2, words, "lock flag");

	do
		rc = flock(fd, how ? how : LOCK_EX);
	while (rc < 0 && errno == EINTR);
	return sys_result(L, rc, "flock", NULL);
}

static const luaL_Reg functions[] = {
	{ "flock", io_flock },
	{ "poll", io_poll },
	{ "read", io_read },
	{ "write", io_write },
	{ NULL, NULL },
};

void io_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
