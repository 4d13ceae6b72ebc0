/* What a process may ask for itself: prctl(2). Capabilities and promises are in capability.c. */
#include "container.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/***
Asks for a signal when the thread that made this process ends. prctl(2) PR_SET_PDEATHSIG
@function pdeathsig
@param signal as of `kill`; 0 clears it
@return true, or nil, message, errno
*/
static int prctl_pdeathsig(lua_State *L)
{
	return sys_result(L, prctl(PR_SET_PDEATHSIG, signal_check(L, 1), 0, 0, 0),
			  "prctl", "PR_SET_PDEATHSIG");
}

/* The words of the command line, which /proc shows to everybody, as numbers 48 and 49 of the
 * process's line in proc_pid_stat(5). Its second is a name in parentheses. */
static void prctl_blank_words(const char *stat)
{
	unsigned long start, end;
	const char *s = strrchr(stat, ')');
	int field;

	for (field = 2; s && field < 48; field++) {
		s = strchr(s, ' ');
		s = s ? s + 1 : NULL;
	}
	if (s && sscanf(s, "%lu %lu", &start, &end) == 2 && start < end)
		memset((void *)start, 0, end - start); /* NOLINT: the kernel's own word for it */
}

/***
Hides this process, a copy of its parent, from those that it will be among: no process without
CAP_SYS_PTRACE over the parent's user namespace can trace it, read its memory, its environment or
its files, and its command line is blank. What it executes is as visible as any program. A
change of ids undoes the first where fs.suid_dumpable is set. prctl(2) PR_SET_DUMPABLE, PR_SET_NAME
@function make_undumpable
@string name that /proc shows instead
@return true, or nil, message, errno
*/
static int prctl_make_undumpable(lua_State *L)
{
	const char *name = sys_check_string(L, 1);

	if (sys_slurp(L, "/proc/self/stat"))
		prctl_blank_words(lua_tostring(L, -1));
	prctl(PR_SET_NAME, name, 0, 0, 0);
	return sys_result(L, prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl", "PR_SET_DUMPABLE");
}

/***
Says whether other processes of the same user may look into this one: trace it, read its memory, and
open its files and its program through proc. What is executed next may be looked into again.
prctl(2) PR_SET_DUMPABLE
@function dumpable
@bool may
@return true, or nil, message, errno
*/
static int prctl_dumpable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TBOOLEAN);
	return sys_result(L, prctl(PR_SET_DUMPABLE, lua_toboolean(L, 1), 0, 0, 0),
			  "prctl", "PR_SET_DUMPABLE");
}

static const luaL_Reg functions[] = {
	{ "dumpable", prctl_dumpable },
	{ "make_undumpable", prctl_make_undumpable },
	{ "pdeathsig", prctl_pdeathsig },
	{ NULL, NULL },
};

void prctl_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
