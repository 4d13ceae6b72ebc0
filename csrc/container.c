/* luaopen_container opens the rooms, and nothing else. */
#include "container.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Leaves in the table on top of the stack, as `directory`, where what belongs to this module
 * lies: for /DIR/container.so that is /DIR/container/. Asked now, for a name that begins at
 * the current directory means something else after a chdir. */
static void container_find_directory(lua_State *L)
{
	char above[PATH_MAX] = "";
	Dl_info self;
	size_t size;

	if (!dladdr((void *)(intptr_t)container_find_directory, &self))
		return;
	if (self.dli_fname[0] != '/' && !getcwd(above, sizeof(above)))
		return;
	size = strlen(self.dli_fname);
	if (size > 3 && !strcmp(self.dli_fname + size - 3, ".so"))
		size -= 3;
	lua_pushstring(L, above);
	lua_pushstring(L, *above ? "/" : "");
	lua_pushlstring(L, self.dli_fname, size);
	lua_pushliteral(L, "/");
	lua_concat(L, 4);
	lua_setfield(L, -2, "directory");
}

/* With the module as index 1: has `require` find the bytecode of the rooms, where the build has left
 * it: start.luac, see lua/bytecode.lua. Whatever is wrong with it, another Lua's say, there are
 * their sources. */
void container_preload(lua_State *L)
{
	int top = lua_gettop(L);
	const char *code;
	size_t size;

	if (lua_getfield(L, 1, "directory") == LUA_TSTRING) {
		lua_pushfstring(L, "%sstart.luac", lua_tostring(L, -1));
		/* Not by luaL_loadfile, which opens what is binary twice and reads it in small pieces. */
		if (sys_slurp(L, lua_tostring(L, -1)) &&
		    (code = lua_tolstring(L, -1, &size)) &&
		    luaL_loadbufferx(L, code, size, "=start", "b") == LUA_OK) {
			lua_pushvalue(L, top + 1);
			lua_pcall(L, 1, 0, 0);
		}
	}
	lua_settop(L, top);
}

/* container.run, container.call and container.features are Lua, and most programs that
 * only want a system call never load it: the first look at one of them does. */
static int container_library(lua_State *L)
{
	static const struct door {
		const char *name, *room;
	} doors[] = {
		{ "call", "container.library" },
		{ "features", "container.features" },
		{ "main", "container.cli" },
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
	if (!lua_toboolean(L, lua_upvalueindex(1))) {
		container_preload(L);
		lua_pushboolean(L, 1);
		lua_replace(L, lua_upvalueindex(1));
	}
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
	isolate_open(L);
	landlock_open(L);
	limit_open(L);
	mount_open(L);
	namespace_open(L);
	network_open(L);
	notify_open(L);
	open_open(L);
	prctl_open(L);
	process_open(L);
	seccomp_open(L);
	signal_open(L);
	sys_open(L);
	terminal_open(L);
	tree_open(L);
	time_open(L);
	uts_open(L);
	container_find_directory(L);
	lua_createtable(L, 0, 1);
	lua_pushboolean(L, 0);
	lua_pushcclosure(L, container_library, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	return 1;
}
