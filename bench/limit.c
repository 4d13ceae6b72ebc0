/*
 * The C limit: limit [--mounts MASKED READONLY] ROOTFS PROGRAM [ARG...]
 *
 * What a container costs when nobody does anything for it but the kernel. It makes the six
 * namespaces that run.lua makes, makes the mounts private, makes ROOTFS the root, mounts a
 * proc, names the host, executes PROGRAM, and waits for it; no option, no cgroup, no
 * /dev, no pid 1 of its own, no word about what went wrong but the name of the call. That
 * makes it useless as a tool and right as a measure: what run.lua takes above this is the
 * price of Lua and of everything that it does more. Root only.
 *
 * With --mounts it makes all the mounts that run.lua makes: /dev with its nodes, links, pts, shm and
 * mqueue, /sys, and the masked and the read-only paths, which are lists with colons.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
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

static void make_dev(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = {
		{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
		{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },	      { "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" }, { "/proc/self/fd/2", "/dev/stderr" },
		{ "pts/ptmx", "/dev/ptmx" },
	};
	size_t i;

	umask(0);
	check(mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=65536k"),
	      "mount /dev");
	check(mkdir("/dev/pts", 0755), "mkdir /dev/pts");
	check(mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		    "newinstance,ptmxmode=0666,mode=0620,gid=5"),
	      "mount /dev/pts");
	check(mkdir("/dev/shm", 0755), "mkdir /dev/shm");
	check(mount("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "mode=1777,size=65536k"),
	      "mount /dev/shm");
	check(mkdir("/dev/mqueue", 0755), "mkdir /dev/mqueue");
	check(mount("mqueue", "/dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
	      "mount /dev/mqueue");
	for (i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		check(mknod(nodes[i].path, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)),
		      nodes[i].path);
	for (i = 0; i < sizeof(links) / sizeof(*links); i++)
		check(symlink(links[i][0], links[i][1]), links[i][1]);
}

static void make_masks(char *masked, char *readonly)
{
	const char *path;
	struct stat st;

	for (path = strtok(masked, ":"); path; path = strtok(NULL, ":")) {
		if (stat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			check(mount("tmpfs", path, "tmpfs",
				    MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0k"),
			      path);
		else
			check(mount("/dev/null", path, NULL, MS_BIND, NULL), path);
	}
	for (path = strtok(readonly, ":"); path; path = strtok(NULL, ":")) {
		if (stat(path, &st) < 0)
			continue;
		check(mount(path, path, NULL, MS_BIND | MS_REC, NULL), path);
		check(mount(NULL, path, NULL,
			    MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			    NULL),
		      path);
	}
}

static void __attribute__((noreturn)) child(const char *rootfs, char **argv, char **masks)
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
	if (masks) {
		make_dev();
		check(mount("sysfs", "/sys", "sysfs",
			    MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
		      "mount sysfs");
		make_masks(masks[0], masks[1]);
	}
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
	char **masks = NULL;
	int status;
	pid_t pid;

	if (argc > 3 && !strcmp(argv[1], "--mounts")) {
		masks = argv + 2;
		argc -= 3;
		argv += 3;
	}
	if (argc < 3) {
		dprintf(2, "usage: limit [--mounts MASKED READONLY] ROOTFS PROGRAM [ARG...]\n");
		return 125;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		child(argv[1], argv + 2, masks);
	check(waitpid(pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
