/* What a file is: stat(2). */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "compat.h"

static const char *stat_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "link";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	default:
		return "socket";
	}
}

static const char *const stat_fields[] = { "dev",   "gid",  "ino",   "major",
					   "minor", "mode", "mtime", "nlink",
					   "size",  "type", "uid",   NULL };

/* Pushes one of the fields, by its place in the list; nil where there is none. */
static void stat_push_field(lua_State *L, const struct stat *st, int field)
{
	int device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
	const lua_Integer values[] = {
		(lua_Integer)st->st_dev,
		st->st_gid,
		(lua_Integer)st->st_ino,
		major(st->st_rdev),
		minor(st->st_rdev),
		st->st_mode & 07777,
		(lua_Integer)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		(lua_Integer)st->st_nlink,
		(lua_Integer)st->st_size,
		0,
		st->st_uid,
	};
	const char *name = stat_fields[field];

	luaL_checkstack(L, 1, NULL);
	if (!strcmp(name, "type"))
		lua_pushstring(L, stat_type(st->st_mode));
	else if (!device && (!strcmp(name, "major") || !strcmp(name, "minor")))
		lua_pushnil(L);
	else
		lua_pushinteger(L, values[field]);
}

/***
What a path or an fd is; a symbolic link is followed. stat(2)
@function stat
@param path string or fd
@string[opt] ... names of fields, whose values then come back instead of the table
@treturn table type ("file", "directory", "link", "char", "block", "fifo", "socket"), mode
(permission bits), nlink, uid, gid, size, mtime (nanoseconds since 1970), dev and ino, which
together say which file it is, and major and minor of a device node; or nil, message, errno
*/
static int stat_stat(lua_State *L)
{
	int rc, i, top = lua_gettop(L);
	struct stat st;
	const char *path = NULL;

	if (lua_type(L, 1) == LUA_TSTRING) {
		path = sys_check_string(L, 1);
		rc = stat(path, &st);
	} else {
		rc = fstat(fd_check(L, 1), &st);
	}
	if (rc < 0)
		return sys_fail(L, "stat", path);
	for (i = 2; i <= top; i++)
		stat_push_field(L, &st, luaL_checkoption(L, i, NULL, stat_fields));
	if (top > 1)
		return top - 1;
	lua_createtable(L, 0, 11);
	for (i = 0; stat_fields[i]; i++) {
		stat_push_field(L, &st, i);
		lua_setfield(L, -2, stat_fields[i]);
	}
	return 1;
}

static const luaL_Reg functions[] = {
	{ "stat", stat_stat },
	{ NULL, NULL },
};

void stat_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
