-- When and where the kernel runs the container's program, and as what: OCI's process.scheduler,
-- process.ioPriority, process.execCPUAffinity, linux.memoryPolicy and linux.personality. sched(7)

local errors = require "container.error"
local sys = require "container.sys"

local try <const> = errors.try

local schedule = {}

--- The numbers of a list such as 0-3,7.
-- @string text
-- @int most the highest there may be
-- @treturn table array of numbers; nil for what is no such list
function schedule.numbers(text, most)
  local list = {}
  for part in (text .. ","):gmatch("([^,]*),") do
    local first, last = part:match("^%s*(%d+)%-(%d+)%s*$")
    first = math.tointeger(tonumber(first or part:match("^%s*(%d+)%s*$")))
    last = last and math.tointeger(tonumber(last)) or first
    if not first or not last or first > last or last > most then
      return nil
    end
    for number = first, last do
      list[#list + 1] = number
    end
  end
  return list
end

-- The highest numbers that the kernel's masks have room for here.
schedule.CPU_MAX, schedule.NODE_MAX = 1023, 1023

local function short(word, prefix)
  return word:sub(#prefix + 1):lower()
end

local function words(list, prefix)
  local short_words = {}
  for i, word in ipairs(list or {}) do
    short_words[i] = short(word, prefix)
  end
  return table.concat(short_words, ",")
end

local function set_scheduler(wanted)
  return sys.sched_setattr(short(wanted.policy, "SCHED_"), wanted.nice, wanted.priority,
    words(wanted.flags, "SCHED_FLAG_"), wanted.runtime, wanted.deadline, wanted.period)
end

local function set_policy(wanted)
  local nodes = wanted.nodes and schedule.numbers(wanted.nodes, schedule.NODE_MAX)
  local ok, message, errno = sys.set_mempolicy(short(wanted.mode, "MPOL_"), nodes,
    words(wanted.flags, "MPOL_F_"))
  if errno == sys.errno.ENOSYS then
    message = "linux.memoryPolicy: this kernel has no NUMA"
  end
  return ok, message, errno
end

--- Runs in the child while it has the rights, and before the filter of system calls.
function schedule.child(ctx)
  local process, linux = ctx.config.process, ctx.config.linux
  if process.scheduler then
    try(set_scheduler(process.scheduler))
  end
  if process.ioPriority then
    try(sys.ioprio_set(short(process.ioPriority.class, "IOPRIO_CLASS_"),
      process.ioPriority.priority))
  end
  if linux.memoryPolicy then
    try(set_policy(linux.memoryPolicy))
  end
  if linux.personality then
    try(sys.personality(linux.personality.domain:lower()))
  end
  return true
end

local function affinity(ctx, moment)
  local wanted = ctx.config.process.execCPUAffinity
  local text = wanted and wanted[moment]
  if not text then
    return true
  end
  return sys.sched_setaffinity(schedule.numbers(text, schedule.CPU_MAX))
end

--- Of an exec process alone: where it runs before it joins the container's cgroup.
function schedule.initial(ctx)
  return affinity(ctx, "initial")
end

--- Where it runs from then on.
function schedule.final(ctx)
  return affinity(ctx, "final")
end

return schedule
