/*
 * Where a cgroup can be made, and the smallest container limit there is: how many processes.
 * cgroups(7); kernel documents admin-guide/cgroup-v1/pids and admin-guide/cgroup-v2
 */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"

/* Whether a file of the cgroup `dir` holds a word; -1 if it cannot be read. */
static int cgroup_file_has(lua_State *L, const char *dir, const char *file, const char *word)
{
	int found = -1;

	lua_pushfstring(L, "%s/%s", dir, file);
	if (sys_slurp(L, lua_tostring(L, -1))) {
		const char *text = lua_tostring(L, -1);

		found = word ? cgroup_has_word(text, text + strlen(text), word, " \n")
			     : *text != '\0';
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return found;
}

/* Whether children of the v2 cgroup `dir` have the controller. It is switched on for them, from
 * the top down, where that can be done: `size` bytes of `dir` are the mount point. A cgroup that
 * holds processes, other than the real root (which has no cgroup.type), cannot give
 * controllers to children and keep its processes. */
static int cgroup_enable(lua_State *L, const char *dir, size_t size, const char *controller)
{
	const char *slash = strrchr(dir, '/');
	int rc, base = lua_gettop(L);

	if (cgroup_file_has(L, dir, "cgroup.subtree_control", controller) == 1)
		return 1;
	if (cgroup_file_has(L, dir, "cgroup.type", NULL) >= 0 &&
	    cgroup_file_has(L, dir, "cgroup.procs", NULL) != 0)
		return 0;
	luaL_checkstack(L, LUA_MINSTACK, NULL);
	if (cgroup_file_has(L, dir, "cgroup.controllers", controller) != 1) {
		if (!slash || (size_t)(slash - dir) < size)
			return 0;
		lua_pushlstring(L, dir, (size_t)(slash - dir));
		rc = cgroup_enable(L, lua_tostring(L, -1), size, controller);
		lua_settop(L, base);
		if (!rc)
			return 0;
	}
	lua_pushfstring(L, "%s/cgroup.subtree_control", dir);
	lua_pushfstring(L, "+%s", controller);
	rc = sys_spill(AT_FDCWD, lua_tostring(L, -2), lua_tostring(L, -1),
		       lua_rawlen(L, -1));
	lua_settop(L, base);
	return rc == 0;
}

/* Pushes the directory in which a cgroup with this controller can be made, and 1 or 2, the
 * version of the hierarchy; 0 and errno if there is none. On v2 it is the nearest cgroup,
 * from the caller's own upwards, whose children have the controller. */
static int cgroup_push_place(lua_State *L, const char *controller)
{
	size_t top;

	if (cgroup_push_directory(L, controller)) {
		lua_pop(L, 1);
		lua_pushinteger(L, 1);
		return 1;
	}
	if (errno != ENOENT || !cgroup_push_directory(L, NULL))
		return 0;
	top = (size_t)lua_tointeger(L, -1);
	lua_pop(L, 1);
	for (;;) {
		const char *dir = lua_tostring(L, -1);
		const char *slash = strrchr(dir, '/');

		if (cgroup_enable(L, dir, top, controller)) {
			lua_pushinteger(L, 2);
			return 1;
		}
		if (!slash || (size_t)(slash - dir) < top) {
			lua_pop(L, 1);
			errno = ENOENT;
			return 0;
		}
		lua_pushlstring(L, dir, (size_t)(slash - dir));
		lua_remove(L, -2);
	}
}

/***
Finds where a cgroup with a controller can be made. In v1 it is the caller's own cgroup in the
controller's hierarchy. In v2 it is the nearest cgroup, from the caller's own upwards, whose
children have the controller; it is switched on for them where no process is in the way.
cgroups(7)
@function cgroup_place
@string controller such as "pids"
@treturn string directory
@treturn int 1 or 2, the version; or nil, message, errno (ENOENT when there is no such place)
*/
static int cgroup_place(lua_State *L)
{
	const char *controller = sys_check_string(L, 1);

	if (cgroup_push_place(L, controller))
		return 2;
	return sys_fail(L, "cgroup controller", controller);
}

/***
The directory of the caller's own cgroup in a hierarchy. cgroups(7)
@function cgroup_directory
@string[opt] controller of version 1; the hierarchy of version 2 if left out
@treturn string; or nil, message, errno (ENOENT when there is no such hierarchy, or no mount shows
the caller's part of it)
*/
static int cgroup_directory(lua_State *L)
{
	const char *controller = sys_opt_string(L, 1, NULL);

	if (!cgroup_push_directory(L, controller))
		return sys_fail(L, "cgroup hierarchy", controller ? controller : "cgroup2");
	lua_pop(L, 1);
	return 1;
}

static void cgroup_check_name(lua_State *L, int arg, const char *name)
{
	luaL_argcheck(L, *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, ".."),
		      arg, "not the name of a cgroup");
}

/***
Makes the cgroup `name` under the pids controller of v1 or v2, sets its limit and moves a
process into it. It lasts until `rmdir`. cgroup-v1/pids, cgroup-v2 "PID"
@function cgroup_pids
@string name of one directory
@param limit the largest number of processes, at least 1, or "max"
@int[opt] pid the process to move, the caller if left out
@treturn string the directory of the cgroup; or nil, message, errno, and then there is
no cgroup (ENOENT without a pids controller, EEXIST, EACCES)
*/
static int cgroup_pids(lua_State *L)
{
	static const char *const files[] = { "pids.max", "cgroup.procs" };
	const char *name = sys_check_string(L, 1);
	lua_Integer pid = lua_isnoneornil(L, 3) ? 0 : sys_check_range(L, 3, 1, INT_MAX);
	const char *value[2], *dir;
	int i;

	cgroup_check_name(L, 1, name);
	if (lua_type(L, 2) == LUA_TSTRING) {
		value[0] = sys_check_string(L, 2);
		luaL_argcheck(L, !strcmp(value[0], "max"), 2, "limit or \"max\" expected");
	} else {
		value[0] = lua_pushfstring(L, "%I", sys_check_range(L, 2, 1, LLONG_MAX));
	}
	value[1] = lua_pushfstring(L, "%I", pid);
	if (!cgroup_push_place(L, "pids"))
		return sys_fail(L, "cgroup controller", "pids");
	dir = lua_pushfstring(L, "%s/%s", lua_tostring(L, -2), name);
	if (mkdir(dir, 0755) < 0)
		return sys_fail(L, "mkdir", dir);
	for (i = 0; i < 2; i++) {
		const char *path = lua_pushfstring(L, "%s/%s", dir, files[i]);

		if (sys_spill(AT_FDCWD, path, value[i], strlen(value[i])) < 0) {
			int err = errno;

			rmdir(dir);
			return sys_fail_with(L, err, "write", path);
		}
		lua_pop(L, 1);
	}
	return 1;
}

static const luaL_Reg functions[] = {
	{ "cgroup_directory", cgroup_directory },
	{ "cgroup_pids", cgroup_pids },
	{ "cgroup_place", cgroup_place },
	{ NULL, NULL },
};

void cgroup_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
