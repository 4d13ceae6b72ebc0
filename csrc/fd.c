/*
 * File descriptors, how they come and go: open(2), openat2(2), pipe(2), socketpair(2),
 * memfd_create(2), close_range(2). What is done with them is in io.c. Every one is close-on-exec from birth, and is owned by a userdata
 * "container.fd" that closes it when it is collected or goes out of a <close> scope.
 */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
	int err, raised;

	if (fd < 0 || fd > 2)
		return fd;
	raised = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	err = errno;
	close(fd);
	errno = err;
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

static const struct sys_word open_flags[] = {
	{ "rdonly", O_RDONLY },
	{ "wronly", O_WRONLY },
	{ "rdwr", O_RDWR },
	{ "append", O_APPEND },
	{ "creat", O_CREAT },
	{ "excl", O_EXCL },
	{ "trunc", O_TRUNC },
	{ "directory", O_DIRECTORY },
	{ "nofollow", O_NOFOLLOW },
	{ "noctty", O_NOCTTY },
	{ "nonblock", O_NONBLOCK },
	{ "path", O_PATH },
	{ NULL, 0 },
};

/***
Opens a file. open(2)
@function open
@string path
@string[opt="rdonly"] flags comma words: rdonly wronly rdwr append creat excl trunc directory
nofollow noctty nonblock path
@int[opt=438] mode permission bits of a file that is made
@param[opt] dir fd that a relative path starts from
@return an fd that closes itself, or nil, message, errno
*/
static int fd_open_file(lua_State *L)
{
	const char *path = sys_check_string(L, 1);
	int flags = (int)sys_check_words(L, 2, open_flags, "open flag");
	mode_t mode = (mode_t)(lua_isnoneornil(L, 3) ? 0666 : sys_check_range(L, 3, 0, 07777));
	int fd, dir = fd_opt_dir(L, 4);
	int *slot = fd_new(L);

	do
		fd = openat(dir, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd_give(slot, fd) ? 1 : sys_fail(L, "open", path);
}

/* Opens a path as if the directory were the root. */
int fd_open_in(int dir, const char *path, unsigned long flags, unsigned long resolve)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { flags | O_CLOEXEC, 0, resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd;

	do
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

/***
Opens a file beneath a directory, which is the root for every absolute path, every symbolic
link and every ".." on the way: nothing outside of it can be reached. openat2(2), Linux 5.6
@function open_beneath
@param dir fd of the directory
@string path
@string[opt="path"] flags as of `open`
@string[opt] resolve nosymlinks: a symbolic link anywhere is ELOOP
@return an fd that closes itself, or nil, message, errno
*/
static int fd_open_beneath(lua_State *L)
{
	static const struct sys_word resolve[] = { { "nosymlinks", RESOLVE_NO_SYMLINKS },
						   { NULL, 0 } };
	int dir = fd_check(L, 1);
	const char *path = sys_check_string(L, 2);
	unsigned long words, flags = O_PATH;
	int *slot;

	if (!lua_isnoneornil(L, 3))
		flags = sys_check_words(L, 3, open_flags, "open flag");
	words = sys_check_words(L, 4, resolve, "resolve flag");
	luaL_argcheck(L, !(flags & O_CREAT), 3, "creat needs a mode: make it by mknod");
	slot = fd_new(L);
	return fd_give(slot, fd_open_in(dir, path, flags, words)) ?
		       1 :
		       sys_fail(L, "openat2", path);
}

static int fd_pair(lua_State *L, int (*make)(int pair[2]), const char *call)
{
	int pair[2];
	int *first = fd_new(L), *second = fd_new(L);

	if (make(pair) < 0)
		return sys_fail(L, call, NULL);
	*first = fd_raise(pair[0]);
	*second = fd_raise(pair[1]);
	if (*first < 0 || *second < 0)
		return sys_fail(L, call, NULL);
	return 2;
}

static int fd_make_pipe(int pair[2])
{
	return pipe2(pair, O_CLOEXEC);
}

static int fd_make_socketpair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

/***
A pipe. pipe(2)
@function pipe
@return the end to read from and the end to write to, or nil, message, errno
*/
static int fd_pipe(lua_State *L)
{
	return fd_pair(L, fd_make_pipe, "pipe");
}

/***
Two connected stream sockets. socketpair(2), unix(7)
@function socketpair
@return two fds, or nil, message, errno
*/
static int fd_socketpair(lua_State *L)
{
	return fd_pair(L, fd_make_socketpair, "socketpair");
}

/***
A file that exists in memory only, sealed: nobody can change its bytes any more, so a
program that runs from it cannot be overwritten through /proc/PID/exe.
memfd_create(2), fcntl(2) F_ADD_SEALS
@function memfd
@string name what /proc shows of it
@string contents
@string[opt] flags "noexec": it cannot be executed, on kernels since 6.3
@return an fd, or nil, message, errno
*/
static int fd_memfd(lua_State *L)
{
	const char *name = sys_check_string(L, 1);
	size_t size, done = 0;
	const char *contents = luaL_checklstring(L, 2, &size);
	static const struct sys_word words[] = { { "noexec", MFD_NOEXEC_SEAL }, { NULL, 0 } };
	unsigned asked = (unsigned)sys_check_words(L, 3, words, "memfd flag");
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd, *slot = fd_new(L);

	/* Since 6.3 a memfd may be born without execute permission unless it asks. */
	fd = memfd_create(name, flags | (asked ? asked : MFD_EXEC));
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (!fd_give(slot, fd))
		return sys_fail(L, "memfd_create", name);
	while (done < size) {
		/* Whoever reads it begins at its beginning. */
		ssize_t n = pwrite(*slot, contents + done, size - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sys_fail(L, "write", name);
		done += (size_t)n;
	}
	if (fcntl(*slot, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return sys_fail(L, "fcntl F_ADD_SEALS", name);
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
Closes an fd by its number, whoever owns it; meant for the standard streams of a child. close(2)
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
@return true, or nil, message, errno
*/
static int fd_open_stdio(lua_State *L)
{
	int fd;

	/* open takes the lowest free number, so each one filled uncovers the next. */
	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return sys_fail(L, "open", "/dev/null");
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
	{ "memfd", fd_memfd },
	{ "open", fd_open_file },
	{ "open_beneath", fd_open_beneath },
	{ "open_stdio", fd_open_stdio },
	{ "pipe", fd_pipe },
	{ "socketpair", fd_socketpair },
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
