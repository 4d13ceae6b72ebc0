/* What profile.c reads of a profile, for compile.c; each raises what is wrong with it. */
#ifndef LIBSECCOMP_PROFILE_H
#define LIBSECCOMP_PROFILE_H

#include "container.h"

#include <seccomp.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

#define ARGS_MAX 6
#define X32_BIT 0x40000000

/* A filter that is being made; Lua owns it. */
struct profile {
	scmp_filter_ctx context;
	int fd;
	uint32_t arch;	   /* the one that it is for */
	uint32_t fallback; /* the default action */
	int newest;	   /* the highest number that a rule names */
	int lenient;	   /* names that are not known are passed over */
	int foreign;	   /* there are architectures that are not this machine's */
	int rules;	   /* how many have been added */
};

uint32_t profile_action(lua_State *L, const char *key, const char *errno_key);
unsigned int profile_args(lua_State *L, struct scmp_arg_cmp *args);
uint32_t profile_arch(lua_State *L, const char *name);
int profile_number(lua_State *L, struct profile *p, const char *name);

#pragma GCC visibility pop

#endif
