-- What a child runs that shares the caller's memory, in a Lua state of its own, into which it gets
-- a copy of the context without functions. csrc/isolate.c

local child = require "container.engine.child"

return function(ctx)
  ctx.hook = false -- those that it would call here have a copy of the caller's memory
  child.main(ctx)
end
