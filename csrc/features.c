/*
 * Whether the kernel knows a system call, found out by making it with arguments that it refuses
 * before it has done anything: the reason then is another than that there is no such call.
 */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"

/* A flag that no call has. */
#define BAD 0x40000000L

static const uint32_t user_notification = 0x7fc00000; /* SECCOMP_RET_USER_NOTIF, 5.0 */

/* The whole of struct clone_args as of 5.7, for a child in the cgroup of an fd that is none. */
static const uint64_t into_cgroup[11] = { CLONE_INTO_CGROUP, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0,
					  INT_MAX };

/* `says` is what a kernel that knows the call has to answer, where any other means that it does
 * not know what is asked for; 0 where any will do. */
static const struct {
	const char *name;
	long number, args[5];
	int says;
} calls[] = {
	{ "clone3", SYS_clone3, { 0, 0 }, 0 },
	{ "clone_into_cgroup", SYS_clone3, { (long)into_cgroup, sizeof(into_cgroup) }, EBADF },
	{ "close_range", SYS_close_range, { INT_MAX, 3, 0 }, 0 },
	{ "execveat", SYS_execveat, { -1, 0, 0, 0, BAD }, 0 },
	{ "faccessat2", SYS_faccessat2, { -1, 0, 0, BAD }, 0 },
	{ "landlock_create_ruleset", SYS_landlock_create_ruleset, { 0, 0, BAD }, 0 },
	{ "memfd_create", SYS_memfd_create, { 0, BAD }, 0 },
	{ "mount_setattr", SYS_mount_setattr, { -1, 0, BAD, 0, 0 }, 0 },
	{ "move_mount", SYS_move_mount, { -1, 0, -1, 0, BAD }, 0 },
	{ "open_tree", SYS_open_tree, { -1, 0, BAD }, 0 },
	{ "openat2", SYS_openat2, { -1, 0, 0, 0 }, 0 },
	{ "pidfd_getfd", SYS_pidfd_getfd, { -1, -1, BAD }, 0 },
	{ "pidfd_open", SYS_pidfd_open, { -1, BAD }, 0 },
	{ "pidfd_send_signal", SYS_pidfd_send_signal, { -1, 0, 0, BAD }, 0 },
	{ "seccomp", SYS_seccomp, { BAD, 0, 0 }, 0 },
	{ "seccomp_user_notification",
	  SYS_seccomp,
	  { SECCOMP_GET_ACTION_AVAIL, 0, (long)&user_notification },
	  -1 },
	{ "statx", SYS_statx, { -1, 0, BAD, 0, 0 }, 0 },
};

#define COUNT (sizeof(calls) / sizeof(*calls))

/***
Asks whether a system call is there for this process, without it doing anything.
@function syscall_known
@string name one of `syscall_names`
@return true, or nil, message, errno (ENOSYS when the kernel does not know it; EPERM when a filter
around this process refuses it, or a privilege is missing)
*/
static int features_syscall_known(lua_State *L)
{
	const char *name = sys_check_string(L, 1);
	size_t i = 0;
	long rc;

	while (i < COUNT && strcmp(calls[i].name, name))
		i++;
	if (i == COUNT)
		return luaL_argerror(L, 1, "unknown system call");
	rc = syscall(calls[i].number, calls[i].args[0], calls[i].args[1], calls[i].args[2],
		     calls[i].args[3], calls[i].args[4]);
	/* Of the one that is asked a question, -1, the answer is 0. */
	if (calls[i].says < 0)
		return sys_result(L, rc, name, NULL);
	if (rc < 0 && (errno == ENOSYS || errno == EPERM ||
		       (calls[i].says && errno != calls[i].says)))
		return sys_fail(L, name, NULL);
	lua_pushboolean(L, 1);
	return 1;
}

/***
The system calls that `syscall_known` knows to ask for, and two of their newer uses:
clone_into_cgroup, a flag of clone3, and seccomp_user_notification, an action of seccomp.
@function syscall_names
@treturn table array of strings
*/
static int features_syscall_names(lua_State *L)
{
	size_t i;

	lua_createtable(L, COUNT, 0);
	for (i = 0; i < COUNT; i++) {
		lua_pushstring(L, calls[i].name);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static const luaL_Reg functions[] = {
	{ "syscall_known", features_syscall_known },
	{ "syscall_names", features_syscall_names },
	{ NULL, NULL },
};

void features_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
