-- A stack of what to do to leave the host as it was. It is a to-be-closed variable: on every way
-- out of its scope, an error or not, it runs backwards, unless it was given away.

local methods = {}
local metatable = { __name = "container.engine.cleanup", __index = methods }

local function new()
  return setmetatable({}, metatable)
end

--- Has `fn(...)` run when the stack does.
function methods:push(fn, ...)
  self[#self + 1] = table.pack(fn, ...)
end

--- Runs the stack, last first, and empties it. One step that fails does not hold up the others.
function methods:run()
  for i = #self, 1, -1 do
    local step = self[i]
    self[i] = nil
    pcall(step[1], table.unpack(step, 2, step.n))
  end
end

--- Gives what is on the stack to a new one, which the caller then owns.
function methods:release()
  local moved = new()
  table.move(self, 1, #self, 1, moved)
  for i = #self, 1, -1 do
    self[i] = nil
  end
  return moved
end

metatable.__close = methods.run

return { new = new }
