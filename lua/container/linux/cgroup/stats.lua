-- What a cgroup counts, by the files of either version, in one shape. cgroup-v2;
-- cgroup-v1/{cpuacct,memory,pids,blkio-controller}; accounting/psi.

local directory = require "container.linux.cgroup.directory"
local sys = require "container.sys"

local stats = {}

-- From here on a limit of version 1 is none.
local NO_LIMIT <const> = 1 << 60

local function text(entry, file)
  return entry and sys.read_file(entry.path .. "/" .. file)
end

local function number(entry, file)
  local value = math.tointeger(tonumber(text(entry, file) or ""))
  return value and value < NO_LIMIT and value or nil
end

--- Lines of a name and a number.
local function counters(entry, file)
  local found = {}
  for name, value in (text(entry, file) or ""):gmatch("([%w_]+) (%d+)") do
    found[name] = math.tointeger(value)
  end
  return found
end

--- How many forks of processes in this cgroup, and in those of exec processes below it, the limit
-- of processes refused. In version 1, and before Linux 6.12, a refusal is counted in the cgroup of
-- the process that asked.
-- @tparam table entry of the container's cgroup; its `refused` is of those that are gone
-- @treturn int; nil where the kernel does not count them
function stats.refused(entry)
  local count = counters(entry, "pids.events").max
  for _, path in ipairs(count and directory.leaves(entry.path) or {}) do
    count = count + (counters({ path = path }, "pids.events").max or 0)
  end
  return count and count + (entry.refused or 0)
end

local function seconds(count, unit)
  return count and count / unit
end

local function io_of(found, device)
  found[device] = found[device]
    or { read_bytes = 0, write_bytes = 0, read_operations = 0, write_operations = 0 }
  return found[device]
end

local readers = { {}, {} }

readers[1].cpu = function(homes)
  local used, slowed = homes.cpuacct, counters(homes.cpu, "cpu.stat")
  return {
    usage = seconds(number(used, "cpuacct.usage"), 1e9),
    user = seconds(number(used, "cpuacct.usage_user"), 1e9),
    system = seconds(number(used, "cpuacct.usage_sys"), 1e9),
    throttled = seconds(slowed.throttled_time, 1e9),
    periods = slowed.nr_periods, throttled_periods = slowed.nr_throttled,
  }
end

readers[2].cpu = function(homes)
  local found = counters(homes.pids, "cpu.stat")
  return {
    usage = seconds(found.usage_usec, 1e6),
    user = seconds(found.user_usec, 1e6),
    system = seconds(found.system_usec, 1e6),
    throttled = seconds(found.throttled_usec, 1e6),
    periods = found.nr_periods, throttled_periods = found.nr_throttled,
  }
end

readers[1].memory = function(homes)
  local entry = homes.memory
  local parts = counters(entry, "memory.stat")
  return {
    current = number(entry, "memory.usage_in_bytes"),
    peak = number(entry, "memory.max_usage_in_bytes"),
    limit = number(entry, "memory.limit_in_bytes"),
    oom_kills = counters(entry, "memory.oom_control").oom_kill,
    cache = parts.cache, anon = parts.rss, kernel = number(entry, "memory.kmem.usage_in_bytes"),
  }
end

readers[2].memory = function(homes)
  local entry = homes.memory
  local parts = counters(entry, "memory.stat")
  return {
    current = number(entry, "memory.current"),
    peak = number(entry, "memory.peak"),
    limit = number(entry, "memory.max"),
    oom_kills = counters(entry, "memory.events").oom_kill,
    cache = parts.file, anon = parts.anon, kernel = parts.kernel,
  }
end

readers[1].pids = function(homes)
  local entry = homes.pids
  return {
    current = number(entry, "pids.current"), peak = number(entry, "pids.peak"),
    limit = number(entry, "pids.max"), refused = stats.refused(entry),
  }
end

readers[2].pids = readers[1].pids

local SERVICE <const> = {
  ["blkio.throttle.io_service_bytes_recursive"] = { Read = "read_bytes", Write = "write_bytes" },
  ["blkio.throttle.io_serviced_recursive"] =
    { Read = "read_operations", Write = "write_operations" },
}

readers[1].io = function(homes)
  local found = {}
  for file, names in pairs(SERVICE) do
    for device, what, value in (text(homes.io, file) or ""):gmatch("(%d+:%d+) (%a+) (%d+)") do
      if names[what] then
        io_of(found, device)[names[what]] = math.tointeger(value)
      end
    end
  end
  return found
end

local IO_STAT <const> = { rbytes = "read_bytes", wbytes = "write_bytes",
  rios = "read_operations", wios = "write_operations" }

readers[2].io = function(homes)
  local found = {}
  for device, rest in (text(homes.io, "io.stat") or ""):gmatch("(%d+:%d+)([^\n]*)") do
    for name, value in rest:gmatch("(%a+)=(%d+)") do
      if IO_STAT[name] then
        io_of(found, device)[IO_STAT[name]] = math.tointeger(value)
      end
    end
  end
  return found
end

--- How much time something had to wait; nil where the kernel does not say.
local function pressure(entry, file)
  local found
  for kind, avg10, avg60, avg300, total in (text(entry, file) or ""):gmatch(
    "(%a+) avg10=([%d.]+) avg60=([%d.]+) avg300=([%d.]+) total=(%d+)") do
    found = found or {}
    found[kind] = { avg10 = tonumber(avg10), avg60 = tonumber(avg60), avg300 = tonumber(avg300),
      total = tonumber(total) / 1e6 }
  end
  return found
end

--- Reads everything that is counted.
-- @tparam table homes by controller { path, version }
-- @treturn table as `control.stats` describes it
function stats.read(homes)
  local found = {}
  for controller, of in pairs { cpu = homes.cpuacct or homes.cpu or homes.pids,
    memory = homes.memory, pids = homes.pids, io = homes.io } do
    local part = readers[of.version][controller](homes)
    found[controller] = next(part) and part or nil
  end
  if homes.pids and homes.pids.version == 2 then
    local waits = {}
    for _, what in ipairs { "cpu", "memory", "io" } do
      waits[what] = pressure(homes.pids, what .. ".pressure")
    end
    found.pressure = next(waits) and waits or nil
  end
  return found
end

--- The part that is about memory.
function stats.memory(entry)
  return readers[entry.version].memory { memory = entry }
end

return stats
