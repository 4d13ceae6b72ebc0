/*
 * What the rooms share: how a result and an error look in Lua, how arguments are checked,
 * and which rooms there are. Everything here is hidden, so that names such as fd_check
 * cannot meet a name of the host program: LuaRocks' builtin build passes no -fvisibility.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include <lua.h>

#include <lauxlib.h>

#pragma GCC visibility push(hidden)

/* A word of Lua and the kernel's number for it; tables of them end with a NULL name. */
struct sys_word {
	const char *name;
	unsigned long value;
};

/* sys.c: results */
int sys_fail(lua_State *L, const char *call, const char *subject);
int sys_fail_with(lua_State *L, int err, const char *call, const char *subject);
int sys_result(lua_State *L, long rc, const char *call, const char *subject);

/* sys.c: arguments; each raises on misuse */
const char *sys_check_string(lua_State *L, int arg);
lua_Unsigned sys_check_array(lua_State *L, int arg);
const char *sys_opt_string(lua_State *L, int arg, const char *fallback);
long long sys_check_range(lua_State *L, int arg, long long low, long long high);
unsigned long sys_check_words(lua_State *L, int arg, const struct sys_word *words,
			      const char *what);
const char *sys_check_element(lua_State *L, int arg, lua_Integer i);
const char **sys_check_vector(lua_State *L, int arg);

/* sys.c: closes an fd, and keeps errno */
void sys_close(int fd);

/* sys.c: files of the kernel, whole */
int sys_slurp(lua_State *L, const char *path);
int sys_spill(int dir, const char *path, const char *data, size_t size);

/* fd.c: an fd that Lua owns */
int *fd_new(lua_State *L);
int fd_give(int *slot, int fd);
int fd_check(lua_State *L, int arg);
int fd_check_element(lua_State *L, int arg, lua_Integer i);
int fd_test(lua_State *L, int arg);
int fd_opt_dir(lua_State *L, int arg);
unsigned fd_enter_child(void);
void fd_leave_child(unsigned parent);

/* io.c */
/* What SIGPIPE and SIGXFSZ were before they were blocked. */
struct io_quiet {
	sigset_t old, pending;
};

void io_hush(struct io_quiet *quiet);
void io_unhush(const struct io_quiet *quiet);
ssize_t io_quiet_write(int fd, const char *data, size_t size, off_t at);

/* open.c */
int open_in(int dir, const char *path, unsigned long flags, unsigned long resolve);

/* cgroup_find.c */
int cgroup_has_word(const char *list, const char *end, const char *word,
		    const char *separators);
int cgroup_push_directory(lua_State *L, const char *controller);

/* isolate_copy.c */
void isolate_copy(lua_State *L, int arg, lua_State *K);

/* clone3.c */
pid_t clone3_copy(unsigned long flags, int cgroup);
pid_t clone3_on_stack(unsigned long flags, int cgroup, void *stack, size_t stack_size,
		      int (*fn)(void *), void *arg);

/* clone.c */
int clone_opt_cgroup(lua_State *L, int arg);

/* clone_vm.c */
pid_t clone_on_stack(lua_State *child, unsigned long flags, int cgroup);

/* namespace.c */
unsigned long namespace_check_namespaces(lua_State *L, int arg);

/* signal.c */
int signal_check(lua_State *L, int arg);

/* init.c: the code of pid 1, of which image.c makes a program, and where it is entered */
extern const char init_start[], init_entry[], init_end[];

/* Each adds its functions to the table on top of the stack. */
void bpf_open(lua_State *L);
void capability_open(lua_State *L);
void cgroup_open(lua_State *L);
void clone_open(lua_State *L);
void clone_vm_open(lua_State *L);
void epoll_open(lua_State *L);
void exec_open(lua_State *L);
void fd_open(lua_State *L);
void features_open(lua_State *L);
void file_open(lua_State *L);
void identity_open(lua_State *L);
void image_open(lua_State *L);
void inet_open(lua_State *L);
void io_open(lua_State *L);
void isolate_open(lua_State *L);
void landlock_open(lua_State *L);
void limit_open(lua_State *L);
void mount_open(lua_State *L);
void namespace_open(lua_State *L);
void netlink_open(lua_State *L);
void network_open(lua_State *L);
void notify_open(lua_State *L);
void open_open(lua_State *L);
void prctl_open(lua_State *L);
void process_open(lua_State *L);
void relay_open(lua_State *L);
void route_open(lua_State *L);
void schedule_open(lua_State *L);
void seccomp_open(lua_State *L);
void signal_open(lua_State *L);
void socket_open(lua_State *L);
void socket_path_open(lua_State *L);
void stat_open(lua_State *L);
void sys_open(lua_State *L);
void terminal_open(lua_State *L);
void tree_open(lua_State *L);
void time_open(lua_State *L);
void uts_open(lua_State *L);
void xattr_open(lua_State *L);

#pragma GCC visibility pop

#endif
