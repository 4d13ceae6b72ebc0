/* What is done with open files: read(2), write(2), poll(2), flock(2), and passed on: unix(7). */
#include "container.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
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
@int[opt=0] writers how many of them, the last ones, are waited for until they can be written
@treturn table for each place in `fds` true or nil; all nil when the time is up or a signal came;
or nil, message, errno
*/
static int io_poll(lua_State *L)
{
	lua_Unsigned i, n, writers;
	struct pollfd *set;
	int rc, timeout = -1;

	luaL_checktype(L, 1, LUA_TTABLE);
	n = lua_rawlen(L, 1);
	luaL_argcheck(L, n < 1 << 20, 1, "too many fds");
	writers = lua_isnoneornil(L, 3) ? 0 :
					  (lua_Unsigned)sys_check_range(L, 3, 0, (long long)n);
	if (!lua_isnoneornil(L, 2)) {
		lua_Number seconds = luaL_checknumber(L, 2);
		luaL_argcheck(L, seconds >= 0, 2, "number out of range");
		timeout = seconds > INT_MAX / 1000 ? INT_MAX : (int)(seconds * 1000 + 0.999);
	}
	set = lua_newuserdatauv(L, (n + 1) * sizeof(*set), 0);
	for (i = 0; i < n; i++) {
		set[i].fd = fd_check_element(L, 1, (lua_Integer)i + 1);
		set[i].events = i < n - writers ? POLLIN : POLLOUT;
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

/* A message of one byte with room for one fd beside it. */
struct io_message {
	struct msghdr header;
	struct iovec data;
	char byte;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
};

static void io_message_init(struct io_message *m)
{
	memset(m, 0, sizeof(*m));
	m->data.iov_base = &m->byte;
	m->data.iov_len = 1;
	m->header.msg_iov = &m->data;
	m->header.msg_iovlen = 1;
	m->header.msg_control = &m->control;
	m->header.msg_controllen = sizeof(m->control);
}

/***
Sends an open file over a socket, with one byte. unix(7) SCM_RIGHTS, sendmsg(2)
@function send_fd
@param socket fd
@param fd
@return true, or nil, message, errno
*/
static int io_send_fd(lua_State *L)
{
	int socket = fd_check(L, 1), fd = fd_check(L, 2);
	struct io_message m;
	struct cmsghdr *head = &m.control.head;
	ssize_t n;

	io_message_init(&m);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	do
		n = sendmsg(socket, &m.header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return sys_result(L, n, "sendmsg", NULL);
}

/***
Takes an open file that `send_fd` sent. unix(7) SCM_RIGHTS, recvmsg(2)
@function receive_fd
@param socket fd
@return an fd that closes itself, or nil, message, errno (EBADMSG when what came was none)
*/
static int io_receive_fd(lua_State *L)
{
	int fd, socket = fd_check(L, 1);
	int *slot = fd_new(L);
	struct io_message m;
	struct cmsghdr *head = &m.control.head;
	ssize_t n;

	io_message_init(&m);
	do
		n = recvmsg(socket, &m.header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sys_fail(L, "recvmsg", NULL);
	if (m.header.msg_controllen < CMSG_LEN(sizeof(fd)) || head->cmsg_type != SCM_RIGHTS)
		return sys_fail_with(L, EBADMSG, "recvmsg", NULL);
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd_give(slot, fd) ? 1 : sys_fail(L, "recvmsg", NULL);
}

static const luaL_Reg functions[] = {
	{ "flock", io_flock },
	{ "poll", io_poll },
	{ "read", io_read },
	{ "receive_fd", io_receive_fd },
	{ "send_fd", io_send_fd },
	{ "write", io_write },
	{ NULL, NULL },
};

void io_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
