/*
 * Two stream sockets whose bytes are passed on to each other without being copied: splice(2)
 * through a pipe. Where there is no pipe to be had, as when many readers are slow, bytes are
 * looked at, sent, and taken then: recv(2) MSG_PEEK. Nothing here waits, and neither way holds
 * more than a pipe has room for: a reader that is slow slows down the writer.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PIECE (256 * 1024)
#define COPY (16 * 1024)

/* Seconds until the first probe of a silent connection, between two, and how many are sent. */
#define IDLE 60
#define INTERVAL 10
#define PROBES 6

static void relay_set(int fd, int level, int name, int value)
{
	/* A socket that is none of TCP's does without. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Begins with two sockets that do not block. */
void relay_link_begin(struct relay_link *link, int a, int b)
{
	int side;

	memset(link, 0, sizeof(*link));
	link->fd[0] = a;
	link->fd[1] = b;
	link->used = true;
	for (side = 0; side < 2; side++) {
		relay_set(link->fd[side], IPPROTO_TCP, TCP_NODELAY, 1);
		relay_set(link->fd[side], SOL_SOCKET, SO_KEEPALIVE, 1);
		relay_set(link->fd[side], IPPROTO_TCP, TCP_KEEPIDLE, IDLE);
		relay_set(link->fd[side], IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL);
		relay_set(link->fd[side], IPPROTO_TCP, TCP_KEEPCNT, PROBES);
	}
}

/* Whether there is more to do at once; what else there is to know of a result is noted. */
static bool relay_wrote(struct relay_link *link, struct relay_flow *flow, ssize_t n)
{
	if (n > 0) {
		flow->moved += (uint64_t)n;
		return true;
	}
	if (n < 0 && errno == EAGAIN)
		flow->blocked = true;
	else if (n < 0)
		link->error = errno;
	return false;
}

static bool relay_read(struct relay_link *link, struct relay_flow *flow, ssize_t n)
{
	if (n > 0)
		return true;
	if (n == 0)
		flow->ended = true;
	else if (errno != EAGAIN)
		link->error = errno;
	return false;
}

/* Empties the pipe of a flow into its socket; false when that takes no more. */
static bool relay_empty(struct relay_link *link, struct relay_flow *flow, int to)
{
	struct relay_pipe *pipe = flow->pipe;
	ssize_t n;

	while (pipe->held > 0) {
		do
			n = splice(pipe->reader, NULL, to, NULL, pipe->held,
				   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		while (n < 0 && errno == EINTR);
		if (!relay_wrote(link, flow, n))
			return false;
		pipe->held -= (size_t)n;
	}
	return true;
}

static bool relay_splice(struct relay_link *link, struct relay_flow *flow, int from, int to)
{
	ssize_t n;

	do
		n = splice(from, NULL, flow->pipe->writer, NULL, PIECE,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	if (!relay_read(link, flow, n))
		return false;
	flow->pipe->held = (size_t)n;
	return relay_empty(link, flow, to);
}

static bool relay_copy(struct relay_link *link, struct relay_flow *flow, int from, int to)
{
	char piece[COPY];
	ssize_t n, sent;

	do
		n = recv(from, piece, sizeof(piece), MSG_PEEK | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (!relay_read(link, flow, n))
		return false;
	do
		sent = send(to, piece, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (!relay_wrote(link, flow, sent))
		return false;
	do
		n = recv(from, piece, (size_t)sent, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return true;
}

/* Moves about `most` bytes from fd[from] to the other one, and the end. How many it moved. SIGPIPE
 * is for the caller to block. */
size_t relay_link_move(struct relay_link *link, int from, struct relay_pool *pool, size_t most)
{
	struct relay_flow *flow = &link->flow[from];
	uint64_t before = flow->moved;
	int to = link->fd[!from];
	bool more = !link->error && !flow->done;

	flow->blocked = false;
	if (more && flow->pipe)
		more = relay_empty(link, flow, to);
	while (more && !flow->ended && flow->moved - before < most) {
		if (!flow->pipe)
			flow->pipe = relay_pool_take(pool);
		more = flow->pipe ? relay_splice(link, flow, link->fd[from], to)
				  : relay_copy(link, flow, link->fd[from], to);
	}
	if (flow->pipe && flow->pipe->held == 0) {
		relay_pool_give(pool, flow->pipe);
		flow->pipe = NULL;
	}
	if (flow->ended && !flow->pipe && !flow->done && !link->error) {
		flow->done = true;
		/* The other socket may have been reset meanwhile, which is then read from it. */
		(void)shutdown(to, SHUT_WR);
	}
	return (size_t)(flow->moved - before);
}

/* Has epoll watch both for what there is to wait for; false and errno if it cannot. One that
 * nothing is awaited of is watched for its errors, once each, or they would wake without end. */
bool relay_link_watch(struct relay_link *link, int epoll, uint64_t id)
{
	int side;

	for (side = 0; side < 2; side++) {
		const struct relay_flow *out = &link->flow[side], *in = &link->flow[!side];
		struct epoll_event event = { .data.u64 = id * 2 + (uint64_t)side };

		if (!out->ended && !out->blocked)
			event.events |= EPOLLIN;
		if (in->blocked)
			event.events |= EPOLLOUT;
		if (!event.events)
			event.events = EPOLLET;
		if (event.events == link->events[side])
			continue;
		if (epoll_ctl(epoll, link->events[side] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
			      link->fd[side], &event) < 0)
			return false;
		link->events[side] = event.events;
	}
	return true;
}

bool relay_link_over(const struct relay_link *link)
{
	return link->error || (link->flow[0].done && link->flow[1].done);
}

/* Has the close of both tell the other side that something went wrong. */
void relay_link_reset(const struct relay_link *link)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	int side;

	for (side = 0; side < 2; side++)
		(void)setsockopt(link->fd[side], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}
