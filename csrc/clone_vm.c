/*
 * Processes that are born in the memory of their maker, which is suspended until they execute a
 * program or exit: clone(2) CLONE_VM CLONE_VFORK.
 */
#include "container.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "compat.h"

#define STACK_SIZE (256 * 1024)
#define GUARD_SIZE 4096

/* The whole life of a child that shares memory, on a stack of its own. */
static int clone_vm_child(void *state)
{
	lua_State *L = state;

	lua_pcall(L, lua_gettop(L) - 1, 0, 0);
	_exit(125);
}

/* Clones with a stack, which is gone before anything can raise; the child calls the function
 * that is first on the Lua stack of `child`, with what is above it. The pid, or -1 and errno. */
pid_t clone_on_stack(lua_State *child, unsigned long flags, int cgroup)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	int err, dumpable;
	unsigned parent;
	pid_t pid;

	if (stack == MAP_FAILED)
		return -1;
	/* The lowest page is no stack: what grows into it ends, and overwrites nothing. */
	mprotect(stack, GUARD_SIZE, PROT_NONE);
	dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	flags |= CLONE_VM | CLONE_VFORK;
	parent = fd_enter_child();
	if (cgroup < 0)
		pid = clone(clone_vm_child, stack + STACK_SIZE, (int)(flags | SIGCHLD), child);
	else
		pid = clone3_on_stack(flags, cgroup, stack, STACK_SIZE, clone_vm_child, child);
	err = errno;
	fd_leave_child(parent);
	/* A change of ids in the child has cleared it for the memory, which is ours too. */
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != dumpable)
		prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
	munmap(stack, STACK_SIZE);
	errno = err;
	return pid;
}

/***
As `clone`, but without a copy of the memory: the child runs the function in the caller's, on a
stack and a Lua thread of its own, while the caller is suspended until the child
executes a program or exits, as with vfork. What it costs does not grow with the caller. The
function has to end in exec or _exit; if it returns or raises, the child exits with 125. It
may change only what nothing else uses: its files are its own, but a table is the caller's table.
Signals should be blocked meanwhile, for a handler would run in the child too; and a process that
kills the child in this time may kill it in the middle of a change to the caller's memory.
clone(2) CLONE_VM CLONE_VFORK
@function clone_vm
@param namespaces as of `clone`; not time
@func fn
@param[opt] cgroup as of `clone`
@treturn int the child's pid; or nil, message, errno
*/
static int clone_vm(lua_State *L)
{
	unsigned long flags = namespace_check_namespaces(L, 1);
	int cgroup = clone_opt_cgroup(L, 3), collects = lua_gc(L, LUA_GCISRUNNING);
	lua_State *child;
	pid_t pid;

	luaL_argcheck(L, !(flags & CLONE_NEWTIME), 1, "a time namespace takes a copy");
	luaL_checktype(L, 2, LUA_TFUNCTION);
	/* An exec of the child's would flush these, into files of the child's. */
	fflush(NULL);
	child = lua_newthread(L);
	/* A hook of the host program is none of the child's. */
	lua_sethook(child, NULL, 0, 0);
	lua_pushvalue(L, 2);
	lua_xmove(L, child, 1);
	/* A finalizer of the caller's objects must not run in the child. */
	lua_gc(L, LUA_GCSTOP);
	pid = clone_on_stack(child, flags, cgroup);
	if (collects) {
		int err = errno;
		lua_gc(L, LUA_GCRESTART);
		errno = err;
	}
	if (pid < 0)
		return sys_fail(L, "clone", lua_tostring(L, 1));
	lua_pushinteger(L, pid);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "clone_vm", clone_vm },
	{ NULL, NULL },
};

void clone_vm_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
