/*
 * Where this process's cgroup is: cgroups(7). Nothing is taken for granted about paths:
 * mountinfo says where a hierarchy is mounted, /proc/self/cgroup where in it the caller is.
 */
#include "container.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Whether `word` stands in `list`, which ends at `end` or at NUL; words end at one of
 * `separators`. */
int cgroup_has_word(const char *list, const char *end, const char *word, const char *separators)
{
	size_t size = strlen(word);

	while (list < end && *list) {
		size_t n = strcspn(list, separators);

		if (n > (size_t)(end - list))
			n = (size_t)(end - list);
		if (n == size && !strncmp(list, word, n))
			return 1;
		list += n;
		list += list < end && *list;
	}
	return 0;
}

/* The caller's path in the hierarchy of a v1 controller, or of v2 if that is NULL, from
 * lines "id:controllers:path". Pushes it; 0 if there is none. */
static int cgroup_push_own(lua_State *L, const char *lines, const char *controller)
{
	while (*lines) {
		const char *end = strchr(lines, '\n');
		const char *list = strchr(lines, ':'), *path;

		if (!end)
			end = lines + strlen(lines);
		path = list ? strchr(++list, ':') : NULL;
		if (path && path < end &&
		    (controller ? cgroup_has_word(list, path, controller, ",") : path == list)) {
			lua_pushlstring(L, path + 1, (size_t)(end - path - 1));
			return 1;
		}
		lines = end + (*end == '\n');
	}
	return 0;
}

/* Pushes a field of mountinfo, in which white space and backslashes are three octal digits. */
static void cgroup_push_unescaped(lua_State *L, const char *s, size_t size)
{
	const char *end = s + size;
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	while (s < end) {
		if (*s == '\\' && end - s >= 4 && strspn(s + 1, "01234567") >= 3) {
			luaL_addchar(&b, (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
						(s[3] - '0')));
			s += 4;
		} else {
			luaL_addchar(&b, *s++);
		}
	}
	luaL_pushresult(&b);
}

/* A line of mountinfo is: id parent major:minor root target options [tags...] - type source
 * options. If it mounts the wanted hierarchy, pushes its root and its target. proc(5) */
static int cgroup_push_mount(lua_State *L, const char *line, const char *end,
			     const char *controller)
{
	const char *field[5], *type, *options;
	size_t i;

	for (i = 0; i < 5; i++) {
		field[i] = line;
		line = memchr(line, ' ', (size_t)(end - line));
		if (!line)
			return 0;
		line++;
	}
	type = strstr(line, " - ");
	if (!type || type >= end)
		return 0;
	type += 3;
	if (!controller && strncmp(type, "cgroup2 ", 8))
		return 0;
	if (controller && strncmp(type, "cgroup ", 7))
		return 0;
	options = strchr(strchr(type, ' ') + 1, ' ');
	if (!options || options >= end)
		return 0;
	if (controller && !cgroup_has_word(options + 1, end, controller, ",\n"))
		return 0;
	cgroup_push_unescaped(L, field[3], (size_t)(field[4] - field[3] - 1));
	cgroup_push_unescaped(L, field[4], strcspn(field[4], " "));
	return 1;
}

/* Pushes the directory in which the mounts of `mountinfo` show the cgroup `own` of a
 * hierarchy, and how long the part of it is that is the mount point; 0 if they do not. */
static int cgroup_push_shown(lua_State *L, const char *own, const char *mountinfo,
			     const char *controller)
{
	const char *root, *target, *line, *end;

	for (line = mountinfo; *line; line = end + (*end == '\n')) {
		size_t size;

		end = strchr(line, '\n');
		if (!end)
			end = line + strlen(line);
		if (!cgroup_push_mount(L, line, end, controller))
			continue;
		root = lua_tostring(L, -2);
		target = lua_tostring(L, -1);
		/* A mount may show only a part of the hierarchy, and not ours. */
		size = strcmp(root, "/") ? strlen(root) : 0;
		if (!strncmp(own, root, size) && (!own[size] || own[size] == '/') &&
		    strncmp(own + size, "/..", 3)) {
			lua_pushfstring(L, "%s%s", target,
					strcmp(own + size, "/") ? own + size : "");
			lua_pushinteger(L, (lua_Integer)strlen(target));
			lua_replace(L, -3);
			lua_replace(L, -3);
			return 1;
		}
		lua_pop(L, 2);
	}
	return 0;
}

/* The same of the caller's own cgroup; 0 and errno if there is no such place. */
int cgroup_push_directory(lua_State *L, const char *controller)
{
	int err = ENOENT, base = lua_gettop(L);

	if (!sys_slurp(L, "/proc/self/cgroup"))
		return 0;
	if (cgroup_push_own(L, lua_tostring(L, -1), controller)) {
		if (!sys_slurp(L, "/proc/self/mountinfo")) {
			err = errno;
		} else if (cgroup_push_shown(L, lua_tostring(L, -2), lua_tostring(L, -1),
					     controller)) {
			lua_replace(L, base + 2);
			lua_replace(L, base + 1);
			lua_settop(L, base + 2);
			return 1;
		}
	}
	lua_settop(L, base);
	errno = err;
	return 0;
}
