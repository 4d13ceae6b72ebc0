/* Where a cgroup is: the files /proc/self/cgroup and mountinfo, and lists of words. The input is
 * which hierarchy is wanted, in its first byte, then the two files, apart by a NUL. */
#include "../../csrc/cgroup_find.c"

#include "fuzz.h"

static int look(lua_State *L)
{
	const char *controller = lua_tostring(L, 3), *mountinfo = lua_touserdata(L, 2), *own;

	if (!cgroup_push_own(L, lua_touserdata(L, 1), controller))
		return 0;
	own = lua_tostring(L, -1);
	HOLDS(!strchr(own, '\n'));
	if (cgroup_push_shown(L, own, mountinfo, controller)) {
		const char *path = lua_tostring(L, -2);
		size_t top = (size_t)lua_tointeger(L, -1);

		HOLDS(lua_gettop(L) == 6);
		HOLDS(top <= lua_rawlen(L, -2));
		/* Nothing above the mount point. */
		HOLDS(strncmp(path + top, "/..", 3) != 0);
	} else {
		HOLDS(lua_gettop(L) == 4);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { NULL, "pids", "memory", "name=systemd" };
	const uint8_t *end = data + size, *second;
	lua_State *L = fuzz_state();

	if (!size)
		return 0;
	second = memchr(data + 1, 0, size - 1);
	second = second ? second + 1 : end;
	lua_pushcfunction(L, look);
	fuzz_push(L, data + 1, size - 1);
	fuzz_push(L, second, (size_t)(end - second));
	lua_pushstring(L, wanted[data[0] % 4]);
	HOLDS(lua_pcall(L, 3, 0, 0) == LUA_OK);
	return 0;
}
