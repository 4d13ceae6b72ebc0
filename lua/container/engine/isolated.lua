-- What a child runs that shares the host program's memory, in a Lua state of its own, into which it
-- gets a copy of `c` without functions. csrc/isolate.c

local child = require "container.engine.child"

-- Rooms that `c` has only for who asks for them; here all are loaded, for the child can load none.
local ASKED <const> = {
  landlock = { __index = require "container.linux.landlock" },
  stream = { __index = require "container.engine.streams" },
  terminal = { __index = require "container.engine.terminal" },
  view = { __index = require "container.fs.host_overlay" },
}

return function(c)
  for name, room in pairs(ASKED) do
    if c[name] then
      setmetatable(c[name], room)
    end
  end
  c.hook = nil -- those that it would call here have a copy of the host program
  child.main(c)
end
