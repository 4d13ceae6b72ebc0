/* What the files of the C limit share. */
#ifndef LIMIT_H
#define LIMIT_H

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline void __attribute__((noreturn)) fail(const char *call)
{
	dprintf(2, "limit: %s: %s\n", call, strerror(errno));
	_exit(125);
}

static inline void check(int rc, const char *call)
{
	if (rc < 0)
		fail(call);
}

/* limit_mounts.c */
void make_dev(void);
void make_masks(char *masked, char *readonly);

#endif
