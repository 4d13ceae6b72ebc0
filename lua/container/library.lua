-- The door for Lua programs: what `container.run` and `container.spawn` are.

local container = require "container"
local channel = require "container.channel"
local run = require "container.run"
local spec = require "container.spec"

local library = {}

local methods = {}

local function is_ours(self)
  return self.owner == container.getpid()
end

--- Ends the container if it still runs, waits for its end, and takes away what was made for it.
-- Does nothing a second time, nor in a copy of the process, such as a child of container.clone,
-- whose container it is not.
local function close(self)
  if self.tty and is_ours(self) then
    self.tty:close()
  end
  if self.result or self.closed or not is_ours(self) then
    return
  end
  self.closed = true
  if container.wait(self.state.pidfd, "nohang") == "running" then
    container.pidfd_send_signal(self.state.pidfd, "KILL")
    container.wait(self.state.pidfd)
  end
  self.state.undo:run()
end

local metatable = {
  __name = "container",
  __index = methods,
  __close = close,
  __gc = close,
  __tostring = function(self)
    return ("container (%d)"):format(self.pid)
  end,
}

--- Waits for the container's end.
-- @treturn table result: reason ("exit" or "signal"), status as a shell would show it, signal by
-- name; or nil and an error. The same table again when asked again. wait(2)
function methods:wait()
  if self.result then
    return self.result
  end
  if self.closed then
    return nil, channel.failure("wait", "the container was closed", container.errno.ECHILD)
  elseif not is_ours(self) then
    return nil, channel.failure("wait", "the container is not this process's",
      container.errno.ECHILD)
  end
  local how, number, errno = container.wait(self.state.pidfd)
  -- Pid 1 can only exit, so how the program itself ended is what it says.
  local reason, value = channel.answer(self.state)
  self.state.undo:run()
  if not reason and how == "exit" and self.state.init then
    self.closed = true
    return nil, channel.failure("wait", "the container ended without a word", nil)
  end
  reason, value = reason or how, value or number
  if not reason then
    self.closed = true
    return nil, channel.failure("wait", number, errno)
  end
  self.result = {
    reason = reason,
    status = reason == "exit" and value or 128 + value,
    signal = reason == "signal" and container.signal_name(value) or nil,
  }
  return self.result
end

--- Sends a signal to the program, through its init. kill(2)
-- @param signal name such as "TERM", or number; KILL ends the whole container
-- @return true; or nil and an error
function methods:kill(signal)
  local message, errno = "the container has ended", container.errno.ESRCH
  if not self.result and not self.closed then
    local ok
    ok, message, errno = container.pidfd_send_signal(self.state.pidfd, signal)
    if ok then
      return true
    end
  end
  return nil, channel.failure("kill", message, errno)
end

--- An fd that can be polled: readable when the container has ended. pidfd_open(2)
function methods:fd()
  return self.state.pidfd
end

methods.close = close

--- Starts a container. The object ends it when it is closed or collected.
-- @tparam table options see spec.lua
-- @return an object with `pid`, `name` if it has one, `tty`, the master of its terminal, if it has
-- one, and the methods wait, kill, fd, close; or nil and an error, which prints as one sentence and
-- carries step, subject, errno
function library.spawn(options)
  local c, err = spec.read(options)
  if c then
    c, err = run.start(c)
  end
  if not c then
    return nil, err
  end
  return setmetatable({
    pid = c.pid, name = c.name, tty = c.tty, owner = container.getpid(), state = c,
    closed = false,
  }, metatable)
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

return library
