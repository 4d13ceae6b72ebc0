/* Clocks: clock_gettime(2). */
#include "container.h"

#include <time.h>

/***
Reads a clock. clock_gettime(2)
@function clock_gettime
@string[opt="monotonic"] clock monotonic: does not jump; realtime: since 1970
@treturn number seconds
*/
static int time_clock_gettime(lua_State *L)
{
	static const char *const names[] = { "monotonic", "realtime", NULL };
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME };
	struct timespec now;

	/* With one of these clocks it cannot fail. */
	clock_gettime(clocks[luaL_checkoption(L, 1, "monotonic", names)], &now);
	lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "clock_gettime", time_clock_gettime },
	{ NULL, NULL },
};

void time_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
