-- Locks that die with their holder, however that ends: on a file or a directory, which a sweep
-- removes when its lock is free. A lock, not a pid in the name: pids are used again, and mean
-- nothing in another PID namespace. flock(2)

local sys = require "container.sys"

local lock = {}

--- Locks what an fd is of, unless it was removed between the opening and the locking.
-- @param fd
-- @treturn boolean whether it is held
function lock.hold(fd)
  return sys.flock(fd, "ex,nb") and sys.stat(fd, "nlink") > 0 or false
end

--- Makes a file, unless it is there, and locks it.
-- @param dir fd of its directory
-- @string name
-- @bool[opt] new it must not be there yet
-- @treturn userdata the lock; or nil, message, errno: EAGAIN where another process has it, EEXIST
function lock.file(dir, name, new)
  while true do
    local flags = new and "rdwr,creat,excl,nofollow" or "rdwr,creat,nofollow"
    local fd, message, errno = sys.open(name, flags, 0x180, dir) -- 0600
    if not fd then
      return nil, message, errno
    end
    local ok
    ok, message, errno = sys.flock(fd, "ex,nb")
    if ok and sys.stat(fd, "nlink") > 0 then
      return fd
    end
    fd:close()
    if not ok then
      return nil, message, errno
    end
  end
end

--- Calls `remove(path, fd)` for each entry of a directory whose lock is free, with that lock held.
-- @string directory
-- @func accepts is given a name, and says whether it is one to look at
-- @func remove
function lock.sweep(directory, accepts, remove)
  for _, name in ipairs(sys.list(directory) or {}) do
    local path = accepts(name) and directory .. "/" .. name
    local fd <close> = path and sys.open(path, "rdonly,nofollow,nonblock") or nil
    if fd and lock.hold(fd) then
      remove(path, fd)
    end
  end
end

return lock
