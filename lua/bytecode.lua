-- Part of the build, not of the product: writes the rooms as bytecode, most of a start being else
-- spent on compiling them. Those that every container needs become one chunk, start.luac, and each
-- of the others a file of its own. Called from the top of the source tree when the module is built:
-- lua5.4 lua/bytecode.lua DIRECTORY SOURCE...
--
-- csrc/door.c runs start.luac before the first room is loaded. It has `require` find them, but
-- only if all of their sources, where `require` would find those, have the size that they had here
-- and are not newer than it.

package.path = "./lua/?.lua;" .. package.path
package.cpath = "./?.so;" .. package.cpath
local container = require "container"

local HEAD <const> = [[
local here = ...
local found = package.searchpath("container.library", package.path)
local lua = found and found:match("^(.*)container/library%%.lua$")
local stat = require("container").stat
local made = stat(here .. "start.luac", "mtime")
for path, size in next, {%s} do
  local now, changed = stat((lua or "") .. path, "size", "mtime")
  if now ~= size or changed > made then
    return
  end
end
local preload = package.preload
local function load_room(name)
  local room, why = loadfile(here .. name:match("%%.(.*)") .. ".luac", "b")
  if not room then
    error(("module '%%s' not found: %%s"):format(name, why), 0) -- as require says it
  end
  return room(name)
end
for name in (%q):gmatch("%%S+") do
  preload[name] = load_room
end
]]

local function write(path, chunk)
  local output <close> = assert(io.open(path, "wb"))
  assert(output:write(string.dump(chunk, true)))
end

-- What these ask for when they are loaded, each start does.
require "container.cli"
require "container.library"

local directory = arg[1]
local sizes, later, pieces = {}, {}, {}
for i = 2, #arg do
  local path = arg[i]
  local name = path:match("^lua/(.*)%.lua$"):gsub("/", ".")
  local source = assert(container.read_file(path))
  sizes[#sizes + 1] = ("[%q] = %d"):format(path:sub(#"lua/" + 1), #source)
  if package.loaded[name] then
    pieces[#pieces + 1] = ("preload[%q] = function(...)\n%s\nend\n"):format(name, source)
  else
    later[#later + 1] = name
    write(("%s/%s.luac"):format(directory, name:match("%.(.*)")), assert(load(source)))
  end
end
table.insert(pieces, 1, HEAD:format(table.concat(sizes, ", "), table.concat(later, " ")))
write(directory .. "/start.luac", assert(load(table.concat(pieces), "=start")))
