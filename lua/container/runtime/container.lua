-- A container that runs, as the host program holds it: what `container.spawn` gives back.

local call = require "container.engine.call"
local errors = require "container.error"
local ending = require "container.runtime.ending"
local handle = require "container.runtime.handle"
local pipe = require "container.runtime.pipe"
local signals = require "container.linux.signals"
local streams = require "container.engine.streams"
local sys = require "container.sys"
local loop = require "container.runtime.loop"
local sync = require "container.engine.sync"
local control = require "container.runtime.control"
local process = require "container.linux.process"
local process_tree = require "container.linux.process_tree"
local watch = require "container.runtime.watch"

local object = {}

-- How long an init that was told to end everything has for it before it is killed itself.
local TIMEOUT <const> = 1

-- After how many seconds nothing waits any longer for a process that has ended and is traced.
local GIVEN_UP <const> = 5

local KILL <const>, TERM <const> = 9, 15

-- INT, QUIT, TSTP and CONT, which are for a process group, and what its processes get for them: a
-- stop is one that is not asked, for nothing has this group as a job.
local GROUP <const> = { [2] = "INT", [3] = "QUIT", [20] = "STOP", [18] = "CONT" }

-- What a caller may do with it; and what the event loop does, which the caller does not see.
local methods, inner = {}, {}

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

--- Kills all that came from an exec process, which has not been waited for.
local function kill_tree(self)
  if self.tree and not self.container.closed then
    process_tree.kill(self.tree)
  end
end

local function kill(self)
  kill_tree(self)
  sys.pidfd_send_signal(self.state.pidfd, "KILL")
  local state = self.container and self.container.state or self.state
  if state.paused then
    control.resume(state) -- what stands still does not die in version 1
  end
end

--- Ends the container because of something in the host program, which `wait` then tells.
function inner:fail(step, message)
  self.trouble = self.trouble or failure(step, message)
  if not self.closed then
    kill(self)
  end
end

--- A process of the container does not let go of one that it traces: ends all of the container.
local function end_tracer(self)
  local owner = self.container or self
  owner:fail("wait",
    "a process of the container traces one that has ended, and does not let it go")
end

--- Called when its pidfd says that it has ended: waits for it, without blocking. A process in the
-- container may trace one that has ended and never let it go: then the container is killed.
-- @return false while it cannot be waited for
function inner:reap(now)
  if self.taken then
    return true
  elseif (self.asked or self.killed) and not self.held then
    kill_tree(self) -- what its end has left
  end
  local taken = table.pack(sys.wait(self.state.pidfd, "nohang,usage"))
  self.held = self.held or now
  if taken[1] ~= "running" then
    self.taken = taken
  elseif now - self.held > GIVEN_UP then
    self.taken = table.pack(nil, "wait: another process traces it", sys.errno.ETIMEDOUT)
  elseif now - self.held > process.HELD and not self.tracer_ended then
    self.tracer_ended = true
    end_tracer(self)
  end
  return self.taken ~= nil
end

--- Called when it has ended and its streams are read: makes the result.
function inner:ended()
  local wall = sys.clock_gettime() - self.started
  local last, message, errno, step = ending.read(self)
  local memory_peak
  if self.state.memory_counted then
    self.oom_kills, memory_peak = control.oom(self.state), control.peak(self.state)
  end
  local refused = not self.container and control.refused(self.state) or nil
  if self.state.stats then
    self.last_stats = control.stats(self.state)
  end
  self.closed = true -- whatever a hook does with it
  watch.ended(self)
  self.state.undo:run()
  if self.trouble then
    return
  elseif not last then
    self.trouble = failure(step or "wait", message, errno)
    return
  end
  local signal = last.how == "signal" and sys.signal_name(last.value) or nil
  self.result = {
    reason = ending.reason(self, last.how, signal, last.cpu),
    status = signal and 128 + last.value or last.value,
    signal = signal,
    wall = wall,
    cpu = last.cpu,
    memory_peak = memory_peak or last.memory,
    oom_kills = self.oom_kills,
    pids_refused = refused,
    pids_limit = refused and control.limit(self.state),
    stats = self.last_stats,
    warnings = self.state.warnings or nil,
  }
  for _, source in ipairs(self.captured) do
    self.result[source.name], self.result[source.name .. "_size"] = source.finish()
  end
  -- Whoever is killed may have ended before the kernel's word of it was read.
  if not self.oom_told and (self.oom_kills or 0) > 0 then
    loop.event(self, "oom")
  end
  loop.event(self, "exit", self.result)
end

--- Sends TERM. What came from an exec process is remembered, to be killed at its end.
-- @return true; or nil, message, errno
function inner:ask_to_end()
  if self.tree then
    self.asked = true
    process_tree.note(self.tree)
  end
  return sys.pidfd_send_signal(self.state.pidfd, TERM)
end

--- Sends a signal, as `kill` says.
-- @return true; or nil, message, errno
local function send(self, number)
  if self.tree and GROUP[number] and not self.held then
    return sys.killpg(self.pid, GROUP[number]) -- which it leads
  elseif number == TERM then
    return inner.ask_to_end(self)
  elseif number == KILL then
    kill_tree(self)
  end
  return sys.pidfd_send_signal(self.state.pidfd, number)
end

--- Called when its time is up: asks it to end, then has its init end everything, then kills.
function inner:due(now)
  if not self.timed_out and not self.stopping then
    self.timed_out = true
    self.deadline = now + self.state.grace
    self:ask_to_end()
    loop.event(self, "timeout")
  elseif self.state.init and not self.hung_up then
    self.hung_up, self.killed = true, self.killed or self.stopping
    self.deadline = now + TIMEOUT
    sync.hang_up(self.state)
  else
    self.deadline = nil
    kill(self)
  end
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
    return nil, failure("wait", "somebody waits for this container already",
      sys.errno.EBUSY)
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
  local ok, message, errno = send(self, number)
  if number == KILL then
    self.killed = true
    if ok then
      kill(self)
    end
  end
  return ok, not ok and failure("kill", message, errno) or nil
end

--- Asks the program to end, with TERM; after `grace` seconds all of the container is killed. It
-- does not wait: `wait` tells the end.
-- @return true; or nil and an error
function methods:stop()
  local ok, err = self:kill("TERM")
  if ok and not self.timed_out and not self.stopping then
    self.stopping = true
    self.deadline = sys.clock_gettime() + self.state.grace
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

--- Calls `on.oom` when there is no memory left under the limit.
local function oom_source(self)
  local fd, sure = control.watch(self.state)
  if not fd then
    return nil, sure
  end
  local seen = 0
  return { fd = fd, name = "on.oom", event = true, take = function()
    local kills = control.oom(self.state) or 0
    if sure or kills > seen then
      seen = kills
      self.oom_told = true
      loop.event(self, "oom")
    end
  end }
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

-- Those that live on though nobody holds their objects.
local detached = {}

--- Lets the container live on when nobody holds this object any more. It still ends with this
-- process.
-- @return the object
function methods:detach()
  detached[self] = true
  return self
end

--- Takes note of the detached ones that have ended. Their functions may detach others meanwhile.
function object.reap()
  local list = {}
  for self in pairs(detached) do
    list[#list + 1] = self
  end
  for _, self in ipairs(list) do
    if not self.attended and (self.closed or self:poll() ~= false) then
      detached[self] = nil
    end
  end
end

--- The container is being killed, and the kernel waits for us to wait for these. Nothing of the
-- caller's is called here, for it may be the collector that closes.
local function end_joined(self)
  for program in pairs(self.joined or {}) do
    detached[program] = nil
    if not program.closed then
      program.on = nil
      kill(program)
      program:ended()
    end
  end
end

--- Ends the container if it still runs, waits for its end, and takes away what was made for it.
-- Does nothing a second time, nor in a copy of the process, such as a child of container.clone,
-- whose container it is not.
function methods:close()
  detached[self] = nil
  if self.owner ~= sys.getpid() then
    return
  elseif self.tty then
    self.tty:close()
  end
  self.released = true
  if self.closed then
    watch.close(self)
    return
  end
  self.closed = true
  self.trouble = self.trouble
    or failure("wait", "the container was closed", sys.errno.ECHILD)
  if sys.wait(self.state.pidfd, "nohang") == "running" then
    kill(self)
    end_joined(self)
    process.reap(self.state.pidfd, nil, self.container and function() end_tracer(self) end)
  end
  watch.close(self)
  self.state.undo:run()
end

setmetatable(inner, { __index = methods })

local class = handle.class("container", methods, {
  __name = "container",
  __close = methods.close,
  __gc = methods.close,
  __tostring = function(self)
    return ("container (%d)"):format(self.pid)
  end,
})

-- The inner table of what a caller holds, or nil.
object.of = class.of

--- Adds a method.
-- @string name
-- @func fn of the inner table
function object.method(name, fn)
  methods[name] = fn
  class.expose(name, fn)
end

local metatable = { __index = inner }

--- Makes the object of a container that runs, or of a program in one.
-- @tparam Context ctx what run.start gave, or join.start
-- @tparam[opt] table owner the object of the container that the program is in; it lives as long
-- @treturn table the inner table; its `handle` is for the caller
function object.new(ctx, owner)
  local self = setmetatable({
    pid = ctx.pid, name = ctx.name or nil, owner = sys.getpid(), state = ctx,
    closed = false, started = ctx.started or sys.clock_gettime(), sources = {}, captured = {},
    on = ctx.on or nil,
  }, metatable)
  local fields = { pid = ctx.pid, name = ctx.name or nil, container = owner and owner.handle }
  -- From here on the container ends with what the caller holds.
  self.handle = class.new(self, fields)
  self.deadline = ctx.timeout and self.started + ctx.timeout or nil
  if owner then
    self.container = owner
    self.tree = process_tree.new(ctx)
    self.oom_before = ending.shared_oom(owner) or 0
    -- By weak keys: a program that nobody holds ends as a container does.
    owner.joined = owner.joined or setmetatable({}, { __mode = "k" })
    owner.joined[self] = true
  end
  if ctx.tty then
    self.tty = pipe.new(ctx.tty, "tty", self, turn)
    fields.tty = self.tty
  end
  if ctx.stream then
    self.sources = streams.sources(ctx)
    for _, source in ipairs(self.sources) do
      self.captured[#self.captured + 1] = source.finish and source or nil
    end
    for name, fd in pairs(streams.pipes(ctx)) do
      fields[name] = pipe.new(fd, name, self, turn)
    end
    ctx.stream = false -- which has served
  end
  if ctx.on and ctx.on.oom and ctx.memory_counted then
    local source, message = oom_source(self)
    if source then
      table.insert(self.sources, 1, source)
    else
      self:fail("on.oom", message)
    end
  end
  if owner and owner.watch then
    local ok, message = watch.join(owner, self)
    if not ok then
      self:fail("fd", message)
    end
  end
  return self
end

return object
