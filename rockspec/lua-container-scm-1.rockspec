rockspec_format = "3.0"
package = "lua-container"
version = "scm-1"

source = {
  url = "git+https://example.org/lua-container.git",
}

description = {
  summary = "Linux containers from Lua",
  detailed = [[
    A C module with one function a kernel call, a library that runs a program in a
    container and gives back one honest answer, and a command, lua-container.
  ]],
  license = "MIT",
}

supported_platforms = { "linux" }

dependencies = {
  "lua ~> 5.4",
}

external_dependencies = {
  SECCOMP = { header = "seccomp.h" },
}

-- By make, and not by LuaRocks' builtin way: the modules' bytecode and the compiled filter of system
-- calls, which save a start most of its time, take the module that has been built.
build = {
  type = "make",
  variables = {
    LUA = "$(LUA)",
    LUA_INC = "-I$(LUA_INCDIR)",
  },
  build_variables = {
    CFLAGS = "$(CFLAGS)",
  },
  install_variables = {
    BINDIR = "$(BINDIR)",
    LIBDIR = "$(LIBDIR)",
    LUADIR = "$(LUADIR)",
  },
}
