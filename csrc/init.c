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
 * and the program's standard streams, which it gives up when the program has them.
 * Its argv is { "init" or "exec", program, arguments... }; before these may stand "gate": then it
 * goes on when the launcher says so on the line, which has limits to set that no process that
 * shares the launcher's memory may meet. As "exec" it becomes the program. As "init" it starts
 * it, passes signals on, reaps orphans, and ends when the program does, with its status, or 128
 * and the number of the signal.
 * The kernel then ends whatever is left in the container: pid_namespaces(7). At the end of file
 * of the line it ends everything itself.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "raw.h"

#define CHANNEL 3
#define LAUNCHER 4
#define IMAGE 5
#define PATH_SIZE 4096
/* "exec" and "fork", as numbers because a string would be data; so is "init" below. */
#define STEP_EXEC 0x63657865
#define STEP_FORK 0x6b726f66
#define NAME_INIT 0x74696e69

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

/* Whatever order the compiler gives the functions, the end stands behind them: it is in a
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

/* One function, for it is called in many places and this program is to be small. */
INIT long init_syscall(long number, long a, long b, long c, long d, long e)
{
	return raw_syscall(number, a, b, c, d, e);
}

INIT void __attribute__((noreturn)) init_exit(int status)
{
	for (;;)
		init_syscall(SYS_exit_group, status, 0, 0, 0, 0);
}

/* Failure as channel.lua reads it: errno, and the names of step and subject, each ended by
 * a NUL; of the subject, which is the program, the parent knows the name. */
INIT void init_tell(int err, uint32_t step)
{
	struct {
		int32_t err;
		uint32_t step;
		uint16_t ends;
	} m;

	m.err = err;
	m.step = step;
	m.ends = 0;
	init_syscall(SYS_write, CHANNEL, (long)&m, 10, 0, 0);
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
INIT void __attribute__((noreturn)) init_exec(char **argv, char **envp)
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
	init_tell(err, STEP_EXEC);
	init_exit(err == ENOENT || err == ENOTDIR ? 127 : 126);
}

/* Every signal as a fresh program expects it, whatever the launcher ignored. */
INIT void init_default_signals(void)
{
	unsigned long action[4];
	long number;

	action[0] = 0; /* SIG_DFL */
	action[1] = 0;
	action[2] = 0;
	action[3] = 0;
	for (number = 1; number <= 64; number++)
		init_syscall(SYS_rt_sigaction, number, (long)action, 0, 8, 0);
}

/* None is held back any more. */
INIT void init_unblock_signals(void)
{
	unsigned long none = 0;

	init_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8, 0);
}

/* What channel.lua reads of the end of the program. */
struct init_answer {
	int64_t status; /* as wait(2) has it */
	int64_t user, system; /* microseconds of processor time of all that was reaped here */
	int64_t memory; /* the most that one of these had resident, in KiB */
};

/* The program has ended: says so, and is gone. */
INIT void __attribute__((noreturn)) init_finish(int status)
{
	struct init_answer a;
	struct rusage used;

	init_syscall(SYS_getrusage, RUSAGE_CHILDREN, (long)&used, 0, 0, 0);
	a.status = status;
	a.user = used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec;
	a.system = used.ru_stime.tv_sec * 1000000 + used.ru_stime.tv_usec;
	a.memory = used.ru_maxrss;
	init_syscall(SYS_write, LAUNCHER, (long)&a, sizeof(a), 0, 0);
	init_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Takes every child that has ended. When the program is among them, the container ends. */
INIT void init_reap(long program)
{
	int status;
	long pid;

	while ((pid = init_syscall(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0)) > 0)
		if (pid == program)
			init_finish(status);
}

/* Kills and takes everything there is, and answers: what a container has used can be told only of
 * processes that were waited for. */
INIT void __attribute__((noreturn)) init_kill(long program)
{
	int status, ended = SIGKILL;
	long pid;

	init_syscall(SYS_kill, -1, SIGKILL, 0, 0, 0);
	while ((pid = init_syscall(SYS_wait4, -1, (long)&status, 0, 0, 0)) != -ECHILD)
		if (pid == program)
			ended = status;
	init_finish(ended);
}

/* What came for the container is for the program. Of what the kernel sent, the keys of the
 * container's own terminal reached the program already, which is in the same process group; a
 * hang-up reaches only the leader of the session, which is this process. What the launcher
 * passes on of the keys of its terminal (a process of no number here) is for the whole group, as
 * there; only that nobody has this group as a job, so there a stop has to be the one that is
 * not asked. */
INIT void init_pass(long program, const struct signalfd_siginfo *info)
{
	long number = info->ssi_signo, to = program;

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
	init_syscall(SYS_kill, to, number, 0, 0, 0);
}

INIT void __attribute__((noreturn)) init_watch(long program, long signals)
{
	struct signalfd_siginfo info;
	struct pollfd set[2];

	set[0].fd = (int)signals;
	set[0].events = POLLIN;
	set[1].fd = LAUNCHER;
	set[1].events = POLLIN;
	for (;;) {
		long n = init_syscall(SYS_ppoll, (long)set, 2, 0, 0, 8);

		if (n < 0)
			continue;
		/* The launcher never writes here once the program runs. */
		if (set[1].revents)
			init_kill(program);
		n = init_syscall(SYS_read, signals, (long)&info, sizeof(info), 0, 0);
		if (n != (long)sizeof(info))
			continue;
		if (info.ssi_signo == SIGCHLD)
			init_reap(program);
		else
			init_pass(program, &info);
	}
}

/* Waits for the byte by which the launcher lets it go on; without one the launcher is gone, or
 * does not want this container any more. */
INIT void init_gate(void)
{
	char byte;

	if (init_syscall(SYS_read, LAUNCHER, (long)&byte, 1, 0, 0) != 1)
		init_exit(128 + SIGKILL);
}

/* So that who reads them sees their end when the program and its children have closed them, and
 * who writes that nobody reads. But a terminal stays: one that nobody has open is an error to
 * who reads its other side, and a program may close it and open it again by its name. */
INIT void init_give_up(void)
{
	char settings[64];
	long fd;

	for (fd = 0; fd <= 2; fd++)
		if (init_syscall(SYS_ioctl, fd, TCGETS, (long)settings, 0, 0) < 0)
			init_syscall(SYS_close, fd, 0, 0, 0, 0);
}

INIT void init_main(long *stack)
{
	char **argv = (char **)(stack + 1);
	char **envp = argv + stack[0] + 1;
	unsigned long all = ~0UL, name = NAME_INIT;
	long program, signals;

	init_syscall(SYS_fcntl, CHANNEL, F_SETFD, FD_CLOEXEC, 0, 0);
	init_syscall(SYS_fcntl, LAUNCHER, F_SETFD, FD_CLOEXEC, 0, 0);
	init_syscall(SYS_close, IMAGE, 0, 0, 0, 0);
	if (argv[0][0] == 'g') {
		init_gate();
		argv++;
	}
	/* For the program, which has them from here; and one that is ignored comes to no signalfd, and
	 * without SIGCHLD the end of the program would never be known. */
	init_default_signals();
	if (argv[0][0] == 'e') {
		init_unblock_signals();
		init_exec(argv + 1, envp);
	}
	/* Nobody in the container may trace it, and so stop it from watching the launcher. */
	init_syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	init_syscall(SYS_prctl, PR_SET_NAME, (long)&name, 0, 0, 0);
	init_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, 0, 8, 0);
	signals = init_syscall(SYS_signalfd4, -1, (long)&all, 8, SFD_CLOEXEC, 0);
	program = signals < 0 ? signals : init_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (program == 0) {
		init_unblock_signals();
		init_exec(argv + 1, envp);
	}
	if (program < 0) {
		init_tell((int)-program, STEP_FORK);
		init_exit(126);
	}
	init_syscall(SYS_close, CHANNEL, 0, 0, 0, 0);
	init_give_up();
	init_watch(program, signals);
}
