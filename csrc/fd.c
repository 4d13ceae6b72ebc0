/*
 * File descriptors as Lua has them, and their numbers: dup(2), close(2), close_range(2).
 * What makes them is in open.c, and what is done with them in io.c and socket.c. Every one is
 * close-on-exec from birth, and is owned by a userdata "container.fd" that closes it when it is
 * collected or goes out of a <close> scope.
 */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "compat.h"

#define FD_TYPE "container.fd"

/* An fd belongs to the process whose table it is in. A child that shares this memory has a
 * table of its own: what it owns is nothing to close here, nor what is owned here there. */
struct fd_owner {
	int fd;
	unsigned process;
};

/* Of each thread: only the one that clones is suspended. */
static _Thread_local unsigned fd_process, fd_processes;

/* Around the life of a child that shares this memory, while this process is suspended. */
unsigned fd_enter_child(void)
{
	unsigned parent = fd_process;

	fd_process = ++fd_processes;
	return parent;
}

void fd_leave_child(unsigned parent)
{
	fd_process = parent;
}

/* An fd that the kernel numbered 0, 1 or 2, because the host program had closed those,
 * would end as a standard stream of some program. It is moved up; -1 and errno if not. */
static int fd_raise(int fd)
{
	int raised;

	if (fd < 0 || fd > 2)
		return fd;
	raised = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	sys_close(fd);
	return raised;
}

/* Pushes an owner that holds nothing yet. */
int *fd_new(lua_State *L)
{
	struct fd_owner *owner = lua_newuserdatauv(L, sizeof(*owner), 0);

	owner->fd = -1;
	owner->process = fd_process;
	luaL_setmetatable(L, FD_TYPE);
	return &owner->fd;
}

/* Gives `fd` to its owner; false, with errno as it was, if there is none to give. */
int fd_give(int *slot, int fd)
{
	*slot = fd_raise(fd);
	return *slot >= 0;
}

/* An fd as a number, as an owner that is still open, or as a file of Lua's io library. */
int fd_check(lua_State *L, int arg)
{
	struct fd_owner *owner;
	luaL_Stream *file;

	if (lua_isinteger(L, arg))
		return (int)sys_check_range(L, arg, 0, INT_MAX);
	file = luaL_testudata(L, arg, LUA_FILEHANDLE);
	if (file) {
		luaL_argcheck(L, file->closef, arg, "file is closed");
		return fileno(file->f);
	}
	owner = luaL_checkudata(L, arg, FD_TYPE);
	luaL_argcheck(L, owner->fd >= 0, arg, "fd is closed");
	return owner->fd;
}

/* What an owner holds; -1 if it is closed, or the value is none. */
int fd_test(lua_State *L, int arg)
{
	const struct fd_owner *owner = luaL_testudata(L, arg, FD_TYPE);

	return owner ? owner->fd : -1;
}

/* One fd of an array. */
int fd_check_element(lua_State *L, int arg, lua_Integer i)
{
	struct fd_owner *owner;
	int fd = -1;

	lua_rawgeti(L, arg, i);
	owner = luaL_testudata(L, -1, FD_TYPE);
	if (owner)
		fd = owner->fd;
	else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) <= INT_MAX)
		fd = (int)lua_tointeger(L, -1);
	if (fd < 0)
		luaL_argerror(L, arg,
			      lua_pushfstring(L, "[%I]: open fd expected, got %s", i,
					      owner ? "a closed one" : luaL_typename(L, -1)));
	lua_pop(L, 1);
	return fd;
}

/* The directory that a relative path starts from; the working directory if left out. */
int fd_opt_dir(lua_State *L, int arg)
{
	return lua_isnoneornil(L, arg) ? AT_FDCWD : fd_check(L, arg);
}

static int fd_method_close(lua_State *L)
{
	struct fd_owner *owner = luaL_checkudata(L, 1, FD_TYPE);
	int fd = owner->fd;

	if (owner->process == fd_process) {
		owner->fd = -1;
		if (fd >= 0)
			close(fd);
	}
	lua_pushboolean(L, 1);
	return 1;
}

static int fd_method_fileno(lua_State *L)
{
	struct fd_owner *owner = luaL_checkudata(L, 1, FD_TYPE);

	if (owner->fd < 0)
		return 0;
	lua_pushinteger(L, owner->fd);
	return 1;
}

static int fd_method_tostring(lua_State *L)
{
	struct fd_owner *owner = luaL_checkudata(L, 1, FD_TYPE);

	if (owner->fd < 0)
		lua_pushliteral(L, FD_TYPE " (closed)");
	else
		lua_pushfstring(L, FD_TYPE " (%d)", owner->fd);
	return 1;
}

/***
Another number for an open file, above 2, close-on-exec. fcntl(2) F_DUPFD_CLOEXEC
@function dup
@param fd
@return an fd, or nil, message, errno
*/
static int fd_dup(lua_State *L)
{
	int fd = fd_check(L, 1), *slot = fd_new(L);

	if (!fd_give(slot, fcntl(fd, F_DUPFD_CLOEXEC, 3)))
		return sys_fail(L, "fcntl F_DUPFD_CLOEXEC", NULL);
	return 1;
}

/***
Makes `number` another number of an open file; what it was is closed. It is not close-on-exec.
Meant for the standard streams of a child: an owner of the old one does not learn of it. dup2(2)
@function dup2
@param fd
@int number
@return true, or nil, message, errno
*/
static int fd_dup2(lua_State *L)
{
	int fd = fd_check(L, 1), number = (int)sys_check_range(L, 2, 0, INT_MAX);
	int rc = dup2(fd, number);

	/* Of one that has the number already dup2 changes nothing. */
	if (rc >= 0 && fd == number)
		rc = fcntl(fd, F_SETFD, 0);
	return sys_result(L, rc, "dup2", NULL);
}

/***
Closes an fd by its number, also one with an owner; meant for a child's standard streams. close(2)
@function close
@int number
@return true, or nil, message, errno
*/
static int fd_close(lua_State *L)
{
	return sys_result(L, close((int)sys_check_range(L, 1, 0, INT_MAX)), "close", NULL);
}

/***
Makes the fds of a list 3, 4, 5, ... in that order and closes every other one above 2. The first
`pass` of them are not close-on-exec: they are what the program that is executed next gets. Meant
for a child: the owners of the old numbers do not learn of it.
dup(2), close_range(2)
@function close_others
@tparam table fds an array of at most 256 fds
@int[opt] pass how many of them; all if left out
@int[opt=3] first the number of the first of them
@return true, or nil, message, errno
*/
static int fd_close_others(lua_State *L)
{
	int i, n, pass, first, high[256];

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argcheck(L, lua_rawlen(L, 1) <= 256, 1, "too many fds");
	n = (int)lua_rawlen(L, 1);
	pass = lua_isnoneornil(L, 2) ? n : (int)sys_check_range(L, 2, 0, n);
	first = lua_isnoneornil(L, 3) ? 3 : (int)sys_check_range(L, 3, 3, INT_MAX - 512);
	for (i = 0; i < n; i++)
		high[i] = fd_check_element(L, 1, i + 1);
	/* From here on the owners that there are have nothing to close. */
	fd_process = ++fd_processes;
	/* Out of the way first: one of them may sit where another has to go. */
	for (i = 0; i < n; i++)
		if ((high[i] = fcntl(high[i], F_DUPFD_CLOEXEC, first + n)) < 0)
			return sys_fail(L, "fcntl F_DUPFD_CLOEXEC", NULL);
	for (i = 0; i < n; i++)
		if (dup3(high[i], first + i, i < pass ? 0 : O_CLOEXEC) < 0)
			return sys_fail(L, "dup3", NULL);
	if (first > 3 && syscall(SYS_close_range, 3, first - 1, 0) < 0)
		return sys_fail(L, "close_range", NULL);
	return sys_result(L, syscall(SYS_close_range, first + n, ~0U, 0), "close_range", NULL);
}

/***
Opens /dev/null in place of those of the fds 0, 1 and 2 that are closed, for a program that
finds them closed takes the next file it opens for a standard stream. open(2)
@function open_stdio
@bool[opt] exec also of those that an exec would close, as one that a thread has just opened
there for itself
@return true, or nil, message, errno
*/
static int fd_open_stdio(lua_State *L)
{
	int fd, flags, exec = lua_toboolean(L, 1);

	/* open takes the lowest free number, so each one filled uncovers the next. */
	for (fd = 0; fd <= 2; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (exec && flags >= 0 && flags & FD_CLOEXEC) {
			close(fd);
			flags = -1;
		}
		if (flags < 0 && open("/dev/null", O_RDWR) < 0)
			return sys_fail(L, "open", "/dev/null");
	}
	lua_pushboolean(L, 1);
	return 1;
}

static const luaL_Reg methods[] = {
	{ "close", fd_method_close },
	{ "fileno", fd_method_fileno },
	{ NULL, NULL },
};

static const luaL_Reg metamethods[] = {
	{ "__close", fd_method_close },
	{ "__gc", fd_method_close },
	{ "__tostring", fd_method_tostring },
	{ "__index", NULL },
	{ NULL, NULL },
};

static const luaL_Reg functions[] = {
	{ "close", fd_close },
	{ "close_others", fd_close_others },
	{ "dup", fd_dup },
	{ "dup2", fd_dup2 },
	{ "open_stdio", fd_open_stdio },
	{ NULL, NULL },
};

void fd_open(lua_State *L)
{
	luaL_newmetatable(L, FD_TYPE);
	luaL_setfuncs(L, metamethods, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
}
