/* luaopen_container opens the rooms, and nothing else. */
#include "container.h"

#include <string.h>

/* container.run, container.call and container.features are Lua, and most programs that
 * only want a system call never load it: the first look at one of them does. */
static int container_library(lua_State *L)
{
	static const struct door {
		const char *name, *room;
	} doors[] = {
		{ "call", "container.library" },
		{ "features", "container.features" },
		{ "poll", "container.library" },
		{ "run", "container.library" },
		{ "spawn", "container.library" },
		{ NULL, NULL },
	};
	const struct door *door = doors;
	const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

	while (door->name && strcmp(door->name, key))
		door++;
	if (!door->name)
		return 0;
	lua_getglobal(L, "require");
	lua_pushstring(L, door->room);
	lua_call(L, 1, 1);
	lua_getfield(L, -1, key);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -2);
	lua_rawset(L, 1);
	return 1;
}

__attribute__((visibility("default"))) int luaopen_container(lua_State *L);

int luaopen_container(lua_State *L)
{
	lua_createtable(L, 0, 80);
	bpf_open(L);
	capability_open(L);
	cgroup_open(L);
	fd_open(L);
	features_open(L);
	file_open(L);
	identity_open(L);
	image_open(L);
	io_open(L);
	landlock_open(L);
	limit_open(L);
	mount_open(L);
	namespace_open(L);
	network_open(L);
	notify_open(L);
	process_open(L);
	seccomp_open(L);
	signal_open(L);
	sys_open(L);
	terminal_open(L);
	tree_open(L);
	time_open(L);
	uts_open(L);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, container_library);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	return 1;
}
