/* Signals as names, masks and an fd to read them from: sigprocmask(2), signalfd(2). */
#include "container.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "compat.h"

static const struct sys_word signals[] = {
	{ "HUP", SIGHUP },	 { "INT", SIGINT },	  { "QUIT", SIGQUIT },
	{ "ILL", SIGILL },	 { "TRAP", SIGTRAP },	  { "ABRT", SIGABRT },
	{ "BUS", SIGBUS },	 { "FPE", SIGFPE },	  { "KILL", SIGKILL },
	{ "USR1", SIGUSR1 },	 { "SEGV", SIGSEGV },	  { "USR2", SIGUSR2 },
	{ "PIPE", SIGPIPE },	 { "ALRM", SIGALRM },	  { "TERM", SIGTERM },
	{ "STKFLT", 16 },	 { "CHLD", SIGCHLD },	  { "CONT", SIGCONT },
	{ "STOP", SIGSTOP },	 { "TSTP", SIGTSTP },	  { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },	 { "URG", SIGURG },	  { "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },	 { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
	{ "WINCH", SIGWINCH },	 { "IO", SIGIO },	  { "PWR", SIGPWR },
	{ "SYS", SIGSYS },	 { NULL, 0 },
};

/* A signal as a number from 0 to 64, or by name with or without SIG. */
int signal_check(lua_State *L, int arg)
{
	const struct sys_word *w = signals;
	const char *name;

	if (lua_isinteger(L, arg))
		return (int)sys_check_range(L, arg, 0, 64);
	name = sys_check_string(L, arg);
	if (!strncmp(name, "SIG", 3))
		name += 3;
	while (w->name && strcmp(w->name, name))
		w++;
	if (!w->name)
		luaL_argerror(L, arg, lua_pushfstring(L, "unknown signal '%s'", name));
	return (int)w->value;
}

/* One signal of an array: as above, but none is not one. */
static int signal_check_element(lua_State *L, int arg, lua_Integer i)
{
	int number, type = lua_rawgeti(L, arg, i);

	if (type != LUA_TSTRING && !lua_isinteger(L, -1))
		luaL_argerror(L, arg, lua_pushfstring(L, "[%I]: signal expected, got %s", i,
						      luaL_typename(L, -1)));
	/* The element stands in for the argument, so that an error names that. */
	lua_pushvalue(L, arg);
	lua_insert(L, -2);
	lua_replace(L, arg);
	number = signal_check(L, arg);
	luaL_argcheck(L, number > 0, arg, "0 is no signal");
	lua_replace(L, arg);
	return number;
}

/***
Gives the name of a signal, without SIG. signal(7)
@function signal_name
@int number
@treturn string such as "TERM", or the number as a string where it has no name
*/
static int signal_name(lua_State *L)
{
	int number = (int)sys_check_range(L, 1, 0, 64);
	const struct sys_word *w = signals;

	while (w->name && w->value != (unsigned long)number)
		w++;
	if (w->name)
		lua_pushstring(L, w->name);
	else
		lua_pushfstring(L, "%d", number);
	return 1;
}

/* An array of signals, "all", or a mask that sigprocmask gave. */
static void signal_check_set(lua_State *L, int arg, sigset_t *set)
{
	lua_Unsigned i, n;

	sigemptyset(set);
	if (lua_type(L, arg) == LUA_TSTRING) {
		size_t size;
		const char *s = lua_tolstring(L, arg, &size);

		if (size == sizeof(*set))
			memcpy(set, s, size);
		else if (!strcmp(s, "all"))
			sigfillset(set);
		else
			luaL_argerror(L, arg, "not a set of signals");
		return;
	}
	n = sys_check_array(L, arg);
	for (i = 0; i < n; i++)
		sigaddset(set, signal_check_element(L, arg, (lua_Integer)i + 1));
}

/***
Changes which signals are blocked in this thread. sigprocmask(2)
@function sigprocmask
@string how "block", "unblock" or "setmask"
@param set an array of signals, "all", or what an earlier call returned
@treturn string the mask as it was before; or nil, message, errno
*/
static int signal_sigprocmask(lua_State *L)
{
	static const char *const words[] = { "block", "unblock", "setmask", NULL };
	static const int how[] = { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
	int word = luaL_checkoption(L, 1, NULL, words);
	sigset_t set, old;

	signal_check_set(L, 2, &set);
	memset(&old, 0, sizeof(old)); /* only the part that the kernel has is filled */
	if (sigprocmask(how[word], &set, &old) < 0)
		return sys_fail(L, "sigprocmask", words[word]);
	lua_pushlstring(L, (const char *)&old, sizeof(old));
	return 1;
}

/***
Gives signals their default disposition back: one that the starter of this process ignored is
still ignored in it. Of CHLD that means that children end without a word. sigaction(2)
@function sigdefault
@param set as of `sigprocmask`
@return true; or nil, message, errno
*/
static int signal_sigdefault(lua_State *L)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t set;
	int number;

	signal_check_set(L, 1, &set);
	for (number = 1; number <= SIGRTMAX; number++)
		if (sigismember(&set, number) == 1 && sigaction(number, &action, NULL) < 0)
			return sys_fail(L, "sigaction", NULL);
	lua_pushboolean(L, 1);
	return 1;
}

/***
Makes an fd from which the given signals are read. They have to be blocked. signalfd(2)
@function signalfd
@param set as of `sigprocmask`
@return an fd, or nil, message, errno
*/
static int signal_signalfd(lua_State *L)
{
	int *slot;
	sigset_t set;

	signal_check_set(L, 1, &set);
	slot = fd_new(L);
	if (fd_give(slot, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)))
		return 1;
	return sys_fail(L, "signalfd", NULL);
}

/***
Takes one signal from a signalfd. signalfd(2), sigaction(2) si_code
@function read_signal
@param fd of `signalfd`
@treturn int its number
@treturn string "kernel" when the kernel sent it (a key of the terminal), else "process"
@treturn int pid of the sender; or nil, message, errno (EAGAIN when there is none)
*/
static int signal_read_signal(lua_State *L)
{
	struct signalfd_siginfo info;
	ssize_t n = read(fd_check(L, 1), &info, sizeof(info));

	if (n < 0)
		return sys_fail(L, "read", "signalfd");
	if (n != sizeof(info) || !info.ssi_signo || info.ssi_signo > 64)
		return sys_fail_with(L, EINVAL, "read", "signalfd");
	lua_pushinteger(L, info.ssi_signo);
	lua_pushstring(L, info.ssi_code == SI_KERNEL ? "kernel" : "process");
	lua_pushinteger(L, info.ssi_pid);
	return 3;
}

static const luaL_Reg functions[] = {
	{ "read_signal", signal_read_signal },
	{ "sigdefault", signal_sigdefault },
	{ "signal_name", signal_name },
	{ "signalfd", signal_signalfd },
	{ "sigprocmask", signal_sigprocmask },
	{ NULL, NULL },
};

void signal_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
