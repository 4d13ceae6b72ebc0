/* The compiler of profiles, which takes a table: here one that the input says, of names that there
 * are and names that there are not, and of numbers of any size. */
#include "../../csrc/libseccomp/compile.c"

#include "fuzz.h"

/* What libseccomp does not give back when it refuses a rule is not ours to. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp.so\n";
}

static const uint8_t *input, *input_end;

static unsigned next(void)
{
	return input < input_end ? *input++ : 0;
}

static lua_Integer next_integer(void)
{
	uint64_t value = 0;
	unsigned i, n = next() % 9;

	for (i = 0; i < n; i++)
		value = value << 8 | next();
	return (lua_Integer)value;
}

/* Pushes a word of those, or sometimes something else. */
static void push_word(lua_State *L, const char *const *list, unsigned count)
{
	unsigned which = next();

	if (which >= 250)
		lua_pushinteger(L, next_integer());
	else if (which >= 245)
		lua_pushlstring(L, (const char *)input, (size_t)(input_end - input) % 32);
	else if (which >= 240)
		lua_newtable(L);
	else if (which >= 230)
		lua_pushnil(L);
	else
		lua_pushstring(L, list[which % count]);
}

/* After the entries: they are repeated. */
#define LONG 0x4c

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const char *const action_names[] = {
	"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRACE",
	"SCMP_ACT_LOG",	  "SCMP_ACT_TRAP",  "SCMP_ACT_NOTIFY",
};
static const char *const operator_names[] = {
	"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE",
	"SCMP_CMP_LT", "SCMP_CMP_NE", "SCMP_CMP_MASKED_EQ",
};
static const char *const arch_names[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
					  "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM" };
static const char *const call_names[] = {
	"read", "write", "clone", "socket", "socketcall", "newest", "ipc", "personality", "nosuch",
};

static void set_integer(lua_State *L, const char *key)
{
	lua_pushinteger(L, next_integer());
	lua_setfield(L, -2, key);
}

static void push_args(lua_State *L)
{
	unsigned i, n = next() % 8;

	lua_newtable(L);
	for (i = 1; i <= n; i++) {
		lua_newtable(L);
		lua_pushinteger(L, next() < 200 ? next() % 6 : next_integer());
		lua_setfield(L, -2, "index");
		push_word(L, operator_names, COUNT(operator_names));
		lua_setfield(L, -2, "op");
		set_integer(L, "value");
		set_integer(L, "valueTwo");
		lua_rawseti(L, -2, i);
	}
}

/* Only the first entry compares arguments: what it takes libseccomp itself to bring together
 * several such rules of one system call knows no bound. */
static void push_entry(lua_State *L, int first)
{
	unsigned i, n = next() % 4;

	lua_newtable(L);
	push_word(L, action_names, COUNT(action_names));
	lua_setfield(L, -2, "action");
	if (next() % 2)
		set_integer(L, "errnoRet");
	lua_newtable(L);
	for (i = 1; i <= n; i++) {
		push_word(L, call_names, COUNT(call_names));
		lua_rawseti(L, -2, i);
	}
	lua_setfield(L, -2, "names");
	if (first && next() % 2) {
		push_args(L);
		lua_setfield(L, -2, "args");
	}
}

static int compile(lua_State *L)
{
	unsigned i, n;

	lua_settop(L, 0);
	lua_pushcfunction(L, libseccomp_compile);
	lua_newtable(L);
	push_word(L, action_names, COUNT(action_names));
	lua_setfield(L, -2, "defaultAction");
	set_integer(L, "defaultErrnoRet");
	lua_newtable(L);
	lua_pushinteger(L, next_integer());
	lua_setfield(L, -2, "newest");
	lua_setfield(L, -2, "numbers");
	lua_newtable(L);
	for (i = 1, n = next() % 3; i <= n; i++) {
		push_word(L, arch_names, COUNT(arch_names));
		lua_rawseti(L, -2, i);
	}
	lua_setfield(L, -2, "architectures");
	lua_newtable(L);
	for (i = 1, n = next() % 5; i <= n; i++) {
		push_entry(L, i == 1);
		lua_rawseti(L, -2, i);
	}
	/* A long profile says the same again, which costs libseccomp little. */
	for (n = next() == LONG ? 4 * next() : 0; n > 0 && i > 1; n--, i++) {
		lua_rawgeti(L, -1, i - 1);
		lua_rawseti(L, -2, i);
	}
	lua_setfield(L, -2, "syscalls");
	lua_call(L, 1, 3);
	/* A program of whole instructions that the kernel would take, or a refusal. */
	if (lua_isnil(L, -3)) {
		HOLDS(lua_type(L, -2) == LUA_TSTRING);
		HOLDS(lua_tointeger(L, -1) == EINVAL);
	} else {
		HOLDS(lua_rawlen(L, -3) > 0);
		HOLDS(lua_rawlen(L, -3) % sizeof(struct sock_filter) == 0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lua_State *L = fuzz_state();

	input = data;
	input_end = data + size;
	lua_pushcfunction(L, compile);
	HOLDS(lua_pcall(L, 0, 0, 0) == LUA_OK);
	lua_gc(L, LUA_GCCOLLECT);
	return 0;
}
