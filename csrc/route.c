/* Routes of this network namespace: rtnetlink(7). */
#include "container.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct route_request {
	struct nlmsghdr head;
	struct rtmsg route;
	char attributes[64];
};

static void route_attribute(struct route_request *request, unsigned short type, const void *data,
			    size_t size)
{
	struct rtattr *a = (void *)((char *)request + NLMSG_ALIGN(request->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	request->head.nlmsg_len =
		NLMSG_ALIGN(request->head.nlmsg_len) + (unsigned)RTA_ALIGN(a->rta_len);
}

/* Sends a request and takes the kernel's answer; 0, or -1 and errno. */
static int route_ask(struct route_request *request)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char more[256];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = send(fd, request, request->head.nlmsg_len, 0);
	do
		n = n < 0 ? n : recv(fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	sys_close(fd);
	if (n < 0)
		return -1;
	if ((size_t)n < sizeof(answer.head) + sizeof(answer.error) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		errno = EPROTO;
	else if (answer.error.error)
		errno = -answer.error.error;
	else
		return 0;
	return -1;
}

/***
Has every address of a block be this network namespace's own. rtnetlink(7) RTM_NEWROUTE, RTN_LOCAL
@function route_local
@string address of IPv4 or IPv6
@int prefix how many of its bits are the block's
@string interface such as "lo"
@return true, or nil, message, errno (EPERM without CAP_NET_ADMIN, EEXIST)
*/
static int route_local(lua_State *L)
{
	const char *address = sys_check_string(L, 1), *name = sys_check_string(L, 3);
	int prefix = (int)sys_check_range(L, 2, 0, 128);
	unsigned interface = if_nametoindex(name);
	unsigned char bytes[16];
	struct route_request request = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			  .nlmsg_type = RTM_NEWROUTE,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL },
		.route = { .rtm_dst_len = (unsigned char)prefix,
			   .rtm_table = RT_TABLE_LOCAL,
			   .rtm_protocol = RTPROT_BOOT,
			   .rtm_scope = RT_SCOPE_HOST,
			   .rtm_type = RTN_LOCAL },
	};

	if (!interface)
		return sys_fail(L, "if_nametoindex", name);
	if (inet_pton(AF_INET, address, bytes) == 1)
		request.route.rtm_family = AF_INET;
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		request.route.rtm_family = AF_INET6;
	else
		return luaL_argerror(L, 1, "no address");
	route_attribute(&request, RTA_DST, bytes, request.route.rtm_family == AF_INET ? 4 : 16);
	route_attribute(&request, RTA_OIF, &interface, sizeof(interface));
	return sys_result(L, route_ask(&request), "rtnetlink RTM_NEWROUTE", address);
}

static const luaL_Reg functions[] = {
	{ "route_local", route_local },
	{ NULL, NULL },
};

void route_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
