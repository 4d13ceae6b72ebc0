-- What a child runs that shares the host program's memory, in a Lua state of its own, into which it
-- gets a copy of `c` without functions. csrc/isolate.c

local child = require "container.engine.child"

return function(c)
  c.hook = nil -- those that it would call here have a copy of the host program
  child.main(c)
end
