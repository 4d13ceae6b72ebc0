/*
 * The two modules of this file: `container`, what programs use, and `container.sys`, all
 * primitives, for our own Lua files. Lua's searcher finds container.sys in container.so by
 * itself.
 */
#include "container.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

__attribute__((visibility("default"))) int luaopen_container(lua_State *L);
__attribute__((visibility("default"))) int luaopen_container_sys(lua_State *L);

/* Leaves in the table on top of the stack where this module lies, for a name that begins at the
 * current directory means something else after a chdir. For /DIR/container.so `directory` is
 * /DIR/container/, where what belongs to it is installed; and `lua_path` is where the Lua
 * modules are in a source tree: compiled, and as sources. */
static void container_find_directory(lua_State *L)
{
	char above[PATH_MAX] = "";
	const char *slash, *dir;
	Dl_info self;

	if (!dladdr((void *)(intptr_t)luaopen_container_sys, &self))
		return;
	slash = strrchr(self.dli_fname, '/');
	if (self.dli_fname[0] != '/' && (!slash || !getcwd(above, sizeof(above))))
		return;
	lua_pushfstring(L, "%s%s", above, *above ? "/" : "");
	lua_pushlstring(L, self.dli_fname, (size_t)(slash - self.dli_fname));
	lua_concat(L, 2);
	dir = lua_tostring(L, -1);
	lua_pushfstring(L, "%s/container/", dir);
	lua_setfield(L, -3, "directory");
	lua_pushfstring(L, "%s/build/lua/?.lua;%s/lua/?.lua;", dir, dir);
	lua_setfield(L, -3, "lua_path");
	lua_pop(L, 1);
}

int luaopen_container_sys(lua_State *L)
{
	lua_createtable(L, 0, 160);
	bpf_open(L);
	capability_open(L);
	cgroup_open(L);
	clone_open(L);
	clone_vm_open(L);
	epoll_open(L);
	exec_open(L);
	fd_open(L);
	features_open(L);
	file_open(L);
	identity_open(L);
	image_open(L);
	inet_open(L);
	io_open(L);
	isolate_open(L);
	landlock_open(L);
	limit_open(L);
	mount_open(L);
	namespace_open(L);
	netlink_open(L);
	network_open(L);
	notify_open(L);
	open_open(L);
	prctl_open(L);
	process_open(L);
	relay_open(L);
	route_open(L);
	schedule_open(L);
	seccomp_open(L);
	signal_open(L);
	socket_open(L);
	socket_path_open(L);
	stat_open(L);
	sys_open(L);
	terminal_open(L);
	tree_open(L);
	time_open(L);
	uts_open(L);
	xattr_open(L);
	container_find_directory(L);
	return 1;
}

/* The primitives that programs use: the README's table. */
static const char *const primitives[] = {
	"cgroup_place",
	"cgroup_pids",
	"chdir",
	"chroot",
	"clock_gettime",
	"clone",
	"exec",
	"gethostname",
	"getpid",
	"kill",
	"mount",
	"mount_proc",
	"pivot_root",
	"ppoll",
	"read_signal",
	"rmdir",
	"sethostname",
	"setns",
	"signal_name",
	"signalfd",
	"sigprocmask",
	"umount",
	"unshare",
	"wait",
	NULL,
};

/* run, spawn and the others are Lua: of this tree, or where Lua looks anyway. Pushes
 * their table. */
static void container_require_api(lua_State *L, int sys)
{
	int status, package;

	lua_getglobal(L, "package");
	package = lua_gettop(L);
	lua_getfield(L, package, "path");
	lua_getfield(L, sys, "lua_path");
	lua_pushfstring(L, "%s%s", luaL_optstring(L, -1, ""), luaL_optstring(L, -2, ""));
	lua_setfield(L, package, "path");
	lua_getglobal(L, "require");
	lua_pushliteral(L, "container.api");
	status = lua_pcall(L, 1, 1, 0);
	lua_pushvalue(L, package + 1);
	lua_setfield(L, package, "path");
	if (status != LUA_OK)
		lua_error(L);
	lua_replace(L, package);
	lua_settop(L, package);
}

int luaopen_container(lua_State *L)
{
	int sys, i;

	luaL_requiref(L, "container.sys", luaopen_container_sys, 0);
	sys = lua_gettop(L);
	lua_createtable(L, 0, 32);
	for (i = 0; primitives[i]; i++) {
		lua_getfield(L, sys, primitives[i]);
		lua_setfield(L, sys + 1, primitives[i]);
	}
	container_require_api(L, sys);
	lua_pushnil(L);
	while (lua_next(L, sys + 2)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_settable(L, sys + 1);
	}
	lua_settop(L, sys + 1);
	return 1;
}
