-- Readers of the options that limit what a container uses, and their places in OCI's
-- linux.resources: config-linux, "Control groups".

local caller = require "container.linux.caller"
local check = require "container.check"
local sys = require "container.sys"

local refuse, expect, text = check.refuse, check.expect, check.text
local plain = check.plain

local resource = {}

local SIZE_MAX <const> = 1 << 60
local CPUS_MAX <const>, PERIOD <const> = 10000, 100000 -- microseconds
local SHARES_MIN <const>, SHARES_MAX <const> = 2, 1 << 18 -- sched_prio_to_weight
local WEIGHT_MIN <const>, WEIGHT_MAX <const> = 10, 1000
local UNLIMITED <const> = -1

local SIZE <const> = "a number of bytes, such as \"64M\""

local function integer(value, low, high)
  local number = check.integer(value)
  return number and number >= low and number <= high and number
end

--- Bytes, as a number or as docker writes them.
local function size(field, value)
  local bytes = integer(value, 1, SIZE_MAX)
  if type(value) == "string" then
    bytes = check.bytes(value)
    bytes = bytes and bytes > 0 and bytes
  end
  return expect(bytes, field, SIZE, value) and bytes
end

local function size_or_max(field, value)
  if value == "max" or value == UNLIMITED then -- docker's -1 is max
    return UNLIMITED
  end
  expect(type(value) == "number" or type(value) == "string", field, SIZE .. " or \"max\"", value)
  return size(field, value)
end

local function within(ctx, part)
  local resources = ctx.config.linux.resources
  resources[part] = resources[part] or {}
  return resources[part]
end

--- A list such as 0-2,7, as cpuset takes it. cpuset(7), "List format"
local function set(field, value)
  text(field, value, "a list such as 0-2,7")
  for piece in (value .. ","):gmatch("([^,]*),") do
    local low, high = piece:match("^(%d+)%-?(%d*)$")
    expect(low and #low <= 5 and #high <= 5 and (not piece:find("-", 1, true) or high ~= "")
      and (high == "" or tonumber(low) <= tonumber(high)), field, "a list such as 0-2,7", value)
  end
  return value
end

--- The device that a path of the host is.
local function device_of(field, path, kind)
  local st, message, errno = sys.stat(text(field, path, "the path of a device"))
  if not st then
    refuse(field, message, errno)
  end
  if st.type ~= kind and (kind or st.type ~= "char" and st.type ~= "block") then
    refuse(field, ("%s is no %sdevice"):format(path, kind and kind .. " " or ""))
  end
  return st
end

-- Rates of one device: our words and OCI's.
local RATES <const> = {
  read_bps = "throttleReadBpsDevice", write_bps = "throttleWriteBpsDevice",
  read_iops = "throttleReadIOPSDevice", write_iops = "throttleWriteIOPSDevice",
}

local function rate(field, word, value)
  if word:find("bps$") then
    return size(field, value)
  end
  local number = integer(value, 1, (1 << 32) - 1)
  return expect(number, field, "a positive integer", value) and number
end

local options = {}

function options.memory(ctx, value)
  within(ctx, "memory").limit = size_or_max("memory", value)
end

function options.memory_swap(ctx, value)
  within(ctx, "memory").swap = size_or_max("memory_swap", value)
end

function options.memory_reservation(ctx, value)
  within(ctx, "memory").reservation = size("memory_reservation", value)
end

function options.cpus(ctx, value)
  local quota = value == "max" and UNLIMITED
    or type(value) == "number" and value >= 0.01 and value <= CPUS_MAX
    and math.floor(value * PERIOD + 0.5)
  expect(quota, "cpus", "a number of processors, from 0.01", value)
  local cpu = within(ctx, "cpu")
  cpu.quota, cpu.period = quota, PERIOD
end

function options.cpu_weight(ctx, value)
  local shares = integer(value, SHARES_MIN, SHARES_MAX)
  expect(shares, "cpu_weight", ("an integer from %d to %d, where 1024 is as much as others have")
    :format(SHARES_MIN, SHARES_MAX), value)
  within(ctx, "cpu").shares = shares
end

function options.cpuset_cpus(ctx, value)
  within(ctx, "cpu").cpus = set("cpuset_cpus", value)
end

function options.cpuset_mems(ctx, value)
  within(ctx, "cpu").mems = set("cpuset_mems", value)
end

function options.io(ctx, value)
  for path, rates in next, plain("io", value) do
    local field = ("io[%s]"):format(check.shown(path))
    for word, number in next, plain(field, rates) do
      expect(RATES[word], field, "read_bps, write_bps, read_iops or write_iops", word)
      local at = field .. "." .. word
      local st = device_of(at, path, "block")
      local io = within(ctx, "blockIO")
      local list = io[RATES[word]] or {}
      io[RATES[word]] = list
      list[#list + 1] = { major = st.major, minor = st.minor, rate = rate(at, word, number) }
    end
  end
end

function options.io_weight(ctx, value)
  local weight = integer(value, WEIGHT_MIN, WEIGHT_MAX)
  expect(weight, "io_weight", ("an integer from %d to %d"):format(WEIGHT_MIN, WEIGHT_MAX), value)
  within(ctx, "blockIO").weight = weight
end

function options.hugepages(ctx, value)
  local list = {}
  for page, limit in next, plain("hugepages", value) do
    local field = ("hugepages[%s]"):format(check.shown(page))
    expect(type(page) == "string" and page:find("^%d+[KMG]B$"), "hugepages",
      "sizes of pages as the kernel writes them, such as \"2MB\"", page)
    list[#list + 1] = { pageSize = page, limit = limit == 0 and 0 or size(field, limit) }
  end
  table.sort(list, function(a, b) return a.pageSize < b.pageSize end)
  ctx.config.linux.resources.hugepageLimits = list
end

function options.unified(ctx, value)
  for key, setting in next, plain("unified", value) do
    expect(type(key) == "string" and key:find("^%l+%.[%w._]+$") and not key:find("^cgroup%."),
      "unified", "files of a controller, such as memory.high", key)
    local field = ("unified[%s]"):format(check.shown(key))
    setting = check.integer(setting) or setting
    expect(type(setting) == "string" or math.type(setting) == "integer", field,
      "a string or an integer", setting)
    within(ctx, "unified")[key] = text(field, tostring(setting))
  end
end

--- A device of the host's, as docker writes it: SOURCE[:DESTINATION][:rwm].
local function read_device(ctx, field, value)
  text(field, value, "SOURCE[:DESTINATION][:rwm]")
  local source, destination, access = value:match("^(/[^:]*):?(/?[^:]*):?([rwm]*)$")
  if destination and destination:find("^[rwm]+$") and access == "" then
    destination, access = "", destination
  end
  expect(source and value:sub(-1) ~= ":", field, "SOURCE[:DESTINATION][:rwm]", value)
  destination = destination ~= "" and destination or source
  access = access ~= "" and access or "rwm"
  expect(destination:find("^/dev/[^/]") and not (destination .. "/"):find("/%.?%.?/"), field,
    "a place beneath /dev", destination)
  if not caller.is_root() and (not access:find("r") or not access:find("w")) then
    refuse(field, "without the host's root the access to a device cannot be limited: expected "
      .. "rw or rwm")
  end
  local st = device_of(field, source)
  local linux, kind = ctx.config.linux, st.type == "char" and "c" or "b"
  linux.devices = linux.devices or {}
  table.insert(linux.devices, { path = destination, source = source, type = kind,
    major = st.major, minor = st.minor, fileMode = st.mode & 0x1ff })
  return { allow = true, type = kind, major = st.major, minor = st.minor, access = access }
end

function options.devices(ctx, value)
  ctx.devices = {}
  for i = 1, check.array("devices", value) do
    ctx.devices[i] = read_device(ctx, ("devices[%d]"):format(i), rawget(value, i))
  end
end

function options.oom_score_adj(ctx, value)
  local score = integer(value, -1000, 1000)
  ctx.config.process.oomScoreAdj = expect(score, "oom_score_adj", "an integer from -1000 to 1000",
    value) and score
end

function options.stats(ctx, value)
  ctx.stats = check.switch("stats", value)
end

--- Reads one option.
-- @tparam Context ctx what spec.lua makes
-- @param value
-- @string name
function resource.read(ctx, value, name)
  ctx.resource = true
  options[name](ctx, value)
end

--- What can only be said when all options are read.
function resource.finish(ctx)
  local memory = ctx.config.linux.resources.memory or {}
  local limit, swap, low = memory.limit, memory.swap, memory.reservation
  if limit and not swap then
    -- As docker has it: as much again. A kernel may have no swap to count.
    memory.swap = limit == UNLIMITED and UNLIMITED or math.min(2 * limit, SIZE_MAX)
    ctx.implied = "memory_swap"
  end
  if swap and swap ~= UNLIMITED then
    if not limit or limit == UNLIMITED then
      refuse("memory_swap", "memory and swap together are limited, and memory is not")
    elseif swap < limit then
      refuse("memory_swap", "memory and swap together are less than memory")
    end
  end
  if low and limit and limit ~= UNLIMITED and low > limit then
    refuse("memory_reservation", "more than memory")
  end
end

-- Those of every container: null zero full random urandom tty console ptmx pts.
local DEFAULT_DEVICES <const> = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 },
  { 5, 1 }, { 5, 2 }, { 136 } }

--- Closes all devices but those of every container and those that were asked for, also as volumes.
-- Needed where root can make nodes. Only root can close devices in version 2.
function resource.close_devices(ctx)
  if not caller.is_root() or ctx.privileged then
    return
  end
  local rules = { { allow = false, type = "a", access = "rwm" } }
  for _, numbers in ipairs(DEFAULT_DEVICES) do
    rules[#rules + 1] =
      { allow = true, type = "c", major = numbers[1], minor = numbers[2], access = "rwm" }
  end
  table.move(ctx.devices or {}, 1, #(ctx.devices or {}), #rules + 1, rules)
  for _, entry in ipairs(ctx.volumes or {}) do
    local st = sys.stat(entry.source)
    if st and st.major then
      rules[#rules + 1] = { allow = true, type = st.type == "char" and "c" or "b",
        major = st.major, minor = st.minor, access = "rw" }
    end
  end
  ctx.config.linux.resources.devices = rules
end

return resource
