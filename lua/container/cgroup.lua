-- The control group of a container: made in the parent, joined by the child, gone with the
-- container. cgroups(7)
--
-- Its name begins with "lua-container" and ends with the container's own, if it has one. The
-- launcher holds a lock on its directory as long as it lives; a cgroup of that name whose lock is
-- free belongs to a launcher that was killed, and the next run takes it away. A lock, not a pid in
-- the name: pids are used again, and mean nothing in another PID namespace.

local container = require "container"

local cgroup = {}

local PREFIX <const> = "lua-container-"
local UNLIMITED <const> = -1
-- RLIMIT_NPROC is counted for a user namespace, not for the user, from here on.
local NPROC_MAJOR <const>, NPROC_MINOR <const> = 5, 14

local count = 0

local function open(path)
  return container.open(path, "rdonly,directory")
end


--- Takes away what killed launchers left in `place`.
local function sweep(version, place)
  for _, name in ipairs(container.list(place) or {}) do
    if name:sub(1, #PREFIX) == PREFIX then
      local path = place .. "/" .. name
      local lock <close> = open(path)
      if lock and container.flock(lock, "ex,nb") then
        -- What is left in it has outlived a launcher that died, which nothing should.
        if not container.rmdir(path) then
          version.kill(path)
          container.rmdir(path)
        end
      end
    end
  end
end

--- A new cgroup with a lock on it. Another launcher's sweep may come between the making and the
-- locking; then it is gone, and the next name is tried.
local function make(place, name)
  while true do
    count = count + 1
    local path = ("%s/%s%d-%d%s"):format(place, PREFIX, container.getpid(), count,
      name and "-" .. name or "")
    local ok, message, errno = container.mkdir(path)
    local lock
    if ok then
      lock, message, errno = open(path)
    end
    if lock and container.flock(lock, "ex,nb") and container.stat(path) then
      return path, lock
    elseif lock then
      lock:close()
    elseif ok and errno ~= container.errno.ENOENT then
      container.rmdir(path)
      return nil, message, errno
    elseif not ok and errno ~= container.errno.EEXIST then
      return nil, message, errno
    end
  end
end

--- Whether the limit can be held by the child itself, in its new user namespace.
local function fall_back(c, limit, message, errno)
  if not c.user_namespace then
    return nil, message, errno
  elseif c.users then
    return nil, message .. "; without a cgroup a limit would hold for each id by itself, and here "
      .. "are many: pids = \"max\" asks for none", errno
  end
  local major, minor = container.uname().release:match("^(%d+)%.(%d+)")
  major, minor = tonumber(major) or 0, tonumber(minor) or 0
  if major < NPROC_MAJOR or major == NPROC_MAJOR and minor < NPROC_MINOR then
    return nil, message .. "; without a cgroup of your own a limit of processes takes Linux 5.14 "
      .. "or later, or none asked for: pids = \"max\"", errno
  end
  c.nproc = limit
  return true
end

function cgroup.prepare(c)
  local limit = c.config.linux.resources.pids.limit
  if limit == UNLIMITED then
    return true
  end
  local place, number, errno = container.cgroup_place("pids")
  if not place then
    return fall_back(c, limit, "cgroup controller pids: /proc/self/mountinfo and "
      .. "/proc/self/cgroup show no cgroup, from the caller's own upwards, that can give it to a "
      .. "child, so the limit of processes cannot hold; pids = \"max\" asks for none", errno)
  end
  local version = require("container.cgroup.v" .. number)
  sweep(version, place)
  local ok, message
  ok, message, errno = version.may_join(place)
  if not ok then
    return fall_back(c, limit, message, errno)
  end
  local path, lock, why = make(place, c.name)
  if not path then
    return fall_back(c, limit, lock, why)
  end
  c.undo:push(lock.close, lock)
  c.undo:push(container.rmdir, path)
  ok, message, errno = container.write_file(path .. "/" .. version.files.pids, tostring(limit))
  if not ok then
    return nil, message, errno
  end
  c.cgroup = path .. "/" .. version.files.join
  c.cgroup_version = number
  return true
end

--- Joins, before anything is spent that the limits should count, and then makes the cgroup
-- namespace: its root is the cgroup of this moment.
function cgroup.child(c)
  if c.cgroup then
    local ok, message, errno = container.write_file(c.cgroup, "0")
    if not ok then
      return nil, message, errno
    end
  end
  return container.unshare("cgroup")
end

return cgroup
