-- Part of the build, not of the product: what the command lua-container holds from its start on.
-- Called by csrc/command/command.c, once, from the top of the source tree when the modules are
-- compiled: build/lua-container csrc/command/freeze.lua HEAP

package.path, package.cpath = "./build/lua/?.lua", ""
local sys = require "container.sys"
sys.directory = "container/"
local main = require("container.cli.main").main
for _, name in ipairs(require("container.search").ON_USE) do
  require(name)
end
require("container.linux.seccomp").preload()

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
