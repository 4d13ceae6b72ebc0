-- The result of a container or of a program in it: how it ended, from what pid 1 tells, what the
-- kernel tells, and what its limits counted.

local control = require "container.runtime.control"
local process = require "container.linux.process"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local result = {}

-- What part of the time that a process was killed for it has used at least, as it is told: the one
-- is counted in ticks, the other is measured.
local PART <const> = 0.5

-- What a signal says about its sender, besides the program itself.
local REASONS <const> = { SYS = "seccomp", XCPU = "rlimit", XFSZ = "rlimit" }

-- Where no process is left that knows how it ended: there is no init, or it is not the one to tell.
local UNTOLD <const> = "how the program ended is not known: the host program ignores SIGCHLD, or "
  .. "has waited for it itself"

-- The status of an init that left because a call that it needs was refused. Another one is that of
-- the program, also where it could not be told.
local INIT_FAILED <const> = 125

--- How many processes were killed for want of memory in a container that a program is in, if that
-- is counted: not only of that program, but with it in what it shares.
function result.shared_oom(owner)
  if owner.closed then
    return owner.oom_kills
  end
  return owner.state.memory_counted and control.oom(owner.state) or nil
end

--- What its signal, or the limits that it ran into, say about the end of a program.
function result.reason(self, how, signal, cpu)
  if self.timed_out then
    return "timeout"
  elseif how == "exit" then
    return "exit"
  elseif signal == "KILL" and (self.oom_kills or 0) > 0 then
    return "oom"
  elseif signal == "KILL" and self.container and not self.killed
      and (result.shared_oom(self.container) or 0) > self.oom_before then
    return "oom"
  end
  -- Over the hard limit of processor time the kernel kills.
  local limit = not self.killed and self.state.cpu_limit
  if signal == "KILL" and limit and cpu.user + cpu.system >= limit * PART then
    return "rlimit"
  end
  return REASONS[signal] or "signal"
end

--- How it ended: as pid 1 tells it, else as the kernel does. Another part of the caller may have
-- taken the kernel's answer, or ignore SIGCHLD; then a pid 1 that said nothing was killed.
-- @treturn table; or nil, message, errno, step
function result.read(self)
  local ctx = self.state
  local taken = self.taken or table.pack(process.reap(ctx.pidfd, "usage"))
  local how, value, used = table.unpack(taken, 1, 3)
  local said, number, inside = sync.answer(ctx)
  if said == "failed" then
    return nil, sys.strerror(number) .. sync.NEEDS, number, "init"
  elseif said then
    how, value = said, number
  elseif ctx.init and (how == nil or how == "signal") then
    how, value = "signal", how and value or 9
  elseif ctx.init and value == INIT_FAILED then
    return nil, "it left and could not say why" .. sync.NEEDS, nil, "init"
  elseif not how then
    return nil, used == sys.errno.ECHILD and UNTOLD or value, used
  end
  if type(used) ~= "table" then
    used = inside or {}
  end
  return { how = how, value = value, memory = inside and inside.memory,
    cpu = { user = used.user or 0, system = used.system or 0 } }
end

--- Makes what `wait` answers, but for what is captured.
-- @tparam table last of `read`
-- @number wall seconds from the start of the program to its end
-- @tparam table counted memory_peak, and pids_refused, where a cgroup counts them
-- @treturn table
function result.make(self, last, wall, counted)
  local signal = last.how == "signal" and sys.signal_name(last.value) or nil
  return {
    reason = result.reason(self, last.how, signal, last.cpu),
    status = signal and 128 + last.value or last.value,
    signal = signal,
    wall = wall,
    cpu = last.cpu,
    memory_peak = counted.memory_peak or last.memory,
    oom_kills = self.oom_kills,
    pids_refused = counted.pids_refused,
    pids_limit = counted.pids_refused and control.limit(self.state),
    stats = self.last_stats,
    warnings = self.state.warnings or nil,
  }
end

return result
