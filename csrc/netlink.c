/* What the kernel says of network interfaces, and is told: netlink(7), rtnetlink(7). */
#include "container.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads an answer's messages. 1 when the last is there, 0 when more follow, -1 and errno. */
static int netlink_scan(const char *data, size_t size)
{
	while (size >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr head;
		int32_t error = 0;
		size_t step;

		memcpy(&head, data, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > size)
			break;
		if (head.nlmsg_type == NLMSG_ERROR || head.nlmsg_type == NLMSG_DONE) {
			if (head.nlmsg_len >= sizeof(head) + sizeof(error))
				memcpy(&error, data + sizeof(head), sizeof(error));
			errno = -error;
			return error < 0 ? -1 : 1;
		}
		step = NLMSG_ALIGN(head.nlmsg_len);
		if (step >= size)
			return 0;
		data += step;
		size -= step;
	}
	errno = EPROTO;
	return -1;
}

/***
Asks the kernel about the interfaces, addresses and routes of this network namespace, or changes
them. rtnetlink(7)
@function rtnetlink
@string message with NLM_F_ACK or NLM_F_DUMP among its flags
@treturn string the messages of the answer, the last of which ends it; or nil, message, errno
*/
static int netlink_ask(lua_State *L)
{
	size_t size;
	const char *message = luaL_checklstring(L, 1, &size);
	int *slot = fd_new(L), state = 0;
	char piece[16384];
	luaL_Buffer b;
	ssize_t n;

	if (!fd_give(slot, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)))
		return sys_fail(L, "socket", NULL);
	n = send(*slot, message, size, 0);
	luaL_buffinit(L, &b);
	while (n >= 0 && !state) {
		n = recv(*slot, piece, sizeof(piece), 0);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n >= 0)
			state = netlink_scan(piece, (size_t)n);
		if (n > 0)
			luaL_addlstring(&b, piece, (size_t)n);
	}
	if (n < 0 || state < 0)
		return sys_fail(L, "rtnetlink", NULL);
	luaL_pushresult(&b);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "rtnetlink", netlink_ask },
	{ NULL, NULL },
};

void netlink_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
