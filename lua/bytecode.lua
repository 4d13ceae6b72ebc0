-- Part of the build, not of the product: writes the rooms as bytecode, most of a start being else
-- spent on compiling them. Those by which the command line reads its arguments become one chunk,
-- cli.luac; those that every container needs another, library.luac; and each of the others has a
-- file of its own. Called from the top of the source tree when the module is built:
-- lua5.4 lua/bytecode.lua DIRECTORY SOURCE...
--
-- csrc/door.c runs a chunk before the first of its rooms is loaded. It has `require` find them, but
-- only if their sources, where `require` would find those, have the sizes that they had here and
-- are not newer than it.

package.path = "./lua/?.lua;" .. package.path
package.cpath = "./?.so;" .. package.cpath
local sys = require "container.sys"

local HEAD <const> = [[
local module, fresh = ...
local here, preload = module.directory, package.preload
local found = package.searchpath(%q, package.path)
local lua = found and found:match("^(.*/)[^/]*$") or ""
if lua:find("^[^/]") then -- which means something else after a chdir
  lua = (module.readlink("/proc/self/cwd") or ".") .. "/" .. lua
end
if not fresh(here .. %q, lua, %q) then
  return
end
]]

-- The others are looked at when they are loaded.
local LATER <const> = [[
local function load_room(name)
  local room = name:match("%.(.*)")
  local bytecode, source = here .. room .. ".luac", room:gsub("%.", "/") .. ".lua"
  local load_it, why
  if fresh(bytecode, lua, source .. " " .. later[name]) then
    load_it, why = loadfile(bytecode, "b")
  else
    load_it, why = loadfile(lua .. source)
  end
  if not load_it then
    error(("module '%s' not found: %s"):format(name, why), 0) -- as require says it
  end
  return load_it(name)
end
for name in next, later do
  preload[name] = load_room
end
]]

local COMMAND_LINE <const> = "container.cli.main"

local function write(path, chunk)
  local output <close> = assert(io.open(path, "wb"))
  assert(output:write(string.dump(chunk, true)))
end

local directory = arg[1]
local names, paths, sources = {}, {}, {}
for i = 2, #arg do
  local name = arg[i]:match("^lua/(.*)%.lua$"):gsub("/", ".")
  names[#names + 1], paths[name] = name, arg[i]
  sources[name] = assert(sys.read_file(arg[i]))
end

--- What a room is in a line of those that door.c compares.
local function line(name)
  return ("%s %d"):format(paths[name]:match("^lua/container/(.*)$"), #sources[name])
end

--- Writes one chunk of rooms, with what is to be run behind them.
local function bundle(file, rooms, more)
  local lines, pieces = {}, {}
  for i, name in ipairs(rooms) do
    lines[i] = line(name)
    pieces[i] = ("preload[%q] = function(...)\n%s\nend\n"):format(name, sources[name])
  end
  table.insert(pieces, 1, HEAD:format(rooms[1], file, table.concat(lines, "\n")))
  pieces[#pieces + 1] = more
  write(directory .. "/" .. file, assert(load(table.concat(pieces), "=" .. file)))
end

-- What this asks for when it is loaded, each start does.
require "container.api"
local library, later = {}, { "local later = {" }
for _, name in ipairs(names) do
  if package.loaded[name] then
    table.insert(library, name == "container.api" and 1 or #library + 1, name)
  elseif name ~= COMMAND_LINE then
    later[#later + 1] = ("[%q] = %d,"):format(name, #sources[name])
    write(("%s/%s.luac"):format(directory, name:match("%.(.*)")), assert(load(sources[name])))
  end
end
later[#later + 1] = "}\n" .. LATER
bundle("library.luac", library, table.concat(later))
bundle("cli.luac", { COMMAND_LINE })
