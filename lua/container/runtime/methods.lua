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

--- Serves the container without waiting: reads and writes its streams, keeps its time limits, and
-- passes its outgoing connections on. A program with an event loop calls it when `fileno()` is
-- readable. It closes no fd that the loop watches.
-- @return the result when the container has ended (true for `spawn_call`); false while it runs; or
-- nil and an error
function methods:poll()
  return self:wait(0, true)
end

--- Waits for the container's end. It serves the container meanwhile, as `poll` does.
-- @number[opt] seconds the longest time to wait; without it there is no limit
-- @treturn table result:
--
--   * `reason` "exit", "signal", "timeout", "rlimit", "oom" (killed at the memory limit) or
--     "seccomp" (killed by the filter)
--   * `status` the exit status, or 128 and the number of the signal
--   * `signal` the name of the signal, such as "KILL"
--   * `wall` seconds from the start of the program to its end
--   * `cpu` { user, system } in seconds, of all processes
--   * `memory_peak` bytes: the peak of the whole container where its memory is counted, else of its
--     largest process; nil without an init
--   * `oom_kills` how many processes the memory limit killed, where memory is counted
--   * `pids_refused` how many forks the limit of processes refused; nil without a cgroup, where the
--     kernel does not count them, and for a process of `exec`
--   * `pids_limit` the limit of processes, where refusals are counted
--   * `stats` with the option `stats`, the last value of `stats()`
--   * `warnings` array of errors of hooks of poststart and poststop; nil when there are none
--   * `stdout`, `stderr` captured output, at most `output_limit` bytes, and `stdout_size`,
--     `stderr_size`, the number of bytes that the container wrote
--
-- or nil and an error: ETIMEDOUT while the container runs. A second call returns the same table.
-- For `spawn_call` it returns what `call` would return. wait(2)
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

--- Tells when `poll` has to be called at the latest.
-- @treturn number seconds from now; nil when nothing is due
function methods:due_in()
  return self.deadline and math.max(self.deadline - sys.clock_gettime(), 0)
end

--- Sends a signal to the program, through its init. INT, QUIT, TSTP and CONT go to its process
-- group, as a terminal's keys do; TSTP stops it. pidfd_send_signal(2)
--
-- For a process of `exec`, TERM and KILL, as its `timeout` and `close`, end everything that came
-- from it. What TERM does not end is killed when the process has ended. Where the container has a
-- cgroup, the process has one of its own below it, and all in that is killed. Without a cgroup
-- these are its descendants and its session: a daemon that has left both before, by forking twice
-- around setsid(2), runs until the container ends.
-- @param signal a name such as "TERM", "SIGTERM" or "term", or a number; KILL ends the whole
-- container
-- @return true; or nil and an error: ESRCH when the container has ended, EINVAL
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

--- Asks the program to end. After `stop_timeout` seconds the whole container is killed. It does
-- not wait: `wait` returns the result.
-- @param[opt="TERM"] signal as of `kill`; 0 for none, where the program knows already
-- @return true; or nil and an error
function methods:stop(signal)
  local ok, err = self:kill(signal or "TERM")
  if ok and not self.timed_out and not self.stopping then
    self.stopping = true
    self.deadline = sys.clock_gettime() + self.state.stop_timeout
    watch.arm(self)
  end
  return ok, err
end

--- Freezes all processes of the container. Requires a freezer: cgroup version 1 or 2.
-- @function pause
-- @return true; or nil and an error

--- Thaws all processes of the container.
-- @function resume
-- @return true; or nil and an error

--- Lists the processes of the container.
-- @function processes
-- @treturn table array of pids, as the caller sees them; or nil and an error

--- Tells what the container uses: docs/limits.md has the fields. What is not counted is nil; with
-- the option `stats` everything is counted.
-- @function stats
-- @treturn table cpu, memory, pids, io and pressure; or nil and an error

--- Sets new limits while the container runs. It sets all of them or none.
-- @function update
-- @tparam table options of the options of `spawn`: pids memory memory_swap memory_reservation cpus
-- cpu_weight cpuset_cpus cpuset_mems io io_weight hugepages unified
-- @return true; or nil and an error that names the option

--- Tells which ports of the container are reached from the host.
-- @treturn table array of { address, host_port, port }, in the order of the option `publish`
function methods:ports()
  local list = {}
  for i, entry in ipairs(self.state.published or {}) do
    list[i] = { address = entry.address, host_port = entry.host_port, port = entry.port }
  end
  return list
end

--- Has the plugins of CNI check that the container is attached to its network as they left it.
-- @function check_network
-- @return true; or nil and an error: EINVAL for another kind of network

-- control.lua has these six.
for _, name in ipairs { "check_network", "pause", "processes", "resume", "stats", "update" } do
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

--- Gives an fd for an event loop, as an object for `container.ppoll`. It is readable whenever
-- `poll` has something to do: the end, streams that the library reads and writes, time limits,
-- outgoing connections, and all of these for the processes of `exec` in the container. It is valid
-- until `close`. After the end it stays readable. A stream that is "pipe" has an fd of its own.
-- epoll(7)
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

--- Gives the number of that fd, for event loops such as luv and cqueues. The object closes it.
-- @treturn int the number; or nil and an error
function methods:fileno()
  local fd, err = self:fd()
  return fd and fd:fileno(), err
end

return methods
