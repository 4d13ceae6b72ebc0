/* The tree of mounts and the root: mount(2), umount(2), pivot_root(2), chroot(2), chdir(2). */
#include "container.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "compat.h"

static const struct sys_word mount_flags[] = {
	{ "bind", MS_BIND },
	{ "rbind", MS_BIND | MS_REC },
	{ "rec", MS_REC },
	{ "remount", MS_REMOUNT },
	{ "move", MS_MOVE },
	{ "ro", MS_RDONLY },
	{ "nosuid", MS_NOSUID },
	{ "nodev", MS_NODEV },
	{ "noexec", MS_NOEXEC },
	{ "nosymfollow", MS_NOSYMFOLLOW },
	{ "noatime", MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME },
	{ "relatime", MS_RELATIME },
	{ "strictatime", MS_STRICTATIME },
	{ "sync", MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC },
	{ "silent", MS_SILENT },
	{ "lazytime", MS_LAZYTIME },
	{ "iversion", MS_I_VERSION },
	{ "mand", MS_MANDLOCK },
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "slave", MS_SLAVE },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "shared", MS_SHARED },
	{ "rshared", MS_SHARED | MS_REC },
	{ "unbindable", MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
	{ NULL, 0 },
};

static const struct sys_word umount_flags[] = {
	{ "force", MNT_FORCE },
	{ "detach", MNT_DETACH },
	{ "expire", MNT_EXPIRE },
	{ "nofollow", UMOUNT_NOFOLLOW },
	{ NULL, 0 },
};

/***
Makes a directory the root of this process; its working directory stays where it was.
chroot(2)
@function chroot
@string path
@return true, or nil, message, errno
*/
static int mount_chroot(lua_State *L)
{
	const char *path = sys_check_string(L, 1);

	return sys_result(L, chroot(path), "chroot", path);
}

/***
Changes the working directory, to a path or to an open directory. chdir(2), fchdir(2)
@function chdir
@param path string or fd
@return true, or nil, message, errno
*/
static int mount_chdir(lua_State *L)
{
	const char *path;

	if (lua_type(L, 1) != LUA_TSTRING)
		return sys_result(L, fchdir(fd_check(L, 1)), "fchdir", NULL);
	path = sys_check_string(L, 1);
	return sys_result(L, chdir(path), "chdir", path);
}

/* The number of the mount that a path leads to, 0 if it cannot be told. statx(2), Linux 5.8 */
static uint64_t mount_id(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0 ||
	    !(st.stx_mask & STATX_MNT_ID))
		return 0;
	return st.stx_mnt_id;
}

/***
Which mount a file is in. statx(2), Linux 5.8
@function mount_id
@param path string or fd
@treturn int its number in mountinfo; or nil, message, errno
*/
static int mount_mount_id(lua_State *L)
{
	const char *path = "";
	int dir = AT_FDCWD, flags = AT_NO_AUTOMOUNT;
	struct statx st;

	if (lua_type(L, 1) == LUA_TSTRING) {
		path = sys_check_string(L, 1);
	} else {
		dir = fd_check(L, 1);
		flags |= AT_EMPTY_PATH;
	}
	if (statx(dir, path, flags, STATX_MNT_ID, &st) < 0)
		return sys_fail(L, "statx", path);
	if (!(st.stx_mask & STATX_MNT_ID))
		return sys_fail_with(L, ENOSYS, "statx", path);
	lua_pushinteger(L, (lua_Integer)st.stx_mnt_id);
	return 1;
}

/* Takes off the root what is stacked on it, until the root itself, which has the number
 * `id`, is the top. "/.." leads to the top, "/" to the root. Where mounts are shared with another
 * namespace they would be taken off there too: so the old ones are no longer. */
static int mount_uncover(uint64_t id, int shared)
{
	uint64_t top;

	while ((top = mount_id("/..")) != id) {
		if (!top)
			return -1;
		if (shared && mount(NULL, "/..", NULL, MS_SLAVE | MS_REC, NULL) < 0)
			return -1;
		if (umount2("/..", MNT_DETACH) < 0)
			return -1;
	}
	return 0;
}

/***
Makes a mount point the root of this mount namespace, detaches the old root with all that is
mounted in it and on it, and ends in the new one. No directory for the old root is needed: it
is stacked on the new one for a moment and taken off from there. pivot_root(2), NOTES
@function pivot_root
@param path string or fd of a directory on which something is mounted
@bool[opt] shared mounts of the old root may be shared with another namespace
@return true, or nil, message, errno
*/
static int mount_pivot_root(lua_State *L)
{
	const char *path = ".";
	uint64_t id;

	if (lua_type(L, 1) == LUA_TSTRING) {
		path = sys_check_string(L, 1);
		if (chdir(path) < 0)
			return sys_fail(L, "chdir", path);
	} else if (fchdir(fd_check(L, 1)) < 0) {
		return sys_fail(L, "fchdir", NULL);
	}
	id = mount_id(".");
	if (!id)
		return sys_fail_with(L, ENOSYS, "statx", path);
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return sys_fail(L, "pivot_root", path);
	if (mount_uncover(id, lua_toboolean(L, 2)) < 0)
		return sys_fail(L, "umount", "the old root");
	return sys_result(L, chdir("/"), "chdir", "/");
}

/***
Mounts a filesystem, or changes a mount. mount(2)
@function mount
@string[opt] source
@string target
@string[opt] type filesystem, such as "tmpfs"
@string[opt] flags comma words: bind rbind rec remount move ro nosuid nodev noexec nosymfollow
noatime nodiratime relatime strictatime sync dirsync silent lazytime iversion mand, and private
slave shared unbindable, each also with an r in front
@string[opt] data options of the filesystem itself
@return true, or nil, message, errno
*/
static int mount_mount(lua_State *L)
{
	const char *source = sys_opt_string(L, 1, NULL);
	const char *target = sys_check_string(L, 2);
	const char *type = sys_opt_string(L, 3, NULL);
	unsigned long flags = sys_check_words(L, 4, mount_flags, "mount flag");
	const char *data = sys_opt_string(L, 5, NULL);

	return sys_result(L, mount(source ? source : "none", target, type, flags, data),
			  "mount", target);
}

/***
Unmounts. umount2(2)
@function umount
@string target
@string[opt] flags comma words: force detach expire nofollow
@return true, or nil, message, errno
*/
static int mount_umount(lua_State *L)
{
	const char *target = sys_check_string(L, 1);
	int flags = (int)sys_check_words(L, 2, umount_flags, "umount flag");

	return sys_result(L, umount2(target, flags), "umount", target);
}

/* What statfs(2) says of a mount, in the words of `mount`. */
static const struct sys_word statfs_flags[] = {
	{ "ro", ST_RDONLY },	 { "nosuid", ST_NOSUID },	   { "nodev", ST_NODEV },
	{ "noexec", ST_NOEXEC }, { "nosymfollow", ST_NOSYMFOLLOW }, { NULL, 0 },
};

/***
The flags of the mount that a file is in, as `mount` takes them: a caller that changes a mount by
mounting it again has to say all of them, or takes away those that he does not say. statfs(2)
@function mount_flags
@param fd
@treturn string comma words: ro nosuid nodev noexec nosymfollow; or nil, message, errno
*/
static int mount_mount_flags(lua_State *L)
{
	struct statfs st;
	const struct sys_word *w;
	luaL_Buffer b;

	if (fstatfs(fd_check(L, 1), &st) < 0)
		return sys_fail(L, "fstatfs", NULL);
	luaL_buffinit(L, &b);
	for (w = statfs_flags; w->name; w++) {
		if (!((unsigned long)st.f_flags & w->value))
			continue;
		if (luaL_bufflen(&b))
			luaL_addchar(&b, ',');
		luaL_addstring(&b, w->name);
	}
	luaL_pushresult(&b);
	return 1;
}

/***
Mounts a fresh proc, which shows the PID namespace of the caller, with nosuid, nodev and
noexec. proc(5)
@function mount_proc
@string[opt="/proc"] target
@return true, or nil, message, errno
*/
static int mount_mount_proc(lua_State *L)
{
	const char *target = sys_opt_string(L, 1, "/proc");

	return sys_result(L,
			  mount("proc", target, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
			  "mount proc", target);
}

static const luaL_Reg functions[] = {
	{ "chdir", mount_chdir },
	{ "chroot", mount_chroot },
	{ "mount", mount_mount },
	{ "mount_id", mount_mount_id },
	{ "mount_flags", mount_mount_flags },
	{ "mount_proc", mount_mount_proc },
	{ "pivot_root", mount_pivot_root },
	{ "umount", mount_umount },
	{ NULL, NULL },
};

void mount_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
