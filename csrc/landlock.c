/*
 * Landlock, by which a process gives up access to files for itself and all that come from it:
 * landlock(7). There is no way back, and no mount or umount from then on.
 */
#include "container.h"

#include <stdint.h>
#include <unistd.h>

#include "compat.h"

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

/* The kernel's own, LANDLOCK_ACCESS_FS_*, which headers before 5.13 lack, and later ones partly. */
static const struct sys_word rights[] = {
	{ "execute", 1 << 0 },	   { "write_file", 1 << 1 },  { "read_file", 1 << 2 },
	{ "read_dir", 1 << 3 },	   { "remove_dir", 1 << 4 },  { "remove_file", 1 << 5 },
	{ "make_char", 1 << 6 },   { "make_dir", 1 << 7 },    { "make_reg", 1 << 8 },
	{ "make_sock", 1 << 9 },   { "make_fifo", 1 << 10 },  { "make_block", 1 << 11 },
	{ "make_sym", 1 << 12 },   { "refer", 1 << 13 },      { "truncate", 1 << 14 },
	{ "ioctl_dev", 1 << 15 },  { NULL, 0 },
};

/***
Which version of landlock the kernel has: 2 since 5.19 knows refer, 3 since 6.2 truncate, 5 since
6.10 ioctl_dev. landlock_create_ruleset(2) LANDLOCK_CREATE_RULESET_VERSION
@function landlock_abi
@treturn int from 1; or nil, message, errno (ENOSYS before 5.13 or when it was not built in,
EOPNOTSUPP when it was not switched on at boot)
*/
static int landlock_abi(lua_State *L)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	if (abi < 0)
		return sys_fail(L, "landlock_create_ruleset", NULL);
	lua_pushinteger(L, abi);
	return 1;
}

/***
A set of rules, which denies the rights it is about but where a rule gives them.
landlock_create_ruleset(2)
@function landlock_create_ruleset
@string rights comma words: execute write_file read_file read_dir remove_dir remove_file make_char
make_dir make_reg make_sock make_fifo make_block make_sym refer truncate ioctl_dev
@return an fd, or nil, message, errno (EINVAL for a right that this kernel does not know)
*/
static int landlock_create_ruleset(lua_State *L)
{
	/* As of version 1; a kernel with more takes the rest for nothing asked. */
	uint64_t handled_access_fs = sys_check_words(L, 1, rights, "right");
	int *slot = fd_new(L);

	if (fd_give(slot, (int)syscall(SYS_landlock_create_ruleset, &handled_access_fs,
				       sizeof(handled_access_fs), 0)))
		return 1;
	return sys_fail(L, "landlock_create_ruleset", NULL);
}

/***
Gives rights to a file, or to a directory and all beneath it. landlock_add_rule(2)
@function landlock_add_rule
@param ruleset fd
@param beneath fd of the file or directory; a path fd will do
@string rights as of `landlock_create_ruleset`, of those that the rules are about
@return true, or nil, message, errno (EINVAL for a right to a file that only directories have)
*/
static int landlock_add_rule(lua_State *L)
{
	int ruleset = fd_check(L, 1);
	struct {
		uint64_t allowed_access;
		int32_t parent_fd;
	} __attribute__((packed)) rule;

	rule.parent_fd = fd_check(L, 2);
	rule.allowed_access = sys_check_words(L, 3, rights, "right");
	return sys_result(L,
			  syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0),
			  "landlock_add_rule", NULL);
}

/***
Has the rules hold for this thread and all that come from it, beside those that hold already. Needs
the promise of no_new_privs, or CAP_SYS_ADMIN. landlock_restrict_self(2)
@function landlock_restrict_self
@param ruleset fd
@return true, or nil, message, errno (EPERM without the promise, E2BIG after 16 of them)
*/
static int landlock_restrict_self(lua_State *L)
{
	return sys_result(L, syscall(SYS_landlock_restrict_self, fd_check(L, 1), 0),
			  "landlock_restrict_self", NULL);
}

static const luaL_Reg functions[] = {
	{ "landlock_abi", landlock_abi },
	{ "landlock_add_rule", landlock_add_rule },
	{ "landlock_create_ruleset", landlock_create_ruleset },
	{ "landlock_restrict_self", landlock_restrict_self },
	{ NULL, NULL },
};

void landlock_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
