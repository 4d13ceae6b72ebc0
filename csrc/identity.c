/* Who runs this: getuid(2), getgid(2). */
#include "container.h"

#include <unistd.h>

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

static const luaL_Reg functions[] = {
	{ "geteuid", identity_geteuid },
	{ NULL, NULL },
};

void identity_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
