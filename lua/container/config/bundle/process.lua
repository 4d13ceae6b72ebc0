-- The program of a bundle, and with which rights it runs: process of config.json.
-- OCI runtime specification, config, "Process", "POSIX process" and "Linux process"

local check = require "container.check"
local errors = require "container.error"
local labels = require "container.linux.labels"
local schedule = require "container.linux.schedule"
local sys = require "container.sys"

local refuse, expect = check.refuse, check.expect

local process = {}

-- The names of limits as setrlimit(2) has them.
local RLIMIT <const> = "^RLIMIT_(%u+)$"

local SETS <const> = { "bounding", "effective", "permitted", "inheritable", "ambient" }

--- The names that this system knows; others cannot be granted, which the specification lets pass
-- with a warning.
local function known_capabilities(field, list)
  local names, seen = {}, {}
  for i, given in ipairs(list or {}) do
    local name = sys.capability_name(given)
    if not name then
      warn("lua-container: ", ("%s[%d]: unknown capability %s"):format(field, i - 1,
        errors.plain(given, 50)))
    elseif not seen[name] then
      seen[name], names[#names + 1] = true, name
    end
  end
  table.sort(names)
  return names
end

local function read_capabilities(config)
  local given = config.capabilities or {}
  config.capabilities = {}
  for _, set in ipairs(SETS) do
    config.capabilities[set] = known_capabilities("process.capabilities." .. set, given[set])
  end
end

local function read_rlimits(config)
  local known, seen = {}, {}
  for _, name in ipairs(sys.rlimit_names()) do
    known[name:upper()] = true
  end
  for i, one in ipairs(config.rlimits or {}) do
    local field = ("process.rlimits[%d]"):format(i - 1)
    expect(known[one.type:match(RLIMIT) or ""], field .. ".type", "a limit such as RLIMIT_NOFILE",
      one.type)
    if seen[one.type] then
      refuse(field, ("%s is there twice"):format(one.type))
    elseif math.ult(one.hard, one.soft) then
      refuse(field, "the soft limit is above the hard one")
    end
    seen[one.type] = true
  end
end

local function check_list(field, text, most)
  expect(not text or schedule.numbers(text, most), field, "a list such as 0-3,7", text)
end

--- What has to do with the kernel's scheduler and memory.
local function read_schedule(ctx)
  local config, linux = ctx.config.process, ctx.config.linux
  local wanted, affinity = config.scheduler, config.execCPUAffinity
  if wanted and wanted.priority and wanted.priority ~= 0 and wanted.policy ~= "SCHED_FIFO"
      and wanted.policy ~= "SCHED_RR" then
    refuse("process.scheduler.priority", "takes SCHED_FIFO or SCHED_RR")
  end
  for _, moment in ipairs { "initial", "final" } do
    check_list("process.execCPUAffinity." .. moment, affinity and affinity[moment],
      schedule.CPU_MAX)
  end
  if linux.memoryPolicy then
    check_list("linux.memoryPolicy.nodes", linux.memoryPolicy.nodes, schedule.NODE_MAX)
  end
  ctx.schedule = (wanted or config.ioPriority or affinity or linux.memoryPolicy
    or linux.personality) ~= nil
end

--- Labels are for a module of the kernel, which has to be there: without it they would protect
-- nothing.
local function read_labels(ctx)
  local config = ctx.config.process
  for _, field in ipairs { "apparmorProfile", "selinuxLabel" } do
    local there, name = labels.has(field)
    if config[field] and not there then
      refuse("process." .. field, ("this kernel has no %s, or it is off"):format(name))
    end
    ctx.labels = ctx.labels or config[field] ~= nil
  end
  if ctx.config.linux.mountLabel and not labels.has "selinuxLabel" then
    refuse("linux.mountLabel", "this kernel has no SELinux, or it is off")
  end
end

--- Reads it.
-- @tparam Context ctx
function process.read(ctx)
  local config = ctx.config.process
  if not config then
    refuse("process", "is missing")
  elseif not config.args or not config.args[1] then
    refuse("process.args", "is missing or empty")
  end
  config.env, config.user = config.env or {}, config.user or {}
  config.user.uid, config.user.gid = config.user.uid or 0, config.user.gid or 0
  for i, entry in ipairs(config.env) do
    expect(entry:find("=", 2, true), ("process.env[%d]"):format(i - 1), "NAME=value", entry)
    ctx.home_given = ctx.home_given or entry:sub(1, 5) == "HOME="
  end
  config.cwd = check.clean(config.cwd)
  read_capabilities(config)
  read_rlimits(config)
  if config.terminal then
    local size = config.consoleSize
    local given = size and (size.height or 0) > 0 and (size.width or 0) > 0
    ctx.terminal = { streams = { 0, 1, 2 }, size = given and size or nil }
  end
  read_schedule(ctx)
  read_labels(ctx)
end

return process
