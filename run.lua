#!/usr/bin/env lua5.4
-- The front script: hands its arguments to the command line and exits with the program's status. It
-- has to parse under every Lua that somebody may call it with, so that it can say which it needs.
if _VERSION ~= "Lua 5.4" then
  io.stderr:write("lua-container: needs Lua 5.4, this is " .. _VERSION
    .. ": run it as lua5.4 " .. tostring(arg and arg[0]) .. "\n")
  os.exit(125)
end

-- A start is over before there is anything worth collecting; the command line switches it on again.
collectgarbage("stop")

-- In a source tree the rooms lie beside this file; installed, they are where Lua looks anyway. Most
-- of a start would be spent on compiling them, so `make` leaves their bytecode, from which each is
-- taken as long as its source is the same.
local function look_beside(path)
  local here = path:match("^(.*)/[^/]*$") or "."
  local rooms = io.open(here .. "/lua/container/cli.lua")
  if rooms then
    rooms:close()
    package.path = here .. "/lua/?.lua;" .. package.path
    package.cpath = here .. "/?.so;" .. package.cpath
    local bytecode = loadfile(here .. "/build/rooms.luac", "b")
    if bytecode then
      bytecode(here)
    end
  end
  return rooms
end

local beside = look_beside(arg[0])
local found, cli = pcall(require, "container.cli")
if not found and not beside then
  -- This file may have been called by a symbolic link into its tree. Lua cannot read one, so a
  -- program has to; nobody else pays for it.
  local pipe = io.popen("readlink -f -- '" .. arg[0]:gsub("'", "'\\''") .. "' 2>/dev/null")
  local path = pipe:read("*a"):gsub("\n$", "")
  pipe:close()
  if look_beside(path) then
    found, cli = pcall(require, "container.cli")
  end
end
if not found then
  io.stderr:write("lua-container: cannot load its modules, which `make` builds and `make install` ",
    "installs: ", tostring(cli):match("^[^\n]*"):gsub(":$", "") .. "\n")
  os.exit(125)
end

-- Without closing the state: the process ends here, the kernel takes all of it back at once.
os.exit(cli.main(arg), false)
