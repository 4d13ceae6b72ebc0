/*
 * What a profile says, read out of its table: actions, operators, architectures and system calls
 * by name. OCI runtime specification, config-linux, "Seccomp"
 */
#include "profile.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* 32 bits of their own: OCI's numbers are not the kernel's. */
struct word {
	const char *name;
	uint32_t value;
};

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	{ NULL, 0 },
};

static const struct word operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ NULL, 0 },
};

static const struct word architectures[] = {
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	{ "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
	{ NULL, 0 },
};

/* What is wrong with a profile is thrown from here as a message, and becomes a refusal of
 * the one shape in libseccomp_compile. */
static void refuse(lua_State *L, const char *what, const char *name)
{
	lua_pushfstring(L, "unknown %s %s", what, name ? name : "(none)");
	lua_error(L);
}

static const struct word *find(lua_State *L, const struct word *words, const char *what,
			       const char *name)
{
	const struct word *w = words;

	while (w->name && (!name || strcmp(w->name, name)))
		w++;
	if (!w->name)
		refuse(L, what, name);
	return w;
}

/* A string, number or nil of the table on top; the string lives as long as the table. */
static const char *field_string(lua_State *L, const char *key)
{
	const char *s;

	lua_getfield(L, -1, key);
	s = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
	lua_pop(L, 1);
	return s;
}

static lua_Integer field_integer(lua_State *L, const char *key, lua_Integer fallback)
{
	lua_Integer n;

	lua_getfield(L, -1, key);
	n = lua_isnil(L, -1) ? fallback : luaL_checkinteger(L, -1);
	lua_pop(L, 1);
	return n;
}

/* The action that two fields of the table on top name; EPERM where no errno is given. */
uint32_t profile_action(lua_State *L, const char *key, const char *errno_key)
{
	uint32_t action = find(L, actions, "action", field_string(L, key))->value;
	lua_Integer value = field_integer(L, errno_key, EPERM);

	if (value < 0 || value > UINT16_MAX)
		luaL_error(L, "unknown errno %I", value);
	if (action == SCMP_ACT_ERRNO(0) || action == SCMP_ACT_TRACE(0))
		action |= (uint32_t)value & 0xffff;
	return action;
}

/* The comparisons of the entry on top. */
unsigned int profile_args(lua_State *L, struct scmp_arg_cmp *args)
{
	unsigned int i, n = 0;

	if (lua_getfield(L, -1, "args") == LUA_TTABLE) {
		lua_Unsigned count = lua_rawlen(L, -1);

		luaL_argcheck(L, count <= ARGS_MAX, 1, "too many args");
		n = (unsigned int)count;
	}
	for (i = 0; i < n; i++) {
		lua_Integer index;

		lua_rawgeti(L, -1, (lua_Integer)i + 1);
		index = field_integer(L, "index", 0);
		if (index < 0 || index >= ARGS_MAX)
			luaL_error(L, "unknown argument %I", index);
		args[i].arg = (unsigned int)index;
		args[i].op = (enum scmp_compare)find(L, operators, "operator",
						     field_string(L, "op"))
				     ->value;
		args[i].datum_a = (scmp_datum_t)field_integer(L, "value", 0);
		args[i].datum_b = (scmp_datum_t)field_integer(L, "valueTwo", 0);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return n;
}

/* An architecture by name. */
uint32_t profile_arch(lua_State *L, const char *name)
{
	return find(L, architectures, "architecture", name)->value;
}

/* The number of a system call by name; a negative one for what only other architectures
 * have. libseccomp knows those of its day, the profile's `numbers` those that came later, but
 * for this machine only: by its own names it translates to others. -1 stands for those, and
 * for names that are not known where that is no fault. */
int profile_number(lua_State *L, struct profile *p, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);
	int there = seccomp_syscall_resolve_name_arch(p->arch, name);

	if (number == __NR_SCMP_ERROR) {
		if (lua_getfield(L, 1, "numbers") == LUA_TTABLE) {
			lua_Integer later = lua_getfield(L, -1, name) == LUA_TNUMBER
						    ? lua_tointeger(L, -1)
						    : 0;

			if (later > 0 && later < X32_BIT)
				number = (int)later;
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
		if (number == __NR_SCMP_ERROR && p->lenient)
			return -1;
		if (number == __NR_SCMP_ERROR)
			refuse(L, "system call", name);
		if (p->foreign)
			return -1;
		there = number;
	}
	if (there > p->newest && there < X32_BIT)
		p->newest = there;
	return number;
}
