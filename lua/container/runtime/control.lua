-- What is done with a container that runs, through its cgroup: to pause it, to see what it uses, to
-- change what it may use. Functions of its context.

local attachment = require "container.engine.attachment"
local cgroup = require "container.linux.cgroup"
local places = require "container.linux.cgroup.places"
local sys = require "container.sys"
local update = require "container.config.update"
local freezer = require "container.linux.cgroup.freezer"
local processes = require "container.linux.cgroup.processes"
local stats = require "container.linux.cgroup.stats"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local control = {
  check_network = attachment.check,
  pause = freezer.pause,
  processes = processes.list,
  resume = freezer.resume,
}

local E <const> = sys.errno

--- What the container uses, in one shape for both versions. What is not counted is nil: with the
-- option `stats` all is, else what is limited.
--
--   * `cpu`: usage, user, system, throttled (seconds), periods, throttled_periods
--   * `memory`: current, peak, limit (bytes), oom_kills (processes), cache, anon, kernel (bytes)
--   * `pids`: current, peak, limit (processes), refused (how often there was no room for one)
--   * `io`: by device as "MAJOR:MINOR": read_bytes, write_bytes, read_operations, write_operations;
--     of version 1 before Linux 6.5 only for devices that are limited
--   * `network`, with the option `allow`: connections (now), accepted, refused (connections in
--     all), names, names_refused (questions for names), sent, received (bytes)
--   * `pressure`: cpu, memory and io, each with some and full: avg10, avg60, avg300 (percent of the
--     last seconds in which processes waited for it), total (seconds). Version 2 alone
--
-- @treturn table
function control.stats(ctx)
  local homes = {}
  for _, entry in ipairs(ctx.cgroup or {}) do
    for controller in pairs(entry.controllers) do
      homes[controller] = entry
    end
  end
  local found = stats.read(homes)
  if ctx.traffic then
    found.network = {}
    for name, count in pairs(ctx.traffic) do
      found.network[name] = count
    end
  end
  return found
end

--- The home that a controller is in; for a container that is in none one is made.
local function reach(ctx, controller)
  local entry = cgroup.home(ctx, controller)
  if entry then
    return entry
  end
  local place, version, errno = places.find(controller)
  local unified = cgroup.home(ctx, "pids")
  if version == 2 and unified and unified.version == 2 then
    -- Given to the cgroup above it, it is in this one too.
    local has = sys.read_file(unified.path .. "/cgroup.controllers") or ""
    if (" " .. has:gsub("\n", " ")):find(" " .. controller .. " ", 1, true) then
      unified.controllers[controller] = true
      ctx.memory_counted = ctx.memory_counted or controller == "memory"
      return unified
    end
    place, version, errno = nil, "its cgroup cannot be given this controller any more", E.EBUSY
  end
  if not place or version == 2 then
    return nil, ("cgroup controller %s: %s"):format(controller, not place and version
      or "the container has no cgroup of version 2"), errno or E.ENOENT
  end
  entry = { place = place, version = version, controllers = { [controller] = true } }
  local ok, message, number = processes.adopt(ctx, entry, controller == "cpuset" and function()
    v1.init_cpuset(entry.path, entry.place)
  end)
  if not ok then
    return nil, message, number
  end
  ctx.cgroup = ctx.cgroup or {}
  ctx.cgroup[#ctx.cgroup + 1] = entry
  ctx.memory_counted = ctx.memory_counted or controller == "memory"
  return entry
end

--- What to write to have a setting as it is now.
local function present(entry, setting)
  local text = sys.read_file(entry.path .. "/" .. setting.file)
  local device, rest = setting.value:match("^(%d+:%d+) (.*)$")
  if not text or not device then
    return text and text:gsub("\n$", "")
  end
  local line = ("\n" .. text):match("\n" .. device .. " ([^\n]*)") or ""
  local key = rest:match("^(%a+)=")
  if key then
    return ("%s %s=%s"):format(device, key, line:match(key .. "=(%w+)") or "max")
  end
  return ("%s %s"):format(device, line:match("^%d+") or "0")
end

--- Changes what the container may use while it runs: all of it or nothing.
-- @tparam table given options: pids memory memory_swap memory_reservation cpus cpu_weight
-- cpuset_cpus cpuset_mems io io_weight hugepages unified
-- @return true; or nil, message, errno, option
function control.update(ctx, given)
  local resources, implied = update.read(given)
  if not resources then
    return nil, ("%s: %s"):format(implied.field, implied.message), implied.errno, implied.field
  end
  local plan, of = {}, {}
  for _, setting in ipairs(v2.settings(resources)) do
    local entry, message, errno = reach(ctx, setting.controller)
    if not entry then
      return nil, ("%s: %s"):format(setting.option, message), errno, setting.option
    end
    local foreign = cgroup.is_foreign(setting, entry)
    if foreign then
      return nil, foreign, E.EOPNOTSUPP, setting.option
    elseif not of[entry] then
      of[entry] = {}
      plan[#plan + 1] = entry
    end
    if entry.version == 2 then
      table.insert(of[entry], setting)
    end
  end
  for _, setting in ipairs(v1.settings(resources)) do
    local entry = cgroup.home(ctx, setting.controller)
    if entry and entry.version == 1 then
      table.insert(of[entry], setting)
    end
  end
  local before = {}
  for _, entry in ipairs(plan) do
    local ok, message, errno, option = cgroup.write(entry, of[entry], implied,
      function(_, setting)
        before[#before + 1] = { file = entry.path .. "/" .. setting.file,
          value = present(entry, setting) }
      end)
    if not ok then
      for i = #before, 1, -1 do
        sys.write_file(before[i].file, before[i].value or "")
      end
      return nil, message, errno, option
    end
  end
  for part, value in pairs(resources) do
    ctx.config.linux.resources[part] = value
  end
  return true
end

--- How many processes were killed because there was no memory left under the limit; nil when memory
-- is not counted.
function control.oom(ctx)
  local entry = cgroup.home(ctx, "memory")
  return entry and stats.memory(entry).oom_kills
end

--- How many forks were refused for the limit of processes; nil when nothing counts them.
function control.refused(ctx)
  local entry = cgroup.home(ctx, "pids")
  return entry and stats.refused(entry)
end

--- How many processes there may be; nil for any number.
function control.limit(ctx)
  local most = (ctx.config.linux.resources.pids or {}).limit
  return most ~= -1 and most or nil
end

--- The most memory that all of it had at once, in bytes; nil when the kernel does not say.
function control.peak(ctx)
  local entry = cgroup.home(ctx, "memory")
  return entry and stats.memory(entry).peak
end

--- An fd that can be read when there is no memory left under the limit. memory.events of version 2
-- changes for other reasons too, so there `oom` has to be asked. cgroup-v2, cgroup-v1/memory
-- "OOM Control"
-- @return fd
-- @treturn bool whether that is all that it tells; or nil, message, errno
function control.watch(ctx)
  local entry = cgroup.home(ctx, "memory")
  if not entry then
    return nil, "memory is not limited", E.ENOENT
  elseif entry.version == 2 then
    local fd, message, errno = sys.inotify(entry.path .. "/memory.events")
    return fd, not fd and message, errno
  end
  local control_file <close>, message, errno = sys.open(entry.path .. "/memory.oom_control")
  if not control_file then
    return nil, message, errno
  end
  local fd, why, number = sys.eventfd()
  if not fd then
    return nil, why, number
  end
  local ok
  ok, message, errno = sys.write_file(entry.path .. "/cgroup.event_control",
    ("%d %d"):format(fd:fileno(), control_file:fileno()))
  return ok and fd, ok and true or message, errno
end

return control
