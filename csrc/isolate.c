/*
 * A Lua state apart, for children that share the host program's memory. A process that kills such a
 * child may kill it in the middle of a change: to this state, then, and to nothing of the host
 * program's. It lies in one piece of memory, which before each child is put back as it was when
 * it was made.
 */
#include "container.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lualib.h>

#include "compat.h"

#define ISOLATE_TYPE "container.isolate"
/* Of which only what is used is there. */
#define ISOLATE_SIZE (64UL << 20)
#define ALIGN 16
#define CLASSES 32

/* What the memory begins with, so that it is put back too: how much of it is used, and what was
 * given back, by size in units of ALIGN. */
struct isolate_head {
	size_t used;
	void *free[CLASSES + 1];
};

struct isolate {
	struct isolate_head *memory;
	lua_State *state;
	void *image; /* the memory as it is put back */
	size_t size;
};

static size_t isolate_units(size_t size)
{
	return (size + ALIGN - 1) / ALIGN;
}

static void isolate_free(struct isolate_head *head, void *block, size_t size)
{
	size_t units = isolate_units(size);

	if ((char *)block + units * ALIGN == (char *)head + head->used)
		head->used -= units * ALIGN;
	else if (units && units <= CLASSES) {
		*(void **)block = head->free[units];
		head->free[units] = block;
	}
}

static void *isolate_take(struct isolate_head *head, size_t size)
{
	size_t units = isolate_units(size);
	void *block;

	if (units <= CLASSES && head->free[units]) {
		block = head->free[units];
		head->free[units] = *(void **)block;
		return block;
	}
	if (units > (ISOLATE_SIZE - head->used) / ALIGN)
		return NULL;
	block = (char *)head + head->used;
	head->used += units * ALIGN;
	return block;
}

/* lua_Alloc */
static void *isolate_alloc(void *head, void *block, size_t old, size_t size)
{
	void *moved;

	if (block && isolate_units(size) == isolate_units(old) && size)
		return block;
	moved = size ? isolate_take(head, size) : NULL;
	if (block && (moved || !size)) {
		if (moved)
			memcpy(moved, block, old < size ? old : size);
		isolate_free(head, block, old);
	} else if (block && size < old) {
		return block; /* to make less of it may not fail */
	}
	return moved;
}

/* What `isolate` gives to the new state. */
struct isolate_source {
	const char *path, *cpath, *room;
};

static int isolate_exit(lua_State *L)
{
	_exit((int)luaL_optinteger(L, 1, 0));
}

/* Leaves the room's function on the stack. */
static int isolate_load(lua_State *K)
{
	const struct isolate_source *source = lua_touserdata(K, 1);

	luaL_openlibs(K);
	/* exit(3) would run what the host program does at its end. */
	lua_getglobal(K, "os");
	lua_pushcfunction(K, isolate_exit);
	lua_setfield(K, -2, "exit");
	lua_getglobal(K, "package");
	lua_pushstring(K, source->path);
	lua_setfield(K, -2, "path");
	lua_pushstring(K, source->cpath);
	lua_setfield(K, -2, "cpath");
	lua_getglobal(K, "require");
	lua_pushstring(K, "container.sys");
	lua_call(K, 1, 1);
	lua_replace(K, 1);
	lua_getglobal(K, "require");
	lua_pushstring(K, source->room);
	lua_call(K, 1, 1);
	luaL_checktype(K, -1, LUA_TFUNCTION);
	return 1;
}

static int isolate_gc(lua_State *L)
{
	struct isolate *self = luaL_checkudata(L, 1, ISOLATE_TYPE);

	if (self->memory)
		munmap(self->memory, ISOLATE_SIZE);
	self->memory = NULL;
	return 0;
}

/***
Makes a Lua state apart, with the standard libraries and this module, for `clone_isolated`. It is
there as long as what this returns.
@function isolate
@param path as package.path
@param cpath as package.cpath
@param room module that it loads; its value is the function that children run
@return the state; or nil, message, errno (ENOMEM); where the room cannot be loaded nil, message
*/
static int isolate_isolate(lua_State *L)
{
	struct isolate_source source = { sys_check_string(L, 1), sys_check_string(L, 2),
					 sys_check_string(L, 3) };
	struct isolate *self = lua_newuserdatauv(L, sizeof(*self), 1);
	void *memory;
	lua_State *K;

	memset(self, 0, sizeof(*self));
	luaL_setmetatable(L, ISOLATE_TYPE);
	memory = mmap(NULL, ISOLATE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return sys_fail(L, "mmap", NULL);
	self->memory = memory;
	self->memory->used = isolate_units(sizeof(*self->memory)) * ALIGN;
	K = self->state = lua_newstate(isolate_alloc, memory);
	if (!K)
		return sys_fail_with(L, ENOMEM, "isolate", source.room);
	lua_pushcfunction(K, isolate_load);
	lua_pushlightuserdata(K, &source);
	if (lua_pcall(K, 1, 1, 0) != LUA_OK) {
		lua_pushnil(L);
		lua_pushfstring(L, "isolate %s: %s", source.room, lua_tostring(K, -1));
		return 2;
	}
	lua_gc(K, LUA_GCCOLLECT);
	/* Numbers of closed files are given to others, and a child is over soon. */
	lua_gc(K, LUA_GCSTOP);
	self->size = self->memory->used;
	self->image = lua_newuserdatauv(L, self->size, 0);
	memcpy(self->image, memory, self->size);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static int isolate_give(lua_State *K)
{
	lua_State *L = lua_touserdata(K, 1);

	lua_settop(K, 0);
	lua_newtable(K);
	isolate_copy(L, 3, K);
	return 1;
}

/***
As `clone_vm`, but the child runs in a Lua state apart, with a copy of a value: whenever and by
whomever it is killed, nothing of the caller's is half changed. Its function is that of the
state's room. clone(2) CLONE_VM CLONE_VFORK
@function clone_isolated
@param state of `isolate`, as it was when it was made
@param namespaces as of `clone`; not time
@param value for the function: tables of plain values. An fd is its number there; a function, and
what else has no copy, is nil
@param[opt] cgroup as of `clone`
@treturn int the child's pid; or nil, message, errno (ENOMEM also when the value is too large or
too deep)
*/
static int isolate_clone_isolated(lua_State *L)
{
	struct isolate *self = luaL_checkudata(L, 1, ISOLATE_TYPE);
	unsigned long flags = namespace_check_namespaces(L, 2);
	int cgroup = clone_opt_cgroup(L, 4);
	lua_State *K = self->state;
	pid_t pid;

	luaL_argcheck(L, !(flags & CLONE_NEWTIME), 2, "a time namespace takes a copy");
	luaL_argcheck(L, self->image, 1, "a state expected");
	luaL_checkany(L, 3);
	lua_settop(L, 4);
	/* An exec of the child's would flush these, into files of the child's. */
	fflush(NULL);
	memcpy(self->memory, self->image, self->size);
	lua_pushcfunction(K, isolate_give);
	lua_pushlightuserdata(K, L);
	if (lua_pcall(K, 1, 1, 0) != LUA_OK)
		return sys_fail_with(L, ENOMEM, "clone", lua_tostring(L, 2));
	lua_settop(L, 4);
	pid = clone_on_stack(K, flags, cgroup);
	if (pid < 0)
		return sys_fail(L, "clone", lua_tostring(L, 2));
	lua_pushinteger(L, pid);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "clone_isolated", isolate_clone_isolated },
	{ "isolate", isolate_isolate },
	{ NULL, NULL },
};

void isolate_open(lua_State *L)
{
	if (luaL_newmetatable(L, ISOLATE_TYPE)) {
		lua_pushcfunction(L, isolate_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
}
