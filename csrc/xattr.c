/* Extended attributes: setxattr(2). */
#include "container.h"

#include <sys/xattr.h>

/***
Sets an extended attribute of a file. lsetxattr(2), xattr(7)
@function setxattr
@string path of which a symbolic link at the end is not followed
@string name with its namespace, as "user.comment"
@string value any bytes
@return true, or nil, message, errno (EOPNOTSUPP where the filesystem has none of that namespace)
*/
static int xattr_setxattr(lua_State *L)
{
	const char *path = sys_check_string(L, 1);
	const char *name = sys_check_string(L, 2);
	size_t size;
	const char *value = luaL_checklstring(L, 3, &size);

	return sys_result(L, lsetxattr(path, name, value, size, 0), "lsetxattr", path);
}

static const luaL_Reg functions[] = {
	{ "setxattr", xattr_setxattr },
	{ NULL, NULL },
};

void xattr_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
