/* The names of a UTS namespace and of the kernel: sethostname(2), setdomainname(2), uname(2). */
#include "container.h"

#include <sys/utsname.h>
#include <unistd.h>

/***
Sets the host name of this UTS namespace. sethostname(2)
@function sethostname
@string name at most 64 bytes
@return true, or nil, message, errno (EPERM without CAP_SYS_ADMIN, EINVAL when too long)
*/
static int uts_sethostname(lua_State *L)
{
	const char *name = sys_check_string(L, 1);

	return sys_result(L, sethostname(name, lua_rawlen(L, 1)), "sethostname", name);
}

/***
Sets the NIS domain name of this UTS namespace. setdomainname(2)
@function setdomainname
@string name at most 64 bytes
@return true, or nil, message, errno (EPERM without CAP_SYS_ADMIN, EINVAL when too long)
*/
static int uts_setdomainname(lua_State *L)
{
	const char *name = sys_check_string(L, 1);

	return sys_result(L, setdomainname(name, lua_rawlen(L, 1)), "setdomainname", name);
}

/***
Gets the host name of this UTS namespace. gethostname(2)
@function gethostname
@treturn string the name, or nil, message, errno
*/
static int uts_gethostname(lua_State *L)
{
	struct utsname u;

	if (uname(&u) < 0)
		return sys_fail(L, "uname", NULL);
	lua_pushstring(L, u.nodename);
	return 1;
}

/***
Which kernel runs. uname(2)
@function uname
@treturn table sysname, nodename, release, version, machine: strings;
or nil, message, errno
*/
static int uts_uname(lua_State *L)
{
	struct utsname u;

	if (uname(&u) < 0)
		return sys_fail(L, "uname", NULL);
	lua_createtable(L, 0, 5);
	lua_pushstring(L, u.sysname);
	lua_setfield(L, -2, "sysname");
	lua_pushstring(L, u.nodename);
	lua_setfield(L, -2, "nodename");
	lua_pushstring(L, u.release);
	lua_setfield(L, -2, "release");
	lua_pushstring(L, u.version);
	lua_setfield(L, -2, "version");
	lua_pushstring(L, u.machine);
	lua_setfield(L, -2, "machine");
	return 1;
}

static const luaL_Reg functions[] = {
	{ "gethostname", uts_gethostname },
	{ "setdomainname", uts_setdomainname },
	{ "sethostname", uts_sethostname },
	{ "uname", uts_uname },
	{ NULL, NULL },
};

void uts_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
