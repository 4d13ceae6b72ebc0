-- The door for Lua programs: what `container.run`, `container.spawn` and `container.poll` are.

local container = require "container"
local attend = require "container.attend"
local channel = require "container.channel"
local object = require "container.object"
local run = require "container.run"
local spec = require "container.spec"

local library = {}

--- Starts a container. The object ends it when it is closed or collected.
-- @tparam table options see spec.lua
-- @return an object, see object.lua, with `pid`, `name` if it has one, and the streams that were
-- asked for as "pipe"; or nil and an error, which prints as one sentence and carries step, subject,
-- errno
function library.spawn(options)
  object.reap()
  local c, err = spec.read(options)
  if c then
    c, err = run.start(c)
  end
  if not c then
    return nil, err
  end
  return object.new(c)
end

--- Runs a container to its end.
-- @tparam table options see spec.lua; without tty, for nobody could read what it shows
-- @treturn table the result of `wait`; or nil and an error
function library.run(options)
  if type(options) == "table" and rawget(options, "tty") then
    return nil, channel.failure("spec", "tty: takes container.spawn, which gives its other side",
      nil, "tty")
  end
  local c <close>, err = library.spawn(options)
  if not c then
    return nil, err
  end
  return c:wait()
end

--- Waits until at least one of many containers has ended, and meanwhile attends all of them as
-- `wait` does.
-- @tparam table list objects of containers; those that were waited for or closed count as ended
-- @number[opt] seconds how long at most
-- @treturn table array of those that have ended, whose `wait` answers at once; empty when the time
-- is up; or nil and an error
function library.poll(list, seconds)
  local function refuse(message, errno)
    return nil, channel.failure("poll", message, container.errno[errno])
  end
  if type(list) ~= "table"
      or seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    return refuse("expected an array of containers, and a number of seconds", "EINVAL")
  end
  for i, self in ipairs(list) do
    if getmetatable(self) ~= object.metatable then
      return refuse(("[%d] is not a container"):format(i), "EINVAL")
    elseif self.attended then
      return refuse(("[%d] is waited for already"):format(i), "EBUSY")
    end
  end
  local finish = seconds and container.clock_gettime() + seconds
  local ended, left = {}, nil
  while true do
    for _, self in ipairs(list) do
      ended[#ended + 1] = self.closed and self or nil
    end
    if ended[1] or left == 0 or not list[1] then
      return ended
    end
    left = finish and math.max(finish - container.clock_gettime(), 0)
    attend.turn(list, left)
  end
end

return library
