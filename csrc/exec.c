/* What a process becomes, and how it ends: execve(2), execveat(2), _exit(2), environ(7). */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

/* argv and env stand at `arg` and after it, and room for one argument more. */
static char *const *exec_check_argv(lua_State *L, int arg, char *const **env)
{
	const char **argv;

	lua_settop(L, arg + 2);
	argv = sys_check_vector(L, arg);
	luaL_argcheck(L, argv[0], arg, "no program");
	*env = lua_isnil(L, arg + 1) ? environ : (char *const *)sys_check_vector(L, arg + 1);
	return (char *const *)argv;
}

/***
Replaces the program. A name without a slash is searched in PATH. execvpe(3), execve(2)
@function exec
@tparam table argv the program and its arguments, strings
@tparam[opt] table env "NAME=value" strings; the caller's environment if left out
@string[opt] file what is executed, if it is not called argv[1]
@return nil, message, errno: it returns only on failure
*/
static int exec_exec(lua_State *L)
{
	char *const *env, *const *argv = exec_check_argv(L, 1, &env);
	const char *file = lua_isnoneornil(L, 3) ? argv[0] : sys_check_string(L, 3);

	fflush(NULL);
	execvpe(file, argv, env);
	return sys_fail(L, "exec", file);
}

/***
Replaces the program by the one in an open file, which may be close-on-exec unless it is a
script. execveat(2)
@function fexecve
@param fd
@tparam table argv
@tparam[opt] table env
@return nil, message, errno: it returns only on failure
*/
static int exec_fexecve(lua_State *L)
{
	int fd = fd_check(L, 1);
	char *const *env, *const *argv = exec_check_argv(L, 2, &env);

	syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH);
	return sys_fail(L, "execveat", argv[0]);
}

/***
Makes these the variables of this process, in the place of all that it has: for os.getenv, and for
the programs that it executes. Meant for a child. clearenv(3), setenv(3)
@function set_environment
@tparam table env "NAME=value" strings; one without a name is left out
@return true, or nil, message, errno
*/
static int exec_set_environment(lua_State *L)
{
	const char *const *env = (const char *const *)sys_check_vector(L, 1);

	clearenv();
	for (; *env; env++) {
		const char *value = strchr(*env, '=');

		if (!value || value == *env)
			continue;
		lua_pushlstring(L, *env, (size_t)(value - *env));
		if (setenv(lua_tostring(L, -1), value + 1, 1) < 0)
			return sys_fail(L, "setenv", NULL);
		lua_pop(L, 1);
	}
	lua_pushboolean(L, 1);
	return 1;
}

/***
Ends this process at once: nothing is flushed, no exit handler runs. _exit(2)
@function _exit
@int[opt=0] status
*/
static int exec__exit(lua_State *L)
{
	int status = lua_isnoneornil(L, 1) ? 0 : (int)sys_check_range(L, 1, 0, 255);

	_exit(status);
}

static const luaL_Reg functions[] = {
	{ "_exit", exec__exit },
	{ "exec", exec_exec },
	{ "fexecve", exec_fexecve },
	{ "set_environment", exec_set_environment },
	{ NULL, NULL },
};

void exec_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
