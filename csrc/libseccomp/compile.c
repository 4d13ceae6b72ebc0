/*
 * What turns a profile into a program for container.seccomp: the module container.libseccomp,
 * apart from container.so because it is linked with libseccomp, and needed only where
 * no earlier start has compiled the profile. It makes strings and touches no process.
 * seccomp_init(3), seccomp_rule_add(3)
 */
#include "profile.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compat.h"

/* From libseccomp 2.5 on: the system calls as a binary tree. */
#define OPTIMIZE_TREE 2
/* For any kernel of the machine that compiles: the actions of Linux 5.0. */
#define API_LEVEL 5
/* The kernel takes no program of more instructions than BPF_MAXINSNS, and a rule takes one at
 * least. */
#define RULES_MAX BPF_MAXINSNS

static void check(lua_State *L, int rc, const char *what)
{
	if (rc < 0) {
		lua_pushfstring(L, "libseccomp: %s: %s", what, compat_reason(-rc));
		lua_error(L);
	}
}

/* Two comparisons of one argument cannot be in one rule: each is a rule of its own then, as
 * with runc, and one of them is enough. */
static int repeated(const struct scmp_arg_cmp *args, unsigned int count)
{
	unsigned int i, seen = 0;

	for (i = 0; i < count; i++) {
		if (seen & 1U << args[i].arg)
			return 1;
		seen |= 1U << args[i].arg;
	}
	return 0;
}

static void add_rule(lua_State *L, struct profile *p, uint32_t action, int number,
		     struct scmp_arg_cmp *args, unsigned int count)
{
	unsigned int i;
	int rc = 0;

	if (++p->rules > RULES_MAX)
		luaL_error(L, "more than %d rules: the kernel takes no such filter", RULES_MAX);
	if (repeated(args, count))
		for (i = 0; i < count && (rc >= 0 || rc == -EEXIST); i++)
			rc = seccomp_rule_add_array(p->context, action, number, 1, args + i);
	else
		rc = seccomp_rule_add_array(p->context, action, number, count, args);
	/* Said twice; or not a system call of any architecture that the filter is for. */
	if (rc != -EEXIST && rc != -EDOM)
		check(L, rc, "rule");
}

/* All names of the entry on top. libseccomp does not take a rule that says what the default
 * says anyway. */
static void add_entry(lua_State *L, struct profile *p)
{
	struct scmp_arg_cmp args[ARGS_MAX];
	uint32_t action = profile_action(L, "action", "errnoRet");
	unsigned int count = profile_args(L, args);
	lua_Integer i;

	lua_getfield(L, -1, "names");
	luaL_checktype(L, -1, LUA_TTABLE);
	for (i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
		int number = profile_number(L, p, luaL_checkstring(L, -1));

		lua_pop(L, 1);
		if (action != p->fallback && number != -1)
			add_rule(L, p, action, number, args, count);
	}
	lua_pop(L, 2);
}

/* What becomes of the other ways into the kernel, of which no rule speaks: on x86-64 the
 * 32-bit system calls and those of x32. The end, because each number means another call there. */
static void start(lua_State *L, struct profile *p)
{
	seccomp_api_set(API_LEVEL);
	p->context = seccomp_init(p->fallback);
	check(L, p->context ? 0 : -ENOMEM, "init");
	check(L, seccomp_attr_set(p->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
	      "wrong architecture");
	if (p->arch != seccomp_arch_native()) {
		p->foreign = 1;
		check(L, seccomp_arch_add(p->context, p->arch), "architecture");
		check(L, seccomp_arch_remove(p->context, SCMP_ARCH_NATIVE), "architecture");
	}
#if SCMP_VER_MAJOR > 2 || (SCMP_VER_MAJOR == 2 && SCMP_VER_MINOR >= 5)
	check(L, seccomp_attr_set(p->context, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE),
	      "optimize");
#endif
}

static void add_architectures(lua_State *L, struct profile *p)
{
	lua_Integer i;

	if (lua_getfield(L, -1, "architectures") == LUA_TTABLE)
		for (i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
			uint32_t arch = profile_arch(L, lua_tostring(L, -1));

			if (seccomp_arch_exist(p->context, arch) != -EEXIST)
				continue;
			check(L, seccomp_arch_add(p->context, arch), "architecture");
			p->foreign = 1;
		}
	lua_settop(L, 1);
}

/* Pushes the program. The system calls that were not known when the profile was written are not
 * refused but unknown, ENOSYS, as an older kernel has it: a libc tries the newest first, and
 * has another way then. A few instructions before libseccomp's say so, as with runc; they
 * let pass what is of another architecture, or x32. */
static void finish(lua_State *L, struct profile *p)
{
	struct sock_filter newer[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4), /* arch */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, p->arch, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* nr */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)p->newest, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SCMP_ACT_ERRNO(ENOSYS)),
	};
	int unknown = (p->fallback & SECCOMP_RET_ACTION_FULL) == SCMP_ACT_ERRNO(0);
	char piece[4096];
	luaL_Buffer b;
	off_t size;
	ssize_t n;

	p->fd = memfd_create("seccomp", MFD_CLOEXEC);
	check(L, p->fd < 0 ? -errno : 0, "memfd_create");
	check(L, seccomp_export_bpf(p->context, p->fd), "export");
	size = lseek(p->fd, 0, SEEK_END) + (unknown ? (off_t)sizeof(newer) : 0);
	if (size > (off_t)(BPF_MAXINSNS * sizeof(*newer)))
		luaL_error(L, "%d rules make %d instructions: the kernel takes no more than %d",
			   p->rules, (int)(size / (off_t)sizeof(*newer)), BPF_MAXINSNS);
	check(L, lseek(p->fd, 0, SEEK_SET) < 0 ? -errno : 0, "lseek");
	luaL_buffinit(L, &b);
	if (unknown)
		luaL_addlstring(&b, (const char *)newer, sizeof(newer));
	while ((n = read(p->fd, piece, sizeof(piece))) > 0)
		luaL_addlstring(&b, piece, (size_t)n);
	luaL_pushresult(&b);
	check(L, n < 0 ? -errno : 0, "read");
}

/* profile, owner */
static int build(lua_State *L)
{
	struct profile *p = lua_touserdata(L, 2);
	lua_Integer i;

	lua_settop(L, 1);
	luaL_checkstack(L, LUA_MINSTACK, NULL);
	p->fallback = profile_action(L, "defaultAction", "defaultErrnoRet");
	lua_getfield(L, 1, "lenient");
	p->lenient = lua_toboolean(L, -1);
	lua_pop(L, 1);
	start(L, p);
	add_architectures(L, p);
	lua_getfield(L, 1, "syscalls");
	for (i = 1; lua_type(L, 2) == LUA_TTABLE && lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
		add_entry(L, p);
		lua_pop(L, 1);
	}
	finish(L, p);
	return 1;
}

static void release(struct profile *p)
{
	if (p->context)
		seccomp_release(p->context);
	if (p->fd >= 0)
		close(p->fd);
	p->context = NULL;
	p->fd = -1;
}

static int profile_gc(lua_State *L)
{
	release(lua_touserdata(L, 1));
	return 0;
}

/***
Compiles a profile.
@function compile
@tparam table profile in the form of OCI's linux.seccomp: defaultAction, defaultErrnoRet,
architectures beside the native one, syscalls; and numbers, those of system calls that an older
libseccomp does not know, by name; and lenient: other names are passed over
@string[opt] arch what it is for instead of this machine, such as "SCMP_ARCH_AARCH64"
@treturn string program for container.seccomp; or nil, message, errno (EINVAL for a system call,
an action, an operator or an architecture that there is not, which the message names)
*/
static int libseccomp_compile(lua_State *L)
{
	const char *arch = luaL_optstring(L, 2, NULL);
	struct profile *p;
	int rc;

	luaL_checktype(L, 1, LUA_TTABLE);
	p = lua_newuserdatauv(L, sizeof(*p), 0);
	*p = (struct profile){ .fd = -1, .arch = seccomp_arch_native() };
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, profile_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	if (arch)
		p->arch = profile_arch(L, arch);
	lua_pushcfunction(L, build);
	lua_pushvalue(L, 1);
	lua_pushvalue(L, -3);
	rc = lua_pcall(L, 2, 1, 0);
	release(p);
	if (rc == LUA_OK)
		return 1;
	luaL_pushfail(L);
	lua_insert(L, -2);
	lua_pushinteger(L, EINVAL);
	return 3;
}

static const luaL_Reg functions[] = {
	{ "compile", libseccomp_compile },
	{ NULL, NULL },
};

__attribute__((visibility("default"))) int luaopen_container_libseccomp(lua_State *L);

int luaopen_container_libseccomp(lua_State *L)
{
	luaL_newlib(L, functions);
	return 1;
}
