/* Results, errors and argument checks, the same for every room. */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"

/* The one shape of a refusal: nil, "call subject: reason", errno. */
int sys_fail_with(lua_State *L, int err, const char *call, const char *subject)
{
	luaL_pushfail(L);
	if (subject && *subject)
		lua_pushfstring(L, "%s %s: %s", call, subject, compat_reason(err));
	else
		lua_pushfstring(L, "%s: %s", call, compat_reason(err));
	lua_pushinteger(L, err);
	return 3;
}

int sys_fail(lua_State *L, const char *call, const char *subject)
{
	int err = errno;
	return sys_fail_with(L, err, call, subject);
}

int sys_result(lua_State *L, long rc, const char *call, const char *subject)
{
	if (rc < 0)
		return sys_fail(L, call, subject);
	lua_pushboolean(L, 1);
	return 1;
}

/* A string and nothing that merely converts to one: a number as a path is a mistake, and
 * the kernel would cut a string short at its first NUL. */
const char *sys_check_string(lua_State *L, int arg)
{
	size_t size;
	const char *s;

	luaL_checktype(L, arg, LUA_TSTRING);
	s = lua_tolstring(L, arg, &size);
	luaL_argcheck(L, strlen(s) == size, arg, "string contains a NUL byte");
	return s;
}

const char *sys_opt_string(lua_State *L, int arg, const char *fallback)
{
	return lua_isnoneornil(L, arg) ? fallback : sys_check_string(L, arg);
}

long long sys_check_range(lua_State *L, int arg, long long low, long long high)
{
	lua_Integer n = luaL_checkinteger(L, arg);
	luaL_argcheck(L, n >= low && n <= high, arg, "number out of range");
	return n;
}

/* "bind,ro" as the OR of its words; nil and "" are 0. */
unsigned long sys_check_words(lua_State *L, int arg, const struct sys_word *words,
			      const char *what)
{
	const char *s = sys_opt_string(L, arg, "");
	unsigned long value = 0;

	while (*s) {
		size_t size = strcspn(s, ",");
		const struct sys_word *w = words;

		while (w->name && (strlen(w->name) != size || strncmp(w->name, s, size)))
			w++;
		if (!w->name) {
			lua_pushlstring(L, s, size);
			luaL_argerror(L, arg,
				      lua_pushfstring(L, "unknown %s '%s'", what,
						      lua_tostring(L, -1)));
		}
		value |= w->value;
		s += size;
		s += *s == ',';
	}
	return value;
}

/* The length of an array. A named key, which no function would hear, is refused, and so is an entry
 * behind a hole; what stands before the first place, as in Lua's arg, is passed over. */
lua_Unsigned sys_check_array(lua_State *L, int arg)
{
	lua_Unsigned n;

	luaL_checktype(L, arg, LUA_TTABLE);
	luaL_checkstack(L, 3, "no room for an array");
	n = lua_rawlen(L, arg);
	lua_pushnil(L);
	while (lua_next(L, arg)) {
		lua_pop(L, 1);
		if (!lua_isinteger(L, -1))
			luaL_argerror(L, arg,
				      lua_pushfstring(L, "array expected, got the key %s",
						      lua_type(L, -1) == LUA_TSTRING
							      ? lua_tostring(L, -1)
							      : luaL_typename(L, -1)));
		else if (lua_tointeger(L, -1) > (lua_Integer)n)
			luaL_argerror(L, arg, "the array has a hole");
	}
	return n;
}

/* Pushes one string of an array. */
const char *sys_check_element(lua_State *L, int arg, lua_Integer i)
{
	size_t size;
	const char *s;

	if (lua_rawgeti(L, arg, i) != LUA_TSTRING)
		luaL_argerror(L, arg,
			      lua_pushfstring(L, "[%I]: string expected, got %s", i,
					      luaL_typename(L, -1)));
	s = lua_tolstring(L, -1, &size);
	luaL_argcheck(L, strlen(s) == size, arg, "string contains a NUL byte");
	return s;
}

/* An argv or envp for exec from an array of strings. The vector is a userdata left on the
 * stack; the strings stay anchored in the caller's table. */
const char **sys_check_vector(lua_State *L, int arg)
{
	lua_Unsigned i, n;
	const char **vector;

	n = sys_check_array(L, arg);
	luaL_argcheck(L, n < 1 << 27, arg, "too many strings");
	luaL_checkstack(L, 3, "no room for a vector");
	vector = lua_newuserdatauv(L, (n + 1) * sizeof(*vector), 0);
	for (i = 0; i < n; i++) {
		vector[i] = sys_check_element(L, arg, (lua_Integer)i + 1);
		lua_pop(L, 1);
	}
	vector[n] = NULL;
	return vector;
}

void sys_close(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
}

/* How much to read at once: the whole, and one byte more to see that it was that. The files of proc
 * and cgroup have no size to ask for, and most of them are not larger than this. */
static size_t sys_piece(int fd)
{
	struct stat st;
	off_t size = fd < 0 || fstat(fd, &st) < 0 ? 0 : st.st_size;

	return size > 0 && size < 1 << 24 ? (size_t)size + 1 : 4096;
}

/* Pushes the whole of a file; 0, and errno, when it cannot be read. */
int sys_slurp(lua_State *L, const char *path)
{
	int err, *slot = fd_new(L);
	luaL_Buffer b;
	size_t piece;
	ssize_t n;

	*slot = open(path, O_RDONLY | O_CLOEXEC);
	piece = sys_piece(*slot);
	luaL_buffinit(L, &b);
	do {
		n = *slot < 0 ? -1 : read(*slot, luaL_prepbuffsize(&b, piece), piece);
		err = errno;
		if (n > 0) {
			luaL_addsize(&b, (size_t)n);
			piece = (size_t)n < piece ? piece - (size_t)n : 4096;
		}
	} while (n > 0 || (n < 0 && *slot >= 0 && err == EINTR));
	if (*slot >= 0)
		close(*slot);
	*slot = -1;
	luaL_pushresult(&b);
	lua_remove(L, -2);
	if (n < 0)
		lua_pop(L, 1);
	errno = err;
	return n == 0;
}

/* Writes `data` to an existing file in one write, as the files of proc and cgroup ask. */
int sys_spill(int dir, const char *path, const char *data, size_t size)
{
	ssize_t n;
	int err, fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	do
		n = write(fd, data, size);
	while (n < 0 && errno == EINTR);
	err = n >= 0 && (size_t)n < size ? EIO : errno;
	close(fd);
	errno = err;
	return n < 0 || (size_t)n < size ? -1 : 0;
}

/***
The reason that an errno stands for, in English. strerror(3)
@function strerror
@int errno
@treturn string
*/
static int sys_strerror(lua_State *L)
{
	lua_pushstring(L, compat_reason((int)sys_check_range(L, 1, INT_MIN, INT_MAX)));
	return 1;
}

static const luaL_Reg functions[] = {
	{ "strerror", sys_strerror },
	{ NULL, NULL },
};

/* Those that Lua decides by; the table is container.errno. errno(3) */
static const struct sys_word errnos[] = {
	{ "E2BIG", E2BIG },	      { "EACCES", EACCES },
	{ "EAGAIN", EAGAIN },	      { "EBADF", EBADF },
	{ "EBUSY", EBUSY },	      { "ECHILD", ECHILD },
	{ "EADDRINUSE", EADDRINUSE }, { "ECONNREFUSED", ECONNREFUSED },
	{ "ECONNRESET", ECONNRESET }, { "ENOTEMPTY", ENOTEMPTY },
	{ "ENOTSOCK", ENOTSOCK },
	{ "EEXIST", EEXIST },	      { "EFBIG", EFBIG },
	{ "EINTR", EINTR },
	{ "EINVAL", EINVAL },	      { "EIO", EIO },
	{ "EISDIR", EISDIR },	      { "ELOOP", ELOOP },
	{ "EMFILE", EMFILE },
	{ "ENODEV", ENODEV },	      { "ENOENT", ENOENT },
	{ "ENOMEM", ENOMEM },	      { "ENOSPC", ENOSPC },
	{ "ENOSYS", ENOSYS },	      { "ENOTDIR", ENOTDIR },
	{ "EOPNOTSUPP", EOPNOTSUPP }, { "EPERM", EPERM },
	{ "EPIPE", EPIPE },	      { "EROFS", EROFS },
	{ "ESRCH", ESRCH },	      { "ETIMEDOUT", ETIMEDOUT },
	{ "EUSERS", EUSERS },	      { "EAFNOSUPPORT", EAFNOSUPPORT },
	{ "EHOSTUNREACH", EHOSTUNREACH }, { "ENETUNREACH", ENETUNREACH },
	{ "ENFILE", ENFILE },	      { "ENOBUFS", ENOBUFS },
	{ "EPROTO", EPROTO },	      { NULL, 0 },
};

void sys_open(lua_State *L)
{
	const struct sys_word *w;

	luaL_setfuncs(L, functions, 0);
	lua_createtable(L, 0, sizeof(errnos) / sizeof(*errnos) - 1);
	for (w = errnos; w->name; w++) {
		lua_pushinteger(L, (lua_Integer)w->value);
		lua_setfield(L, -2, w->name);
	}
	lua_setfield(L, -2, "errno");
}
