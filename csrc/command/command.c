/*
 * lua-container, the command, as one file: Lua, the module and its rooms, linked statically,
 * with the heap that Lua has once the rooms are loaded. So a start finds, reads, links and
 * compiles nothing.
 *
 * The build links it with an empty heap first. Then it is a Lua that runs
 * csrc/command/freeze.lua, which loads the rooms and returns the function to be called at each
 * start, and writes its heap to a file; and with that in the place of the empty one it is the
 * command. What the heap points to, code and the streams of stdio, is where it was: the file is
 * linked to one address, and nothing in it moves.
 */
#include "container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#define PAGE 4096
#define HEAP_SIZE (4 * 1024 * 1024)
#define ALIGNMENT 16

#define FAILED 125

/* What is linked to it; of lua-cjson, where the build has it. */
int luaopen_container(lua_State *L);
int luaopen_container_sys(lua_State *L);
int luaopen_container_libseccomp(lua_State *L);
__attribute__((weak)) int luaopen_cjson(lua_State *L);

/* The build puts another in the place of this section, which the compiler cannot know. */
static struct {
	lua_State *volatile state; /* NULL in the build; on top of its stack lies what is to be called */
	size_t used;
	char room[HEAP_SIZE] __attribute__((aligned(ALIGNMENT)));
} heap __attribute__((section(".lua_heap"), aligned(PAGE)));

static int command_is_kept(const void *block)
{
	return (const char *)block >= heap.room && (const char *)block < heap.room + HEAP_SIZE;
}

/* What is given back of it is not used again, as nothing can be: what is left of a build is pages
 * that no start touches. */
static void *command_keep(size_t size)
{
	char *block = heap.room + heap.used;

	if (size > HEAP_SIZE - heap.used)
		return NULL;
	heap.used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	return block;
}

/* lua_Alloc: from the heap that is kept while it is being made, from libc after that. */
static void *command_allocate(void *data, void *block, size_t old, size_t size)
{
	void *moved;

	(void)data;
	if (block && !command_is_kept(block)) {
		if (size)
			return realloc(block, size);
		free(block);
		return NULL;
	}
	if (!size || (block && size <= old))
		return size ? block : NULL;
	moved = heap.state ? malloc(size) : command_keep(size);
	if (moved && block)
		memcpy(moved, block, old);
	return moved;
}

static int command_fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why ? why : "an error without a message");
	return FAILED;
}

static void command_push_arguments(lua_State *L, char **words)
{
	int i;

	lua_newtable(L);
	for (i = 0; words[i]; i++) {
		lua_pushstring(L, words[i]);
		lua_rawseti(L, -2, i);
	}
}

/* lua_CFunction: the libraries, and the modules by the names that `require` knows them by. */
static int command_open(lua_State *L)
{
	const luaL_Reg modules[] = {
		{ "container", luaopen_container },
		{ "container.sys", luaopen_container_sys },
		{ "container.libseccomp", luaopen_container_libseccomp },
		{ luaopen_cjson ? "cjson" : NULL, luaopen_cjson },
		{ NULL, NULL },
	};

	luaL_openlibs(L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	luaL_setfuncs(L, modules, 0);
	return 0;
}

/* Runs a script with the words after it, and writes the heap that it leaves to the file that the
 * first of these names: command SCRIPT HEAP [WORD...] */
static int command_freeze(char **argv)
{
	lua_State *L = lua_newstate(command_allocate, NULL);
	FILE *file;
	int wrong;

	if (!L || !argv[1] || !argv[2])
		return command_fail(argv[0], "SCRIPT HEAP [WORD...]");
	lua_gc(L, LUA_GCSTOP);
	lua_pushcfunction(L, command_open);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK || luaL_loadfile(L, argv[1]) != LUA_OK)
		return command_fail(argv[0], lua_tostring(L, -1));
	command_push_arguments(L, argv + 2);
	if (lua_pcall(L, 1, 1, 0) != LUA_OK)
		return command_fail(argv[0], lua_tostring(L, -1));
	lua_gc(L, LUA_GCCOLLECT);
	heap.state = L;
	file = fopen(argv[2], "wb");
	wrong = !file || fwrite(&heap, sizeof(heap), 1, file) != 1;
	if (file)
		wrong |= fclose(file) != 0;
	if (wrong)
		perror(argv[2]);
	return wrong ? FAILED : 0;
}

int main(int argc, char **argv)
{
	lua_State *L = heap.state;

	(void)argc;
	if (!L)
		return command_freeze(argv);
	command_push_arguments(L, argv);
	lua_pcall(L, 1, 0, 0); /* which exits by itself */
	return command_fail("lua-container", lua_tostring(L, -1));
}

/*
 * There is no library to be loaded: what asks for one, the module where it looks for its own file,
 * and Lua's `package`, are told so. The linker is told to take these, by --wrap.
 */
void *__wrap_dlopen(const char *file, int mode);
void *__wrap_dlsym(void *library, const char *name);
int __wrap_dlclose(void *library);
const char *__wrap_dlerror(void);
int __wrap_dladdr(const void *address, void *info);

void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

void *__wrap_dlsym(void *library, const char *name)
{
	(void)library;
	(void)name;
	return NULL;
}

int __wrap_dlclose(void *library)
{
	(void)library;
	return -1;
}

const char *__wrap_dlerror(void)
{
	return "this command loads no libraries";
}

int __wrap_dladdr(const void *address, void *info)
{
	(void)address;
	(void)info;
	return 0;
}
