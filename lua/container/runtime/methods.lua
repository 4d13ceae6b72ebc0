-- What a caller may do with a container that runs, or with a program in one.

local call = require "container.engine.call"
local control = require "container.runtime.control"
local errors = require "container.error"
local loop = require "container.runtime.loop"
local signals = require "container.linux.signals"
local sys = require "container.sys"
local watch = require "container.runtime.watch"

local methods = {}

local KILL <const> = 9

local function failure(step, message, errno)
  return errors.new(step, message, errno)
end

--- What `wait` answers of a container that is over.
local function outcome(self)
  if self.trouble then
    self.trouble.result = self.result
    return nil, self.trouble
  elseif not self.result then
    return nil, failure("wait", "the container is being taken away", sys.errno.EBUSY)
  end
  return self.result
end

--- The same of a function: its values, the same ones again when asked again.
local function values(self)
  if not self.values then
    local result, err = outcome(self)
    if not result then
      return nil, err
    end
    self.values = table.pack(call.outcome(self.state, result))
  end
  return table.unpack(self.values, 1, self.values.n)
end

--- One turn of the event loop for this container.
local function turn(self, ...)
  return loop.turn({ self }, ...)
end

--- Asks how it is, without waiting: reads and writes its streams meanwhile, and keeps its time.
-- For a program with an event loop of its own: to be called when `fileno()` can be read. It never
-- waits, and closes nothing that the loop watches.
-- @return the result when it has ended, of `spawn_call` true; false while it runs; or nil and an
-- error
function methods:poll()
  return self:wait(0, true)
end

--- Waits for the container's end, and meanwhile reads and writes its streams, and keeps its time.
-- @number[opt] seconds how long at most
-- @treturn table result:
--
--   * `reason` "exit", "signal", "timeout", "rlimit", "oom" (killed, and there was no memory left
--     under its limit) or "seccomp"
--   * `status` as a shell would show it: that of exit, or 128 and the number of the signal
--   * `signal` its name, such as "KILL"
--   * `wall` seconds from the start of the program to its end
--   * `cpu` { user, system } in seconds, of all processes
--   * `memory_peak` bytes that all of it had at once where its memory is counted; else those that
--     the largest process had resident; nil without an init
--   * `oom_kills` how many processes were killed for want of memory, where it is counted
--   * `pids_refused` how many forks were refused for the limit of processes; nil where no cgroup
--     holds it, where the kernel does not count them, and for a program of `exec`
--   * `pids_limit` that limit, where they are counted and there is one
--   * `stats` with that option, what `stats` told at the end
--   * `warnings` array of errors of hooks of poststart and poststop; nil when there are none
--   * `stdout`, `stderr` what was captured, at most `output_limit` bytes of it, and `stdout_size`,
--     `stderr_size`, how many bytes came
--
-- or nil and an error: ETIMEDOUT when it still runs. The same table again when asked again. Of
-- `spawn_call` what the function returns, or nil and an error, as of `call`. wait(2)
function methods:wait(seconds, asking)
  if seconds ~= nil and not (math.type(seconds) and seconds >= 0) then
    return nil, failure("wait", "expected a number of seconds", sys.errno.EINVAL)
  elseif not self.closed and self.owner ~= sys.getpid() then
    return nil, failure("wait", "the container is not this process's", sys.errno.ECHILD)
  elseif not self.closed and self.attended then
    return nil, failure("wait", "this container is waited for already", sys.errno.EBUSY)
  end
  local finish = seconds and sys.clock_gettime() + seconds
  local left
  while not self.closed and left ~= 0 do
    left = finish and math.max(finish - sys.clock_gettime(), 0)
    turn(self, left)
  end
  if self.closed and self.state.call then
    if asking then
      return true
    end
    return values(self)
  elseif self.closed then
    return outcome(self)
  elseif asking then
    return false
  end
  return nil, failure("wait", ("the container still runs after %g seconds"):format(seconds),
    sys.errno.ETIMEDOUT)
end

--- After how many seconds `poll` should be called at the latest; nil when nothing is due.
function methods:due_in()
  return self.deadline and math.max(self.deadline - sys.clock_gettime(), 0)
end

--- Sends a signal to the program, through its init. Those of keys, INT, QUIT and TSTP, and CONT,
-- are for its whole process group, as keys are, and TSTP stops it. pidfd_send_signal(2)
--
-- TERM and KILL of an exec process, as its `timeout` and `close`, end all that came from it, with
-- and without cgroups: what descends from it, and what is in its session. What TERM does not end is
-- killed when the exec process has ended. What has left both before, as a daemon that forks twice
-- around setsid(2), runs until the container ends.
-- @param signal name such as "TERM", "SIGTERM" or "term", or number; KILL ends the whole container
-- @return true; or nil and an error
function methods:kill(signal)
  if self.closed then
    return nil, failure("kill", "the container has ended", sys.errno.ESRCH)
  end
  local number, wrong = signals.number(signal)
  if not number then
    return nil, failure("kill", wrong, sys.errno.EINVAL)
  end
  local ok, message, errno = self:send(number)
  if number == KILL then
    self.killed = true
    if ok then
      self:kill_now()
    end
  end
  return ok, not ok and failure("kill", message, errno) or nil
end

--- Asks the program to end, with TERM; after `stop_timeout` seconds all of the container is
-- killed. It does not wait: `wait` tells the end.
-- @return true; or nil and an error
function methods:stop()
  local ok, err = self:kill("TERM")
  if ok and not self.timed_out and not self.stopping then
    self.stopping = true
    self.deadline = sys.clock_gettime() + self.state.stop_timeout
    watch.arm(self)
  end
  return ok, err
end

-- control.lua has them; a refusal is nil and an error here.
for _, name in ipairs { "pause", "processes", "resume", "stats", "update" } do
  methods[name] = function(self, ...)
    if self.closed then
      return nil, failure(name, "the container has ended", sys.errno.ESRCH)
    elseif self.container then
      return nil, failure(name, "this is a program in a container: ask the container",
        sys.errno.EINVAL)
    end
    local value, message, errno, about = control[name](self.state, ...)
    return value, not value and errors.refusal(name, message, errno, about) or nil
  end
end

--- An fd for an event loop, as an object for `container.ppoll`. It can be read whenever `poll` has
-- something to do: the end, what the library reads and writes, such as captured output, and what is
-- due, such as the time limit, also of the programs of `exec` in it. It is valid until `close`, and
-- after the end it can always be read. A stream that is "pipe" has an fd of its own. epoll(7)
-- @return the fd; or nil and an error: EBADF after `close`, EMFILE
function methods:fd()
  if self.released then
    return nil, failure("fd", "the container is closed", sys.errno.EBADF)
  elseif self.owner ~= sys.getpid() then
    return nil, failure("fd", "the container is not this process's", sys.errno.ECHILD)
  end
  local fd, message, errno = watch.open(self)
  return fd, not fd and failure("fd", message, errno) or nil
end

--- The number of that fd, for event loops such as luv and cqueues. The object closes it.
-- @treturn int the number; or nil and an error
function methods:fileno()
  local fd, err = self:fd()
  return fd and fd:fileno(), err
end

return methods
