/* Limits of a process: setrlimit(2). */
#include "container.h"

#include <limits.h>
#include <sys/resource.h>

/* docker's and OCI's names without RLIMIT_, in lower case. */
static const char *const names[] = { "as",    "core",  "cpu",	 "data",   "fsize",
				     "locks", "memlock", "msgqueue", "nice", "nofile",
				     "nproc", "rss",   "rtprio", "rttime", "sigpending",
				     "stack", NULL };

static const int resources[] = {
	RLIMIT_AS,    RLIMIT_CORE,    RLIMIT_CPU,      RLIMIT_DATA,   RLIMIT_FSIZE, RLIMIT_LOCKS,
	RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE,  RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS,
	RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK,
};

/***
Sets a limit of this process. setrlimit(2)
@function setrlimit
@string name as core, cpu, nofile, nproc: RLIMIT_ in lower case and without it
@int soft -1 is no limit
@int[opt=soft] hard
@return true, or nil, message, errno (EPERM when hard is above the limit there is)
*/
static int limit_setrlimit(lua_State *L)
{
	int resource = luaL_checkoption(L, 1, NULL, names);
	rlim_t soft = (rlim_t)sys_check_range(L, 2, -1, LLONG_MAX);
	rlim_t hard = lua_isnoneornil(L, 3) ? soft
					    : (rlim_t)sys_check_range(L, 3, -1, LLONG_MAX);
	struct rlimit limit = { soft, hard };

	return sys_result(L, setrlimit(resources[resource], &limit), "setrlimit",
			  names[resource]);
}

/***
The names that setrlimit knows.
@function rlimit_names
@treturn table array of strings
*/
static int limit_rlimit_names(lua_State *L)
{
	lua_Integer i;

	lua_newtable(L);
	for (i = 0; names[i]; i++) {
		lua_pushstring(L, names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

static const luaL_Reg functions[] = {
	{ "rlimit_names", limit_rlimit_names },
	{ "setrlimit", limit_setrlimit },
	{ NULL, NULL },
};

void limit_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
