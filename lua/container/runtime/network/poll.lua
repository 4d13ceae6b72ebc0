-- One fd for all that a network of a container waits for, with a function for each: epoll(7). And
-- one timer for all deadlines.

local sys = require "container.sys"

local poll = {}
poll.__index = poll

-- How many fds have their turn before the caller has.
local TURN <const> = 24

--- @return one; or nil, message, errno
function poll.new()
  local fd, message, errno = sys.epoll_create()
  if not fd then
    return nil, message, errno
  end
  local timer, why, number = sys.timerfd_create()
  if not timer then
    fd:close()
    return nil, why, number
  end
  local self = setmetatable({ fd = fd, timer = timer, functions = {}, due = {} }, poll)
  local ok
  ok, message, errno = self:watch(timer, function()
    self:expire()
  end)
  if not ok then
    self:close()
    return nil, message, errno
  end
  return self
end

--- Has a function called while an fd is ready.
-- @param fd an fd, or an object with fileno
-- @func fn
-- @string[opt="in"] events
-- @return true; or nil, message, errno
function poll:watch(fd, fn, events)
  local number = fd:fileno()
  local ok, message, errno = sys.epoll_add(self.fd, number, events)
  if ok then
    self.functions[number] = fn
  end
  return ok, message, errno
end

--- No longer watches an fd, which is still open.
function poll:forget(fd)
  local number = fd:fileno()
  if number and self.functions[number] then
    self.functions[number] = nil
    sys.epoll_remove(self.fd, number)
  end
end

--- The same, and closes it.
function poll:drop(fd)
  if fd:fileno() then
    self:forget(fd)
    fd:close()
  end
end

--- Has a function called once, after some time.
-- @tparam table key what `cancel` takes; it has one deadline
-- @number seconds
-- @func fn
function poll:after(key, seconds, fn)
  local at = sys.clock_gettime() + seconds
  self.due[key] = { at = at, fn = fn }
  if not self.next or at < self.next then
    self.next = at
    sys.timerfd_settime(self.timer, seconds)
  end
end

function poll:cancel(key)
  self.due[key] = nil
end

--- Calls what is due, and sets the timer again.
function poll:expire()
  local now, list, next_one = sys.clock_gettime(), {}, nil
  for key, one in pairs(self.due) do
    if one.at <= now and #list < TURN then
      list[#list + 1] = key
    else
      next_one = math.min(next_one or one.at, one.at)
    end
  end
  self.next = next_one
  sys.timerfd_settime(self.timer, next_one and math.max(next_one - now, 0))
  for _, key in ipairs(list) do
    local one = self.due[key]
    -- It may have been cancelled by another of these, or set again.
    if one and one.at <= now then
      self.due[key] = nil
      one.fn()
    end
  end
end

--- Calls the functions of those that are ready. One of them may close another fd, whose number a
-- new one gets.
function poll:turn()
  local list = sys.epoll_ready(self.fd, TURN) or {}
  local functions = {}
  for i, number in ipairs(list) do
    functions[i] = self.functions[number]
  end
  for i, number in ipairs(list) do
    if functions[i] and self.functions[number] == functions[i] then
      functions[i]()
    end
  end
end

function poll:close()
  self.fd:close()
  self.timer:close()
  self.functions, self.due = {}, {}
end

return poll
