-- The directories of a container's cgroup: one in each hierarchy that holds something of it, all
-- of one name, each with a lock as long as the launcher lives (fs/lock.lua). One whose lock is free
-- belongs to a launcher that was killed, and the next run removes it.

local lock = require "container.fs.lock"
local sys = require "container.sys"
local v1 = require "container.linux.cgroup.v1"

local home = {}

local PREFIX <const> = "lua-container-"

-- What the cgroups of exec processes begin with, below the container's.
home.LEAF = "exec-"

local count = 0

-- The locks of ours, by the name of their directories. Each goes when it is not held any more.
local ours = setmetatable({}, { __mode = "v" })

local function open(path)
  return sys.open(path, "rdonly,directory")
end

--- The cgroups of exec processes in a container's.
-- @treturn table array of paths
function home.leaves(path)
  local list = {}
  for _, name in ipairs(sys.list(path) or {}) do
    list[#list + 1] = name:sub(1, #home.LEAF) == home.LEAF and path .. "/" .. name or nil
  end
  return list
end

--- Removes a container's cgroup, with those of exec processes, where no process is in them.
-- @return true; or nil, message, errno
function home.rmdir(path)
  for _, leaf in ipairs(home.leaves(path)) do
    sys.rmdir(leaf)
  end
  return sys.rmdir(path)
end

--- Removes a directory whose lock is held. What is left in it has outlived a launcher that died.
local function remove(version, path)
  if not home.rmdir(path) then
    version.kill(path)
    home.rmdir(path)
  end
end

--- Takes the directories of one name out of every hierarchy of version 1.
-- @treturn bool whether none is left
local function remove_others(place, name)
  local gone = true
  for line in (sys.read_file("/proc/self/cgroup") or ""):gmatch("[^\n]+") do
    local controller = line:match("^%d+:([%w_]+)")
    local directory = controller and sys.cgroup_directory(controller)
    if directory and directory ~= place then
      local path = directory .. "/" .. name
      local held <close> = open(path)
      if held then
        if lock.hold(held) then
          remove(v1, path)
        end
        gone = gone and not sys.stat(path)
      end
    end
  end
  return gone
end

--- Takes away what killed launchers left in `place`, and under the same name elsewhere; here last,
-- so that what could not be taken away yet is found again. A caller with many containers does not
-- try all of its own locks for each more.
function home.sweep(version, place)
  lock.sweep(place, function(name)
    local own = ours[name]
    return name:sub(1, #PREFIX) == PREFIX and not (own and own:fileno())
  end, function(path)
    for _, leaf in ipairs(home.leaves(path)) do
      version.kill(leaf)
    end
    if remove_others(place, path:match("[^/]*$")) or version.kill(path) then
      remove(version, path)
    end
  end)
end

--- One directory with a lock on it. Another launcher's sweep may come between the making and the
-- locking: then it is gone.
-- @return the lock; or false when the name is no use; or nil, message, errno
local function make(path)
  local ok, message, errno = sys.mkdir(path)
  local held
  if ok then
    held, message, errno = open(path)
  end
  if held and sys.flock(held, "ex,nb") and sys.stat(path) then
    return held
  elseif held then
    held:close()
    return false
  elseif ok then
    sys.rmdir(path)
  end
  if errno == sys.errno[ok and "ENOENT" or "EEXIST"] then
    return false
  end
  return nil, message, errno
end

local function unmake(entry)
  entry.lock:close()
  sys.rmdir(entry.path)
end

--- Makes a directory of one new name in each of several places.
-- @tparam table homes array of { place }, which get `path` and `lock`
-- @string[opt] name of the container
-- @string[opt] wanted what the container has in other places, to begin with
-- @return true; or nil, message, errno, and then there is none
function home.make(homes, name, wanted)
  local leaf = wanted
  while true do
    if not leaf then
      count = count + 1
      leaf = ("%s%d-%d%s"):format(PREFIX, sys.getpid(), count, name and "-" .. name or "")
    end
    local made, held, message, errno = 0, nil, nil, nil
    for i, entry in ipairs(homes) do
      entry.path = entry.place .. "/" .. leaf
      held, message, errno = make(entry.path)
      if not held then
        break
      end
      entry.lock, made = held, i
    end
    if held then
      ours[leaf] = held
      return true
    end
    for i = made, 1, -1 do
      unmake(homes[i])
    end
    leaf = nil
    if held == nil then
      return nil, message, errno
    end
  end
end

return home
