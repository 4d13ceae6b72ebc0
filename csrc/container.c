/* luaopen_container opens the rooms, and nothing else. */
#include "container.h"

__attribute__((visibility("default"))) int luaopen_container(lua_State *L);

int luaopen_container(lua_State *L)
{
	lua_createtable(L, 0, 80);
	bpf_open(L);
	capability_open(L);
	cgroup_open(L);
	fd_open(L);
	features_open(L);
	file_open(L);
	identity_open(L);
	image_open(L);
	io_open(L);
	isolate_open(L);
	landlock_open(L);
	limit_open(L);
	mount_open(L);
	namespace_open(L);
	network_open(L);
	notify_open(L);
	open_open(L);
	prctl_open(L);
	process_open(L);
	seccomp_open(L);
	signal_open(L);
	sys_open(L);
	terminal_open(L);
	tree_open(L);
	time_open(L);
	uts_open(L);
	door_open(L);
	return 1;
}
