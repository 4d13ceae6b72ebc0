/*
 * The ground that init.c stands on, and how it becomes the program. All of it is in the one section
 * that is copied: included by init.c alone.
 */
#ifndef INIT_EXEC_H
#define INIT_EXEC_H

#include "container.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "raw.h"

#define CHANNEL 3
#define LAUNCHER 4
#define IMAGE 5
#define START 6
#define PATH_SIZE 4096
/* "exec" and "fork", as numbers because a string would be data; so is "init" below. */
#define STEP_EXEC 0x63657865
#define STEP_FORK 0x6b726f66
#define STEP_INIT 0x74696e69
#define NAME_INIT STEP_INIT
/* What it ends with where a call that it cannot do without is refused. */
#define FAILED 125

/* In the copied section; without the guards and checks that need a runtime; and no more
 * optimised than this, for a vector of constants would come from another section. */
#if defined(__clang__)
#define PLAIN optnone, no_stack_protector
#else
#define PLAIN optimize("O1", "no-stack-protector", "no-tree-vectorize", "no-jump-tables")
#endif
#define INIT                                                                     \
	__attribute__((section("lua_container_init"), noinline, used, PLAIN,     \
		       no_sanitize("address", "undefined", "thread"))) static

/* One function, for it is called in many places and this program is to be small. */
INIT long init_syscall(long number, long a, long b, long c, long d, long e)
{
	return raw_syscall(number, a, b, c, d, e);
}

INIT void __attribute__((noreturn)) init_exit(int status)
{
	init_syscall(SYS_exit_group, status, 0, 0, 0, 0);
	init_syscall(SYS_exit, status, 0, 0, 0, 0);
	/* A filter refuses both: an instruction that ends it, as pid 1 too. */
	__builtin_trap();
}

/* Failure as sync.lua reads it: errno, and the names of step and subject, each ended by
 * a NUL; of the subject, which is the program, the parent knows the name. */
INIT void init_tell(long channel, int err, uint32_t step)
{
	struct {
		int32_t err;
		uint32_t step;
		uint16_t ends;
	} m;

	m.err = err;
	m.step = step;
	m.ends = 0;
	init_syscall(SYS_write, channel, (long)&m, 10, 0, 0);
}

/* Before the program runs: a call that it cannot do without was refused. What a filter lets pass
 * without doing it has the error 0. */
INIT void __attribute__((noreturn)) init_refuse(long rc)
{
	init_tell(CHANNEL, rc < 0 ? (int)-rc : EPERM, STEP_INIT);
	init_exit(FAILED);
}

/* Each directory of PATH in turn, as execvp(3) does: what is not there is passed over, what
 * may not be executed is remembered, anything else is the answer. */
INIT int init_search(const char *path, char **argv, char **envp)
{
	char file[PATH_SIZE];
	int err = ENOENT;

	while (*path) {
		long n = 0, i = 0;

		while (*path && *path != ':' && n < PATH_SIZE - 2)
			file[n++] = *path++;
		while (*path && *path != ':')
			path++;
		path += *path == ':';
		if (n)
			file[n++] = '/';
		while (argv[0][i] && n < PATH_SIZE - 1)
			file[n++] = argv[0][i++];
		file[n] = '\0';
		if (!argv[0][i]) {
			long rc = -init_syscall(SYS_execve, (long)file, (long)argv,
						(long)envp, 0, 0);

			if (rc == EACCES)
				err = EACCES;
			else if (rc != ENOENT && rc != ENOTDIR)
				return (int)rc;
		}
	}
	return err;
}

/* Becomes the program, or says why not and ends as a shell would: 127 when it is not there. */
INIT void __attribute__((noreturn)) init_exec(char **argv, char **envp, long channel)
{
	const char *s, *path = 0;
	char **e;
	int err;

	for (e = envp; *e; e++)
		if ((*e)[0] == 'P' && (*e)[1] == 'A' && (*e)[2] == 'T' && (*e)[3] == 'H' &&
		    (*e)[4] == '=')
			path = *e + 5;
	for (s = argv[0]; *s && *s != '/'; s++)
		;
	if (*s)
		err = -(int)init_syscall(SYS_execve, (long)argv[0], (long)argv, (long)envp, 0,
					 0);
	else
		err = *argv[0] && path ? init_search(path, argv, envp) : ENOENT;
	init_tell(channel, err, STEP_EXEC);
	init_exit(err == ENOENT || err == ENOTDIR ? 127 : 126);
}

/* Every signal as a fresh program expects it, also where the launcher ignored it. */
INIT void init_default_signals(void)
{
	unsigned long action[4];
	long number;

	action[0] = 0; /* SIG_DFL */
	action[1] = 0;
	action[2] = 0;
	action[3] = 0;
	for (number = 1; number <= 64; number++)
		if (number != SIGKILL && number != SIGSTOP) {
			long rc = init_syscall(SYS_rt_sigaction, number, (long)action, 0, 8, 0);

			if (rc < 0)
				init_refuse(rc);
		}
}

/* 0: none is blocked any more; or ~0: all are. */
INIT void init_block_signals(unsigned long set)
{
	long rc = init_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&set, 0, 8, 0);

	if (rc < 0)
		init_refuse(rc);
}

#endif
