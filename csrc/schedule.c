/*
 * When and where the kernel runs a process: sched_setattr(2), sched_setaffinity(2), ioprio_set(2),
 * set_mempolicy(2); and as what: personality(2).
 */
#include "container.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The names of linux/sched.h. */
static const char *const policies[] = { "other", "fifo",     "rr", "batch",
					"iso",	 "idle",     "deadline", NULL };

static const struct sys_word flags[] = {
	{ "reset_on_fork", 0x01 },  { "reclaim", 0x02 },	{ "dl_overrun", 0x04 },
	{ "keep_policy", 0x08 },    { "keep_params", 0x10 },	{ "util_clamp_min", 0x20 },
	{ "util_clamp_max", 0x40 }, { NULL, 0 },
};

/* struct sched_attr, as it was in Linux 3.14. */
struct schedule_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static uint64_t schedule_opt(lua_State *L, int arg)
{
	return lua_isnoneornil(L, arg) ? 0 : (uint64_t)sys_check_range(L, arg, 0, LLONG_MAX);
}

/***
Sets how this thread, and what comes from it, is scheduled. sched_setattr(2)
@function sched_setattr
@string policy other, fifo, rr, batch, iso, idle or deadline
@int[opt=0] nice
@int[opt=0] priority of fifo and rr
@string[opt] flags comma words: reset_on_fork reclaim dl_overrun keep_policy keep_params
util_clamp_min util_clamp_max
@int[opt=0] runtime nanoseconds, as deadline and period: of deadline
@int[opt=0] deadline
@int[opt=0] period
@return true, or nil, message, errno
*/
static int schedule_setattr(lua_State *L)
{
	struct schedule_attr attr = { .size = sizeof(attr) };

	attr.policy = (uint32_t)luaL_checkoption(L, 1, NULL, policies);
	attr.nice = lua_isnoneornil(L, 2) ? 0 : (int32_t)sys_check_range(L, 2, -20, 19);
	attr.priority = (uint32_t)(lua_isnoneornil(L, 3) ? 0 : sys_check_range(L, 3, 0, 99));
	attr.flags = sys_check_words(L, 4, flags, "flag");
	attr.runtime = schedule_opt(L, 5);
	attr.deadline = schedule_opt(L, 6);
	attr.period = schedule_opt(L, 7);
	return sys_result(L, syscall(SYS_sched_setattr, 0, &attr, 0), "sched_setattr",
			  lua_tostring(L, 1));
}

/* A bit for each number of an array, which the caller has made empty. */
static void schedule_bits(lua_State *L, int arg, unsigned long *bits, size_t count)
{
	lua_Unsigned i, n = sys_check_array(L, arg);
	const size_t width = sizeof(*bits) * CHAR_BIT;

	for (i = 0; i < n; i++) {
		lua_Integer number;

		lua_rawgeti(L, arg, (lua_Integer)i + 1);
		number = luaL_checkinteger(L, -1);
		luaL_argcheck(L, number >= 0 && (size_t)number < count, arg,
			      "a number is out of range");
		bits[(size_t)number / width] |= 1UL << ((size_t)number % width);
		lua_pop(L, 1);
	}
}

/***
Sets on which processors this thread, and what comes from it, may run. sched_setaffinity(2)
@function sched_setaffinity
@tparam table processors array of numbers, below 1024
@return true, or nil, message, errno (EINVAL when none of them is there)
*/
static int schedule_setaffinity(lua_State *L)
{
	cpu_set_t set;
	unsigned long bits[CPU_SETSIZE / (sizeof(unsigned long) * CHAR_BIT)] = { 0 };

	schedule_bits(L, 1, bits, CPU_SETSIZE);
	memcpy(&set, bits, sizeof(set));
	return sys_result(L, sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity", NULL);
}

/***
Sets when this process's requests to disks are served. ioprio_set(2)
@function ioprio_set
@string class "rt", "be" or "idle"
@int[opt=0] priority 0 to 7, the first is the highest
@return true, or nil, message, errno
*/
static int schedule_ioprio_set(lua_State *L)
{
	static const char *const classes[] = { "none", "rt", "be", "idle", NULL };
	int class = luaL_checkoption(L, 1, NULL, classes);
	int priority = lua_isnoneornil(L, 2) ? 0 : (int)sys_check_range(L, 2, 0, 7);

	/* IOPRIO_WHO_PROCESS, and 13 bits for the priority: linux/ioprio.h */
	return sys_result(L, syscall(SYS_ioprio_set, 1, 0, class << 13 | priority), "ioprio_set",
			  lua_tostring(L, 1));
}

#define NODES_MAX 1024

/***
Sets from which nodes this thread, and what comes from it, gets memory. set_mempolicy(2)
@function set_mempolicy
@string mode default, preferred, bind, interleave, local, preferred_many or weighted_interleave
@tparam[opt] table nodes array of numbers, below 1024
@string[opt] flags comma words: static_nodes relative_nodes numa_balancing
@return true, or nil, message, errno (ENOSYS for a kernel without NUMA)
*/
static int schedule_set_mempolicy(lua_State *L)
{
	static const char *const modes[] = { "default", "preferred", "bind", "interleave", "local",
					     "preferred_many", "weighted_interleave", NULL };
	static const struct sys_word words[] = { { "static_nodes", 1UL << 15 },
						 { "relative_nodes", 1UL << 14 },
						 { "numa_balancing", 1UL << 13 },
						 { NULL, 0 } };
	unsigned long bits[NODES_MAX / (sizeof(unsigned long) * CHAR_BIT)] = { 0 };
	unsigned long mode = (unsigned long)luaL_checkoption(L, 1, NULL, modes);
	int given = !lua_isnoneornil(L, 2);

	if (given)
		schedule_bits(L, 2, bits, NODES_MAX);
	mode |= sys_check_words(L, 3, words, "flag");
	/* The kernel takes one bit less than it is told. */
	return sys_result(L,
			  syscall(SYS_set_mempolicy, mode, given ? bits : NULL,
				  given ? NODES_MAX + 1UL : 0UL),
			  "set_mempolicy", lua_tostring(L, 1));
}

/***
Sets what kind of system this process, and what comes from it, sees. personality(2)
@function personality
@string domain "linux" or "linux32"
@return true, or nil, message, errno
*/
static int schedule_personality(lua_State *L)
{
	static const char *const domains[] = { "linux", "linux32", NULL };
	static const unsigned long values[] = { PER_LINUX, PER_LINUX32 };
	int domain = luaL_checkoption(L, 1, NULL, domains);

	return sys_result(L, personality(values[domain]), "personality", domains[domain]);
}

static const luaL_Reg functions[] = {
	{ "ioprio_set", schedule_ioprio_set },
	{ "personality", schedule_personality },
	{ "sched_setaffinity", schedule_setaffinity },
	{ "sched_setattr", schedule_setattr },
	{ "set_mempolicy", schedule_set_mempolicy },
	{ NULL, NULL },
};

void schedule_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
