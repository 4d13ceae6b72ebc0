-- Part of the build, not of the product: what the command lua-container holds from its start on.
-- Called by csrc/command.c, once, from the top of the source tree when the rooms' bytecode is made:
-- build/command lua/freeze.lua HEAP SOURCE...

local words = ...
local container = require "container"
local sys = require "container.sys"

-- As a program has it that finds the module beside itself.
package.path, package.cpath = "./lua/?.lua", ""
sys.directory = "container/"

-- What each start needs is loaded, and the filter that most have is read.
local main = sys.main
assert(container.spawn)
assert(require("container.linux.seccomp").keep())

-- The others are at hand.
for i = 1, #words do
  local name = words[i]:match("^lua/(.*)%.lua$"):gsub("/", ".")
  if package.loaded[name] then
    package.preload[name] = nil
  else
    local bytecode = ("container/%s.luac"):format(name:match("%.(.*)"))
    package.preload[name] = assert(loadfile(bytecode, "b"))
  end
end

-- From here on there are no files of it.
package.path, sys.directory = "", nil

-- As run.lua does it.
return function(argv)
  local status, why = main(argv)
  if not status then
    io.stderr:write("lua-container: ", tostring(why), "\n")
  end
  os.exit(status or 125, false)
end
