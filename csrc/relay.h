/* What passes the bytes of pairs of sockets on to each other: relay_link.c for one pair,
 * relay_pool.c for all of them. */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* How many pipes there are at most: more flows than that which are blocked go without. */
#define RELAY_PIPES 32

#define RELAY_EVENTS 64

/* A pipe that pages go through on their way; `held` bytes are in it. */
struct relay_pipe {
	int reader, writer;
	size_t held;
};

/* Those that hold nothing are in `free`. `owner` are Lua's, of the ends of each. */
struct relay_pool {
	int made, spare;
	int *owner[RELAY_PIPES][2];
	struct relay_pipe pipe[RELAY_PIPES];
	struct relay_pipe *free[RELAY_PIPES];
};

/* One direction: from fd[i] of a link to the other one. A pipe that holds nothing is given back. */
struct relay_flow {
	struct relay_pipe *pipe;
	uint64_t moved;
	bool ended;   /* the end was read */
	bool done;    /* and is passed on */
	bool blocked; /* the other socket takes no more for now */
};

struct relay_link {
	int fd[2];
	uint32_t events[2]; /* what epoll watches each for */
	struct relay_flow flow[2];
	int error; /* the errno that ended it */
	bool used;
};

struct relay {
	int epoll, limit, count;
	bool closed;
	uint64_t moved[2]; /* by pairs that are over */
	struct relay_pool pool;
	struct relay_link link[];
};

void relay_link_begin(struct relay_link *link, int a, int b);
size_t relay_link_move(struct relay_link *link, int from, struct relay_pool *pool, size_t most);
bool relay_link_watch(struct relay_link *link, int epoll, uint64_t id);
bool relay_link_over(const struct relay_link *link);
void relay_link_reset(const struct relay_link *link);

struct epoll_event;

struct relay_pipe *relay_pool_take(struct relay_pool *pool);
void relay_pool_give(struct relay_pool *pool, struct relay_pipe *pipe);
int relay_turn_all(struct relay *r, size_t most, struct epoll_event *events);
void relay_flush_all(struct relay *r);

#pragma GCC visibility pop

#endif
