-- The cgroup of an OCI container: at the path that its configuration gives, in every hierarchy. It
-- outlives the command that made it, and another removes it by what the state says.
-- OCI runtime specification, config-linux, "Cgroups Path"; cgroups(7)

local errors = require "container.error"
local sys = require "container.sys"
local v1 = require "container.linux.cgroup.v1"

local try = errors.try

-- Where the cgroups of containers are that were given no path.
local given = { DEFAULT = "oci.lua-container" }

-- What the versions of a path's directories are made again for, when another command has just
-- removed one.
local TRIES <const> = 20

-- What an ordinary user is refused where no cgroup was delegated.
local FORBIDDEN <const> =
  { [sys.errno.EACCES] = true, [sys.errno.EPERM] = true, [sys.errno.EROFS] = true }

-- The names of version 2 for controllers of version 1, by the kernel's.
local NAMES <const> = { blkio = "io" }

--- The hierarchies that are mounted: where, with which controllers, and where the caller is in it.
-- @treturn table array of { version, mount, own, controllers }
local function hierarchies()
  local own, seen, list = {}, {}, {}
  for names, path in (try(sys.read_file("/proc/self/cgroup"))):gmatch("%d+:([^:\n]*):([^\n]*)") do
    own[names] = path
  end
  for line in (try(sys.read_file("/proc/self/mountinfo"))):gmatch("[^\n]+") do
    local root, mount, kind, options = line:match("^%S+ %S+ %S+ (%S+) (%S+) .- %- (%S+) %S+ (%S+)$")
    if kind == "cgroup2" and not seen[""] then
      seen[""] = true
      list[#list + 1] = { version = 2, mount = mount, root = root, own = own[""] or "/" }
    elseif kind == "cgroup" then
      for names, path in pairs(own) do
        local first = names:match("^[^,]+")
        if first and not seen[names] and ("," .. options .. ","):find("," .. first .. ",", 1, true)
        then
          seen[names] = true
          list[#list + 1] =
            { version = 1, mount = mount, root = root, own = path, names = names }
        end
      end
    end
  end
  return list
end

--- Where the path is in a hierarchy: below what is mounted of it, or below the caller's own.
local function place(hierarchy, path)
  local below = ""
  if path:sub(1, 1) ~= "/" then
    local own, root = hierarchy.own, hierarchy.root
    below = root ~= "/" and own:sub(1, #root) == root and own:sub(#root + 1) or own
    if hierarchy.version == 2 then
      below = below:match("^(.*)/[^/]*$") -- with processes in it a cgroup gives nothing to others
    end
    below = below == "/" and "" or below
    path = "/" .. path
  end
  return hierarchy.mount, below .. path
end

local function controllers_of(hierarchy)
  local set = {}
  if hierarchy.version == 2 then
    for name in (sys.read_file(hierarchy.mount .. "/cgroup.controllers") or ""):gmatch("%S+") do
      set[name] = true
    end
    return set
  end
  for name in hierarchy.names:gmatch("[^,]+") do
    set[NAMES[name] or name] = true
  end
  return set
end

--- Makes one directory, which may be there, and gives it what those below it need.
-- @treturn boolean whether it is new; or nil, message, errno
local function make_one(entry, above, path)
  local made, message, errno = sys.mkdir(path)
  if not made and errno ~= sys.errno.EEXIST then
    return nil, message, errno
  end
  -- Also one that another command has just made, and has not written yet: the memory is last.
  if entry.version == 1 and entry.controllers.cpuset
      and (made or sys.read_file(path .. "/cpuset.mems") == "\n") then
    local ok
    ok, message, errno = v1.init_cpuset(path, above)
    if not ok then
      return nil, message, errno
    end
  end
  return made or false
end

--- Has the children of a cgroup of version 2 get its controllers, as far as it can give them.
local function delegate(entry, path)
  for name in pairs(entry.version == 2 and entry.controllers or {}) do
    sys.write_file(path .. "/cgroup.subtree_control", "+" .. name)
  end
end

--- Makes all directories of the path.
-- @return true; or nil, message, errno
local function make(entry, mount, path)
  local above = mount
  entry.directories = {}
  for name in path:gmatch("[^/]+") do
    delegate(entry, above)
    local whole = above .. "/" .. name
    local new, message, errno = make_one(entry, above, whole)
    if new == nil then
      return nil, message, errno
    elseif new then
      table.insert(entry.directories, 1, whole)
    end
    above = whole
  end
  return true
end

--- Removes a container's cgroup, and of those above what was made for it and is empty.
-- @tparam table entry { path, directories }
function given.remove(entry)
  local function empty(path)
    for _, name in ipairs(sys.list(path) or {}) do
      if sys.stat(path .. "/" .. name, "type") == "directory" then
        empty(path .. "/" .. name)
      end
    end
    return sys.rmdir(path)
  end
  empty(entry.path)
  for _, path in ipairs(entry.directories) do
    sys.rmdir(path)
  end
  -- This one is ours whichever container made it, which need not be the last.
  local above, name = entry.path:match("^(.*/([^/]+))/[^/]+$")
  if name == given.DEFAULT then
    sys.rmdir(above)
  end
end

local function open(entry, mount, path)
  local ok, message, errno
  for _ = 1, TRIES do
    ok, message, errno = make(entry, mount, path)
    if ok then
      ok, message, errno = sys.open(entry.path, "rdonly,directory")
    end
    if ok or errno ~= sys.errno.ENOENT then
      break
    end
  end
  if not ok then
    given.remove(entry)
  end
  return ok, message, errno
end

--- A path that is none of a cgroup of the container's own: the top, or one that leads up and so out
-- of the hierarchies.
-- @return true; or nil, message, errno
local function check(path)
  if ("/" .. path .. "/"):find("/%.%.?/") then
    return nil, ("linux.cgroupsPath: %s: it may not have the steps . and .."):format(path),
      sys.errno.EINVAL
  elseif not path:find("[^/]") then
    return nil, "linux.cgroupsPath: it is the top of every hierarchy", sys.errno.EINVAL
  end
  return true
end

--- Makes the cgroup in every hierarchy. One that holds processes is not the container's, and stays
-- as it is.
-- @tparam Context ctx
-- @string path linux.cgroupsPath
-- @treturn table array of { path, version, controllers, settings, lock, directories }; or nil,
-- message, errno
function given.make(ctx, path)
  try(check(path))
  local list = {}
  for _, hierarchy in ipairs(hierarchies()) do
    local mount, below = place(hierarchy, path)
    local entry = { version = hierarchy.version, path = mount .. below, settings = {},
      controllers = controllers_of(hierarchy) }
    local lock, message, errno = open(entry, mount, below)
    if lock then
      entry.lock = lock
      ctx.undo:push(lock.close, lock)
      local inside = sys.read_file(entry.path .. "/cgroup.procs")
      if inside and inside ~= "" then
        return nil, ("linux.cgroupsPath: %s: processes are in it already"):format(entry.path),
          sys.errno.EBUSY
      end
      ctx.undo:push(given.remove, entry)
      list[#list + 1] = entry
    elseif not (FORBIDDEN[errno] and (ctx.lacks_host or sys.geteuid() ~= 0)) then
      return nil, "linux.cgroupsPath: " .. message, errno
    end
  end
  return list
end

--- Where the cgroup of a path is, for one whose maker could not say what it has made.
-- @string path
-- @treturn table array of { path, version, directories }
function given.find(path)
  local list = {}
  if not check(path) then
    return list
  end
  for _, hierarchy in ipairs(hierarchies()) do
    local mount, below = place(hierarchy, path)
    list[#list + 1] = { path = mount .. below, version = hierarchy.version, directories = {} }
  end
  return list
end

return given
