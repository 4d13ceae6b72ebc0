/*
 * Many pairs of sockets whose bytes are passed on to each other, behind one fd that is readable
 * when there is something to do. splice(2), epoll(7). relay_link.c does it for one pair.
 *
 * Every fd here has an owner of fd.c, in the table that is the user value of the relay: both
 * sockets of a pair, the epoll and the pipes. So nothing here has to be closed by a collector.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "relay.h"

#define RELAY_TYPE "container.relay"

#define LINKS_MAX 65536

static struct relay *relay_check(lua_State *L)
{
	struct relay *r = luaL_checkudata(L, 1, RELAY_TYPE);

	luaL_argcheck(L, !r->closed, 1, "relay is closed");
	return r;
}

/* Keeps what is on top of the stack in the table of owners, and pops it. */
static void relay_keep(lua_State *L, lua_Integer key)
{
	lua_getiuservalue(L, 1, 1);
	lua_insert(L, -2);
	lua_rawseti(L, -2, key);
	lua_pop(L, 1);
}

/* Closes an owner by its key, and forgets it. */
static void relay_drop(lua_State *L, lua_Integer key)
{
	lua_getiuservalue(L, 1, 1);
	lua_rawgeti(L, -1, key);
	lua_getfield(L, -1, "close");
	lua_insert(L, -2);
	lua_call(L, 1, 0);
	lua_pushnil(L);
	lua_rawseti(L, -2, key);
	lua_pop(L, 1);
}

/***
Makes a relay, whose fd is readable when `turn` has something to do. epoll_create1(2)
@function relay
@int limit how many pairs of sockets it may have
@return a relay, or nil, message, errno
*/
static int relay_new(lua_State *L)
{
	int limit = (int)sys_check_range(L, 1, 1, LINKS_MAX), *epoll, i;
	size_t size = sizeof(struct relay) + (size_t)limit * sizeof(struct relay_link);
	struct relay *r;

	lua_settop(L, 1);
	r = lua_newuserdatauv(L, size, 1);
	memset(r, 0, size);
	r->limit = limit;
	luaL_setmetatable(L, RELAY_TYPE);
	lua_replace(L, 1);
	lua_newtable(L);
	lua_setiuservalue(L, 1, 1);
	for (i = 0; i < 2 * RELAY_PIPES; i++) {
		r->pool.owner[i / 2][i % 2] = fd_new(L);
		relay_keep(L, -i - 1);
	}
	epoll = fd_new(L);
	relay_keep(L, 0);
	if (!fd_give(epoll, epoll_create1(EPOLL_CLOEXEC)))
		return sys_fail(L, "epoll_create1", NULL);
	r->epoll = *epoll;
	return 1;
}

/***
Passes the bytes of two connected stream sockets on to each other from now on. They are the relay's:
it closes them.
@function relay:add
@param first fd
@param second fd
@treturn int a number of the pair, or nil, message, errno (ENOBUFS when there are too many)
*/
static int relay_add(lua_State *L)
{
	struct relay *r = relay_check(L);
	int a = fd_check(L, 2), b = fd_check(L, 3), i = 0;

	if (r->count == r->limit)
		return sys_fail_with(L, ENOBUFS, "relay", NULL);
	while (r->link[i].used)
		i++;
	if (fcntl(a, F_SETFL, O_RDWR | O_NONBLOCK) < 0 ||
	    fcntl(b, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return sys_fail(L, "fcntl F_SETFL", NULL);
	relay_link_begin(&r->link[i], a, b);
	if (!relay_link_watch(&r->link[i], r->epoll, (uint64_t)i)) {
		int err = errno;
		epoll_ctl(r->epoll, EPOLL_CTL_DEL, a, NULL);
		r->link[i].used = false;
		return sys_fail_with(L, err, "epoll_ctl", NULL);
	}
	r->count++;
	lua_settop(L, 3);
	relay_keep(L, 2 * i + 2);
	relay_keep(L, 2 * i + 1);
	lua_pushinteger(L, i + 1);
	return 1;
}

/* Ends a pair: closes both sockets, and pushes { number, sent, received, errno }. */
static void relay_end(lua_State *L, struct relay *r, int i)
{
	struct relay_link *link = &r->link[i];
	int side;

	if (link->error)
		relay_link_reset(link);
	lua_createtable(L, 4, 0);
	lua_pushinteger(L, i + 1);
	lua_rawseti(L, -2, 1);
	for (side = 0; side < 2; side++) {
		struct relay_flow *flow = &link->flow[side];

		r->moved[side] += flow->moved;
		lua_pushinteger(L, (lua_Integer)flow->moved);
		lua_rawseti(L, -2, side + 2);
		if (flow->pipe)
			relay_pool_give(&r->pool, flow->pipe);
		/* Another process may have a copy of it, and then its close does not take it away. */
		epoll_ctl(r->epoll, EPOLL_CTL_DEL, link->fd[side], NULL);
		relay_drop(L, 2 * i + side + 1);
	}
	if (link->error) {
		lua_pushinteger(L, link->error);
		lua_rawseti(L, -2, 4);
	}
	link->used = false;
	r->count--;
}

/***
Moves what can be moved without waiting. splice(2), epoll_wait(2)
@function relay:turn
@int most about how many bytes, before it returns though there is more
@treturn table array of the pairs that are over, each { number, bytes from the first, bytes from the
second, errno or nil }; or nil, message, errno
*/
static int relay_turn(lua_State *L)
{
	struct relay *r = relay_check(L);
	size_t most = (size_t)sys_check_range(L, 2, 1, 1LL << 40);
	struct epoll_event events[RELAY_EVENTS];
	lua_Integer ended = 0;
	int k, n = relay_turn_all(r, most, events);

	if (n < 0 && errno != EINTR)
		return sys_fail(L, "epoll_wait", NULL);
	lua_newtable(L);
	for (k = 0; k < n; k++) {
		int i = (int)(events[k].data.u64 / 2);

		if (r->link[i].used && relay_link_over(&r->link[i])) {
			relay_end(L, r, i);
			lua_rawseti(L, -2, ++ended);
		}
	}
	return 1;
}

/***
Passes on what the first socket of each pair has still sent, as far as the second takes it.
@function relay:flush
@return true
*/
static int relay_flush(lua_State *L)
{
	relay_flush_all(relay_check(L));
	lua_pushboolean(L, 1);
	return 1;
}

/***
Tells how much there is and was.
@function relay:counts
@treturn int pairs now
@treturn int bytes from all first sockets
@treturn int bytes from all second ones
*/
static int relay_counts(lua_State *L)
{
	struct relay *r = luaL_checkudata(L, 1, RELAY_TYPE);
	uint64_t moved[2] = { r->moved[0], r->moved[1] };
	int i, side;

	for (i = 0; i < r->limit; i++)
		for (side = 0; side < 2 && r->link[i].used; side++)
			moved[side] += r->link[i].flow[side].moved;
	lua_pushinteger(L, r->count);
	lua_pushinteger(L, (lua_Integer)moved[0]);
	lua_pushinteger(L, (lua_Integer)moved[1]);
	return 3;
}

/***
Gives the number of its fd.
@function relay:fileno
@treturn int
*/
static int relay_fileno(lua_State *L)
{
	lua_pushinteger(L, relay_check(L)->epoll);
	return 1;
}

/***
Closes it, with all sockets that it has. A second call does nothing.
@function relay:close
@return true
*/
static int relay_close(lua_State *L)
{
	struct relay *r = luaL_checkudata(L, 1, RELAY_TYPE);
	int i;

	if (!r->closed) {
		r->closed = true;
		for (i = 0; i < 2 * RELAY_PIPES; i++)
			relay_drop(L, -i - 1);
		relay_drop(L, 0);
		for (i = 0; i < 2 * r->limit; i++)
			if (r->link[i / 2].used)
				relay_drop(L, i + 1);
		r->count = 0;
	}
	lua_pushboolean(L, 1);
	return 1;
}

static const luaL_Reg methods[] = {
	{ "add", relay_add },
	{ "close", relay_close },
	{ "counts", relay_counts },
	{ "fileno", relay_fileno },
	{ "flush", relay_flush },
	{ "turn", relay_turn },
	{ NULL, NULL },
};

static const luaL_Reg functions[] = {
	{ "relay", relay_new },
	{ NULL, NULL },
};

void relay_open(lua_State *L)
{
	luaL_newmetatable(L, RELAY_TYPE);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, relay_close);
	lua_setfield(L, -2, "__close");
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
}
