-- Where the cgroup of a container can be made: which controllers it takes, in which hierarchies,
-- and what holds the limit of processes where there is no cgroup. cgroups(7)

local sys = require "container.sys"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local places = {}

-- RLIMIT_NPROC is counted for a user namespace, not for the user, from here on.
local NPROC_MAJOR <const>, NPROC_MINOR <const> = 5, 14
-- What counts without limiting, for `stats`; in version 2 cpuacct is part of all.
local COUNTERS <const> = { "cpuacct", "memory", "io" }

local NOWHERE <const> = "cgroup controller %s: /proc/self/mountinfo and /proc/self/cgroup show no "
  .. "cgroup, from the caller's own upwards, that can give it to a child, so %s"
places.NO_PIDS = "the limit of processes cannot hold; pids = \"max\" asks for none"

--- Whether the limit of processes can be held by the child itself, in its new user namespace.
function places.fall_back(ctx, message, errno)
  if not ctx.user_namespace then
    return nil, message, errno
  elseif ctx.userns then
    return nil, message .. "; without a cgroup a limit would hold for each id by itself, and here "
      .. "are many: pids = \"max\" asks for none", errno
  end
  local major, minor = sys.uname().release:match("^(%d+)%.(%d+)")
  major, minor = tonumber(major) or 0, tonumber(minor) or 0
  if major < NPROC_MAJOR or major == NPROC_MAJOR and minor < NPROC_MINOR then
    return nil, message .. "; without a cgroup of your own a limit of processes takes Linux 5.14 "
      .. "or later, or none asked for: pids = \"max\"", errno
  end
  ctx.nproc = ctx.config.linux.resources.pids.limit
  return true
end

--- Where a cgroup with a controller can be made, and in which version.
function places.find(controller)
  local place, version, errno
  local old = v1.names[controller]
  if old then
    place, version, errno = sys.cgroup_place(old)
  end
  if not place then
    place, version, errno = sys.cgroup_place(controller)
  end
  if not place and controller == "devices" then
    -- In version 2 every cgroup can have them; and in one with pids the container is anyway.
    place, version, errno = sys.cgroup_place("pids")
    if version == 1 then
      place, version, errno = nil, nil, sys.errno.ENOENT
    end
  end
  return place, version, errno
end

--- Whether a setting says that there is no limit.
function places.no_limit(setting)
  return setting.value == "max" or setting.value == "max 100000" or setting.value == "-1"
end

--- What is asked for: controllers in an order, each with the option that asked first.
local function asked(ctx, settings)
  local order = {}
  local function add(controller, option)
    if not order[controller] then
      order[#order + 1] = controller
      order[controller] = { option = option }
    end
  end
  for _, setting in ipairs(settings) do
    add(setting.controller, setting.option)
  end
  if ctx.config.linux.resources.devices then
    add("devices", "devices")
  end
  for _, controller in ipairs(ctx.stats and COUNTERS or {}) do
    add(controller)
  end
  if #order > 0 then
    add("pids") -- where all processes can be found
  end
  return order
end

--- Finds a place for each controller that is asked for.
-- @treturn table by controller { option, place, version }; or nil, message, errno, option
local function find_all(ctx, order)
  local missing = {}
  for _, controller in ipairs(order) do
    local entry = order[controller]
    local errno
    entry.place, entry.version, errno = places.find(controller)
    if not entry.place and entry.option then
      missing[#missing + 1] = controller
      entry.errno = errno
    end
  end
  local room, message, errno
  if #missing > 0 and not sys.stat("/proc/self") then
    return nil, "stat /proc/self: No such file or directory; the launcher needs a /proc, and none "
      .. "is mounted", sys.errno.ENOENT
  elseif #missing > 0 and sys.cgroup_directory() then
    room, message, errno = v2.make_room(missing)
  end
  for _, controller in ipairs(missing) do
    local entry = order[controller]
    if room then
      entry.place, entry.version = places.find(controller)
    end
    if not entry.place then
      local why = message and ("cgroup controller %s: %s"):format(controller, message)
        or NOWHERE:format(controller,
        controller == "pids" and places.NO_PIDS or entry.option .. " cannot hold")
      local ok
      errno = errno or entry.errno
      if controller == "pids" then
        ok, why, errno = places.fall_back(ctx, why, errno)
      else
        why = ("%s: %s"):format(entry.option, why)
      end
      if not ok then
        return nil, why, errno, entry.option
      end
    end
  end
  return order
end

--- The directories to make. All that is in version 2 is in one, and that as high as the highest of
-- them, for what a cgroup has all above it have.
local function homes(order)
  local list, by_place, unified = {}, {}, nil
  for _, controller in ipairs(order) do
    local place, version = order[controller].place, order[controller].version
    if version == 2 and (not unified or #place < #unified) then
      unified = place
    end
  end
  for _, controller in ipairs(order) do
    local entry = order[controller]
    local place = entry.version == 2 and unified or entry.place
    if place and not by_place[place] then
      by_place[place] =
        { place = place, version = entry.version, controllers = {}, settings = {} }
      list[#list + 1] = by_place[place]
    end
    if place then
      by_place[place].controllers[controller] = true
    end
  end
  return list
end

--- Chooses the directories of a container's cgroup.
-- @tparam Context ctx
-- @tparam table wanted array of settings that limit something
-- @treturn table array of { place, version, controllers, settings }; or nil, message, errno, option
function places.choose(ctx, wanted)
  local order, message, errno, option = find_all(ctx, asked(ctx, wanted))
  if not order then
    return nil, message, errno, option
  end
  return homes(order)
end

return places
