-- Part of the build, not of the product: writes the bytecode of every room into one chunk, which
-- puts into package.preload those whose sources have not changed since. Called from the top of the
-- source tree: lua5.4 lua/bytecode.lua OUTPUT SOURCE...

package.cpath = "./?.so;" .. package.cpath
local container = require "container"

local LOADER <const> = [[
local here = ...
local container = require "container"
local function room(name, source, size, mtime, code)
  local st = container.stat(here .. "/" .. source)
  if st and st.size == size and st.mtime == mtime then
    package.preload[name] = function(...)
      return load(code, source, "b")(...)
    end
  end
end
]]

local pieces = { LOADER }
for i = 2, #arg do
  local source = arg[i]
  local name = source:match("^lua/(.*)%.lua$"):gsub("/", ".")
  -- Asked before it is read: a change in between is then noticed at the next start.
  local st = assert(container.stat(source))
  pieces[#pieces + 1] = ("room(%q, %q, %d, %d, %q)\n"):format(
    name, source, st.size, st.mtime, string.dump(assert(loadfile(source)), true))
end
local output <close> = assert(io.open(arg[1], "wb"))
assert(output:write(string.dump(assert(load(table.concat(pieces), "=rooms")), true)))
