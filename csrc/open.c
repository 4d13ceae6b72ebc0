/*
 * What makes an fd: open(2), openat2(2), pipe(2), socketpair(2), memfd_create(2). Its owner,
 * of which fd.c knows, is there before it.
 */
#include "container.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"

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
static int open_file(lua_State *L)
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

/*
 * How often a path with ".." is looked up while others rename somewhere on the machine, which is
 * when the kernel cannot say that it stayed beneath the root. A process that renames all the
 * time cannot hold up a start by that.
 */
#define OPEN_TRIES 1000

/* Opens a path as if the directory were the root. */
int open_in(int dir, const char *path, unsigned long flags, unsigned long resolve)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { flags | O_CLOEXEC, 0, resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd, tries = OPEN_TRIES;

	do
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
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
static int open_beneath(lua_State *L)
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
	return fd_give(slot, open_in(dir, path, flags, words))
		       ? 1
		       : sys_fail(L, "openat2", path);
}

static int open_pair(lua_State *L, int (*make)(int pair[2]), const char *call)
{
	int pair[2];
	int *first = fd_new(L), *second = fd_new(L);

	if (make(pair) < 0)
		return sys_fail(L, call, NULL);
	fd_give(first, pair[0]);
	fd_give(second, pair[1]);
	if (*first < 0 || *second < 0)
		return sys_fail(L, call, NULL);
	return 2;
}

static int open_make_pipe(int pair[2])
{
	return pipe2(pair, O_CLOEXEC);
}

static int open_make_socketpair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

/***
A pipe. pipe(2)
@function pipe
@return the end to read from and the end to write to, or nil, message, errno
*/
static int open_pipe(lua_State *L)
{
	return open_pair(L, open_make_pipe, "pipe");
}

/***
Two connected stream sockets. socketpair(2), unix(7)
@function socketpair
@return two fds, or nil, message, errno
*/
static int open_socketpair(lua_State *L)
{
	return open_pair(L, open_make_socketpair, "socketpair");
}

/* A word of ours, in a bit that memfd_create has no use for. */
#define MEMFD_EXECONLY (1U << 25)

/***
A file that exists in memory only, sealed: its bytes cannot be changed any more, so a
program that runs from it cannot be overwritten through /proc/PID/exe.
memfd_create(2), fcntl(2) F_ADD_SEALS
@function memfd
@string name what /proc shows of it
@string contents
@string[opt] flags "noexec": it cannot be executed, on kernels since 6.3. "execonly": it can be
executed and not read, so the kernel lets no process trace the one that runs it. ptrace(2)
@return an fd, or nil, message, errno (EFBIG over the limit of file sizes)
*/
static int open_memfd(lua_State *L)
{
	const char *name = sys_check_string(L, 1);
	size_t size, done = 0;
	const char *contents = luaL_checklstring(L, 2, &size);
	static const struct sys_word words[] = { { "noexec", MFD_NOEXEC_SEAL },
						 { "execonly", MEMFD_EXECONLY },
						 { NULL, 0 } };
	unsigned given = (unsigned)sys_check_words(L, 3, words, "memfd flag");
	unsigned asked = given & ~MEMFD_EXECONLY;
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd, *slot = fd_new(L);

	/* Since 6.3 a memfd may be born without execute permission unless it asks. */
	fd = memfd_create(name, flags | (asked ? asked : MFD_EXEC));
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (!fd_give(slot, fd))
		return sys_fail(L, "memfd_create", name);
	while (done < size) {
		/* A reader begins at its beginning. */
		ssize_t n = io_quiet_write(*slot, contents + done, size - done, (off_t)done);

		if (n < 0)
			return sys_fail(L, "write", name);
		done += (size_t)n;
	}
	if (given & MEMFD_EXECONLY && fchmod(*slot, 0111) < 0)
		return sys_fail(L, "fchmod", name);
	if (fcntl(*slot, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return sys_fail(L, "fcntl F_ADD_SEALS", name);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "memfd", open_memfd },
	{ "open", open_file },
	{ "open_beneath", open_beneath },
	{ "pipe", open_pipe },
	{ "socketpair", open_socketpair },
	{ NULL, NULL },
};

void open_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
