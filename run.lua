#!/usr/bin/env lua5.4
-- The front script: hands its arguments to the command line and exits with the program's status. It
-- parses under every Lua since 5.1, so that it can say which it needs.
if _VERSION ~= "Lua 5.4" then
  io.stderr:write("lua-container: needs Lua 5.4, this is " .. _VERSION
    .. ": run it as lua5.4 " .. tostring(arg and arg[0]) .. "\n")
  os.exit(125)
end

-- A start is over before there is anything worth collecting; the command line switches it on again.
collectgarbage("stop")

-- Nothing is loaded from the current directory, also if Lua's own path or LUA_PATH has it.
local function absolute(path)
  local list = {}
  for template in path:gmatch("[^;]+") do
    list[#list + 1] = template:find("^/") and template or nil
  end
  return table.concat(list, ";")
end

package.path, package.cpath = absolute(package.path), absolute(package.cpath)

-- In a source tree container.so and the Lua modules lie beside this file: compiled where `make` has
-- been, and as sources. Installed, they are where Lua looks anyway.
local function look_beside(path)
  local here = path:match("^(.*)/[^/]*$") or "."
  local open = package.loadlib(here .. "/container.so", "luaopen_container_sys")
  if open then
    package.preload["container.sys"] = open
    package.path = here .. "/build/lua/?.lua;" .. here .. "/lua/?.lua;" .. package.path
  end
  return open
end

-- Under another name it is a link to this file, and what lies beside that is not ours.
local beside = arg[0]:find("run%.lua$") and look_beside(arg[0])
local found, cli = pcall(require, "container.cli.main")
if not found and not beside then
  -- This file may have been called by a symbolic link into its tree. Lua cannot read one, so a
  -- program does.
  local pipe = io.popen("readlink -f -- '" .. arg[0]:gsub("'", "'\\''") .. "' 2>/dev/null")
  local path = pipe:read("*a"):gsub("\n$", "")
  pipe:close()
  if look_beside(path) then
    found, cli = pcall(require, "container.cli.main")
  end
end
if not found then
  io.stderr:write("lua-container: cannot load its modules, which `make` builds and `make install` ",
    "installs: ", tostring(cli):match("^[^\n]*"):gsub(":$", "") .. "\n")
  os.exit(125)
end

-- Without closing the state: the process ends here, the kernel takes all of it back at once.
local status, why = cli.main(arg)
if not status then
  io.stderr:write("lua-container: ", tostring(why), "\n")
end
os.exit(status or 125, false)
