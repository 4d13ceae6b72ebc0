/* One fd that stands for many, and for a time: epoll(7), timerfd_create(2). */
#include "container.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

/***
An fd that can be read while one of those that were added to it is ready. epoll_create1(2)
@function epoll_create
@return an fd, or nil, message, errno
*/
static int epoll_make(lua_State *L)
{
	int *slot = fd_new(L);

	if (fd_give(slot, epoll_create1(EPOLL_CLOEXEC)))
		return 1;
	return sys_fail(L, "epoll_create1", NULL);
}

/***
Adds an fd, which is watched until it is taken away, or its file is closed everywhere. epoll_ctl(2)
EPOLL_CTL_ADD
@function epoll_add
@param epoll fd
@param fd
@string[opt="in"] events comma words: in out
@return true, or nil, message, errno (EPERM when it is a file that is always ready)
*/
static int epoll_add(lua_State *L)
{
	static const struct sys_word words[] = { { "in", EPOLLIN },
						 { "out", EPOLLOUT },
						 { NULL, 0 } };
	int epoll = fd_check(L, 1), fd = fd_check(L, 2);
	unsigned long events = sys_check_words(L, 3, words, "event");
	struct epoll_event event = { .events = events ? (uint32_t)events : EPOLLIN,
				     .data.fd = fd };

	return sys_result(L, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl", NULL);
}

/***
Takes an fd away again. epoll_ctl(2) EPOLL_CTL_DEL
@function epoll_remove
@param epoll fd
@param fd
@return true, or nil, message, errno (ENOENT when it was not added)
*/
static int epoll_remove(lua_State *L)
{
	int epoll = fd_check(L, 1), fd = fd_check(L, 2);

	return sys_result(L, epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), "epoll_ctl", NULL);
}

/***
Tells which fds are ready, without waiting. epoll_wait(2)
@function epoll_ready
@param epoll fd
@int most how many at most, up to 256; the others come first the next time
@treturn table array of their numbers, as they were when they were added; or nil, message, errno
*/
static int epoll_ready(lua_State *L)
{
	struct epoll_event events[256];
	int fd = fd_check(L, 1), most = (int)sys_check_range(L, 2, 1, 256), n, i;

	do
		n = epoll_wait(fd, events, most, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return sys_fail(L, "epoll_wait", NULL);
	lua_createtable(L, n, 0);
	for (i = 0; i < n; i++) {
		lua_pushinteger(L, events[i].data.fd);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/***
An fd that can be read when its time has come. It has none yet. timerfd_create(2)
@function timerfd_create
@return an fd of the monotonic clock, which does not block; or nil, message, errno
*/
static int epoll_timerfd_create(lua_State *L)
{
	int *slot = fd_new(L);

	if (fd_give(slot, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)))
		return 1;
	return sys_fail(L, "timerfd_create", NULL);
}

/***
Sets the time of a timer, once. It can be read from then on until it is set again.
timerfd_settime(2)
@function timerfd_settime
@param timer fd
@number[opt] seconds from now; never if left out
@return true, or nil, message, errno
*/
static int epoll_timerfd_settime(lua_State *L)
{
	int fd = fd_check(L, 1);
	struct itimerspec when = { { 0, 0 }, { 0, 0 } };

	if (!lua_isnoneornil(L, 2)) {
		lua_Number seconds = luaL_checknumber(L, 2);
		luaL_argcheck(L, seconds >= 0, 2, "number out of range");
		if (seconds > INT_MAX)
			seconds = INT_MAX;
		when.it_value.tv_sec = (time_t)seconds;
		when.it_value.tv_nsec =
			(long)((seconds - (lua_Number)when.it_value.tv_sec) * 1e9);
		/* All zero would mean never. */
		if (!when.it_value.tv_sec && !when.it_value.tv_nsec)
			when.it_value.tv_nsec = 1;
	}
	return sys_result(L, timerfd_settime(fd, 0, &when, NULL), "timerfd_settime", NULL);
}

static const luaL_Reg functions[] = {
	{ "epoll_add", epoll_add },
	{ "epoll_create", epoll_make },
	{ "epoll_ready", epoll_ready },
	{ "epoll_remove", epoll_remove },
	{ "timerfd_create", epoll_timerfd_create },
	{ "timerfd_settime", epoll_timerfd_settime },
	{ NULL, NULL },
};

void epoll_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
