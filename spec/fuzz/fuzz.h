/* What the fuzzing harnesses share. Each is linked with csrc/, but for the file of its own name,
 * which it includes: so it reaches that one's static functions. .ci/fuzz builds and runs them. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to hold for any input. */
#define HOLDS(condition)                                                  \
	do {                                                              \
		if (!(condition)) {                                       \
			fprintf(stderr, "does not hold: %s\n", #condition); \
			abort();                                          \
		}                                                         \
	} while (0)

/* One Lua state for all inputs, with nothing on its stack. */
static inline lua_State *fuzz_state(void)
{
	static lua_State *L;

	if (!L)
		L = luaL_newstate();
	lua_settop(L, 0);
	return L;
}

/* Pushes a copy of the input, which ends at its first NUL, as what the kernel writes does; of
 * exactly that size, so that a look behind its end is seen. */
static inline const char *fuzz_push(lua_State *L, const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	char *copy;

	if (end)
		size = (size_t)(end - data);
	copy = lua_newuserdatauv(L, size + 1, 0);
	memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}

#endif
