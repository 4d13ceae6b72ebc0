/*
 * Pid 1 of a container. Not a part of the Lua module that calls it: this code is copied out
 * of container.so into a sealed memfd, with an ELF header before it (image.c), and executed
 * there. So it stands alone: no libc, no data, no string literal, no switch, nothing that the
 * compiler would put anywhere but in the one section that is copied. `make lint` looks
 * whether that is so.
 *
 * It runs with the rights of the container's program, as pid 1, with these fds:
 *   3  the channel: a failure to start is written to it; it closes when the program runs
 *   4  the line to the launcher: its end of file means that the launcher is gone, or wants
 *      the container to end; how the program ended is written to it
 *   5  its own image, of no use any more
 *   6  with "wait": a socket that listens
 * then files for the program, with "keep"; and the program's standard streams, which it gives up
 * when the program has them.
 * Its argv is { "init" or "exec", program, arguments... }. Before these may stand:
 *   gate  it goes on when the launcher says so on the line, which has limits to set that no
 *         process that shares the launcher's memory may meet
 *   wait  it closes the channel at once; when the launcher says so on the line it lives on without
 *         the launcher, says that on the line, and becomes the program when a process connects to
 *         the socket, to which it writes a failure
 *   free  the program lives on without the launcher
 *   keep N  so many files get the numbers from 3 on
 * As "exec" it becomes the program. As "init" it starts it, passes signals on, reaps orphans, and
 * ends when the program does, with its status, or 128 and the number of the signal.
 * The kernel then ends all that is left in the container: pid_namespaces(7). At the end of file
 * of the line it ends everything itself. A filter of system calls is its own, too: where one of
 * those that it needs is refused, it says so, and leaves with 125.
 */
#include "init_replace.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* In any order that the compiler gives the functions, the end stands behind them: it is in a
 * subsection of its own. */
__asm__(".pushsection lua_container_init,\"ax\",@progbits\n"
	".balign 64\n"
	".globl init_start\n.hidden init_start\ninit_start:\n"
	".globl init_entry\n.hidden init_entry\ninit_entry:\n"
#if defined(__x86_64__)
	"	xorl %ebp, %ebp\n"
	"	movq %rsp, %rdi\n"
	"	andq $-16, %rsp\n"
	"	call init_main\n"
	"	hlt\n"
#elif defined(__aarch64__)
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	mov x0, sp\n"
	"	bl init_main\n"
	"	brk #0\n"
#else
#error "init.c knows the system calls of x86-64 and aarch64 only"
#endif
	".subsection 1\n"
	".globl init_end\n.hidden init_end\ninit_end:\n"
	".popsection\n");

/* What sync.lua reads of the end of the program. */
struct init_answer {
	int64_t status; /* as wait(2) has it; or the negated number of an error of its own */
	int64_t user, system; /* microseconds of processor time of all that was reaped here */
	int64_t memory; /* the most that one of these had resident, in KiB */
};

INIT void init_answer(int64_t status)
{
	struct init_answer a;
	struct rusage used;

	a.status = status;
	a.user = 0;
	a.system = 0;
	a.memory = 0;
	if (init_syscall(SYS_getrusage, RUSAGE_CHILDREN, (long)&used, 0, 0, 0) == 0) {
		a.user = used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec;
		a.system = used.ru_stime.tv_sec * 1000000 + used.ru_stime.tv_usec;
		a.memory = used.ru_maxrss;
	}
	init_syscall(SYS_write, LAUNCHER, (long)&a, sizeof(a), 0, 0);
}

/* A call that it cannot do without was refused while the program runs, as a filter can: it leaves,
 * and the container ends with it. Staying would be a container that nothing ends but KILL. */
INIT void __attribute__((noreturn)) init_fail(long rc)
{
	init_answer(rc < 0 ? rc : -EPERM);
	init_exit(FAILED);
}

/* The program has ended: says so, and is gone. */
INIT void __attribute__((noreturn)) init_finish(int status)
{
	init_answer(status);
	init_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Takes every child that has ended. When the program is among them, the container ends. It is a
 * child until then, so that there are none cannot be; nor that it has ended, as the signal says,
 * and is not found. */
INIT void init_reap(long program, const struct signalfd_siginfo *info)
{
	int status;
	long pid;

	while ((pid = init_syscall(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0)) > 0)
		if (pid == program)
			init_finish(status);
	if (pid < 0)
		init_fail(pid);
	if (info->ssi_pid == (uint32_t)program &&
	    (info->ssi_code == CLD_EXITED || info->ssi_code == CLD_KILLED ||
	     info->ssi_code == CLD_DUMPED))
		init_fail(-ECHILD);
}

/* Kills and takes everything there is, and answers: what a container has used can be told only of
 * processes that were waited for. */
INIT void __attribute__((noreturn)) init_kill(long program)
{
	int status, ended = SIGKILL;
	long pid, rc = init_syscall(SYS_kill, -1, SIGKILL, 0, 0, 0);

	if (rc < 0 && rc != -ESRCH)
		init_fail(rc);
	while ((pid = init_syscall(SYS_wait4, -1, (long)&status, 0, 0, 0)) > 0)
		if (pid == program)
			ended = status;
	if (pid != -ECHILD)
		init_fail(pid);
	init_finish(ended);
}

/* What came for the container is for the program. Of what the kernel sent, the keys of the
 * container's own terminal reached the program already, which is in the same process group; a
 * hang-up reaches only the leader of the session, which is this process. What the launcher
 * passes on of the keys of its terminal (a process of no number here) is for the whole group, as
 * there; only that no shell has this group as a job, so there a stop has to be the one that is
 * not asked. */
INIT void init_pass(long program, const struct signalfd_siginfo *info)
{
	long rc, number = info->ssi_signo, to = program;

	if (info->ssi_pid == 1)
		return; /* to the group, by this function */
	if (info->ssi_code == SI_KERNEL) {
		if (number != SIGHUP)
			return;
	} else if (!info->ssi_pid && (number == SIGINT || number == SIGQUIT ||
				      number == SIGTSTP || number == SIGCONT)) {
		if (init_syscall(SYS_getpgid, program, 0, 0, 0, 0) == 1)
			to = 0;
		if (number == SIGTSTP)
			number = SIGSTOP;
	}
	rc = init_syscall(SYS_kill, to, number, 0, 0, 0);
	if (rc < 0 && (number == SIGTERM || number == SIGINT || number == SIGHUP ||
		       number == SIGQUIT))
		init_fail(rc); /* what is to end the program does not reach it */
}

INIT void __attribute__((noreturn)) init_watch(long program, long signals)
{
	struct signalfd_siginfo info;
	struct pollfd set[2];
	int again = 0;

	set[0].fd = (int)signals;
	set[0].events = POLLIN;
	set[1].fd = LAUNCHER;
	set[1].events = POLLIN;
	for (;;) {
		long n = init_syscall(SYS_ppoll, (long)set, 2, 0, 0, 8);

		/* The launcher never writes here once the program runs. */
		if (n > 0 && set[1].revents)
			init_kill(program);
		if (n > 0)
			n = init_syscall(SYS_read, signals, (long)&info, sizeof(info), 0, 0);
		/* No handler of its own is there to interrupt it, so these hardly come, and never
		 * a hundred times. */
		if ((n == -EINTR || n == -EAGAIN) && ++again < 100)
			continue;
		if (n != (long)sizeof(info))
			init_fail(n);
		again = 0;
		if (info.ssi_signo == SIGCHLD)
			init_reap(program, &info);
		else
			init_pass(program, &info);
	}
}

/* So that a reader sees their end when the program and its children have closed them, and a
 * writer that nothing reads. But a terminal stays: one that is not open anywhere is an error to
 * the reader of its other side, and a program may close it and open it again by its name. */
INIT void init_give_up(void)
{
	char settings[64];
	long fd;

	for (fd = 0; fd <= 2; fd++)
		if (init_syscall(SYS_ioctl, fd, TCGETS, (long)settings, 0, 0) < 0)
			init_syscall(SYS_close, fd, 0, 0, 0, 0);
}

/* What is not to be done without once the program runs is done before it does. Answers the fd from
 * which it reads signals. */
INIT long init_become(void)
{
	unsigned long all = ~0UL, name = NAME_INIT;
	long rc;

	/* No process in the container may trace it, and so stop it from watching the launcher. */
	rc = init_syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (rc < 0)
		init_refuse(rc);
	init_syscall(SYS_prctl, PR_SET_NAME, (long)&name, 0, 0, 0);
	init_block_signals(all);
	rc = init_syscall(SYS_signalfd4, -1, (long)&all, 8, SFD_CLOEXEC, 0);
	if (rc <= LAUNCHER)
		init_refuse(rc);
	return rc;
}

INIT void init_main(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	long rc, program, signals, kept = 0;
	int waits = 0;

	init_close_on_exec(CHANNEL);
	init_close_on_exec(LAUNCHER);
	rc = init_syscall(SYS_close, IMAGE, 0, 0, 0, 0);
	if (rc < 0)
		init_refuse(rc);
	for (; argv[0][0] != 'e' && argv[0][0] != 'i'; argv++) {
		if (argv[0][0] == 'g')
			init_gate();
		else if (argv[0][0] == 'w')
			waits = 1;
		else if (argv[0][0] == 'f')
			init_free();
		else
			kept = init_number(*++argv);
	}
	/* For the program, which has them from here; and one that is ignored comes to no signalfd, and
	 * without SIGCHLD the end of the program would never be known. */
	init_default_signals();
	if (argv[0][0] == 'e')
		init_replace(argv + 1, envp, waits, kept);
	signals = init_become();
	program = init_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (program == 0) {
		init_block_signals(0);
		init_exec(argv + 1, envp, CHANNEL);
	}
	if (program < 0) {
		init_tell(CHANNEL, (int)-program, STEP_FORK);
		init_exit(126);
	}
	init_syscall(SYS_close, CHANNEL, 0, 0, 0, 0);
	/* Still open, it would keep the launcher waiting. */
	if (init_syscall(SYS_fcntl, CHANNEL, F_GETFD, 0, 0, 0) != -EBADF)
		init_fail(-EPERM);
	init_give_up();
	init_watch(program, signals);
}
