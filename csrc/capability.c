/* Capabilities, and the promise to gain no more: capset(2), prctl(2), capabilities(7). */
#include "container.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"

/* By number, as <linux/capability.h> has them. */
static const char *const names[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
	"CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
	"CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
	"CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN",
	"CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

#define COUNT ((int)(sizeof(names) / sizeof(*names)))

/* The number of a capability, by name in any case, with or without CAP_; -1 if unknown. */
static int capability_number(const char *name)
{
	int i;

	if (!strncasecmp(name, "cap_", 4))
		name += 4;
	for (i = 0; i < COUNT; i++)
		if (!strcasecmp(names[i] + 4, name))
			return i;
	return -1;
}

/* An array of names as a set of bits. */
static unsigned long long capability_check_set(lua_State *L, int arg)
{
	unsigned long long set = 0;
	lua_Unsigned i, n;

	n = sys_check_array(L, arg);
	for (i = 0; i < n; i++) {
		const char *name = sys_check_element(L, arg, (lua_Integer)i + 1);
		int number = capability_number(name);

		if (number < 0)
			luaL_argerror(L, arg, lua_pushfstring(L, "unknown capability '%s'", name));
		else
			set |= 1ULL << number;
		lua_pop(L, 1);
	}
	return set;
}

/***
Whether there is a capability of this name, and how the kernel's headers write it.
@function capability_name
@string name in any case, with or without CAP_
@treturn string such as "CAP_CHOWN"; or nil
*/
static int capability_name(lua_State *L)
{
	int number = capability_number(sys_check_string(L, 1));

	if (number < 0)
		return 0;
	lua_pushstring(L, names[number]);
	return 1;
}

/***
Every capability that this module knows by name.
@function capability_names
@treturn table array of strings such as "CAP_CHOWN"
*/
static int capability_names(lua_State *L)
{
	int i;

	lua_createtable(L, COUNT, 0);
	for (i = 0; i < COUNT; i++) {
		lua_pushstring(L, names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/***
Takes every capability that is not in the set out of the bounding set of this process, also
those that only the running kernel knows: it is asked up to its last. prctl(2) PR_CAPBSET_DROP
@function capbset_drop_except
@tparam table set array of names
@return true, or nil, message, errno (EPERM without CAP_SETPCAP)
*/
static int capability_capbset_drop_except(lua_State *L)
{
	unsigned long long keep = capability_check_set(L, 1);
	int number;

	for (number = 0;; number++) {
		if (number < 64 && keep >> number & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break;
		/* A process without the right may still lack the capability, too. */
		if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 0)
			return sys_fail_with(L, EPERM, "prctl", "PR_CAPBSET_DROP");
	}
	lua_pushboolean(L, 1);
	return 1;
}

/***
Sets the permitted, effective and inheritable capabilities of this thread. Ambient ones that are
not in the new sets go with it. capset(2)
@function capset
@tparam table permitted array of names
@tparam[opt] table effective array of names; the permitted ones if left out
@tparam[opt] table inheritable array of names; none if left out
@return true, or nil, message, errno (EPERM for one that it has not)
*/
static int capability_capset(lua_State *L)
{
	unsigned long long set = capability_check_set(L, 1);
	unsigned long long now = lua_isnoneornil(L, 2) ? set : capability_check_set(L, 2);
	unsigned long long later = lua_isnoneornil(L, 3) ? 0 : capability_check_set(L, 3);
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ (__u32)now, (__u32)set, (__u32)later },
		{ (__u32)(now >> 32), (__u32)(set >> 32), (__u32)(later >> 32) },
	};

	return sys_result(L, syscall(SYS_capset, &head, data), "capset", NULL);
}

/***
Adds a set to the ambient capabilities of this thread, which a program without set-user-ID bit and
file capabilities keeps. prctl(2) PR_CAP_AMBIENT_RAISE
@function cap_ambient_raise
@tparam table set array of names
@return true, or nil, message, errno (EPERM for one that is not both permitted and inheritable)
*/
static int capability_cap_ambient_raise(lua_State *L)
{
	unsigned long long set = capability_check_set(L, 1);
	int number;

	for (number = 0; number < COUNT; number++)
		if (set >> number & 1 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) < 0)
			return sys_fail(L, "prctl", "PR_CAP_AMBIENT_RAISE");
	lua_pushboolean(L, 1);
	return 1;
}

/***
Has this thread keep its permitted capabilities when all of its user ids become other than 0, until
its next exec. prctl(2) PR_SET_KEEPCAPS
@function keepcaps
@return true, or nil, message, errno
*/
static int capability_keepcaps(lua_State *L)
{
	return sys_result(L, prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl", "PR_SET_KEEPCAPS");
}

/***
The permitted capabilities of this thread. capget(2)
@function capget
@treturn table set with names such as "CAP_CHOWN" as keys, true as values; or nil, message, errno
*/
static int capability_capget(lua_State *L)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	int i;

	if (syscall(SYS_capget, &head, data) < 0)
		return sys_fail(L, "capget", NULL);
	lua_createtable(L, 0, COUNT);
	for (i = 0; i < COUNT; i++) {
		if (!(data[i / 32].permitted >> (i % 32) & 1))
			continue;
		lua_pushstring(L, names[i]);
		lua_pushboolean(L, 1);
		lua_rawset(L, -3);
	}
	return 1;
}

/***
Takes capabilities out of the effective set of this thread alone: what it executes gets what it
would have got. capset(2)
@function capability_lower
@tparam table set array of names
@return true, or nil, message, errno
*/
static int capability_lower(lua_State *L)
{
	unsigned long long set = capability_check_set(L, 1);
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capget, &head, data) < 0)
		return sys_fail(L, "capget", NULL);
	data[0].effective &= ~(__u32)set;
	data[1].effective &= ~(__u32)(set >> 32);
	return sys_result(L, syscall(SYS_capset, &head, data), "capset", NULL);
}

/***
Promises that this process and those after it gain nothing by executing a program: no set-user-ID
bit, no file capabilities. prctl(2) PR_SET_NO_NEW_PRIVS
@function no_new_privs
@return true, or nil, message, errno
*/
static int capability_no_new_privs(lua_State *L)
{
	return sys_result(L, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl",
			  "PR_SET_NO_NEW_PRIVS");
}

static const luaL_Reg functions[] = {
	{ "cap_ambient_raise", capability_cap_ambient_raise },
	{ "capability_lower", capability_lower },
	{ "capability_name", capability_name },
	{ "capability_names", capability_names },
	{ "capbset_drop_except", capability_capbset_drop_except },
	{ "capget", capability_capget },
	{ "capset", capability_capset },
	{ "keepcaps", capability_keepcaps },
	{ "no_new_privs", capability_no_new_privs },
	{ NULL, NULL },
};

void capability_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
