/* Terminals: isatty(3), tcgetpgrp(3), tcsetpgrp(3). */
#include "container.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "compat.h"

/***
Whether an fd is a terminal. isatty(3)
@function isatty
@param fd
@treturn boolean
*/
static int terminal_isatty(lua_State *L)
{
	lua_pushboolean(L, isatty(fd_check(L, 1)));
	return 1;
}

/***
The process group that a terminal's keys and reads belong to. tcgetpgrp(3)
@function tcgetpgrp
@param fd
@treturn int; or nil, message, errno (ENOTTY when it is not the caller's terminal)
*/
static int terminal_tcgetpgrp(lua_State *L)
{
	pid_t group = tcgetpgrp(fd_check(L, 1));

	if (group < 0)
		return sys_fail(L, "tcgetpgrp", NULL);
	lua_pushinteger(L, group);
	return 1;
}

/***
Gives a terminal to a process group, also from the background: the SIGTTOU that would stop the
caller there is held back meanwhile. tcsetpgrp(3)
@function tcsetpgrp
@param fd
@int group
@return true, or nil, message, errno
*/
static int terminal_tcsetpgrp(lua_State *L)
{
	int fd = fd_check(L, 1);
	pid_t group = (pid_t)sys_check_range(L, 2, 1, INT_MAX);
	sigset_t ttou, old;
	int rc, err;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &old);
	rc = tcsetpgrp(fd, group);
	err = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return sys_result(L, rc, "tcsetpgrp", NULL);
}

static const luaL_Reg functions[] = {
	{ "isatty", terminal_isatty },
	{ "tcgetpgrp", terminal_tcgetpgrp },
	{ "tcsetpgrp", terminal_tcsetpgrp },
	{ NULL, NULL },
};

void terminal_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
