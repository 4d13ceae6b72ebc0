-- One fd for an event loop of the caller's: readable while `poll` of a container's object has
-- something to do. It is an epoll(7) of the container's pidfd, of the streams that the library
-- reads and writes, of a timer for what is due, and of the same fd of each program of `exec` in it.
--
-- It is made when it is first asked for. From then on it is kept true here when something ends or
-- is closed.

local sys = require "container.sys"

-- After how many seconds one is asked again that has ended and that a tracer does not let go.
local watch = { HELD_PAUSE = 0.01 }

local function add(self, fd, events)
  local ok, message, errno = sys.epoll_add(self.watch.poll, fd, events)
  if ok then
    self.watch.fds[fd] = true
  end
  return ok, message, errno
end

--- No longer watches an fd, which is about to be closed. The kernel would go on watching it where
-- another process has a copy.
function watch.forget(self, fd)
  local one = self.watch
  if one and one.fds[fd] then
    one.fds[fd] = nil
    -- A collector may have closed one or the other already.
    if one.poll:fileno() and fd:fileno() then
      sys.epoll_remove(one.poll, fd)
    end
  end
end

--- Sets the timer when what is due has changed.
function watch.arm(self)
  local one, due = self.watch, self.deadline
  if not one or self.closed then
    return
  elseif self.held then
    -- Its pidfd can be read all the time and says nothing new: the loop would be busy.
    watch.forget(self, self.state.pidfd)
    due = math.min(due or math.huge, sys.clock_gettime() + watch.HELD_PAUSE)
  end
  if one.deadline ~= due then
    one.deadline = due
    sys.timerfd_settime(one.timer, due and math.max(due - sys.clock_gettime(), 0))
  end
end

local function fill(self)
  local ok, message, errno = add(self, self.watch.timer)
  if self.closed then
    return ok and sys.timerfd_settime(self.watch.timer, 0)
  end
  if ok then
    ok, message, errno = add(self, self.state.pidfd)
  end
  for _, source in ipairs(ok and self.sources or {}) do
    ok, message, errno = add(self, source.fd, (source.take or source.serve) and "in" or "out")
    if not ok then
      break
    end
  end
  -- A program's connections are served with its container's.
  for _, source in ipairs(ok and self.container and self.container.sources or {}) do
    if ok and source.serve then
      ok, message, errno = add(self, source.fd)
    end
  end
  for program in pairs(ok and self.joined or {}) do
    if ok and not program.closed then
      ok, message, errno = watch.join(self, program)
    end
  end
  watch.arm(self)
  return ok, message, errno
end

--- Makes it, if it is not there yet.
-- @param self the inner table of the object
-- @return its fd; or nil, message, errno
function watch.open(self)
  if self.watch then
    return self.watch.poll
  end
  local poll, timer, message, errno
  poll, message, errno = sys.epoll_create()
  if poll then
    timer, message, errno = sys.timerfd_create()
  end
  if not timer then
    return nil, message, errno
  end
  self.watch = { poll = poll, timer = timer, fds = {} }
  local ok
  ok, message, errno = fill(self)
  if not ok then
    watch.close(self)
    return nil, message, errno
  end
  return poll
end

--- Has the fd of a container stand for a program in it, too.
function watch.join(self, program)
  local poll, message, errno = watch.open(program)
  if not poll then
    return nil, message, errno
  end
  return add(self, poll)
end

--- The container has ended, and what was watched is about to be closed. The fd stays readable, for
-- the loop that watches it has to learn of the end.
function watch.ended(self)
  local one = self.watch
  if not one then
    return
  end
  for fd in pairs(one.fds) do
    if fd ~= one.timer then
      watch.forget(self, fd)
    end
  end
  if self.container then
    watch.forget(self.container, one.poll)
  end
  if one.timer:fileno() then
    sys.timerfd_settime(one.timer, 0)
  end
end

--- Closes it.
function watch.close(self)
  local one = self.watch
  if one then
    if self.container then
      watch.forget(self.container, one.poll)
    end
    one.poll:close()
    one.timer:close()
    self.watch = nil
  end
end

return watch
