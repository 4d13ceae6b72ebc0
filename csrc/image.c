/*
 * The executable around the code of init.c: an ELF header, two program headers, and the bytes
 * of its section, which are position-independent and need no relocation. elf(5)
 */
#include "container.h"

#include <elf.h>
#include <string.h>

#define PAGE 4096

#if defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_X86_64
#endif

/***
The program that runs as pid 1, as the bytes of an executable file. See init.c
@function init_program
@treturn string
*/
static int image_init_program(lua_State *L)
{
	struct {
		Elf64_Ehdr file;
		Elf64_Phdr load, stack;
	} head = { 0 };
	/* aarch64 reaches an address by its page and its place in the page: keep the place. */
	size_t offset = (size_t)init_start % PAGE;
	size_t size = (size_t)(init_end - init_start);
	luaL_Buffer b;
	char *room;

	if (offset < sizeof(head))
		offset += PAGE;
	memcpy(head.file.e_ident, ELFMAG, SELFMAG);
	head.file.e_ident[EI_CLASS] = ELFCLASS64;
	head.file.e_ident[EI_DATA] = ELFDATA2LSB;
	head.file.e_ident[EI_VERSION] = EV_CURRENT;
	head.file.e_type = ET_DYN;
	head.file.e_machine = MACHINE;
	head.file.e_version = EV_CURRENT;
	head.file.e_entry = offset + (size_t)(init_entry - init_start);
	head.file.e_phoff = offsetof(__typeof__(head), load);
	head.file.e_ehsize = sizeof(head.file);
	head.file.e_phentsize = sizeof(head.load);
	head.file.e_phnum = 2;
	head.load.p_type = PT_LOAD;
	head.load.p_flags = PF_R | PF_X;
	head.load.p_filesz = offset + size;
	head.load.p_memsz = offset + size;
	head.load.p_align = PAGE;
	head.stack.p_type = PT_GNU_STACK;
	head.stack.p_flags = PF_R | PF_W;

	room = luaL_buffinitsize(L, &b, offset + size);
	memset(room, 0, offset);
	memcpy(room, &head, sizeof(head));
	memcpy(room + offset, init_start, size);
	luaL_pushresultsize(&b, offset + size);
	return 1;
}

static const luaL_Reg functions[] = {
	{ "init_program", image_init_program },
	{ NULL, NULL },
};

void image_open(lua_State *L)
{
	luaL_setfuncs(L, functions, 0);
}
