-- What the event loop does with a container, or a program in one: it ends it when its time is up,
-- waits for it, and makes the result. The caller does not see these functions.

local control = require "container.runtime.control"
local result = require "container.runtime.result"
local errors = require "container.error"
local leaf = require "container.linux.cgroup.leaf"
local loop = require "container.runtime.loop"
local process = require "container.linux.process"
local process_tree = require "container.linux.process_tree"
local sync = require "container.engine.sync"
local sys = require "container.sys"
local watch = require "container.runtime.watch"

local attended = {}

-- How long an init that was told to end everything has for it before it is killed itself.
local TIMEOUT <const> = 1

-- After how many seconds nothing waits any longer for a process that has ended and is traced.
local GIVEN_UP <const> = 5

local KILL <const>, TERM <const> = 9, 15

-- INT, QUIT, TSTP and CONT, which are for a process group, and what its processes get for them: a
-- stop is one that is not asked, for nothing has this group as a job.
local GROUP <const> = { [2] = "INT", [3] = "QUIT", [20] = "STOP", [18] = "CONT" }

--- Kills all that came from an exec process, which has not been waited for.
local function kill_tree(self)
  if self.tree and not self.container.closed then
    if self.state.leaf then
      leaf.kill(self.state)
    else
      process_tree.kill(self.tree)
    end
  end
end

--- Kills all of it, at once.
function attended:kill_now()
  kill_tree(self)
  sys.pidfd_send_signal(self.state.pidfd, "KILL")
  local state = self.container and self.container.state or self.state
  if state.paused then
    control.resume(state) -- what stands still does not die in version 1
  end
end

--- Ends the container because of something in the host program, which `wait` then tells.
function attended:fail(step, message)
  self.trouble = self.trouble or errors.new(step, message)
  if not self.closed then
    self:kill_now()
  end
end

--- A process of the container does not let go of one that it traces: ends all of the container.
function attended:end_tracer()
  local owner = self.container or self
  owner:fail("wait",
    "a process of the container traces one that has ended, and does not let it go")
end

--- Called when its pidfd says that it has ended: waits for it, without blocking. A process in the
-- container may trace one that has ended and never let it go: then the container is killed.
-- @return false while it cannot be waited for
function attended:reap(now)
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
    self:end_tracer()
  end
  return self.taken ~= nil
end

--- Called when it has ended and its streams are read: makes the result.
function attended:ended()
  local wall = sys.clock_gettime() - self.started
  local last, message, errno, step = result.read(self)
  local counted = {}
  if self.state.memory_counted then
    self.oom_kills, counted.memory_peak = control.oom(self.state), control.peak(self.state)
  end
  counted.pids_refused = not self.container and control.refused(self.state) or nil
  if self.state.stats then
    self.last_stats = control.stats(self.state)
  end
  self.closed = true -- before a hook does something with it
  watch.ended(self)
  self.state.undo:run()
  if self.trouble then
    return
  elseif not last then
    self.trouble = errors.new(step or "wait", message, errno)
    return
  end
  self.result = result.make(self, last, wall, counted)
  for _, source in ipairs(self.captured) do
    self.result[source.name], self.result[source.name .. "_size"] = source.finish()
  end
  -- A killed process may have ended before the kernel's word of it was read.
  if not self.oom_told and (self.oom_kills or 0) > 0 then
    loop.event(self, "oom")
  end
  loop.event(self, "exit", self.result)
end

--- Sends TERM. What came from an exec process is remembered, to be killed at its end.
-- @return true; or nil, message, errno
function attended:ask_to_end()
  if self.tree then
    self.asked = true
    process_tree.note(self.tree)
  end
  return sys.pidfd_send_signal(self.state.pidfd, TERM)
end

--- Sends a signal, as `kill` says.
-- @return true; or nil, message, errno
function attended:send(number)
  if self.tree and GROUP[number] and not self.held then
    return sys.killpg(self.pid, GROUP[number]) -- which it leads
  elseif number == TERM then
    return self:ask_to_end()
  elseif number == KILL then
    kill_tree(self)
  end
  return sys.pidfd_send_signal(self.state.pidfd, number)
end

--- Called when its time is up: asks it to end, then has its init end everything, then kills.
function attended:due(now)
  if not self.timed_out and not self.stopping then
    self.timed_out = true
    self.deadline = now + self.state.stop_timeout
    self:ask_to_end()
    loop.event(self, "timeout")
  elseif self.state.init and not self.hung_up then
    self.hung_up, self.killed = true, self.killed or self.stopping
    self.deadline = now + TIMEOUT
    sync.hang_up(self.state)
  else
    self.deadline = nil
    self:kill_now()
  end
end

return attended
