/* Network interfaces: netdevice(7) */
#include "container.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/***
Brings an interface of this network namespace up. netdevice(7) SIOCSIFFLAGS
@function interface_up
@string name such as "lo"
@return true, or nil, message, errno (EPERM without CAP_NET_ADMIN, ENODEV)
*/
static int network_interface_up(lua_State *L)
{
	const char *name = sys_check_string(L, 1);
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int rc, fd;

	luaL_argcheck(L, strlen(name) < sizeof(request.ifr_name), 1, "name too long");
	strcpy(request.ifr_name, name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return sys_fail(L, "socket", NULL);
	rc = ioctl(fd, SIOCSIFFLAGS, &request);
	sys_close(fd);
	return sys_result(L, rc, "ioctl SIOCSIFFLAGS", name);
}

static const luaL_Reg functions[] = {
	{ "interface_up", network_interface_up },
	{ NULL, NULL },
};

void network_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
