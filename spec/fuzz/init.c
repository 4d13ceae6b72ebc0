/* Pid 1's search through PATH, which stands alone and has a buffer of its own. The input is PATH
 * and, after a NUL, the program's name. */
#include <sys/syscall.h>
#include <unistd.h>

/* Nothing is executed: a call that takes a path, answers with the same errors and changes nothing
 * but this process's directory. The file's own attributes keep the sanitizers out; here they
 * are what it is about. */
#undef SYS_execve
#define SYS_execve SYS_chdir
#define no_sanitize(...) used
#include "../../csrc/init.c"
#undef no_sanitize

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lua_State *L = fuzz_state();
	const uint8_t *end = data + size, *second = size ? memchr(data, 0, size) : NULL;
	char *argv[2] = { NULL, NULL }, *envp[1] = { NULL };
	const char *path = fuzz_push(L, data, size);
	int err;

	second = second ? second + 1 : end;
	argv[0] = (char *)(size_t)fuzz_push(L, second, (size_t)(end - second));
	err = init_search(path, argv, envp);
	HOLDS(err >= 0 && err < 4096);
	/* A PATH without a directory has no program. */
	HOLDS(*path || err == ENOENT);
	return 0;
}
