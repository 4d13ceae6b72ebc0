/*
 * The C limit: limit ROOTFS PROGRAM [ARG...]
 *
 * What a container costs when nobody does anything for it but the kernel. It makes the six
 * namespaces that run.lua makes, makes the mounts private, makes ROOTFS the root, mounts a
 * proc, names the host, executes PROGRAM, and waits for it; no option, no cgroup, no
 * /dev, no pid 1 of its own, no word about what went wrong but the name of the call. That
 * makes it useless as a tool and right as a measure: what run.lua takes above this is the
 * price of Lua and of everything that it does more. Root only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) fail(const char *call)
{
	dprintf(2, "limit: %s: %s\n", call, strerror(errno));
	_exit(125);
}

static void check(int rc, const char *call)
{
	if (rc < 0)
		fail(call);
}

static void __attribute__((noreturn)) child(const char *rootfs, char **argv)
{
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount private");
	check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "mount bind");
	check(chdir(rootfs), "chdir");
	/* The old root comes to lie on the new one, and is taken off from there. */
	check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "chdir /");
	check(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
	      "mount proc");
	check(sethostname("limit", 5), "sethostname");
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
	int status;
	pid_t pid;

	if (argc < 3) {
		dprintf(2, "usage: limit ROOTFS PROGRAM [ARG...]\n");
		return 125;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		child(argv[1], argv + 2);
	check(waitpid(pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
