-- The name of a container, which no other of this user has while it is there. A lock on a file
-- holds it (fs/lock.lua), in a directory that this user alone can write: so no other user can take
-- a name away. An abstract socket could be bound by any user, and not every user may make a cgroup.

local sys = require "container.sys"
local caller = require "container.linux.caller"
local file = require "container.fs.path"
local lock = require "container.fs.lock"

local names = {}

--- Where the locks are: root's in /run, also where the environment says otherwise; a user's in the
-- directory that the login made for such things, or else in one of the user's own in /tmp.
local function place()
  if caller.is_root() then
    return "/run/lua-container"
  end
  local base = os.getenv("XDG_RUNTIME_DIR")
  local fd <close> = base and base:find("^/") and sys.open(base, "path,directory") or nil
  if fd and file.is_own(fd, "directory") then
    return base .. "/lua-container"
  end
  return "/tmp/lua-container-" .. caller.user()
end

-- How often it is asked whether a sweep is over, and how many seconds apart.
local RETRIES <const>, INTERVAL <const> = 1000, 0.001

--- Waits until no process sweeps, and keeps others from it as long as what this returns is open;
-- nil when one does not come to an end.
local function no_sweep(path)
  local fd = sys.open(path, "rdonly,directory")
  for _ = 1, fd and RETRIES or 0 do
    if sys.flock(fd, "sh,nb") then
      return fd
    end
    sys.ppoll({}, INTERVAL)
  end
  return nil
end

--- The lock; or a refusal when a container has it.
local function claim(dir, path, wanted)
  local fd, message, errno = lock.file(dir, wanted)
  if fd or errno ~= sys.errno.EAGAIN then
    return fd, message, errno
  end
  -- A sweep has each lock for a moment, which may be long where there is much to do.
  local _ <close> = no_sweep(path)
  fd, message, errno = lock.file(dir, wanted)
  if errno == sys.errno.EAGAIN then
    return nil, ("claim %s: another container has this name"):format(wanted), sys.errno.EBUSY
  end
  return fd, message, errno
end

--- Removes the files that killed launchers left, unless another process does so just now. Those of
-- ranges have a colon: linux/subid.lua.
local function sweep(path, own)
  local alone <close> = sys.open(path, "rdonly,directory")
  if alone and sys.flock(alone, "ex,nb") then
    lock.sweep(path, function(entry)
      return entry ~= own and not entry:find(":", 1, true)
    end, os.remove)
  end
end

--- Claims the name, or is refused and touches nothing of the one that has it.
function names.prepare(ctx)
  if not ctx.name then
    return true
  end
  local path = place()
  local dir <close>, message, errno = file.own_directory(path)
  if not dir then
    return nil, message, errno
  end
  local fd, why, number = claim(dir, path, ctx.name)
  if not fd then
    return nil, why, number
  end
  ctx.name_lock = fd
  ctx.undo:push(fd.close, fd)
  ctx.undo:push(os.remove, path .. "/" .. ctx.name) -- while the lock is held
  sweep(path, ctx.name)
  return true
end

-- The pid of the container, and the number of its network namespace: of one length, for the file
-- may have been that of another container.
local NOTE <const>, NOTED <const> = "%10d %20d\n", "^ *(%d+) +(%d+)\n"

--- Writes down where the container is. In the /proc of another PID namespace, the number means
-- another process.
function names.parent(ctx, pid)
  local there = sys.stat(("/proc/%d/ns/net"):format(pid))
  local _, message, errno = sys.write(ctx.name_lock, NOTE:format(pid, there and there.ino or 0))
  return not errno, message, errno
end

--- Finds the network of a container that runs.
-- @string name
-- @return an fd of its network namespace, and its pid; or nil, message, errno
function names.network(name)
  local lock_file <close> = sys.open(place() .. "/" .. name, "rdonly,nofollow,nonblock")
  if not lock_file or sys.flock(lock_file, "sh,nb") then
    return nil, ("no running container of this user has the name %s"):format(name),
      sys.errno.ENOENT
  end
  local pid, ino = (sys.read(lock_file, #NOTE:format(0, 0)) or ""):match(NOTED)
  local fd = pid and sys.open(("/proc/%s/ns/net"):format(pid))
  local there = fd and sys.stat(fd)
  if there and there.ino == math.tointeger(ino) then
    return fd, math.tointeger(pid)
  elseif fd then
    fd:close()
  end
  return nil, ("the network of the container %s cannot be seen from here"):format(name),
    sys.errno.ESRCH
end

return names
