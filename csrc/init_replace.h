/*
 * How init.c becomes the program in the place of its own process, also as the first process of a
 * container that waits to be started. Included by init.c alone.
 */
#ifndef INIT_REPLACE_H
#define INIT_REPLACE_H

#include "init_exec.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Waits for the byte by which the launcher lets it go on; without one the launcher is gone, or
 * does not want this container any more. */
INIT void init_gate(void)
{
	char byte = 0;
	long n = init_syscall(SYS_read, LAUNCHER, (long)&byte, 1, 0, 0);

	if (n < 0)
		init_refuse(n);
	if (n != 1)
		init_exit(128 + SIGKILL);
}

/* Left open in the program, the channel would never say that it runs, and with the line it could
 * answer for pid 1. */
INIT void init_close_on_exec(long fd)
{
	long rc = init_syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC, 0, 0);

	if (rc == 0 && init_syscall(SYS_fcntl, fd, F_GETFD, 0, 0, 0) == FD_CLOEXEC)
		return;
	init_refuse(rc);
}

/* From here on the launcher's end is nothing to it. */
INIT void init_free(void)
{
	long rc = init_syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);

	if (rc < 0)
		init_refuse(rc);
}

/* The container is made: waits until the launcher has noted it down, and then for the process that
 * has it start. Answers the connection to that, which closes when the program runs. */
INIT long init_wait(void)
{
	char byte = 0;
	long fd;

	init_close_on_exec(START);
	init_syscall(SYS_close, CHANNEL, 0, 0, 0, 0);
	init_gate();
	init_free();
	init_syscall(SYS_write, LAUNCHER, (long)&byte, 1, 0, 0);
	init_syscall(SYS_close, LAUNCHER, 0, 0, 0, 0);
	do
		fd = init_syscall(SYS_accept4, START, 0, 0, SOCK_CLOEXEC, 0);
	while (fd == -EINTR);
	if (fd < 0)
		init_exit(FAILED);
	init_syscall(SYS_close, START, 0, 0, 0, 0);
	return fd;
}

/* Moves the program's files from where they were handed in down to 3, and the channel, which may
 * be in their way, above. Answers where that is now. */
INIT long init_keep(long channel, long first, long count)
{
	long i, above = init_syscall(SYS_fcntl, channel, F_DUPFD_CLOEXEC, first + count, 0, 0);

	if (above < 0)
		init_exit(FAILED);
	for (i = 3; i < first; i++)
		init_syscall(SYS_close, i, 0, 0, 0, 0);
	for (i = 0; i < count; i++) {
		long rc = init_syscall(SYS_dup3, first + i, 3 + i, 0, 0, 0);

		if (rc >= 0)
			rc = init_syscall(SYS_close, first + i, 0, 0, 0, 0);
		if (rc < 0) {
			init_tell(above, (int)-rc, STEP_INIT);
			init_exit(FAILED);
		}
	}
	return above;
}

INIT long init_number(const char *s)
{
	long number = 0;

	while (*s >= '0' && *s <= '9')
		number = number * 10 + *s++ - '0';
	return number;
}

/* Becomes the program in the place of this process. */
INIT void __attribute__((noreturn))
init_replace(char **argv, char **envp, int waits, long kept)
{
	long channel = CHANNEL;

	init_block_signals(0);
	if (waits)
		channel = init_wait();
	if (kept)
		channel = init_keep(channel, waits ? START + 1 : START, kept);
	init_exec(argv, envp, channel);
}

#endif
