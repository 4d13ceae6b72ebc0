/* A value of one Lua state, copied into another: csrc/isolate.c */
#include "container.h"

#define ISOLATE_DEPTH 100

/* Pushes a table, which is copied once; index 1 of K is a table of the copies. */
static void isolate_copy_table(lua_State *L, int arg, lua_State *K)
{
	if (lua_rawgetp(K, 1, lua_topointer(L, arg)) == LUA_TTABLE)
		return;
	lua_pop(K, 1);
	lua_newtable(K);
	lua_pushvalue(K, -1);
	lua_rawsetp(K, 1, lua_topointer(L, arg));
	if (!lua_checkstack(L, LUA_MINSTACK))
		luaL_error(K, "tables too deep");
	lua_pushnil(L);
	while (lua_next(L, arg)) {
		isolate_copy(L, lua_absindex(L, -2), K);
		if (lua_isnil(K, -1)) {
			lua_pop(K, 1);
		} else {
			isolate_copy(L, lua_absindex(L, -1), K);
			lua_rawset(K, -3);
		}
		lua_pop(L, 1);
	}
}

/* Pushes to K what L has at `arg`. What cannot be there, such as a function, is nil. */
void isolate_copy(lua_State *L, int arg, lua_State *K)
{
	const char *string;
	size_t size;

	/* Of each table above this there are two or three slots on the stack. */
	if (lua_gettop(K) > 3 * ISOLATE_DEPTH)
		luaL_error(K, "too deep");
	luaL_checkstack(K, LUA_MINSTACK, NULL);
	switch (lua_type(L, arg)) {
	case LUA_TBOOLEAN:
		lua_pushboolean(K, lua_toboolean(L, arg));
		return;
	case LUA_TNUMBER:
		if (lua_isinteger(L, arg))
			lua_pushinteger(K, lua_tointeger(L, arg));
		else
			lua_pushnumber(K, lua_tonumber(L, arg));
		return;
	case LUA_TSTRING:
		string = lua_tolstring(L, arg, &size);
		lua_pushlstring(K, string, size);
		return;
	case LUA_TUSERDATA:
		if (fd_test(L, arg) >= 0)
			lua_pushinteger(K, fd_test(L, arg));
		else
			lua_pushnil(K);
		return;
	case LUA_TTABLE:
		isolate_copy_table(L, arg, K);
		return;
	default:
		lua_pushnil(K);
	}
}
