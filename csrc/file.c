/* Directories and nodes: mkdir(2), mknod(2), symlink(2), readdir(3); whole files. */
#include "container.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "compat.h"

/***
Makes a directory. mkdir(2)
@function mkdir
@string path
@int[opt=493] mode
@param[opt] dir fd that a relative path starts from
@return true, or nil, message, errno
*/
static int file_mkdir(lua_State *L)
{
	const char *path = sys_check_string(L, 1);
	mode_t mode = (mode_t)(lua_isnoneornil(L, 2) ? 0755 : sys_check_range(L, 2, 0, 07777));

	return sys_result(L, mkdirat(fd_opt_dir(L, 3), path, mode), "mkdir", path);
}

/***
Removes an empty directory, or a cgroup without processes. rmdir(2)
@function rmdir
@string path
@param[opt] dir fd that a relative path starts from
@return true, or nil, message, errno
*/
static int file_rmdir(lua_State *L)
{
	const char *path = sys_check_string(L, 1);

	return sys_result(L, unlinkat(fd_opt_dir(L, 2), path, AT_REMOVEDIR), "rmdir", path);
}

/***
Makes a symbolic link. symlink(2)
@function symlink
@string target what the link says
@string path where it is
@param[opt] dir fd that a relative path starts from
@return true, or nil, message, errno
*/
static int file_symlink(lua_State *L)
{
	const char *target = sys_check_string(L, 1);
	const char *path = sys_check_string(L, 2);

	return sys_result(L, symlinkat(target, fd_opt_dir(L, 3), path), "symlink", path);
}

/***
What a symbolic link says. readlink(2)
@function readlink
@string path
@param[opt] dir fd that a relative path starts from
@treturn string; or nil, message, errno (EINVAL when it is none)
*/
static int file_readlink(lua_State *L)
{
	const char *path = sys_check_string(L, 1);
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd_opt_dir(L, 2), path, target, sizeof(target));

	if (n < 0)
		return sys_fail(L, "readlink", path);
	lua_pushlstring(L, target, (size_t)n);
	return 1;
}

/***
Gives a file to a user and a group. chown(2), fchown(2)
@function chown
@param path string, of which a symbolic link is not followed; or an fd
@int uid
@int gid
@param[opt] dir fd that a relative path starts from
@return true, or nil, message, errno
*/
static int file_chown(lua_State *L)
{
	uid_t uid = (uid_t)sys_check_range(L, 2, 0, UINT_MAX - 1);
	gid_t gid = (gid_t)sys_check_range(L, 3, 0, UINT_MAX - 1);
	const char *path;

	if (lua_type(L, 1) != LUA_TSTRING)
		return sys_result(L, fchown(fd_check(L, 1), uid, gid), "fchown", NULL);
	path = sys_check_string(L, 1);
	return sys_result(L, fchownat(fd_opt_dir(L, 4), path, uid, gid, AT_SYMLINK_NOFOLLOW),
			  "chown", path);
}

/***
Sets the permission bits of an open file. fchmod(2)
@function chmod
@param fd
@int mode
@return true, or nil, message, errno (EPERM when the file is another user's)
*/
static int file_chmod(lua_State *L)
{
	int fd = fd_check(L, 1);
	mode_t mode = (mode_t)sys_check_range(L, 2, 0, 07777);

	return sys_result(L, fchmod(fd, mode), "fchmod", NULL);
}

/***
Makes a file or a device node. mknod(2)
@function mknod
@string path
@string type "char", "block", "fifo" or "file"
@int mode permission bits, less those of the umask
@int[opt=0] major
@int[opt=0] minor
@param[opt] dir fd that a relative path starts from
@return true, or nil, message, errno
*/
static int file_mknod(lua_State *L)
{
	static const char *const words[] = { "char", "block", "fifo", "file", NULL };
	static const mode_t types[] = { S_IFCHR, S_IFBLK, S_IFIFO, S_IFREG };
	const char *path = sys_check_string(L, 1);
	mode_t type = types[luaL_checkoption(L, 2, NULL, words)];
	mode_t mode = (mode_t)sys_check_range(L, 3, 0, 07777);
	unsigned major_number =
		(unsigned)(lua_isnoneornil(L, 4) ? 0 : sys_check_range(L, 4, 0, 0xfff));
	unsigned minor_number =
		(unsigned)(lua_isnoneornil(L, 5) ? 0 : sys_check_range(L, 5, 0, 0xfffff));

	return sys_result(L,
			  mknodat(fd_opt_dir(L, 6), path, type | mode,
				  makedev(major_number, minor_number)),
			  "mknod", path);
}

/***
Sets the permission bits that new files of this process do not get. umask(2)
@function umask
@int mask
@treturn int the mask before
*/
static int file_umask(lua_State *L)
{
	lua_pushinteger(L, umask((mode_t)sys_check_range(L, 1, 0, 0777)));
	return 1;
}

/***
The names in a directory, without "." and "..", in no order. readdir(3)
@function list
@string path
@treturn table array of strings; or nil, message, errno
*/
static int file_list(lua_State *L)
{
	const char *path = sys_check_string(L, 1);
	/* Not by opendir: a child that shares the host program's memory may not ask malloc. */
	_Alignas(struct dirent64) char buffer[4096];
	const struct dirent64 *entry;
	int *fd = fd_new(L);
	lua_Integer n = 0;
	long size, at;

	if (!fd_give(fd, open(path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC)))
		return sys_fail(L, "opendir", path);
	lua_newtable(L);
	while ((size = syscall(SYS_getdents64, *fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < size; at += entry->d_reclen) {
			entry = (const void *)(buffer + at);
			if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
				continue;
			lua_pushstring(L, entry->d_name);
			lua_rawseti(L, -2, ++n);
		}
	}
	if (size < 0)
		return sys_fail(L, "readdir", path);
	close(*fd);
	*fd = -1;
	return 1;
}

/***
The whole of a file, also of one without a size as in proc and cgroup. read(2)
@function read_file
@string path
@treturn string; or nil, message, errno
*/
static int file_read_file(lua_State *L)
{
	const char *path = sys_check_string(L, 1);

	return sys_slurp(L, path) ? 1 : sys_fail(L, "read", path);
}

/***
Writes to an existing file, in a single write as proc and cgroup want it. write(2)
@function write_file
@string path
@string data
@param[opt] dir fd that a relative path starts from
@return true, or nil, message, errno
*/
static int file_write_file(lua_State *L)
{
	const char *path = sys_check_string(L, 1);
	size_t size;
	const char *data = luaL_checklstring(L, 2, &size);

	return sys_result(L, sys_spill(fd_opt_dir(L, 3), path, data, size), "write", path);
}

static const luaL_Reg functions[] = {
	{ "chmod", file_chmod },
	{ "chown", file_chown },
	{ "list", file_list },
	{ "mkdir", file_mkdir },
	{ "mknod", file_mknod },
	{ "read_file", file_read_file },
	{ "readlink", file_readlink },
	{ "rmdir", file_rmdir },
	{ "symlink", file_symlink },
	{ "umask", file_umask },
	{ "write_file", file_write_file },
	{ NULL, NULL },
};

void file_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
