/*
 * Processes: wait(2), kill(2), pidfd_open(2). What makes one is in clone.c, what one becomes in
 * exec.c, and what one asks for itself in prctl.c.
 */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat.h"

/* A word of ours, in a bit that waitid has no use for. */
#define WAIT_USAGE (1 << 30)

static void process_set_seconds(lua_State *L, const char *name, const struct timeval *t)
{
	lua_pushnumber(L, (lua_Number)t->tv_sec + (lua_Number)t->tv_usec / 1e6);
	lua_setfield(L, -2, name);
}

/***
Waits until a child ends. Through a pidfd it is that child and never another of the same
number. waitid(2)
@function wait
@param child pid, or a pidfd
@string[opt] flags comma words: nohang does not wait; usage answers a third value
@treturn string "exit" or "signal"; "running" with nohang
@treturn int the exit status or the number of the signal; or nil, message, errno (ECHILD when it
is not, or no longer, a child of this process)
@treturn table with usage, what it and the children that it waited for have used: user and system,
seconds of processor time. getrusage(2)
*/
static int process_wait(lua_State *L)
{
	static const struct sys_word words[] = { { "nohang", WNOHANG },
						 { "usage", WAIT_USAGE },
						 { NULL, 0 } };
	int by_pid = lua_isinteger(L, 1);
	id_t id = (id_t)(by_pid ? sys_check_range(L, 1, 1, INT_MAX) : fd_check(L, 1));
	int flags = (int)sys_check_words(L, 2, words, "wait flag");
	struct rusage used;
	siginfo_t info;
	int rc;

	info.si_pid = 0;
	/* The raw call: the one of libc does not say what was used. */
	do
		rc = (int)syscall(SYS_waitid, by_pid ? P_PID : P_PIDFD, id, &info,
				  WEXITED | (flags & ~WAIT_USAGE), &used);
	while (rc < 0 && errno == EINTR);
	if (rc < 0) {
		int err = errno;
		return sys_fail_with(L, err, "wait", luaL_tolstring(L, 1, NULL));
	}
	if (info.si_pid == 0) {
		lua_pushliteral(L, "running");
		return 1;
	}
	lua_pushstring(L, info.si_code == CLD_EXITED ? "exit" : "signal");
	lua_pushinteger(L, info.si_status);
	if (!(flags & WAIT_USAGE))
		return 2;
	lua_createtable(L, 0, 2);
	process_set_seconds(L, "user", &used.ru_utime);
	process_set_seconds(L, "system", &used.ru_stime);
	return 3;
}

/***
Sends a signal to a process. kill(2)
@function kill
@int pid
@param signal name such as "TERM" or "SIGTERM", or number; 0 only asks whether the process is
there
@return true, or nil, message, errno
*/
static int process_kill(lua_State *L)
{
	pid_t pid = (pid_t)sys_check_range(L, 1, 1, INT_MAX);
	int rc = kill(pid, signal_check(L, 2));
	int err = errno;

	lua_pushfstring(L, "%d", (int)pid);
	errno = err;
	return sys_result(L, rc, "kill", lua_tostring(L, -1));
}

/***
Sends a signal to every process of a group. killpg(3)
@function killpg
@int group
@param signal as of `kill`
@return true, or nil, message, errno
*/
static int process_killpg(lua_State *L)
{
	pid_t group = (pid_t)sys_check_range(L, 1, 2, INT_MAX);
	int rc = killpg(group, signal_check(L, 2));
	int err = errno;

	lua_pushfstring(L, "%d", (int)group);
	errno = err;
	return sys_result(L, rc, "killpg", lua_tostring(L, -1));
}

/***
An fd that stands for a process: readable when it has ended. pidfd_open(2)
@function pidfd_open
@int pid
@return an fd, or nil, message, errno
*/
static int process_pidfd_open(lua_State *L)
{
	pid_t pid = (pid_t)sys_check_range(L, 1, 1, INT_MAX);
	int *slot = fd_new(L);

	int err;

	if (fd_give(slot, (int)syscall(SYS_pidfd_open, pid, 0)))
		return 1;
	err = errno;
	return sys_fail_with(L, err, "pidfd_open", lua_pushfstring(L, "%d", (int)pid));
}

/***
Sends a signal through a pidfd: never to another process that got the number.
pidfd_send_signal(2)
@function pidfd_send_signal
@param pidfd
@param signal as of `kill`
@return true, or nil, message, errno
*/
static int process_pidfd_send_signal(lua_State *L)
{
	int fd = fd_check(L, 1);
	long rc = syscall(SYS_pidfd_send_signal, fd, signal_check(L, 2), NULL, 0);

	return sys_result(L, rc, "pidfd_send_signal", NULL);
}

/***
Gets the caller's pid, in its own PID namespace. getpid(2)
@function getpid
@treturn int
*/
static int process_getpid(lua_State *L)
{
	lua_pushinteger(L, getpid());
	return 1;
}

/***
The pid of the caller's parent, 0 when that is in another PID namespace. getppid(2)
@function getppid
@treturn int
*/
static int process_getppid(lua_State *L)
{
	lua_pushinteger(L, getppid());
	return 1;
}

/***
The caller's process group. getpgrp(2)
@function getpgrp
@treturn int
*/
static int process_getpgrp(lua_State *L)
{
	lua_pushinteger(L, getpgrp());
	return 1;
}

/***
Makes a session, of which the caller is the leader and which has no terminal. setsid(2)
@function setsid
@treturn int the session; or nil, message, errno (EPERM for the leader of a process group)
*/
static int process_setsid(lua_State *L)
{
	pid_t session = setsid();

	if (session < 0)
		return sys_fail(L, "setsid", NULL);
	lua_pushinteger(L, session);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "getpgrp", process_getpgrp },
	{ "getpid", process_getpid },
	{ "getppid", process_getppid },
	{ "kill", process_kill },
	{ "killpg", process_killpg },
	{ "pidfd_open", process_pidfd_open },
	{ "pidfd_send_signal", process_pidfd_send_signal },
	{ "setsid", process_setsid },
	{ "wait", process_wait },
	{ NULL, NULL },
};

void process_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
