/* Terminals: isatty(3), termios(3), tcgetpgrp(3), and pseudoterminals: ioctl_tty(2), pty(7). */
#include "container.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "compat.h"

/***
Whether an fd is a terminal. isatty(3)
@function isatty
@param fd
@treturn boolean
*/
static int terminal_isatty(lua_State *L)
{
	lua_pushboolean(L, isatty(fd_check(L, 1)));
	return 1;
}

/***
The process group that a terminal's keys and reads belong to. tcgetpgrp(3)
@function tcgetpgrp
@param fd
@treturn int; or nil, message, errno (ENOTTY when it is not the caller's terminal)
*/
static int terminal_tcgetpgrp(lua_State *L)
{
	pid_t group = tcgetpgrp(fd_check(L, 1));

	if (group < 0)
		return sys_fail(L, "tcgetpgrp", NULL);
	lua_pushinteger(L, group);
	return 1;
}

/***
Gives a terminal to a process group, also from the background: the SIGTTOU that would stop the
caller there is held back meanwhile. tcsetpgrp(3)
@function tcsetpgrp
@param fd
@int group
@return true, or nil, message, errno
*/
static int terminal_tcsetpgrp(lua_State *L)
{
	int fd = fd_check(L, 1);
	pid_t group = (pid_t)sys_check_range(L, 2, 1, INT_MAX);
	sigset_t ttou, old;
	int rc, err;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &old);
	rc = tcsetpgrp(fd, group);
	err = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return sys_result(L, rc, "tcsetpgrp", NULL);
}

/* The settings of a terminal, as `tcgetattr` gave them. */
static void terminal_check_settings(lua_State *L, int arg, struct termios *settings)
{
	size_t size;
	const char *s = luaL_checklstring(L, arg, &size);

	luaL_argcheck(L, size == sizeof(*settings), arg, "not the settings of a terminal");
	memcpy(settings, s, size);
}

/***
The settings of a terminal. tcgetattr(3)
@function tcgetattr
@param fd
@treturn string for `tcsetattr` and `cfmakeraw`; or nil, message, errno (ENOTTY)
*/
static int terminal_tcgetattr(lua_State *L)
{
	int fd = fd_check(L, 1);
	struct termios settings;

	memset(&settings, 0, sizeof(settings)); /* what lies between the fields too */
	if (tcgetattr(fd, &settings) < 0)
		return sys_fail(L, "tcgetattr", NULL);
	lua_pushlstring(L, (const char *)&settings, sizeof(settings));
	return 1;
}

/***
Changes the settings of a terminal at once. tcsetattr(3)
@function tcsetattr
@param fd
@string settings
@return true, or nil, message, errno (ENOTTY; EIO in the background of a group without a parent)
*/
static int terminal_tcsetattr(lua_State *L)
{
	int rc, fd = fd_check(L, 1);
	struct termios settings;

	terminal_check_settings(L, 2, &settings);
	do
		rc = tcsetattr(fd, TCSANOW, &settings);
	while (rc < 0 && errno == EINTR);
	return sys_result(L, rc, "tcsetattr", NULL);
}

/***
Settings with which a terminal passes on every byte as it is: no echo, no lines, no keys that
are signals. cfmakeraw(3)
@function cfmakeraw
@string settings of `tcgetattr`
@treturn string
*/
static int terminal_cfmakeraw(lua_State *L)
{
	struct termios settings;

	terminal_check_settings(L, 1, &settings);
	cfmakeraw(&settings);
	lua_pushlstring(L, (const char *)&settings, sizeof(settings));
	return 1;
}

/***
Whether a terminal gives its reader lines, and its keys can end an input; else it gives bytes as
they come. termios(3), ICANON
@function is_canonical
@string settings of `tcgetattr`
@treturn boolean
*/
static int terminal_is_canonical(lua_State *L)
{
	struct termios settings;

	terminal_check_settings(L, 1, &settings);
	lua_pushboolean(L, (settings.c_lflag & ICANON) != 0);
	return 1;
}

/***
The size of a terminal in characters. tcgetwinsize(3), ioctl_tty(2) TIOCGWINSZ
@function tcgetwinsize
@param fd
@treturn int height, 0 when it was never set
@treturn int width; or nil, message, errno (ENOTTY)
*/
static int terminal_tcgetwinsize(lua_State *L)
{
	struct winsize size;

	if (ioctl(fd_check(L, 1), TIOCGWINSZ, &size) < 0)
		return sys_fail(L, "ioctl TIOCGWINSZ", NULL);
	lua_pushinteger(L, size.ws_row);
	lua_pushinteger(L, size.ws_col);
	return 2;
}

/***
Sets the size of a terminal; its foreground process group gets SIGWINCH when it is another.
tcsetwinsize(3), ioctl_tty(2) TIOCSWINSZ
@function tcsetwinsize
@param fd either side of a pseudoterminal
@int height
@int width
@return true, or nil, message, errno (ENOTTY)
*/
static int terminal_tcsetwinsize(lua_State *L)
{
	int fd = fd_check(L, 1);
	struct winsize size;

	memset(&size, 0, sizeof(size));
	size.ws_row = (unsigned short)sys_check_range(L, 2, 0, USHRT_MAX);
	size.ws_col = (unsigned short)sys_check_range(L, 3, 0, USHRT_MAX);
	return sys_result(L, ioctl(fd, TIOCSWINSZ, &size), "ioctl TIOCSWINSZ", NULL);
}

/***
Lets the slave of a pseudoterminal be opened. unlockpt(3), ioctl_tty(2) TIOCSPTLCK
@function unlockpt
@param master fd
@return true, or nil, message, errno (ENOTTY)
*/
static int terminal_unlockpt(lua_State *L)
{
	int lock = 0;

	return sys_result(L, ioctl(fd_check(L, 1), TIOCSPTLCK, &lock), "ioctl TIOCSPTLCK", NULL);
}

/***
Opens the slave of a pseudoterminal without a path, so nothing that lies at its name can be
taken for it. It does not become the controlling terminal. ioctl_tty(2) TIOCGPTPEER, Linux 4.13
@function open_slave
@param master fd
@return an fd that closes itself, or nil, message, errno (EIO while it is locked)
*/
static int terminal_open_slave(lua_State *L)
{
	int master = fd_check(L, 1);
	int *slot = fd_new(L);

	if (fd_give(slot, ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)))
		return 1;
	return sys_fail(L, "ioctl TIOCGPTPEER", NULL);
}

/***
Makes a terminal that of the caller's session, which the caller leads and which has none. From
another session it is not taken. ioctl_tty(2) TIOCSCTTY
@function tiocsctty
@param fd
@return true, or nil, message, errno (EPERM)
*/
static int terminal_tiocsctty(lua_State *L)
{
	return sys_result(L, ioctl(fd_check(L, 1), TIOCSCTTY, 0), "ioctl TIOCSCTTY", NULL);
}

static const luaL_Reg functions[] = {
	{ "cfmakeraw", terminal_cfmakeraw },
	{ "is_canonical", terminal_is_canonical },
	{ "isatty", terminal_isatty },
	{ "open_slave", terminal_open_slave },
	{ "tcgetattr", terminal_tcgetattr },
	{ "tcgetpgrp", terminal_tcgetpgrp },
	{ "tcgetwinsize", terminal_tcgetwinsize },
	{ "tcsetattr", terminal_tcsetattr },
	{ "tcsetpgrp", terminal_tcsetpgrp },
	{ "tcsetwinsize", terminal_tcsetwinsize },
	{ "tiocsctty", terminal_tiocsctty },
	{ "unlockpt", terminal_unlockpt },
	{ NULL, NULL },
};

void terminal_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
