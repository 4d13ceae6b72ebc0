/*
 * clone3(2), for which libc has no function: a child like that of fork, or one that runs a
 * function on a stack of its own; and either born in a cgroup of version 2, Linux 5.7.
 */
#include "container.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "compat.h"

/* struct clone_args; an older kernel takes a shorter one, so the last is left off when unused. */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

#define WITHOUT_CGROUP offsetof(struct clone3_args, set_tid)

static size_t clone3_fill(struct clone3_args *args, unsigned long flags, int cgroup)
{
	memset(args, 0, sizeof(*args));
	args->flags = flags;
	/* A child of one's parent ends with one's own signal, and the call wants to hear of none. */
	args->exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;
	if (cgroup < 0)
		return WITHOUT_CGROUP;
	args->flags |= CLONE_INTO_CGROUP;
	args->cgroup = (uint64_t)cgroup;
	return sizeof(*args);
}

/* The pid, 0 in the child, or -1 and errno. `cgroup` is an fd of its directory, or -1. */
pid_t clone3_copy(unsigned long flags, int cgroup)
{
	struct clone3_args args;
	size_t size = clone3_fill(&args, flags, cgroup);

	return (pid_t)syscall(SYS_clone3, &args, size);
}

/* The call and what the child does first are one piece, for a child on another stack cannot return
 * from anything: it calls `fn(arg)`, which never comes back. The pid, or an errno below zero. */
#if defined(__x86_64__)
static long clone3_enter(struct clone3_args *args, size_t size, int (*fn)(void *), void *arg)
{
	register void *r8 __asm__("r8") = arg;
	long rc;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%r8, %%rdi\n\t"
			 "call *%%rdx\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(rc)
			 : "0"((long)SYS_clone3), "D"(args), "S"(size), "d"(fn), "r"(r8)
			 : "rcx", "r11", "cc", "memory");
	return rc;
}
#elif defined(__aarch64__)
static long clone3_enter(struct clone3_args *args, size_t size, int (*fn)(void *), void *arg)
{
	register long x8 __asm__("x8") = SYS_clone3;
	register void *x0 __asm__("x0") = args;
	register size_t x1 __asm__("x1") = size;
	register int (*x2)(void *) __asm__("x2") = fn;
	register void *x3 __asm__("x3") = arg;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "mov x0, x3\n\t"
			 "blr x2\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "cc", "memory");
	return (long)x0;
}
#else
#error "clone3.c knows x86-64 and aarch64 only"
#endif

/* The child runs `fn(arg)` on the stack and never comes back from it. */
pid_t clone3_on_stack(unsigned long flags, int cgroup, void *stack, size_t stack_size,
		      int (*fn)(void *), void *arg)
{
	struct clone3_args args;
	size_t size = clone3_fill(&args, flags, cgroup);
	long rc;

	args.stack = (uint64_t)(uintptr_t)stack;
	args.stack_size = stack_size;
	rc = clone3_enter(&args, size, fn, arg);
	if (rc < 0) {
		errno = (int)-rc;
		return -1;
	}
	return (pid_t)rc;
}
