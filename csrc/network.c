/* Network interfaces, netdevice(7), and a network namespace that is made meanwhile. */
#include "container.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat.h"
#include "raw.h"

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
	int rc, err, fd;

	luaL_argcheck(L, strlen(name) < sizeof(request.ifr_name), 1, "name too long");
	strcpy(request.ifr_name, name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return sys_fail(L, "socket", NULL);
	rc = ioctl(fd, SIOCSIFFLAGS, &request);
	err = errno;
	close(fd);
	errno = err;
	return sys_result(L, rc, "ioctl SIOCSIFFLAGS", name);
}

#define MAKER_TYPE "container.network_maker"
#define MAKER_STACK 16384
#define MAKER_FLAGS                                                                    \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* A network namespace in the making, in memory of its own that the copy of a process has empty: a copy
 * has no such thread. */
struct network_maker {
	char process[16]; /* what the process is called in its /proc, which need not be its own */
	pid_t thread; /* 0 when it is over: the kernel sees to that and wakes who waits */
	int go; /* when it may begin */
	long result; /* an fd, or the negated number of an error, */
	const char *call; /* and of what */
	struct stat made; /* what the fd is of */
	char stack[MAKER_STACK] __attribute__((aligned(16)));
};

/* Runs in a thread of the kernel's that libc does not know, so that for libc the program has none, and
 * malloc takes no locks. It has the caller's thread-local variables, errno among them, and calls
 * nothing that might touch one. The program's signals are blocked in it. */
static __attribute__((no_sanitize("address", "undefined", "thread"))) int network_make(void *arg)
{
	struct network_maker *self = arg;
	const char *call = "unshare network";
	struct ifreq request;
	long rc, fd = -1;
	size_t i;

	while (!__atomic_load_n(&self->go, __ATOMIC_ACQUIRE))
		raw_syscall(SYS_futex, (long)&self->go, FUTEX_WAIT, 0, 0, 0);
	for (i = 0; i < sizeof(request); i++)
		((volatile char *)&request)[i] = 0;
	request.ifr_name[0] = 'l';
	request.ifr_name[1] = 'o';
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	rc = raw_syscall(SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0);
	if (rc >= 0) {
		call = "socket";
		fd = rc = raw_syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
	}
	if (rc >= 0) {
		call = "ioctl SIOCSIFFLAGS lo";
		rc = raw_syscall(SYS_ioctl, fd, SIOCSIFFLAGS, (long)&request, 0, 0);
		raw_syscall(SYS_close, fd, 0, 0, 0, 0);
	}
	if (rc >= 0) {
		call = "open /proc/thread-self/ns/net";
		fd = rc = raw_syscall(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/ns/net",
				      O_RDONLY | O_CLOEXEC, 0, 0);
	}
	if (rc >= 0 && rc <= 2) {
		/* A number of a standard stream, which the program had closed, would end as one. */
		call = "fcntl F_DUPFD_CLOEXEC";
		rc = raw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3, 0, 0);
		raw_syscall(SYS_close, fd, 0, 0, 0, 0);
		fd = rc;
	}
	if (rc >= 0) {
		call = "fstat";
		rc = raw_syscall(SYS_fstat, fd, (long)&self->made, 0, 0, 0);
		if (rc < 0)
			raw_syscall(SYS_close, fd, 0, 0, 0, 0);
	}
	self->call = call;
	self->result = rc < 0 ? rc : fd;
	return 0;
}

/* Waits until it is over: it has a millisecond to go, so a signal that comes meanwhile is no reason to
 * hurry. */
static void network_wait(struct network_maker *self)
{
	pid_t thread;

	while ((thread = __atomic_load_n(&self->thread, __ATOMIC_ACQUIRE)))
		syscall(SYS_futex, &self->thread, FUTEX_WAIT, thread, NULL, NULL, 0);
}

/* The processors that this thread may use, without the one that it is on; 0 if there is no other. */
static int network_others(cpu_set_t *set)
{
	int here = sched_getcpu();

	if (sched_getaffinity(0, sizeof(*set), set) < 0)
		return 0;
	if (here >= 0)
		CPU_CLR((size_t)here, set);
	return CPU_COUNT(set) > 0;
}

/***
Has a network namespace made, with its loopback interface up, while the caller goes on: the kernel takes
longer for that than for all other namespaces. A thread does it, of which nothing is seen but in
/proc/self/task and by a limit of processes; on another processor if there is one: some schedulers would
leave it on the caller's, where it would only be in the way. network_namespaces(7), clone(2) CLONE_THREAD,
sched_setaffinity(2)
@function network_ahead
@return what is being made, which is there until it is closed or collected; or nil, message, errno
(EAGAIN where no more threads may be, ENOENT where there is no /proc)
*/
static int network_ahead(lua_State *L)
{
	struct network_maker *self, **slot = lua_newuserdatauv(L, sizeof(self), 0);
	sigset_t all, before;
	cpu_set_t others;
	int rc, err;

	self = mmap(NULL, sizeof(*self), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (self == MAP_FAILED)
		return sys_fail(L, "mmap", NULL);
	*slot = self;
	luaL_setmetatable(L, MAKER_TYPE);
	if (madvise(self, sizeof(*self), MADV_WIPEONFORK) < 0)
		return sys_fail(L, "madvise MADV_WIPEONFORK", NULL);
	if (readlink("/proc/self", self->process, sizeof(self->process) - 1) < 0)
		return sys_fail(L, "readlink", "/proc/self");
	/* Until it is over, and should it never come to its end. */
	self->result = -ESRCH;
	self->call = "network_ahead";
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	rc = clone(network_make, self->stack + MAKER_STACK, MAKER_FLAGS, self, &self->thread, NULL,
		   &self->thread);
	err = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (rc < 0)
		return sys_fail_with(L, err, "clone", "thread");
	if (network_others(&others))
		sched_setaffinity(rc, sizeof(others), &others);
	__atomic_store_n(&self->go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &self->go, FUTEX_WAKE, 1, NULL, NULL, 0);
	return 1;
}

/* The memory; NULL when it is closed, or this is a copy of the process that began it. */
static struct network_maker *network_check_maker(lua_State *L)
{
	struct network_maker *self = *(struct network_maker **)luaL_checkudata(L, 1, MAKER_TYPE);

	return self && self->process[0] ? self : NULL;
}

/***
Waits until it is made. To be asked by the process that began it, or by a child that shares its memory.
@function network_maker:wait
@bool[opt] look only looks
@return true; false when it is only looked and not made yet; or nil, message, errno (EPERM without
CAP_SYS_ADMIN; ENOSPC, see user.max_net_namespaces; ESRCH when it is closed, or of a process of which this
is a copy)
*/
static int network_maker_wait(lua_State *L)
{
	struct network_maker *self = network_check_maker(L);

	if (!self)
		return sys_fail_with(L, ESRCH, "network_ahead", NULL);
	if (lua_toboolean(L, 2) && __atomic_load_n(&self->thread, __ATOMIC_ACQUIRE)) {
		lua_pushboolean(L, 0);
		return 1;
	}
	network_wait(self);
	if (self->result < 0)
		return sys_fail_with(L, (int)-self->result, self->call, NULL);
	lua_pushboolean(L, 1);
	return 1;
}

/***
Waits until it is made, and joins it: the process that began it, or a child that shares its memory and
its /proc. setns(2)
@function network_maker:join
@return true; or nil, message, errno, as of `wait`, and of setns; ESTALE where something else lies where it
has to be
*/
static int network_maker_join(lua_State *L)
{
	struct network_maker *self = network_check_maker(L);
	int rc, err, fd;
	char path[64];
	struct stat st;

	lua_settop(L, 1);
	rc = network_maker_wait(L);
	if (!self || self->result < 0)
		return rc;
	/* A child has no such file, and this process may have another number than others know it by. */
	snprintf(path, sizeof(path), "/proc/%s/fd/%ld", self->process, self->result);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return sys_fail(L, "open", path);
	rc = fstat(fd, &st);
	if (rc == 0 && (st.st_dev != self->made.st_dev || st.st_ino != self->made.st_ino)) {
		rc = -1;
		errno = ESTALE;
	}
	if (rc == 0)
		rc = setns(fd, CLONE_NEWNET);
	err = errno;
	close(fd);
	errno = err;
	return sys_result(L, rc, "setns", path);
}

/***
Lets go of it, when it is over.
@function network_maker:close
@return true
*/
static int network_maker_close(lua_State *L)
{
	struct network_maker **slot = luaL_checkudata(L, 1, MAKER_TYPE), *self = *slot;

	if (self && self->process[0]) {
		network_wait(self);
		if (self->result >= 0)
			close((int)self->result);
	}
	if (self)
		munmap(self, sizeof(*self));
	*slot = NULL;
	lua_pushboolean(L, 1);
	return 1;
}

static const luaL_Reg methods[] = {
	{ "close", network_maker_close },
	{ "join", network_maker_join },
	{ "wait", network_maker_wait },
	{ NULL, NULL },
};

static const luaL_Reg functions[] = {
	{ "interface_up", network_interface_up },
	{ "network_ahead", network_ahead },
	{ NULL, NULL },
};

void network_open(lua_State *L)
{
	luaL_newmetatable(L, MAKER_TYPE);
	lua_pushcfunction(L, network_maker_close);
	lua_setfield(L, -2, "__gc");
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
}
