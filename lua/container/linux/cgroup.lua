-- The control group of a container: made in the parent, joined by the child, gone with the
-- container. What it holds is OCI's linux.resources; how that is written, and in how many
-- hierarchies, the versions know. cgroups(7)

local sys = require "container.sys"
local directory = require "container.linux.cgroup.directory"
local devices = require "container.linux.cgroup.devices"
local errors = require "container.error"
local given = require "container.linux.cgroup.given"
local places = require "container.linux.cgroup.places"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local try = errors.try

local cgroup = {}

local VERSIONS <const> = { v1, v2 }

--- The home that a controller is in.
function cgroup.home(ctx, controller)
  for _, entry in ipairs(ctx.cgroup or {}) do
    if entry.controllers[controller] then
      return entry
    end
  end
end

--- Why a limit of one version cannot be set in the other, if it cannot.
function cgroup.is_foreign(setting, entry)
  if setting.unified and entry.version == 1 then
    return ("%s: %s is of version 2, and its controller is in version 1 here: %s"):format(
      setting.option, setting.file, entry.place)
  elseif not setting.file and entry.version == 2 then
    return ("%s: cgroups of version 2 have no such limit"):format(setting.option)
  end
end

--- Gives each home what there is to write in it.
-- @tparam table settings by the version
local function distribute(ctx, settings)
  for _, setting in ipairs(settings[2]) do
    local entry = cgroup.home(ctx, setting.controller)
    if entry and cgroup.is_foreign(setting, entry) then
      return nil, cgroup.is_foreign(setting, entry), sys.errno.EOPNOTSUPP, setting.option
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
-- not meet a limit of memory before, for a process that is out of memory is killed with all that
-- share it.
local function part(ctx, entry, late)
  local list = {}
  for _, setting in ipairs(entry.settings) do
    local waits = ctx.shares_memory and setting.controller == "memory"
    if (waits or false) == late and not places.no_limit(setting) then
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
    return nil, ("%s, so %s"):format(message, places.NO_PIDS), errno
  end
  return places.fall_back(ctx, message, errno)
end

--- Makes a cgroup in each place, if the child may be moved there.
-- @return true; or nil, message, errno
local function make(list, name)
  for i = #list, 1, -1 do
    local entry = list[i]
    directory.sweep(VERSIONS[entry.version], entry.place)
    local ok, message, errno = VERSIONS[entry.version].may_join(entry.place)
    if not ok then
      return nil, message, errno
    end
  end
  return directory.make(list, name)
end

--- Sets all limits that need not wait.
local function write_early(ctx, entry)
  if entry.controllers.cpuset and entry.version == 1 and not entry.directories then
    try(v1.init_cpuset(entry.path, entry.place))
  end
  try(cgroup.write(entry, part(ctx, entry, false), ctx.implied))
  if entry.controllers.devices then
    try(devices.apply(entry, ctx.config.linux.resources.devices))
  end
  ctx.start_barrier = ctx.start_barrier or #part(ctx, entry, true) > 0
end

local NO_WAY_TO_END <const> = "a container without a PID namespace of its own takes a cgroup, by "
  .. "which its processes are ended: a limit such as pids gives it one"

--- Writes what can be written before the child is there.
-- @tparam table list homes
local function use(ctx, list, settings)
  for _, entry in ipairs(list) do
    entry.hierarchy = entry.version == 1 and v1.hierarchy(entry.controllers) or nil
  end
  ctx.cgroup = list
  ctx.memory_counted = cgroup.home(ctx, "memory") ~= nil
  try(distribute(ctx, settings))
  for _, entry in ipairs(list) do
    write_early(ctx, entry)
  end
  return true
end

--- Makes the cgroups and writes their limits: those of a path that was given, or the container's
-- own, which are taken away with it.
function cgroup.prepare(ctx)
  local resources, wanted = ctx.config.linux.resources, {}
  local settings =
    { v1.settings(resources, ctx.bundle), v2.settings(resources, ctx.bundle) }
  if ctx.config.linux.cgroupsPath then
    return use(ctx, try(given.make(ctx, ctx.config.linux.cgroupsPath)), settings)
  end
  for _, setting in ipairs(settings[2]) do
    wanted[#wanted + 1] = not places.no_limit(setting) and setting or nil
  end
  local list = try(places.choose(ctx, wanted))
  if #list == 0 and ctx.namespaces_given and ctx.shares_pids then
    return nil, NO_WAY_TO_END, sys.errno.EOPNOTSUPP, "namespaces.pid"
  elseif #list == 0 then
    return true
  end
  local ok, message, errno = make(list, ctx.name)
  if not ok then
    return refused(ctx, wanted, message, errno)
  end
  for _, entry in ipairs(list) do
    ctx.undo:push(entry.lock.close, entry.lock)
    ctx.undo:push(directory.rmdir, entry.path)
  end
  if ctx.shares_pids then
    -- They do not end with the first one.
    ctx.undo:push(cgroup.empty, list)
  end
  return use(ctx, list, settings)
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

-- Seconds that the processes of a cgroup may take to end.
local ENDING <const> = 10

--- Ends all that is in the cgroups, and in those below.
-- @tparam table list homes
function cgroup.empty(list)
  local finish = sys.clock_gettime() + ENDING
  repeat
    local left = false
    for _, entry in ipairs(list) do
      for _, path in ipairs { entry.path, table.unpack(directory.leaves(entry.path)) } do
        if (sys.read_file(path .. "/cgroup.procs") or "") ~= "" then
          left = true
          VERSIONS[entry.version].kill(path)
        end
      end
    end
    if left then
      sys.ppoll({}, 0.002)
    end
  until not left or sys.clock_gettime() > finish
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
  if not ok or not ctx.cgroup_namespace then
    return ok, message, errno
  end
  return sys.unshare("cgroup")
end

return cgroup
