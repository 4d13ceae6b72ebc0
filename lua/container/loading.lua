-- What a call answers when it needs a room that cannot be loaded now, for the host program has no
-- fd left to read it by: an error, and no traceback. A room that is not there is a fault of the
-- installation, and raises.

local sys = require "container.sys"
local sync = require "container.engine.sync"

local loading = {}

-- Looks while nothing is undone yet, which could give fds back.
local function explain(why)
  local room = type(why) == "string" and why:match("module '(sys[%w_.]*)'")
  if not room then
    return why
  end
  -- To read bytecode takes two at once.
  local one <close>, _, none = sys.open("/", "path")
  local two <close>, _, errno = sys.open("/", "path")
  if two then
    return why
  end
  errno = one and errno or none
  return sync.failure("load", ("require %s: %s"):format(room, sys.strerror(errno)), errno)
end

local function answer(done, ...)
  if done then
    return ...
  end
  local why = ...
  if getmetatable(why) == sync.metatable then
    return nil, why
  end
  error(why, 0)
end

--- Makes a function that does as `fn`, but for that.
function loading.guarded(fn)
  return function(...)
    return answer(xpcall(fn, explain, ...))
  end
end

return loading
