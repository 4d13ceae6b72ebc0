/* Namespaces: their names, unshare(2), setns(2). */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <unistd.h>

#include "compat.h"

/* The words of the OCI runtime specification, config-linux, "namespaces". */
static const struct sys_word namespaces[] = {
	{ "mount", CLONE_NEWNS },   { "uts", CLONE_NEWUTS },	   { "pid", CLONE_NEWPID },
	{ "ipc", CLONE_NEWIPC },    { "network", CLONE_NEWNET },   { "user", CLONE_NEWUSER },
	{ "time", CLONE_NEWTIME },  { "cgroup", CLONE_NEWCGROUP }, { NULL, 0 },
};

/* Namespaces as an array of names, or as comma words. Replaces the argument by comma words,
 * which is what an error names. */
unsigned long namespace_check_namespaces(lua_State *L, int arg)
{
	luaL_Buffer b;
	lua_Unsigned i, n;

	if (lua_type(L, arg) == LUA_TTABLE) {
		n = sys_check_array(L, arg);
		luaL_buffinit(L, &b);
		for (i = 0; i < n; i++) {
			if (i)
				luaL_addchar(&b, ',');
			if (lua_rawgeti(L, arg, (lua_Integer)i + 1) != LUA_TSTRING)
				luaL_argerror(L, arg, "names of namespaces expected");
			luaL_addvalue(&b);
		}
		luaL_pushresult(&b);
		lua_replace(L, arg);
	}
	luaL_checktype(L, arg, LUA_TSTRING);
	return sys_check_words(L, arg, namespaces, "namespace");
}

/***
Moves the caller into new namespaces; into a new pid or time namespace its next
children only. unshare(2)
@function unshare
@param namespaces as of `clone`
@return true, or nil, message, errno
*/
static int namespace_unshare(lua_State *L)
{
	unsigned long flags = namespace_check_namespaces(L, 1);

	return sys_result(L, unshare((int)flags), "unshare", lua_tostring(L, 1));
}

/* A directory of the process's namespaces in proc is the older way; a pidfd joins them at
 * once, or none of them, since 5.8. */
static int namespace_setns_pid(lua_State *L, pid_t pid, unsigned long flags)
{
	int rc, fd = (int)syscall(SYS_pidfd_open, pid, 0);

	lua_pushfstring(L, "%d", (int)pid);
	if (fd < 0)
		return sys_fail(L, "pidfd_open", lua_tostring(L, -1));
	rc = setns(fd, (int)flags);
	sys_close(fd);
	return sys_result(L, rc, "setns", lua_tostring(L, -1));
}

/***
Joins existing namespaces. setns(2)
@function setns
@param where a pid, all of whose named namespaces are joined at once; or the path of one namespace
such as /proc/PID/ns/uts; or an fd of one, or a pidfd
@param namespaces as of `clone`
@return true, or nil, message, errno
*/
static int namespace_setns(lua_State *L)
{
	unsigned long flags = namespace_check_namespaces(L, 2);
	const char *path;
	int rc, fd;

	if (lua_isinteger(L, 1))
		return namespace_setns_pid(L, (pid_t)sys_check_range(L, 1, 1, INT_MAX), flags);
	if (lua_type(L, 1) != LUA_TSTRING)
		return sys_result(L, setns(fd_check(L, 1), (int)flags), "setns",
				  lua_tostring(L, 2));
	path = sys_check_string(L, 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return sys_fail(L, "open", path);
	rc = setns(fd, (int)flags);
	sys_close(fd);
	return sys_result(L, rc, "setns", path);
}

static const luaL_Reg functions[] = {
	{ "setns", namespace_setns },
	{ "unshare", namespace_unshare },
	{ NULL, NULL },
};

void namespace_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
