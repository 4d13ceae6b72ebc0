/*
 * The C limit: limit [--mounts MASKED READONLY | --all MASKED READONLY FILTER CGROUP]
 *              ROOTFS PROGRAM [ARG...]
 *
 * What a container costs when the kernel alone does something for it. It makes the six
 * namespaces that run.lua makes, makes the mounts private, makes ROOTFS the root, mounts a
 * proc, names the host, executes PROGRAM, and waits for it; no option, no cgroup, no
 * /dev, no pid 1 of its own, no word about what went wrong but the name of the call. That
 * makes it useless as a tool and right as a measure: what run.lua takes above this is the
 * price of Lua and of everything that it does more. Root only.
 *
 * With --mounts it makes all the mounts that run.lua makes: /dev with its nodes, links, pts, shm
 * and mqueue, /sys, and the masked and the read-only paths, which are lists with colons.
 *
 * With --all it does besides what the kernel does for a container of run.lua: makes CGROUP, with
 * a limit of processes, and removes it; the loopback interface, two settings of its network and a
 * file on /etc/hosts; a session, a keyring, few capabilities, the promise to gain none, the filter
 * of system calls that is in FILTER; and a process before PROGRAM that is pid 1 and waits for it.
 */
#include "limit.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	check((int)write(fd, text, strlen(text)), path);
	return close(fd);
}

/* What a container's own network is given, before /proc/sys is read-only. */
static void make_network(void)
{
	static const char hosts[] = "127.0.0.1\tlocalhost\n127.0.1.1\tlimit\n";
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	check(fd, "socket");
	check(ioctl(fd, SIOCSIFFLAGS, &lo), "ioctl");
	close(fd);
	check(write_file("/proc/sys/net/ipv4", "ip_unprivileged_port_start", "0"), "sysctl");
	check(write_file("/proc/sys/net/ipv4", "ping_group_range", "0 2147483647"), "sysctl");
	fd = open("/dev/.hosts", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	check(fd, "open");
	check((int)write(fd, hosts, sizeof(hosts) - 1), "write");
	close(fd);
	close(open("/etc/hosts", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	check(mount("/dev/.hosts", "/etc/hosts", NULL, MS_BIND, NULL), "mount hosts");
	check(mount(NULL, "/etc/hosts", NULL,
		    MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
	      "mount hosts");
	check(unlink("/dev/.hosts"), "unlink");
}

/* The capabilities of lua/container/linux/capabilities.lua. */
static const int kept[] = {
	CAP_AUDIT_WRITE, CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL,
	CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SETFCAP, CAP_SETGID, CAP_SETPCAP, CAP_SETUID,
	CAP_SYS_CHROOT,
};

static void give_up_rights(struct sock_fprog *filter)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	unsigned long long set = 0;
	int number;
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		set |= 1ULL << kept[i];
	for (number = 0; number < 64; number++)
		if (!(set >> number & 1) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
			break;
	check(setgroups(0, NULL), "setgroups");
	check(setresgid(0, 0, 0), "setresgid");
	check(setresuid(0, 0, 0), "setresuid");
	data[0].effective = data[0].permitted = (__u32)set;
	data[1].effective = data[1].permitted = (__u32)(set >> 32);
	check((int)syscall(SYS_capset, &head, data), "capset");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
	check((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter), "seccomp");
}

/* Before the root changes. */
static void read_filter(const char *path, struct sock_fprog *filter)
{
	static struct sock_filter code[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	check(fd, path);
	size = read(fd, code, sizeof(code));
	check((int)size, path);
	close(fd);
	filter->len = (unsigned short)((size_t)size / sizeof(*code));
	filter->filter = code;
}

/* Waits for a child; its status as a shell would show it. */
static int wait_for(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Is pid 1 before the program. */
static void __attribute__((noreturn)) be_init(char **argv)
{
	pid_t pid = vfork();

	check(pid, "vfork");
	if (pid == 0) {
		execv(argv[0], argv);
		fail("execv");
	}
	_exit(wait_for(pid));
}

/* What is only there with some of the options is NULL. */
struct how {
	char *masked, *readonly, *filter, *cgroup;
};

static void __attribute__((noreturn))
child(const char *rootfs, char **argv, const struct how *how)
{
	struct sock_fprog filter;

	if (how->cgroup) {
		check(setsid(), "setsid");
		/* By the file that only version 1 has, it takes no more than the move of a thread. */
		if (write_file(how->cgroup, "tasks", "0") < 0)
			check(write_file(how->cgroup, "cgroup.procs", "0"), "cgroup.procs");
		check(unshare(CLONE_NEWCGROUP), "unshare");
		read_filter(how->filter, &filter);
	}
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount private");
	check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "mount bind");
	check(chdir(rootfs), "chdir");
	/* The old root comes to lie on the new one, and is taken off from there. */
	check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "chdir /");
	check(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
	      "mount proc");
	if (how->masked) {
		make_dev();
		check(mount("sysfs", "/sys", "sysfs",
			    MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
		      "mount sysfs");
		if (how->cgroup)
			make_network();
		make_masks(how->masked, how->readonly);
	}
	check(sethostname("limit", 5), "sethostname");
	if (how->cgroup) {
		check((int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "keyctl");
		give_up_rights(&filter);
		be_init(argv);
	}
	execv(argv[0], argv);
	fail("execv");
}

int main(int argc, char **argv)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWIPC |
			 CLONE_NEWNET | CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	struct how how = { NULL, NULL, NULL, NULL };
	int status;
	pid_t pid;

	if (argc > 3 && !strcmp(argv[1], "--mounts")) {
		how.masked = argv[2];
		how.readonly = argv[3];
		argc -= 3;
		argv += 3;
	} else if (argc > 5 && !strcmp(argv[1], "--all")) {
		how = (struct how){ argv[2], argv[3], argv[4], argv[5] };
		/* Its root is the cgroup that the child has joined. */
		args.flags &= ~(unsigned long long)CLONE_NEWCGROUP;
		argc -= 5;
		argv += 5;
	}
	if (argc < 3) {
		dprintf(2, "usage: limit [--mounts MASKED READONLY | --all MASKED READONLY FILTER "
			   "CGROUP] ROOTFS PROGRAM [ARG...]\n");
		return 125;
	}
	if (how.cgroup) {
		check(mkdir(how.cgroup, 0755), how.cgroup);
		check(write_file(how.cgroup, "pids.max", "20"), "pids.max");
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		child(argv[1], argv + 2, &how);
	status = wait_for(pid);
	if (how.cgroup)
		check(rmdir(how.cgroup), how.cgroup);
	return status;
}
