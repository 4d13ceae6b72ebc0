/*
 * Processes that are born in new namespaces: clone(2). After clone the child only ever leaves by
 * exec or _exit: the caller's program, its exit handlers and its objects belong to the parent.
 */
#include "container.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lualib.h>

#include "compat.h"

/* The raw call, like fork when it comes to memory: glibc's clone() wants a stack. clone3 first:
 * neither CLONE_NEWTIME nor a cgroup can be said to the old one. */
static pid_t clone_raw(unsigned long flags, int cgroup)
{
	pid_t pid = clone3_copy(flags, cgroup);

	if (pid < 0 && errno == ENOSYS && cgroup < 0 && !(flags & CLONE_NEWTIME))
		pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	return pid;
}

/* The cgroup that a child is born in; -1 if left out. */
int clone_opt_cgroup(lua_State *L, int arg)
{
	return lua_isnoneornil(L, arg) ? -1 : fd_check(L, arg);
}

/* The same in a program with threads. Of a lock that another thread holds, malloc's say, a
 * copy would have a copy that is never opened. fork sees to that; so the copy is made by a
 * child of fork, which has one thread, as its parent's child, and says over a pipe which. */
static pid_t clone_by_fork(unsigned long flags, int cgroup)
{
	int pair[2], said[2] = { -1, EAGAIN };
	pid_t between;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -1;
	between = fork();
	if (between < 0)
		said[1] = errno;
	if (between == 0) {
		said[0] = (int)clone_raw(flags | CLONE_PARENT, cgroup);
		said[1] = errno;
		if (said[0])
			_exit(write(pair[1], said, sizeof(said)) != (ssize_t)sizeof(said));
	}
	close(pair[1]);
	if (between > 0) {
		while (read(pair[0], said, sizeof(said)) < 0 && errno == EINTR)
			;
		while (waitpid(between, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(pair[0]);
	errno = said[1];
	return said[0];
}

static void clone_leave(int status, void *unused)
{
	(void)unused;
	fflush(NULL);
	_exit(status);
}

/* os.exit as the child has it: without lua_close, which would run the finalizers and the
 * to-be-closed variables of the parent's program a second time. */
static int clone_child_exit(lua_State *L)
{
	int status = EXIT_SUCCESS;

	if (lua_isboolean(L, 1))
		status = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
	else if (!lua_isnoneornil(L, 1))
		status = (int)luaL_checkinteger(L, 1);
	clone_leave(status, NULL);
	return 0;
}

static int clone_traceback(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

/* Runs the function on top of the stack, in the child, and ends the process: with the
 * integer that it returned, with 0, or with 1 after saying what went wrong. */
static void __attribute__((noreturn)) clone_child(lua_State *L)
{
	int status = EXIT_FAILURE, base = lua_gettop(L);

	/* What the parent has left to be collected is the parent's to end. */
	lua_gc(L, LUA_GCSTOP);
	/* A hook of the host program is none of the child's. */
	lua_sethook(L, NULL, 0, 0);
	/* A caller may have kept the real os.exit; its first exit handler is this one. */
	on_exit(clone_leave, NULL);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	if (lua_getfield(L, -1, LUA_OSLIBNAME) == LUA_TTABLE) {
		lua_pushcfunction(L, clone_child_exit);
		lua_setfield(L, -2, "exit");
	}
	lua_pop(L, 2);
	lua_pushcfunction(L, clone_traceback);
	lua_insert(L, base);
	if (lua_pcall(L, 0, 2, base) != LUA_OK)
		fprintf(stderr, "container.clone: %s\n", lua_tostring(L, -1));
	else if (lua_isinteger(L, -2))
		status = lua_tointeger(L, -2) & ~0xffLL ? EXIT_FAILURE
							: (int)lua_tointeger(L, -2);
	else if (!lua_toboolean(L, -2) && lua_isstring(L, -1))
		fprintf(stderr, "container.clone: %s\n", lua_tostring(L, -1));
	else
		status = EXIT_SUCCESS;
	clone_leave(status, NULL);
	_exit(status);
}

/***
Starts a child process in new namespaces that runs a function and then exits. Its status is the
integer that the function returns, else 0. After an error, or nil and a message, it prints the
message and exits with 1. The child has a copy of the caller's memory, so the parent sees none of
its changes. In a program with threads the child has only the calling thread. The child's garbage
collector is stopped, and no debug hook of the caller is called. os.exit in the child ends it
without closing the Lua state. clone(2), namespaces(7)
@function clone
@param namespaces array of names, or comma words: mount uts pid ipc network user time cgroup
@func fn
@param[opt] cgroup fd of the directory of a cgroup of version 2, in which the child is born;
Linux 5.7
@treturn int the child's pid; or nil, message, errno (EPERM without CAP_SYS_ADMIN, ENOSPC or
EUSERS where a limit of user.max_*_namespaces is reached; EAGAIN where the cgroup has no room)
*/
static int clone_clone(lua_State *L)
{
	unsigned long flags = namespace_check_namespaces(L, 1);
	int cgroup = clone_opt_cgroup(L, 3);
	pid_t pid;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	luaL_checkstack(L, LUA_MINSTACK, NULL);
	/* What is still buffered would come out of both processes. */
	fflush(NULL);
	pid = compat_single_threaded ? clone_raw(flags, cgroup)
				     : clone_by_fork(flags, cgroup);
	if (pid < 0)
		return sys_fail(L, "clone", lua_tostring(L, 1));
	if (pid == 0)
		clone_child(L);
	lua_pushinteger(L, pid);
	return 1;
}

/***
As `clone`, of a process that has one thread: but the child is a child of the caller's parent. So a
process that cannot be moved into a PID namespace, because only its children are born there, has a
process in it that it may wait for, by another that joins. clone(2) CLONE_PARENT
@function clone_sibling
@func fn
@param[opt] namespaces as of `clone`
@param[opt] cgroup as of `clone`
@treturn int the child's pid; or nil, message, errno (EINVAL for pid 1 of a PID namespace, ENOMEM
when the PID namespace of one's children has ended)
*/
static int clone_sibling(lua_State *L)
{
	unsigned long flags =
		lua_isnoneornil(L, 2) ? 0 : namespace_check_namespaces(L, 2);
	int cgroup = clone_opt_cgroup(L, 3);
	pid_t pid;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	luaL_checkstack(L, LUA_MINSTACK, NULL);
	fflush(NULL);
	pid = clone_raw(flags | CLONE_PARENT, cgroup);
	if (pid < 0)
		return sys_fail(L, "clone", NULL);
	if (pid == 0)
		clone_child(L);
	lua_pushinteger(L, pid);
	return 1;
}

/* This library stays loaded: in a child the handler above has to be there still when os.exit
 * has closed the Lua state, and with it the libraries that Lua had loaded. */
static void clone_pin(void)
{
	Dl_info self;

	if (dladdr((void *)(intptr_t)clone_leave, &self))
		dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static const luaL_Reg functions[] = {
	{ "clone", clone_clone },
	{ "clone_sibling", clone_sibling },
	{ NULL, NULL },
};

void clone_open(lua_State *L)
{
	clone_pin();
	luaL_setfuncs(L, functions, 0);
}
