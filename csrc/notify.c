/* Fds that can be read when something has happened elsewhere: inotify(7), eventfd(2). */
#include "container.h"

#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "compat.h"

/***
An fd that can be read after a file was written, also by the kernel itself, as those files of a
cgroup are that tell events. inotify(7) IN_MODIFY
@function inotify
@string path
@return an fd, which does not block; or nil, message, errno
*/
static int notify_inotify(lua_State *L)
{
	const char *path = sys_check_string(L, 1);
	int *slot = fd_new(L);

	if (!fd_give(slot, inotify_init1(IN_CLOEXEC | IN_NONBLOCK)))
		return sys_fail(L, "inotify_init1", NULL);
	if (inotify_add_watch(*slot, path, IN_MODIFY) < 0)
		return sys_fail(L, "inotify_add_watch", path);
	return 1;
}

/***
An fd with a counter that others add to; it can be read when that is not 0. eventfd(2)
@function eventfd
@return an fd, which does not block; or nil, message, errno
*/
static int notify_eventfd(lua_State *L)
{
	int *slot = fd_new(L);

	if (fd_give(slot, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)))
		return 1;
	return sys_fail(L, "eventfd", NULL);
}

static const luaL_Reg functions[] = {
	{ "eventfd", notify_eventfd },
	{ "inotify", notify_inotify },
	{ NULL, NULL },
};

void notify_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
