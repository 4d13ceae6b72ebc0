/*
 * Mounts that an fd holds, before they are anywhere: open_tree(2), move_mount(2); and what is
 * set on mounts: mount_setattr(2).
 */
#include "container.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <unistd.h>

#include "compat.h"

/* "rec" and "private" are no attributes: they have bits that no attribute has. */
#define RECURSIVE (1UL << 63)
#define PRIVATE (1UL << 62)

static const struct sys_word attributes[] = {
	{ "rec", RECURSIVE },
	{ "private", PRIVATE },
	{ "ro", MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC },
	{ NULL, 0 },
};

/***
Copies a mount, as a bind does, onto nothing: an fd holds it until it is moved somewhere, and if it
never is, its last close ends it. open_tree(2) OPEN_TREE_CLONE, Linux 5.2
@function open_tree
@string path
@string[opt] flags rec: with every mount below it
@return an fd that closes itself, or nil, message, errno (EPERM without CAP_SYS_ADMIN, ENOSYS)
*/
static int tree_open_tree(lua_State *L)
{
	static const struct sys_word words[] = { { "rec", AT_RECURSIVE }, { NULL, 0 } };
	const char *path = sys_check_string(L, 1);
	unsigned flags = (unsigned)sys_check_words(L, 2, words, "open_tree flag");
	int *slot = fd_new(L);
	long fd = syscall(SYS_open_tree, AT_FDCWD, path,
			  flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

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
Adds attributes to a mount; with rec to every mount below it too, at once or not at all.
With a user namespace a mount that `open_tree` made, and that is nowhere yet, is idmapped: an
id on disk is that id of the namespace, both ways. mount_setattr(2), Linux 5.12
@function mount_setattr
@param mount path of a mount point, or fd of a mount
@string attributes comma words: rec ro nosuid nodev noexec, and private, which shows nobody else
what is mounted below
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
	} attr = { words & ~(RECURSIVE | PRIVATE), 0, words & PRIVATE ? MS_PRIVATE : 0, 0 };
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
	return sys_result(L, syscall(SYS_mount_setattr, dir, path, flags, &attr, sizeof(attr)),
			  "mount_setattr", lua_type(L, 1) == LUA_TSTRING ? path : NULL);
}

static const luaL_Reg functions[] = {
	{ "mount_setattr", tree_mount_setattr },
	{ "move_mount", tree_move_mount },
	{ "open_tree", tree_open_tree },
	{ NULL, NULL },
};

void tree_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
