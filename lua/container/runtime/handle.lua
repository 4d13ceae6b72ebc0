-- What a caller holds of a thing of the library's: its documented fields, and methods that take it
-- alone. All else is in the inner table, to which there is no way from the handle.

local check = require "container.check"

local handle = {}

local EVENTS <const> = { "__close", "__gc", "__tostring" }

--- What a method answers, with the handle where that is the inner table.
local function answer(given, self, ...)
  if select("#", ...) > 0 and rawequal((...), self) then
    return given, select(2, ...)
  end
  return ...
end

--- Makes a kind of handles.
-- @string noun as messages name it
-- @tparam table methods functions of the inner table
-- @tparam table events those of EVENTS, functions of the inner table; and __name
-- @treturn table with `new`, `of` and `expose`
function handle.class(noun, methods, events)
  local inner = setmetatable({}, { __mode = "k" })
  local public, class = {}, {}
  local metatable = { __name = events.__name, __index = public }
  for _, name in ipairs(EVENTS) do
    local fn = events[name]
    metatable[name] = fn and function(given)
      return fn(inner[given])
    end
  end

  --- Adds a method.
  function class.expose(name, fn)
    public[name] = function(given, ...)
      local self = given ~= nil and inner[given]
      if not self then
        error(("%s: expected a %s, got %s: it is called with a colon, x:%s()"):format(name, noun,
          check.shown(given), name), 2)
      end
      return answer(given, self, fn(self, ...))
    end
  end

  --- Makes the handle of an inner table, which it keeps alive.
  -- @tparam table fields what the caller sees of it
  function class.new(self, fields)
    local given = setmetatable(fields, metatable)
    inner[given] = self
    return given
  end

  --- The inner table of a handle; nil of anything else.
  function class.of(given)
    return given ~= nil and inner[given] or nil
  end

  for name, fn in pairs(methods) do
    class.expose(name, fn)
  end
  return class
end

return handle
