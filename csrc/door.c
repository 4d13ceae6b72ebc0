/*
 * The way to what is Lua: `container.run` and the others are found at the first look at one of them,
 * with the bytecode of the rooms where there is one.
 */
#include "container.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Leaves in the table on top of the stack, as `directory`, where what belongs to this module
 * lies: for /DIR/container.so that is /DIR/container/. Asked now, for a name that begins at
 * the current directory means something else after a chdir. */
static void door_find_directory(lua_State *L)
{
	char above[PATH_MAX] = "";
	Dl_info self;
	size_t size;

	if (!dladdr((void *)(intptr_t)door_find_directory, &self))
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

/* Whether a source is as it was when bytecode was made of it: of the size that it had, and not newer. */
static int door_is_fresh(int dir, const char *name, long long size, const struct timespec *made)
{
	struct stat source;

	if (fstatat(dir, name, &source, 0) < 0 || source.st_size != size)
		return 0;
	return source.st_mtim.tv_sec < made->tv_sec ||
	       (source.st_mtim.tv_sec == made->tv_sec && source.st_mtim.tv_nsec <= made->tv_nsec);
}

/* Whether all of them are. Lua has for it the path of the bytecode, the directory of the sources, and
 * lines of a name in it and a size. */
static int door_fresh(lua_State *L)
{
	const char *bytecode = luaL_checkstring(L, 1), *sources = luaL_checkstring(L, 2);
	const char *line = luaL_checkstring(L, 3);
	int dir = open(sources, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];
	struct stat made;
	int fresh = dir >= 0 && stat(bytecode, &made) == 0;

	while (fresh && *line) {
		size_t size = strcspn(line, " ");
		char *end;

		fresh = size < sizeof(name);
		if (fresh) {
			memcpy(name, line, size);
			name[size] = '\0';
			fresh = door_is_fresh(dir, name, strtoll(line + size, &end, 10),
					      &made.st_mtim);
			line = end + (*end == '\n');
		}
	}
	if (dir >= 0)
		close(dir);
	lua_pushboolean(L, fresh);
	return 1;
}

struct door_file {
	int fd;
	char piece[16384];
};

/* lua_Reader */
static const char *door_read(lua_State *L, void *data, size_t *size)
{
	struct door_file *file = data;
	ssize_t n;

	(void)L;
	do
		n = read(file->fd, file->piece, sizeof(file->piece));
	while (n < 0 && errno == EINTR);
	*size = n > 0 ? (size_t)n : 0;
	return file->piece;
}

/* Pushes the chunk of a file of bytecode. Not by luaL_loadfile, which opens what is binary twice and
 * reads it in small pieces; and without a copy of the whole. */
static int door_load(lua_State *L, const char *path)
{
	struct door_file file;
	int status;

	file.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file.fd < 0)
		return 0;
	status = lua_load(L, door_read, &file, path, "b");
	close(file.fd);
	return status == LUA_OK;
}

/* With the module as index 1: has `require` find the bytecode of rooms, where the build has left it:
 * NAME.luac, see lua/bytecode.lua. Whatever is wrong with it, another Lua's say, there are their
 * sources. */
void door_preload(lua_State *L, const char *name)
{
	int top = lua_gettop(L);

	if (lua_getfield(L, 1, "directory") == LUA_TSTRING) {
		lua_pushfstring(L, "%s%s.luac", lua_tostring(L, -1), name);
		if (door_load(L, lua_tostring(L, -1))) {
			lua_pushvalue(L, 1);
			lua_pushcfunction(L, door_fresh);
			lua_pcall(L, 2, 0, 0);
		}
	}
	lua_settop(L, top);
}

/* "step: message", of an error as channel.lua has it. */
static int door_error_tostring(lua_State *L)
{
	lua_getfield(L, 1, "step");
	lua_getfield(L, 1, "message");
	lua_pushfstring(L, "%s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
	return 1;
}

/* What a door is while its room cannot be read: nil, and an error of step "load". */
static int door_refuse(lua_State *L)
{
	const char *room = lua_tostring(L, lua_upvalueindex(1));
	int err = (int)lua_tointeger(L, lua_upvalueindex(2));

	lua_pushnil(L);
	lua_createtable(L, 0, 4);
	lua_pushliteral(L, "load");
	lua_setfield(L, -2, "step");
	lua_pushstring(L, room);
	lua_setfield(L, -2, "subject");
	lua_pushinteger(L, err);
	lua_setfield(L, -2, "errno");
	lua_pushfstring(L, "require %s: %s", room, strerror(err));
	lua_setfield(L, -2, "message");
	if (luaL_newmetatable(L, "container.error")) {
		lua_pushcfunction(L, door_error_tostring);
		lua_setfield(L, -2, "__tostring");
	}
	lua_setmetatable(L, -2);
	return 2;
}

/* Gives a function of the room; one that refuses where no file can be opened now. */
static void door_enter(lua_State *L, const char *room, const char *key)
{
	int fd, err;

	lua_getglobal(L, "require");
	lua_pushstring(L, room);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
		lua_getfield(L, -1, key);
		lua_pushvalue(L, 2);
		lua_pushvalue(L, -2);
		lua_rawset(L, 1);
		return;
	}
	fd = open("/", O_PATH | O_CLOEXEC);
	err = errno;
	if (fd >= 0) {
		close(fd);
		lua_error(L);
	}
	lua_pushstring(L, room);
	lua_pushinteger(L, err);
	lua_pushcclosure(L, door_refuse, 2);
}

/* container.run, container.call and container.features are Lua, and most programs that
 * only want a system call never load it: the first look at one of them does. */
static int door_index(lua_State *L)
{
	static const struct door {
		const char *name, *room, *bytecode;
	} doors[] = {
		{ "call", "container.api", "library" },
		{ "features", "container.linux.features", "library" },
		{ "main", "container.cli.main", "cli" },
		{ "poll", "container.api", "library" },
		{ "run", "container.api", "library" },
		{ "spawn", "container.api", "library" },
		{ NULL, NULL, NULL },
	};
	const struct door *door = doors;
	const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";

	while (door->name && strcmp(door->name, key))
		door++;
	if (!door->name)
		return 0;
	if (lua_getfield(L, lua_upvalueindex(1), door->bytecode) == LUA_TNIL) {
		door_preload(L, door->bytecode);
		lua_pushboolean(L, 1);
		lua_setfield(L, lua_upvalueindex(1), door->bytecode);
	}
	lua_pop(L, 1);
	door_enter(L, door->room, key);
	return 1;
}

void door_open(lua_State *L)
{
	door_find_directory(L);
	lua_createtable(L, 0, 1);
	lua_createtable(L, 0, 2); /* the bytecode that was asked for */
	lua_pushcclosure(L, door_index, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}
