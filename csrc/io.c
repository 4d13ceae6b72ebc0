/* What is done with open files: read(2), write(2), ppoll(2), fcntl(2), flock(2). */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
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

/* A write to a pipe without a reader raises SIGPIPE, and one over the limit of file sizes
 * SIGXFSZ; each would end a host program that knows nothing of our files. They are blocked in
 * this thread, and one that came of this write is taken away. */
static void io_take(int signal, const sigset_t *pending)
{
	const struct timespec now = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (!sigismember(pending, signal))
		sigtimedwait(&set, NULL, &now);
}

void io_hush(struct io_quiet *quiet)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGXFSZ);
	sigpending(&quiet->pending);
	pthread_sigmask(SIG_BLOCK, &set, &quiet->old);
}

/* Both where it is not known whether one came; errno stays as it is. */
void io_unhush(const struct io_quiet *quiet)
{
	int err = errno;

	io_take(SIGPIPE, &quiet->pending);
	io_take(SIGXFSZ, &quiet->pending);
	pthread_sigmask(SIG_SETMASK, &quiet->old, NULL);
	errno = err;
}

/* Writes at an offset, or where the file is when that is negative. */
ssize_t io_quiet_write(int fd, const char *data, size_t size, off_t at)
{
	struct io_quiet quiet;
	ssize_t n;
	int err;

	io_hush(&quiet);
	do
		n = at < 0 ? write(fd, data, size) : pwrite(fd, data, size, at);
	while (n < 0 && errno == EINTR);
	err = errno;
	if (n < 0 && (err == EPIPE || err == EFBIG))
		io_take(err == EPIPE ? SIGPIPE : SIGXFSZ, &quiet.pending);
	pthread_sigmask(SIG_SETMASK, &quiet.old, NULL);
	errno = err;
	return n;
}

/***
Writes; a pipe may take less than all of it. There is no SIGPIPE. write(2)
@function write
@param fd
@string data
@int[opt=1] from the byte of `data` to begin with
@return the number of bytes written, or nil, message, errno (EAGAIN when it is full and does not
block, EPIPE without a reader)
*/
static int io_write(lua_State *L)
{
	int fd = fd_check(L, 1);
	size_t size;
	const char *data = luaL_checklstring(L, 2, &size);
	size_t from = (size_t)(lua_isnoneornil(L, 3)
				       ? 1
				       : sys_check_range(L, 3, 1, (long long)size + 1));
	ssize_t n = io_quiet_write(fd, data + from - 1, size - from + 1, -1);

	if (n < 0)
		return sys_fail(L, "write", NULL);
	lua_pushinteger(L, n);
	return 1;
}

/* Which of a part of the set are ready, as a table with true at their places. */
static void io_push_ready(lua_State *L, const struct pollfd *set, lua_Unsigned n, int any)
{
	lua_Unsigned i;

	lua_createtable(L, (int)n, 0);
	for (i = 0; i < n; i++)
		if (any && set[i].revents) {
			lua_pushboolean(L, 1);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
}

/***
Waits until one of several fds is ready. A reader is ready when it is readable or at its end; a
writer when it is writable or has no reader any more. ppoll(2)
@function ppoll
@tparam table readers an array of fds
@number[opt] seconds the longest time to wait; without it there is no limit
@tparam[opt] table writers an array of fds
@treturn table for each place in `readers` true or nil; all nil when the time is up or a signal
came; or nil, message, errno
@treturn table the same for `writers`
*/
static int io_ppoll(lua_State *L)
{
	lua_Unsigned i, readers, writers;
	struct timespec limit, *timeout = NULL;
	struct pollfd *set;
	int rc;

	lua_settop(L, 3);
	luaL_checktype(L, 1, LUA_TTABLE);
	readers = lua_rawlen(L, 1);
	if (!lua_isnil(L, 3))
		luaL_checktype(L, 3, LUA_TTABLE);
	writers = lua_isnil(L, 3) ? 0 : lua_rawlen(L, 3);
	luaL_argcheck(L, readers < 1 << 20 && writers < 1 << 20, 1, "too many fds");
	if (!lua_isnil(L, 2)) {
		lua_Number seconds = luaL_checknumber(L, 2);
		luaL_argcheck(L, seconds >= 0, 2, "number out of range");
		if (seconds > INT_MAX)
			seconds = INT_MAX;
		limit.tv_sec = (time_t)seconds;
		limit.tv_nsec = (long)((seconds - (lua_Number)limit.tv_sec) * 1e9);
		timeout = &limit;
	}
	set = lua_newuserdatauv(L, (readers + writers + 1) * sizeof(*set), 0);
	for (i = 0; i < readers + writers; i++) {
		int of = i < readers ? 1 : 3;
		set[i].fd = fd_check_element(L, of,
					     (lua_Integer)(i < readers ? i : i - readers) + 1);
		set[i].events = i < readers ? POLLIN : POLLOUT;
	}
	rc = ppoll(set, readers + writers, timeout, NULL);
	if (rc < 0 && errno != EINTR)
		return sys_fail(L, "ppoll", NULL);
	io_push_ready(L, set, readers, rc > 0);
	io_push_ready(L, set + readers, writers, rc > 0);
	return 2;
}

/***
Has reads and writes of an open file answer EAGAIN instead of waiting. fcntl(2) O_NONBLOCK
@function nonblock
@param fd
@return true, or nil, message, errno
*/
static int io_nonblock(lua_State *L)
{
	int fd = fd_check(L, 1);
	int flags = fcntl(fd, F_GETFL);

	return sys_result(L, flags < 0 ? flags : fcntl(fd, F_SETFL, flags | O_NONBLOCK),
			  "fcntl F_SETFL", NULL);
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
	{ "nonblock", io_nonblock },
	{ "ppoll", io_ppoll },
	{ "read", io_read },
	{ "write", io_write },
	{ NULL, NULL },
};

void io_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
