/* The user that runs this: setuid(2), setgid(2), setgroups(2), keyrings(7). */
#include "container.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"

#ifndef KEYCTL_JOIN_SESSION_KEYRING
#define KEYCTL_JOIN_SESSION_KEYRING 1
#endif

/***
The ids of this process. getuid(2), getgid(2)
@function geteuid
@treturn int effective user id
@treturn int effective group id
*/
static int identity_geteuid(lua_State *L)
{
	lua_pushinteger(L, geteuid());
	lua_pushinteger(L, getegid());
	return 2;
}

/***
Makes the supplementary groups of this thread those of a list. The raw system call: glibc's would
have every thread of a host program do it. setgroups(2)
@function setgroups
@tparam table groups array of ids
@return true, or nil, message, errno (EPERM without CAP_SETGID, or where setgroups is denied)
*/
static int identity_setgroups(lua_State *L)
{
	gid_t *groups;
	int i, n;

	luaL_argcheck(L, sys_check_array(L, 1) <= NGROUPS_MAX, 1, "too many groups");
	n = (int)lua_rawlen(L, 1);
	groups = lua_newuserdatauv(L, (size_t)n * sizeof(*groups), 0);
	for (i = 0; i < n; i++) {
		lua_rawgeti(L, 1, i + 1);
		luaL_argcheck(L, lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 0 &&
			      lua_tointeger(L, -1) < UINT_MAX, 1, "ids of groups expected");
		groups[i] = (gid_t)lua_tointeger(L, -1);
		lua_pop(L, 1);
	}
	return sys_result(L, syscall(SYS_setgroups, n, groups), "setgroups", NULL);
}

/***
Makes a group the real, effective and saved group of this thread. setresgid(2), raw
@function setgid
@int gid
@return true, or nil, message, errno
*/
static int identity_setgid(lua_State *L)
{
	gid_t id = (gid_t)sys_check_range(L, 1, 0, UINT_MAX - 1);

	return sys_result(L, syscall(SYS_setresgid, id, id, id), "setresgid", NULL);
}

/***
Makes a user the real, effective and saved user of this thread. setresuid(2), raw
@function setuid
@int uid
@return true, or nil, message, errno
*/
static int identity_setuid(lua_State *L)
{
	uid_t id = (uid_t)sys_check_range(L, 1, 0, UINT_MAX - 1);

	return sys_result(L, syscall(SYS_setresuid, id, id, id), "setresuid", NULL);
}

/***
Leaves the session keyring for a new and empty one. keyctl_join_session_keyring(3)
@function join_session_keyring
@return true, or nil, message, errno (ENOSYS on a kernel without keyrings)
*/
static int identity_join_session_keyring(lua_State *L)
{
	return sys_result(L, syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "keyctl",
			  "KEYCTL_JOIN_SESSION_KEYRING");
}

static const luaL_Reg functions[] = {
	{ "geteuid", identity_geteuid },
	{ "join_session_keyring", identity_join_session_keyring },
	{ "setgid", identity_setgid },
	{ "setgroups", identity_setgroups },
	{ "setuid", identity_setuid },
	{ NULL, NULL },
};

void identity_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
