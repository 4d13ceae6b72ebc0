/* The filter of system calls: seccomp(2), and which machine this is to it. */
#include "container.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compat.h"

/* Linux 5.19 */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* As OCI's linux.seccomp.architectures calls what this module is built for. */
#if defined(__x86_64__)
#define NATIVE "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define NATIVE "SCMP_ARCH_AARCH64"
#else
#error "seccomp.c knows x86-64 and aarch64 only"
#endif

static const struct sys_word flags[] = {
	{ "log", SECCOMP_FILTER_FLAG_LOG },
	{ "new_listener", SECCOMP_FILTER_FLAG_NEW_LISTENER },
	{ "wait_killable", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ "spec_allow", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ NULL, 0 },
};

/***
Has every system call of this thread, and of all that come from it, pass a program. There is no
way back, and more than one program may be set: each is asked. Needs the promise of no_new_privs,
or CAP_SYS_ADMIN. seccomp(2) SECCOMP_SET_MODE_FILTER
@function seccomp
@string program BPF instructions, at most 4096 of 8 bytes each
@string[opt] flags "log": what is refused is logged; "spec_allow": speculation stays as it is;
"new_listener": a process may answer for the kernel; "wait_killable", with that: only a fatal signal
interrupts a call that the process has heard of, Linux 5.19
@return true, or with new_listener the fd that the process needs; or nil, message, errno (EACCES
without the promise, EINVAL for a program that the kernel does not accept)
*/
static int seccomp_set(lua_State *L)
{
	size_t size;
	const char *code = (luaL_checktype(L, 1, LUA_TSTRING), lua_tolstring(L, 1, &size));
	unsigned long words = sys_check_words(L, 2, flags, "flag");
	struct sock_fprog program;
	int *slot;
	long rc;

	luaL_argcheck(L, size && size % sizeof(struct sock_filter) == 0, 1,
		      "not a whole number of instructions");
	luaL_argcheck(L, size / sizeof(struct sock_filter) <= BPF_MAXINSNS, 1,
		      "more instructions than the kernel takes");
	program.len = (unsigned short)(size / sizeof(struct sock_filter));
	/* The kernel copies it, to its own aligned memory, and only reads here. */
	program.filter = (struct sock_filter *)(void *)(size_t)code;
	slot = words & SECCOMP_FILTER_FLAG_NEW_LISTENER ? fd_new(L) : NULL;
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, words, &program);
	if (slot && rc >= 0) {
		fd_give(slot, (int)rc);
		return 1;
	}
	return sys_result(L, rc, "seccomp", NULL);
}

/***
The architecture that this module is built for, as OCI's profiles call it.
@function seccomp_arch
@treturn string "SCMP_ARCH_X86_64" or "SCMP_ARCH_AARCH64"
*/
static int seccomp_arch(lua_State *L)
{
	lua_pushliteral(L, NATIVE);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "seccomp", seccomp_set },
	{ "seccomp_arch", seccomp_arch },
	{ NULL, NULL },
};

void seccomp_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
