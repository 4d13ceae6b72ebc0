/* Sockets that have a place in the file system: unix(7), socket(2), bind(2), connect(2). */
#include "container.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Stream or datagram, by the word at `arg`. */
static int socket_path_check_kind(lua_State *L, int arg)
{
	static const char *const words[] = { "stream", "datagram", NULL };
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM };

	return kinds[luaL_checkoption(L, arg, "stream", words)];
}

static const char *socket_path_check_address(lua_State *L, int arg, struct sockaddr_un *address)
{
	const char *path = sys_check_string(L, arg);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	luaL_argcheck(L, strlen(path) < sizeof(address->sun_path), arg, "path too long");
	strcpy(address->sun_path, path);
	return path;
}

/***
Makes a socket at a path that is not there yet. One of streams can be connected to from then on.
unix(7), bind(2), listen(2)
@function socket_bind
@string path at most 107 bytes
@string[opt="stream"] kind "stream" or "datagram"
@return an fd that closes itself, or nil, message, errno (EADDRINUSE when there is a file)
*/
static int socket_path_bind(lua_State *L)
{
	struct sockaddr_un address;
	const char *path = socket_path_check_address(L, 1, &address);
	int kind = socket_path_check_kind(L, 2), *slot = fd_new(L);

	if (!fd_give(slot, socket(AF_UNIX, kind | SOCK_CLOEXEC, 0)))
		return sys_fail(L, "socket", NULL);
	if (bind(*slot, (struct sockaddr *)&address, sizeof(address)) < 0)
		return sys_fail(L, "bind", path);
	if (kind == SOCK_STREAM && listen(*slot, 8) < 0)
		return sys_fail(L, "listen", path);
	return 1;
}

/***
Connects to a socket by its path. connect(2)
@function socket_connect
@string path at most 107 bytes
@string[opt="stream"] kind "stream" or "datagram"
@return an fd that closes itself, or nil, message, errno (ECONNREFUSED when no process listens)
*/
static int socket_path_connect(lua_State *L)
{
	struct sockaddr_un address;
	const char *path = socket_path_check_address(L, 1, &address);
	int rc, kind = socket_path_check_kind(L, 2), *slot = fd_new(L);

	if (!fd_give(slot, socket(AF_UNIX, kind | SOCK_CLOEXEC, 0)))
		return sys_fail(L, "socket", NULL);
	do
		rc = connect(*slot, (struct sockaddr *)&address, sizeof(address));
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? sys_fail(L, "connect", path) : 1;
}

/***
Takes a connection, and waits until there is one. accept(2)
@function socket_accept
@param socket fd
@return an fd that closes itself, or nil, message, errno
*/
static int socket_path_accept(lua_State *L)
{
	int fd, socket = fd_check(L, 1), *slot = fd_new(L);

	do
		fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd_give(slot, fd) ? 1 : sys_fail(L, "accept", NULL);
}

static const luaL_Reg functions[] = {
	{ "socket_accept", socket_path_accept },
	{ "socket_bind", socket_path_bind },
	{ "socket_connect", socket_path_connect },
	{ NULL, NULL },
};

void socket_path_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
