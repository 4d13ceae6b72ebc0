/* What is done with sockets: shutdown(2), and open files sent over them: unix(7). What makes a pair
 * of them is in open.c. */
#include "container.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/***
Says that nothing more is written to a socket: its reader sees the end. shutdown(2) SHUT_WR
@function shutdown
@param fd
@return true, or nil, message, errno
*/
static int socket_shutdown(lua_State *L)
{
	return sys_result(L, shutdown(fd_check(L, 1), SHUT_WR), "shutdown", NULL);
}

/* A message of one byte with room for one fd beside it. */
struct socket_message {
	struct msghdr header;
	struct iovec data;
	char byte;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
};

static void socket_message_init(struct socket_message *m)
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
Sends an open file over a socket, with some text. unix(7) SCM_RIGHTS, sendmsg(2)
@function send_fd
@param socket fd
@param fd
@string[opt="\0"] text at least one byte
@return true, or nil, message, errno
*/
static int socket_send_fd(lua_State *L)
{
	int socket = fd_check(L, 1), fd = fd_check(L, 2);
	size_t size = 0;
	const char *text = luaL_optlstring(L, 3, NULL, &size);
	struct socket_message m;
	struct cmsghdr *head = &m.control.head;
	ssize_t n;

	socket_message_init(&m);
	if (text) {
		m.data.iov_base = (void *)(size_t)text; /* the kernel only reads here */
		m.data.iov_len = size;
	}
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
static int socket_receive_fd(lua_State *L)
{
	int fd, socket = fd_check(L, 1);
	int *slot = fd_new(L);
	struct socket_message m;
	struct cmsghdr *head = &m.control.head;
	ssize_t n;

	socket_message_init(&m);
	/* Alignment leaves room for a second one, which would be open here without an owner. */
	m.header.msg_controllen = CMSG_LEN(sizeof(fd));
	do
		n = recvmsg(socket, &m.header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sys_fail(L, "recvmsg", NULL);
	if (m.header.msg_controllen < CMSG_LEN(sizeof(fd)) ||
	    head->cmsg_len != CMSG_LEN(sizeof(fd)) || head->cmsg_level != SOL_SOCKET ||
	    head->cmsg_type != SCM_RIGHTS)
		return sys_fail_with(L, EBADMSG, "recvmsg", NULL);
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd_give(slot, fd) ? 1 : sys_fail(L, "recvmsg", NULL);
}

static const luaL_Reg functions[] = {
	{ "receive_fd", socket_receive_fd },
	{ "send_fd", socket_send_fd },
	{ "shutdown", socket_shutdown },
	{ NULL, NULL },
};

void socket_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
