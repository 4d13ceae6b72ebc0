/* Words that a program gives: flags apart by commas, names of signals and capabilities. */
#include "../../csrc/container.h"

#include "fuzz.h"

static const struct sys_word words[] = {
	{ "bind", 1 }, { "ro", 2 }, { "rec", 4 }, { "rbind", 5 }, { "nosymfollow", 8 }, { NULL, 0 },
};

static int check_words(lua_State *L)
{
	HOLDS(sys_check_words(L, 1, words, "flag") <= 15);
	return 0;
}

static int check_signal(lua_State *L)
{
	int number = signal_check(L, 1);

	HOLDS(number > 0 && number <= 64);
	return 0;
}

static int check_capability(lua_State *L)
{
	lua_State *names = lua_newthread(L);

	lua_newtable(names);
	capability_open(names);
	lua_getfield(names, -1, "capability_name");
	lua_pushvalue(L, 1);
	lua_xmove(L, names, 1);
	lua_call(names, 1, 1);
	/* A known one has one name, which it keeps. */
	if (!lua_isnil(names, -1)) {
		lua_getfield(names, -2, "capability_name");
		lua_pushvalue(names, -2);
		lua_call(names, 1, 1);
		HOLDS(lua_rawequal(names, -1, -2));
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const lua_CFunction checks[] = { check_words, check_signal, check_capability };
	lua_State *L = fuzz_state();
	size_t i;

	for (i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		lua_pushcfunction(L, checks[i]);
		lua_pushlstring(L, (const char *)data, size);
		/* Refused is as good as taken, with a message and no more. */
		if (lua_pcall(L, 1, 0, 0) != LUA_OK)
			HOLDS(lua_type(L, -1) == LUA_TSTRING);
		lua_settop(L, 0);
	}
	return 0;
}
