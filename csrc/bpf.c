/* Programs for the kernel's own machine that decide for a cgroup of version 2: bpf(2). */
#include "container.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

/* The kernel's own numbers, of <linux/bpf.h>, as of 4.15. */
#define PROG_LOAD 5
#define PROG_ATTACH 8
#define TYPE_CGROUP_DEVICE 15
#define ATTACH_CGROUP_DEVICE 6
#define ALLOW_MULTI 2
#define INSTRUCTION_SIZE 8

/***
Loads a program that decides which devices may be opened and made. bpf(2) BPF_PROG_LOAD,
BPF_PROG_TYPE_CGROUP_DEVICE
@function bpf_device
@string instructions of 8 bytes each
@return an fd; or nil, message, errno (EPERM without CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN)
*/
static int bpf_device(lua_State *L)
{
	size_t size;
	const char *instructions = luaL_checklstring(L, 1, &size);
	struct {
		uint32_t type, count;
		uint64_t instructions, license;
		uint32_t log_level, log_size;
		uint64_t log_buf;
		uint32_t kern_version, flags;
		char name[16];	/* what bpftool shows */
		char later[64]; /* what newer kernels take as well, not handed over */
	} load;
	int *slot;

	luaL_argcheck(L, size && size % INSTRUCTION_SIZE == 0 && size < 1 << 20, 1,
		      "not a program");
	slot = fd_new(L);
	memset(&load, 0, sizeof(load));
	load.type = TYPE_CGROUP_DEVICE;
	load.count = (uint32_t)(size / INSTRUCTION_SIZE);
	load.instructions = (uint64_t)(uintptr_t)instructions;
	load.license = (uint64_t)(uintptr_t) "MIT";
	memcpy(load.name, "lua_container", sizeof("lua_container"));
	if (fd_give(slot, (int)syscall(SYS_bpf, PROG_LOAD, &load,
				       offsetof(__typeof__(load), later))))
		return 1;
	return sys_fail(L, "bpf BPF_PROG_LOAD", NULL);
}

/***
Has a program decide for a cgroup of version 2 and all below it, beside those that do so already. It
ends with the cgroup. bpf(2) BPF_PROG_ATTACH
@function bpf_attach_device
@param cgroup fd of its directory
@param program fd
@return true, or nil, message, errno
*/
static int bpf_attach_device(lua_State *L)
{
	struct {
		uint32_t target, program, type, flags;
	} attach;

	attach.target = (uint32_t)fd_check(L, 1);
	attach.program = (uint32_t)fd_check(L, 2);
	attach.type = ATTACH_CGROUP_DEVICE;
	attach.flags = ALLOW_MULTI;
	return sys_result(L, syscall(SYS_bpf, PROG_ATTACH, &attach, sizeof(attach)),
			  "bpf BPF_PROG_ATTACH", NULL);
}

static const luaL_Reg functions[] = {
	{ "bpf_attach_device", bpf_attach_device },
	{ "bpf_device", bpf_device },
	{ NULL, NULL },
};

void bpf_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
