-- linux.resources and linux.devices of a bundle. OCI runtime specification, config-linux, "Control
-- groups" and "Devices"

local caller = require "container.linux.caller"
local check = require "container.check"
local sys = require "container.sys"

local refuse, expect = check.refuse, check.expect

local resources = {}

-- The nodes that every container has: config-linux, "Default Devices".
local DEFAULT <const> = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 }, { 5, 1 },
  { 5, 2 }, { 136 } }

local function read_rule(field, rule)
  if rule.access and not rule.access:find("^[rwm]+$") then
    refuse(field .. ".access", "expected some of rwm, got " .. check.shown(rule.access))
  end
  return {
    allow = rule.allow, type = rule.type or "a", access = rule.access or "rwm",
    major = rule.major ~= -1 and rule.major or nil, minor = rule.minor ~= -1 and rule.minor or nil,
  }
end

--- The rules of the device cgroup, and after them what every container may open; nodes may be made,
-- for what they are of cannot be opened. Without the host's root there are none.
local function read_rules(list)
  if not caller.is_root() then
    return nil
  end
  local rules = { { allow = false, type = "a", access = "rwm" } }
  for i, rule in ipairs(list or {}) do
    rules[#rules + 1] = read_rule(("linux.resources.devices[%d]"):format(i - 1), rule)
  end
  for _, kind in ipairs { "c", "b" } do
    rules[#rules + 1] = { allow = true, type = kind, access = "m" }
  end
  for _, numbers in ipairs(DEFAULT) do
    rules[#rules + 1] =
      { allow = true, type = "c", major = numbers[1], minor = numbers[2], access = "rwm" }
  end
  return rules
end

--- The host's own node of a device, which is bound where none can be made: by its path, or by what
-- the kernel calls it.
local function source_of(entry)
  local st = sys.stat(entry.path)
  if st and st.major == entry.major and st.minor == entry.minor then
    return entry.path
  end
  local about = sys.read_file(("/sys/dev/%s/%d:%d/uevent"):format(
    entry.type == "b" and "block" or "char", entry.major, entry.minor)) or ""
  local name = about:match("DEVNAME=([^\n]+)")
  return name and "/dev/" .. name or entry.path
end

local function read_devices(linux)
  for i, entry in ipairs(linux.devices or {}) do
    local field = ("linux.devices[%d]"):format(i - 1)
    entry.path = check.clean(entry.path)
    if (entry.path .. "/"):find("/../", 1, true) or entry.path == "/" then
      refuse(field .. ".path", "is no place for a device")
    elseif entry.type ~= "p" and not (entry.major and entry.minor) then
      refuse(field .. (entry.major and ".minor" or ".major"), "is missing")
    end
    entry.type = entry.type == "u" and "c" or entry.type
    entry.fileMode = (entry.fileMode or 0x1b6) & 0xfff -- 0666
    entry.source = entry.type ~= "p" and source_of(entry) or entry.path
  end
end

-- What says nothing where it is 0, as Go's JSON writes what is not set, or false.
local UNSET <const> = {
  memory = "limit swap reservation kernelTCP disableOOMKiller",
  cpu = "shares quota period realtimeRuntime realtimePeriod", blockIO = "weight",
}

local WEIGHT_MIN <const> = 10

local function read_weights(io)
  local function check_weight(field, of)
    if of.weight == 0 then
      of.weight = nil
    end
    expect(not of.weight or of.weight >= WEIGHT_MIN, field .. ".weight",
      "an integer from 10 to 1000", of.weight)
  end
  check_weight("linux.resources.blockIO", io)
  for i, entry in ipairs(io.weightDevice or {}) do
    check_weight(("linux.resources.blockIO.weightDevice[%d]"):format(i - 1), entry)
  end
end

--- The class of Intel's RDT: its name is one of a directory.
local function read_rdt(ctx, rdt)
  local id = rdt and rdt.closID
  expect(not id or id == "/" or not id:find("/", 1, true) and id ~= "." and id ~= "..",
    "linux.intelRdt.closID", "\"/\" or a name without a slash", id)
  expect(not rdt or not rdt.memBwSchema or rdt.memBwSchema:find("^MB:"),
    "linux.intelRdt.memBwSchema", "a line that begins with MB:", rdt and rdt.memBwSchema)
  if rdt and (rdt.enableCMT or rdt.enableMBM) then
    rdt.enableMonitoring = true -- as they were called before
  end
  ctx.rdt = rdt ~= nil
end

--- Reads all of them.
-- @tparam Context ctx
function resources.read(ctx)
  local linux = ctx.config.linux
  local given = linux.resources
  given.devices = read_rules(given.devices)
  read_devices(linux)
  read_rdt(ctx, linux.intelRdt)
  if given.pids and (given.pids.limit or 0) <= 0 then
    given.pids = given.pids.limit and { limit = -1 } or nil
  end
  for part, names in pairs(UNSET) do
    for name in names:gmatch("%S+") do
      local of = given[part]
      if of and (of[name] == 0 or of[name] == false) then
        of[name] = nil
      end
    end
  end
  if given.memory then
    given.memory.kernel = nil -- since 5.16 no kernel has it: the specification lets it pass
  end
  read_weights(given.blockIO or {})
  for i, page in ipairs(given.hugepageLimits or {}) do
    expect(page.pageSize:find("^%d+[KMGT]B$"), ("linux.resources.hugepageLimits[%d].pageSize")
      :format(i - 1), "a size such as 2MB", page.pageSize)
  end
  for name in pairs(given.unified or {}) do
    expect(name:find("^%l[%w_]*%.[%w._]+$"), ("linux.resources.unified[%s]"):format(
      check.shown(name)), "the name of a file of a controller", name)
  end
end

return resources
