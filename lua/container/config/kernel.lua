-- Options about what the kernel keeps for the container alone, and how it runs the program:
-- settings and names of its namespaces, its clocks, the scheduler. sysctl(8), time_namespaces(7),
-- sched(7)

local check = require "container.check"
local sysctl = require "container.linux.sysctl"

local refuse, expect, text, plain = check.refuse, check.expect, check.text, check.plain

local kernel = {}

local DOMAINNAME_MAX <const> = 64

function kernel.domainname(ctx, value)
  text("domainname", value, "a name of 1 to 64 bytes")
  ctx.config.domainname = expect(#value >= 1 and #value <= DOMAINNAME_MAX, "domainname",
    "a name of 1 to 64 bytes", value) and value
end

--- Settings that hold: those of the default give way to them.
function kernel.sysctl(ctx, value)
  ctx.sysctl_given = {}
  plain("sysctl", value)
  for _, name in ipairs(check.keys("sysctl", value, "names of settings")) do
    local field = ("sysctl[%s]"):format(check.shown(name))
    local setting = rawget(value, name)
    setting = check.integer(setting) or setting
    expect(type(setting) == "string" or math.type(setting) == "integer", field,
      "a string or an integer", setting)
    if not sysctl.namespace(name) then
      refuse(field, "is no setting of a namespace, so it would be the host's")
    end
    ctx.sysctl_given[sysctl.dotted(name)] = text(field, tostring(setting))
  end
end

-- The clocks that a time namespace has, and how far they may be from the host's.
local CLOCKS <const> = { monotonic = true, boottime = true }
local SECONDS_MAX <const> = 1 << 31

function kernel.time_offsets(ctx, value)
  local offsets = {}
  for clock, seconds in next, plain("time_offsets", value) do
    expect(CLOCKS[clock], "time_offsets", "monotonic or boottime", clock)
    local field = "time_offsets." .. clock
    seconds = type(seconds) == "string" and tonumber(seconds) or seconds
    expect(type(seconds) == "number" and math.abs(seconds) < SECONDS_MAX, field,
      "a number of seconds", seconds)
    local whole = seconds // 1 | 0
    offsets[clock] = { secs = whole, nanosecs = ((seconds - whole) * 1e9) // 1 | 0 }
  end
  if next(offsets) then
    ctx.config.linux.timeOffsets = offsets
    table.insert(ctx.config.linux.namespaces, { type = "time" })
  end
end

local POLICIES <const> = { other = true, batch = true, idle = true, fifo = true, rr = true }
local PRIORITIES <const> = { fifo = true, rr = true }

--- A word, or a word and a number behind a colon.
local function word_and_number(field, value, words, expected)
  text(field, value, expected)
  local word, number = value:match("^(%l+):?(%d*)$")
  expect(word and words[word] and value:sub(-1) ~= ":", field, expected, value)
  return word, number ~= "" and math.tointeger(tonumber(number)) or nil
end

local PRIORITY_MAX <const> = 99

function kernel.scheduler(ctx, value)
  local expected = "other, batch, idle, fifo:PRIORITY or rr:PRIORITY"
  local policy, priority = word_and_number("scheduler", value, POLICIES, expected)
  expect((priority ~= nil) == (PRIORITIES[policy] ~= nil)
    and (not priority or priority >= 1 and priority <= PRIORITY_MAX), "scheduler", expected, value)
  ctx.schedule = true
  ctx.config.process.scheduler = { policy = "SCHED_" .. policy:upper(), priority = priority }
end

local CLASSES <const> = { rt = true, be = true, idle = true }
local IO_PRIORITY_MAX <const> = 7

function kernel.io_priority(ctx, value)
  local expected = "rt:N, be:N or idle, with N from 0 to 7"
  local class, priority = word_and_number("io_priority", value, CLASSES, expected)
  expect((priority ~= nil) == (class ~= "idle") and (priority or 0) <= IO_PRIORITY_MAX,
    "io_priority", expected, value)
  ctx.schedule = true
  ctx.config.process.ioPriority =
    { class = "IOPRIO_CLASS_" .. class:upper(), priority = priority }
end

function kernel.personality(ctx, value)
  expect(value == "linux" or value == "linux32", "personality", "\"linux\" or \"linux32\"", value)
  ctx.schedule = true
  ctx.config.linux.personality = { domain = value:upper() }
end

--- What can only be said when all options are read: whose the settings are.
function kernel.finish(ctx)
  local linux, own = ctx.config.linux, {}
  for _, entry in ipairs(linux.namespaces) do
    own[entry.type] = true
  end
  local all = {}
  for name, setting in pairs(linux.sysctl or {}) do
    all[name] = setting
  end
  for name, setting in pairs(ctx.sysctl_given or {}) do
    local kind = sysctl.namespace(name)
    if not own[kind] then
      refuse(("sysctl[%s]"):format(check.shown(name)), ("is the host's, for the container has no "
        .. "%s namespace of its own"):format(kind))
    end
    all[name] = setting
  end
  if ctx.sysctl_given then
    linux.sysctl = all
  end
end

return kernel
