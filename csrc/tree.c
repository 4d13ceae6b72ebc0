/*
 * Mounts that an fd holds, before they are anywhere: open_tree(2), move_mount(2); and what is
 * set on mounts: mount_setattr(2).
 */
#include "container.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"

/* "rec" is no attribute: it has a bit that no attribute has. What is taken away, and how mounts
 * are passed on, stand above what is added. */
#define RECURSIVE (1UL << 63)
#define CLEAR(attribute) ((unsigned long)(attribute) << 24)
#define PROPAGATION(flag) ((unsigned long)(flag) << 30)
#define SET_MASK ((1UL << 24) - 1)
#define PROPAGATION_MASK \
	PROPAGATION(MS_PRIVATE | MS_SLAVE | MS_SHARED | MS_UNBINDABLE)

static const struct sys_word attributes[] = {
	{ "rec", RECURSIVE },
	{ "private", PROPAGATION(MS_PRIVATE) },
	{ "slave", PROPAGATION(MS_SLAVE) },
	{ "shared", PROPAGATION(MS_SHARED) },
	{ "unbindable", PROPAGATION(MS_UNBINDABLE) },
	{ "ro", MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME },
	{ "noatime", CLEAR(MOUNT_ATTR__ATIME) | MOUNT_ATTR_NOATIME },
	{ "relatime", CLEAR(MOUNT_ATTR__ATIME) },
	{ "strictatime", CLEAR(MOUNT_ATTR__ATIME) | MOUNT_ATTR_STRICTATIME },
	{ "rw", CLEAR(MOUNT_ATTR_RDONLY) },
	{ "suid", CLEAR(MOUNT_ATTR_NOSUID) },
	{ "dev", CLEAR(MOUNT_ATTR_NODEV) },
	{ "exec", CLEAR(MOUNT_ATTR_NOEXEC) },
	{ "symfollow", CLEAR(MOUNT_ATTR_NOSYMFOLLOW) },
	{ "diratime", CLEAR(MOUNT_ATTR_NODIRATIME) },
	{ NULL, 0 },
};

/***
Copies a mount, as a bind does, onto nothing: an fd holds it until it is moved somewhere, and if it
never is, its last close ends it. open_tree(2) OPEN_TREE_CLONE, Linux 5.2
@function open_tree
@param path string or fd
@string[opt] flags rec: with every mount below it
@return an fd that closes itself, or nil, message, errno (EPERM without CAP_SYS_ADMIN, ENOSYS)
*/
static int tree_open_tree(lua_State *L)
{
	static const struct sys_word words[] = { { "rec", AT_RECURSIVE }, { NULL, 0 } };
	unsigned flags = (unsigned)sys_check_words(L, 2, words, "open_tree flag");
	const char *path = NULL;
	int *slot, from = AT_FDCWD;
	long fd;

	flags |= OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	if (lua_type(L, 1) == LUA_TSTRING) {
		path = sys_check_string(L, 1);
	} else {
		from = fd_check(L, 1);
		flags |= AT_EMPTY_PATH;
	}
	slot = fd_new(L);
	fd = syscall(SYS_open_tree, from, path ? path : "", flags);
	return fd_give(slot, (int)fd) ? 1 : sys_fail(L, "open_tree", path);
}

/***
Puts a mount that an fd holds onto a directory or file. move_mount(2), Linux 5.2
@function move_mount
@param tree fd, as of `open_tree`
@param target path string or fd
@return true, or nil, message, errno
*/
static int tree_move_mount(lua_State *L)
{
	int to = AT_FDCWD, tree = fd_check(L, 1);
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;
	const char *target = "";

	if (lua_type(L, 2) == LUA_TSTRING) {
		target = sys_check_string(L, 2);
	} else {
		to = fd_check(L, 2);
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	}
	return sys_result(L, syscall(SYS_move_mount, tree, "", to, target, flags),
			  "move_mount", *target ? target : NULL);
}

/***
Changes attributes of a mount; with rec of every mount below it too, at once or not at all.
With a user namespace a mount that `open_tree` made, and that is nowhere yet, is idmapped: an
id on disk is that id of the namespace, both ways. mount_setattr(2), Linux 5.12
@function mount_setattr
@param mount path of a mount point, or fd of a mount
@string attributes comma words: rec; what is added: ro nosuid nodev noexec nosymfollow nodiratime,
and one of noatime relatime strictatime; what is taken away: rw suid dev exec symfollow diratime;
and one of private slave shared unbindable: how what is mounted below is passed on
@param[opt] userns fd of the user namespace
@return true, or nil, message, errno (ENOSYS before 5.12; EINVAL for a filesystem that cannot
be idmapped)
*/
static int tree_mount_setattr(lua_State *L)
{
	unsigned long words = sys_check_words(L, 2, attributes, "mount attribute");
	unsigned flags = words & RECURSIVE ? AT_RECURSIVE : 0;
	struct {
		uint64_t set, clear, propagation, userns_fd;
	} attr = { words & SET_MASK, (words & ~(RECURSIVE | PROPAGATION_MASK)) >> 24,
		   (words & PROPAGATION_MASK) >> 30, 0 };
	const char *path = "";
	int dir = AT_FDCWD;

	if (lua_type(L, 1) == LUA_TSTRING) {
		path = sys_check_string(L, 1);
	} else {
		dir = fd_check(L, 1);
		flags |= AT_EMPTY_PATH;
	}
	if (!lua_isnoneornil(L, 3)) {
		attr.set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)fd_check(L, 3);
	}
	return sys_result(L,
			  syscall(SYS_mount_setattr, dir, path, flags, &attr, sizeof(attr)),
			  "mount_setattr", lua_type(L, 1) == LUA_TSTRING ? path : NULL);
}

/* Before 5.2 a mount is copied onto a place by paths. */
static int tree_bind(int cover, int target)
{
	char from[64], to[64];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", cover);
	snprintf(to, sizeof(to), "/proc/self/fd/%d", target);
	return mount(from, to, NULL, MS_BIND, NULL);
}

/* Copies the mount that one fd is of onto the place that another is of. */
static int tree_copy(int cover, int target)
{
	int rc,
		tree = (int)syscall(SYS_open_tree, cover, "",
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (tree < 0)
		return errno == ENOSYS ? tree_bind(cover, target) : -1;
	rc = (int)syscall(SYS_move_mount, tree, "", target, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	sys_close(tree);
	return rc < 0 && errno == ENOSYS ? tree_bind(cover, target) : rc;
}

/***
Covers what is at a path beneath a directory: a directory by one open file, anything else by
another. The path is resolved as by `open_beneath`, without symbolic links, and what is found is
covered by its fd, so that no process can put something else in its place.
@function mask_path
@param root fd of a directory
@string path
@param file fd of what covers a file
@param[opt] directory fd of what covers a directory
@return true, or nil, message, errno (ENOENT when it is not there; EISDIR for a directory when
nothing was given that covers one)
*/
static int tree_mask_path(lua_State *L)
{
	int rc, root = fd_check(L, 1), file = fd_check(L, 3);
	const char *path = sys_check_string(L, 2);
	int directory = lua_isnoneornil(L, 4) ? -1 : fd_check(L, 4);
	int target;
	struct stat st;

	target = open_in(root, path, O_PATH, RESOLVE_NO_SYMLINKS);
	if (target < 0)
		return sys_fail(L, "openat2", path);
	rc = fstat(target, &st);
	if (rc == 0 && S_ISDIR(st.st_mode) && directory < 0) {
		rc = -1;
		errno = EISDIR;
	} else if (rc == 0) {
		rc = tree_copy(S_ISDIR(st.st_mode) ? directory : file, target);
	}
	sys_close(target);
	return sys_result(L, rc, "move_mount", path);
}

static const luaL_Reg functions[] = {
	{ "mask_path", tree_mask_path },
	{ "mount_setattr", tree_mount_setattr },
	{ "move_mount", tree_move_mount },
	{ "open_tree", tree_open_tree },
	{ NULL, NULL },
};

void tree_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
