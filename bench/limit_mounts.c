/* The mounts of the C limit inside its root: /dev, and the paths that are masked or read-only. */
#include "limit.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

void make_dev(void)
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

void make_masks(char *masked, char *readonly)
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
