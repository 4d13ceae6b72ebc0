/*
 * A system call and nothing else: no errno is set, and nothing of libc's is touched. For code
 * that runs where there is no libc, and for a thread that libc knows nothing of.
 */
#ifndef RAW_H
#define RAW_H

/* The result, or the negated number of the error. */
static inline __attribute__((always_inline)) long raw_syscall(long number, long a, long b, long c,
							      long d, long e)
{
#if defined(__x86_64__)
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#else
#error "raw.h knows the system calls of x86-64 and aarch64 only"
#endif
}

#endif
