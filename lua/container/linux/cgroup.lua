-- The control group of a container: made in the parent, joined by the child, gone with the
-- container. What it holds is OCI's linux.resources; how that is written, and in how many
-- hierarchies, the versions know. cgroups(7)

local sys = require "container.sys"
local directory = require "container.linux.cgroup.directory"
local devices = require "container.linux.cgroup.devices"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local cgroup = {}

local VERSIONS <const> = { v1, v2 }
-- RLIMIT_NPROC is counted for a user namespace, not for the user, from here on.
local NPROC_MAJOR <const>, NPROC_MINOR <const> = 5, 14
-- What counts without limiting, for who wants to see it; in version 2 cpuacct is part of all.
local COUNTERS <const> = { "cpuacct", "memory", "io" }

local NOWHERE <const> = "cgroup controller %s: /proc/self/mountinfo and /proc/self/cgroup show no "
  .. "cgroup, from the caller's own upwards, that can give it to a child, so %s"
local NO_PIDS <const> = "the limit of processes cannot hold; pids = \"max\" asks for none"

--- Whether the limit of processes can be held by the child itself, in its new user namespace.
local function fall_back(ctx, message, errno)
  if not ctx.user_namespace then
    return nil, message, errno
  elseif ctx.users then
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
function cgroup.find(controller)
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

local function no_limit(setting)
  return setting.value:find("^max") or setting.value == "-1"
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
local function places(ctx, order)
  local missing = {}
  for _, controller in ipairs(order) do
    local entry = order[controller]
    local errno
    entry.place, entry.version, errno = cgroup.find(controller)
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
      entry.place, entry.version = cgroup.find(controller)
    end
    if not entry.place then
      local why = message and ("cgroup controller %s: %s"):format(controller, message)
        or NOWHERE:format(controller,
        controller == "pids" and NO_PIDS or entry.option .. " cannot hold")
      local ok
      errno = errno or entry.errno
      if controller == "pids" then
        ok, why, errno = fall_back(ctx, why, errno)
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

--- The home that a controller is in.
function cgroup.home(ctx, controller)
  for _, entry in ipairs(ctx.cgroup or {}) do
    if entry.controllers[controller] then
      return entry
    end
  end
end

--- Why a file of version 2 that was asked for by its name cannot be written, if it cannot.
function cgroup.is_foreign(setting, entry)
  return setting.option == "unified" and entry.version == 1
    and ("unified: %s is of version 2, and its controller is in version 1 here: %s"):format(
      setting.file, entry.place)
end

--- Gives each home what there is to write in it.
-- @tparam table settings by the version
local function distribute(ctx, settings)
  for _, setting in ipairs(settings[2]) do
    local entry = cgroup.home(ctx, setting.controller)
    if entry and cgroup.is_foreign(setting, entry) then
      return nil, cgroup.is_foreign(setting, entry), sys.errno.EOPNOTSUPP, "unified"
    end
  end
  for version, list in ipairs(settings) do
    for _, setting in ipairs(list) do
      local entry = cgroup.home(ctx, setting.controller)
      if entry and entry.version == version then
        entry.settings[#entry.settings + 1] = setting
      end
    end
  end
  return true
end

--- Writes settings. Two of memory look at each other, and which has to be first depends on what was
-- there: one that is refused is tried again after the others.
-- @tparam table entry home
-- @tparam table settings of it
-- @string[opt] implied an option that a kernel need not know
-- @func[opt] before called with each setting before it is written
-- @return true; or nil, message, errno, option
function cgroup.write(entry, settings, implied, before)
  local function put(setting)
    if before then
      before(entry, setting)
    end
    local ok, message, errno =
      sys.write_file(entry.path .. "/" .. setting.file, setting.value)
    if not ok and errno == sys.errno.ENOENT then
      if setting.instead then
        return put(setting.instead)
      end
      message = ("cgroup controller %s: %s"):format(setting.controller, message)
    end
    return ok, message, errno
  end
  local again = {}
  for _, list in ipairs { settings, again } do
    for _, setting in ipairs(list) do
      local ok, message, errno = put(setting)
      if not ok and setting.controller == "memory" and list ~= again then
        again[#again + 1] = setting
      elseif not ok and not (setting.option == implied and errno == sys.errno.ENOENT) then
        return nil, ("%s: %s"):format(setting.option, message), errno, setting.option
      end
    end
  end
  return true
end

--- What of a home is written when. A child that shares the host program's memory until its exec may
-- not meet a limit of memory before, for who is out of memory is killed with all that share it.
local function part(ctx, entry, late)
  local list = {}
  for _, setting in ipairs(entry.settings) do
    local waits = ctx.shares_memory and setting.controller == "memory"
    if (waits or false) == late and not no_limit(setting) then
      list[#list + 1] = setting
    end
  end
  return list
end

-- What a cgroup says that is not the caller's to write.
local FORBIDDEN <const> =
  { [sys.errno.EACCES] = true, [sys.errno.EPERM] = true, [sys.errno.EROFS] = true }

--- No cgroup can be made: what else could hold what is wanted, or which option it is for.
local function refused(ctx, wanted, message, errno)
  for _, setting in ipairs(wanted) do
    if setting.controller ~= "pids" then
      return nil, ("%s: cgroup controller %s: %s"):format(setting.option, setting.controller,
        message), errno, setting.option
    end
  end
  if not wanted[1] then
    return nil, message, errno
  elseif not ctx.user_namespace and FORBIDDEN[errno] then
    return nil, ("%s, so %s"):format(message, NO_PIDS), errno
  end
  return fall_back(ctx, message, errno)
end

function cgroup.prepare(ctx)
  local resources, wanted = ctx.config.linux.resources, {}
  local settings = { v1.settings(resources), v2.settings(resources) }
  for _, setting in ipairs(settings[2]) do
    wanted[#wanted + 1] = not no_limit(setting) and setting or nil
  end
  local order, message, errno, option = places(ctx, asked(ctx, wanted))
  if not order then
    return nil, message, errno, option
  end
  local list = homes(order)
  local ok
  for i = #list, 1, -1 do
    local entry = list[i]
    directory.sweep(VERSIONS[entry.version], entry.place)
    ok, message, errno = VERSIONS[entry.version].may_join(entry.place)
    if not ok then
      return refused(ctx, wanted, message, errno)
    end
  end
  if #list == 0 then
    return true
  end
  ok, message, errno = directory.make(list, ctx.name)
  if not ok then
    return refused(ctx, wanted, message, errno)
  end
  for _, entry in ipairs(list) do
    entry.hierarchy = entry.version == 1 and v1.hierarchy(entry.controllers) or nil
    ctx.undo:push(entry.lock.close, entry.lock)
    ctx.undo:push(sys.rmdir, entry.path)
  end
  ctx.cgroup = list
  ctx.memory_counted = cgroup.home(ctx, "memory") ~= nil
  ok, message, errno, option = distribute(ctx, settings)
  for _, entry in ipairs(ok and list or {}) do
    if entry.controllers.cpuset and entry.version == 1 then
      ok, message, errno = v1.init_cpuset(entry.path, entry.place)
    end
    if ok then
      ok, message, errno, option = cgroup.write(entry, part(ctx, entry, false), ctx.implied)
    end
    if ok and entry.controllers.devices then
      ok, message, errno, option =
        devices.apply(entry, resources.devices)
    end
    if not ok then
      return nil, message, errno, option
    end
    ctx.start_barrier = ctx.start_barrier or #part(ctx, entry, true) > 0
  end
  return ok, message, errno, option
end

--- The cgroup of version 2 in which the child can be born, so that no moment of it is outside.
-- @return an fd, or nil
function cgroup.birthplace(ctx)
  for _, entry in ipairs(ctx.cgroup or {}) do
    if entry.version == 2 then
      return entry.lock
    end
  end
end

--- Sets the limits that had to wait.
function cgroup.parent(ctx)
  for _, entry in ipairs(ctx.cgroup or {}) do
    local ok, message, errno, option = cgroup.write(entry, part(ctx, entry, true), ctx.implied)
    if not ok then
      if errno == sys.errno.EBUSY then
        message = message .. " (to come up, the container takes more than that)"
      end
      return nil, message, errno, option
    end
    entry.settings = nil -- they are written
  end
  return true
end

--- Joins, before anything is spent that the limits should count.
-- @tparam Context ctx
-- @bool[opt] born the caller is in that of version 2 already
function cgroup.join(ctx, born)
  for _, entry in ipairs(ctx.cgroup or {}) do
    if entry.version == 1 or not born then
      local ok, message, errno =
        sys.write_file(entry.path .. "/" .. VERSIONS[entry.version].files.join, "0")
      if not ok then
        return nil, message, errno
      end
    end
  end
  return true
end

--- Joins, and then makes the cgroup namespace: its root is the cgroup of this moment.
function cgroup.child(ctx)
  local ok, message, errno = cgroup.join(ctx, ctx.born_in_cgroup)
  if not ok then
    return nil, message, errno
  end
  return sys.unshare("cgroup")
end

return cgroup
