/* Sockets of the internet: ip(7), ipv6(7), tcp(7), udp(7). None of them blocks, and an address is
 * text, as inet_ntop(3) writes it. */
#include "container.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define DATAGRAM_MAX 65535

struct inet_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
	socklen_t size;
};

/* An address and a port, from two arguments. */
static void inet_check(lua_State *L, int arg, struct inet_address *a)
{
	const char *text = sys_check_string(L, arg);
	in_port_t port = htons((in_port_t)sys_check_range(L, arg + 1, 0, 65535));

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->to.v4.sin_addr) == 1) {
		a->to.v4.sin_family = AF_INET;
		a->to.v4.sin_port = port;
		a->size = sizeof(a->to.v4);
	} else {
		luaL_argcheck(L, inet_pton(AF_INET6, text, &a->to.v6.sin6_addr) == 1, arg,
			      "no address");
		a->to.v6.sin6_family = AF_INET6;
		a->to.v6.sin6_port = port;
		a->size = sizeof(a->to.v6);
	}
}

static int inet_push(lua_State *L, const struct inet_address *a)
{
	char text[INET6_ADDRSTRLEN];
	int v4 = a->to.any.sa_family == AF_INET;

	if (!v4 && a->to.any.sa_family != AF_INET6)
		return 0;
	inet_ntop(a->to.any.sa_family, v4 ? (void *)&a->to.v4.sin_addr : (void *)&a->to.v6.sin6_addr,
		  text, sizeof(text));
	lua_pushstring(L, text);
	lua_pushinteger(L, ntohs(v4 ? a->to.v4.sin_port : a->to.v6.sin6_port));
	return 2;
}

static int inet_check_kind(lua_State *L, int arg)
{
	static const char *const words[] = { "stream", "datagram", NULL };
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM };

	return kinds[luaL_checkoption(L, arg, "stream", words)] | SOCK_CLOEXEC | SOCK_NONBLOCK;
}

/***
The bytes of an address in the order of the network. inet_pton(3)
@function inet_bytes
@string text
@treturn string of 4 or 16 bytes; nil where it is no address
*/
static int inet_bytes(lua_State *L)
{
	const char *text = sys_check_string(L, 1);
	char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		lua_pushlstring(L, bytes, 4);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		lua_pushlstring(L, bytes, 16);
	else
		luaL_pushfail(L);
	return 1;
}

/***
An address as text. inet_ntop(3)
@function inet_text
@string bytes 4 or 16 of them
@treturn string
*/
static int inet_text(lua_State *L)
{
	size_t size;
	const char *bytes = luaL_checklstring(L, 1, &size);
	char text[INET6_ADDRSTRLEN];

	luaL_argcheck(L, size == 4 || size == 16, 1, "4 or 16 bytes expected");
	inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
	lua_pushstring(L, text);
	return 1;
}

/***
Makes a socket with an address of its own. One of streams listens from then on; one of IPv6 is for
that alone. bind(2), listen(2), ip(7), ipv6(7) IPV6_V6ONLY
@function inet_bind
@string address
@int port 0 for any that is free
@string[opt="stream"] kind "stream" or "datagram"
@return an fd, or nil, message, errno (EADDRINUSE, EACCES, EAFNOSUPPORT)
*/
static int inet_bind(lua_State *L)
{
	struct inet_address a;
	int kind = inet_check_kind(L, 3), *slot = fd_new(L), on = 1;
	int stream = (kind & (SOCK_STREAM | SOCK_DGRAM)) == SOCK_STREAM;

	inet_check(L, 1, &a);
	if (!fd_give(slot, socket(a.to.any.sa_family, kind, 0)))
		return sys_fail(L, "socket", NULL);
	if (a.to.any.sa_family == AF_INET6 &&
	    setsockopt(*slot, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return sys_fail(L, "setsockopt IPV6_V6ONLY", NULL);
	if (stream &&
	    setsockopt(*slot, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return sys_fail(L, "setsockopt SO_REUSEADDR", NULL);
	if (bind(*slot, &a.to.any, a.size) < 0)
		return sys_fail(L, "bind", lua_tostring(L, 1));
	if (stream && listen(*slot, SOMAXCONN) < 0)
		return sys_fail(L, "listen", lua_tostring(L, 1));
	return 1;
}

/***
Makes a socket and begins to connect it: it can be written when that is over, and `socket_error`
tells how it went. connect(2)
@function inet_connect
@string address
@int port
@string[opt="stream"] kind "stream" or "datagram"
@return an fd, or nil, message, errno (ENETUNREACH)
*/
static int inet_connect(lua_State *L)
{
	struct inet_address a;
	int rc, kind = inet_check_kind(L, 3), *slot = fd_new(L);

	inet_check(L, 1, &a);
	if (!fd_give(slot, socket(a.to.any.sa_family, kind, 0)))
		return sys_fail(L, "socket", NULL);
	do
		rc = connect(*slot, &a.to.any, a.size);
	while (rc < 0 && errno == EINTR);
	return rc < 0 && errno != EINPROGRESS ? sys_fail(L, "connect", lua_tostring(L, 1)) : 1;
}

/***
Takes a connection, if there is one. accept4(2)
@function inet_accept
@param socket fd
@return an fd, or nil, message, errno (EAGAIN when there is none)
*/
static int inet_accept(lua_State *L)
{
	int fd, socket = fd_check(L, 1), *slot = fd_new(L);

	do
		fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	return fd_give(slot, fd) ? 1 : sys_fail(L, "accept", NULL);
}

/***
The own address of a socket. getsockname(2)
@function getsockname
@param socket fd
@treturn string address
@treturn int port; or nil, message, errno
*/
static int inet_getsockname(lua_State *L)
{
	struct inet_address a = { .size = sizeof(a.to) };

	if (getsockname(fd_check(L, 1), &a.to.any, &a.size) < 0)
		return sys_fail(L, "getsockname", NULL);
	return inet_push(L, &a);
}

/***
What went wrong with a socket since this was asked last. socket(7) SO_ERROR
@function socket_error
@param socket fd
@return true when nothing did, or nil, message, errno
*/
static int inet_socket_error(lua_State *L)
{
	int err = 0, fd = fd_check(L, 1);
	socklen_t size = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		return sys_fail(L, "getsockopt SO_ERROR", NULL);
	if (err)
		return sys_fail_with(L, err, "connect", NULL);
	lua_pushboolean(L, 1);
	return 1;
}

/***
Has the close of a connection reset it, so that its other side sees an error. socket(7) SO_LINGER
@function socket_reset
@param socket fd
@return true, or nil, message, errno
*/
static int inet_socket_reset(lua_State *L)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int fd = fd_check(L, 1);

	return sys_result(L, setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
			  "setsockopt SO_LINGER", NULL);
}

/***
Takes a datagram. recvfrom(2)
@function recvfrom
@param socket fd
@int size at most so many bytes of it
@treturn string
@treturn string address that it came from
@treturn int port; or nil, message, errno (EAGAIN when there is none)
*/
static int inet_recvfrom(lua_State *L)
{
	struct inet_address a = { .size = sizeof(a.to) };
	int fd = fd_check(L, 1);
	size_t size = (size_t)sys_check_range(L, 2, 0, DATAGRAM_MAX);
	luaL_Buffer b;
	char *room = luaL_buffinitsize(L, &b, size);
	ssize_t n;

	do
		n = recvfrom(fd, room, size, MSG_DONTWAIT, &a.to.any, &a.size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sys_fail(L, "recvfrom", NULL);
	luaL_pushresultsize(&b, (size_t)n);
	return 1 + inet_push(L, &a);
}

/***
Sends a datagram. sendto(2)
@function sendto
@param socket fd
@string data
@string address
@int port
@return true, or nil, message, errno (EAGAIN when there is no room)
*/
static int inet_sendto(lua_State *L)
{
	struct inet_address a;
	int fd = fd_check(L, 1);
	size_t size;
	const char *data = luaL_checklstring(L, 2, &size);
	ssize_t n;

	inet_check(L, 3, &a);
	do
		n = sendto(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, &a.to.any, a.size);
	while (n < 0 && errno == EINTR);
	return sys_result(L, n, "sendto", lua_tostring(L, 3));
}

static const luaL_Reg functions[] = {
	{ "getsockname", inet_getsockname },
	{ "inet_accept", inet_accept },
	{ "inet_bind", inet_bind },
	{ "inet_bytes", inet_bytes },
	{ "inet_connect", inet_connect },
	{ "inet_text", inet_text },
	{ "recvfrom", inet_recvfrom },
	{ "sendto", inet_sendto },
	{ "socket_error", inet_socket_error },
	{ "socket_reset", inet_socket_reset },
	{ NULL, NULL },
};

void inet_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
