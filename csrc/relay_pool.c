/*
 * What moves the bytes of a relay's pairs, in turns: relay.c is what Lua has of it. The pipes that
 * pages go through are made when they are needed, and shared: a pair has one while something is
 * on its way.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "relay.h"

#define PIPE_SIZE (256 * 1024)

/* What one pair may move in one direction before the others have their turn. */
#define SHARE (256 * 1024)

/* A pipe that holds nothing; NULL where there is none. */
struct relay_pipe *relay_pool_take(struct relay_pool *pool)
{
	struct relay_pipe *pipe = &pool->pipe[pool->made];
	int fds[2], given, **owner = pool->owner[pool->made];

	if (pool->spare > 0)
		return pool->free[--pool->spare];
	if (pool->made == RELAY_PIPES || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return NULL;
	/* The owner that has got its end closes it with the relay. */
	given = fd_give(owner[0], fds[0]);
	given += fd_give(owner[1], fds[1]);
	if (given < 2) {
		pool->made = RELAY_PIPES;
		return NULL;
	}
	pipe->reader = *owner[0];
	pipe->writer = *owner[1];
	/* A user who has many pipes gets no large ones. */
	(void)fcntl(pipe->reader, F_SETPIPE_SZ, PIPE_SIZE);
	pool->made++;
	return pipe;
}

void relay_pool_give(struct relay_pool *pool, struct relay_pipe *pipe)
{
	char rest[4096];

	/* What is still in it would be read as another pair's. */
	while (pipe->held > 0 && read(pipe->reader, rest, sizeof(rest)) > 0)
		;
	pipe->held = 0;
	pool->free[pool->spare++] = pipe;
}

/* Serves one pair that something has happened to. How many bytes it moved. */
static size_t relay_serve(struct relay *r, const struct epoll_event *event)
{
	uint64_t i = event->data.u64 / 2;
	int side = (int)(event->data.u64 % 2);
	struct relay_link *link = &r->link[i];
	size_t moved = 0;

	if (relay_link_over(link))
		return 0;
	if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		moved += relay_link_move(link, side, &r->pool, SHARE);
	if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		moved += relay_link_move(link, !side, &r->pool, SHARE);
	/* One that has ended and is reset now is not read any more, which would tell. */
	if (!link->error && event->events & EPOLLERR && link->flow[side].ended)
		link->error = ECONNRESET;
	if (!relay_link_over(link) && !relay_link_watch(link, r->epoll, i))
		link->error = errno;
	return moved;
}

/* Serves all that something has happened to, until nothing more is to do, `most` bytes are moved,
 * or one of the last RELAY_EVENTS is over, which is left as it is. How many these were, or -1 and
 * errno. */
int relay_turn_all(struct relay *r, size_t most, struct epoll_event *events)
{
	struct io_quiet quiet;
	size_t moved = 0;
	int n, k, over = 0;

	io_hush(&quiet);
	do {
		n = epoll_wait(r->epoll, events, RELAY_EVENTS, 0);
		for (k = 0; k < n; k++) {
			moved += relay_serve(r, &events[k]);
			over += relay_link_over(&r->link[events[k].data.u64 / 2]);
		}
	} while (n > 0 && !over && moved < most);
	io_unhush(&quiet);
	return n;
}

/* Passes on what the first socket of each pair has sent, as far as the second takes it. */
void relay_flush_all(struct relay *r)
{
	struct io_quiet quiet;
	int i;

	io_hush(&quiet);
	for (i = 0; i < r->limit; i++)
		if (r->link[i].used && !relay_link_over(&r->link[i]))
			relay_link_move(&r->link[i], 0, &r->pool, SHARE);
	io_unhush(&quiet);
}
