-- The name of a container, which no other of this user has while it is there. A lock on a file
-- holds it, and ends with its holder, however that ends. The file is in a directory that this user
-- alone can write, so nobody else can take a name away; an abstract socket could be bound by
-- anybody, and a cgroup is not there for everyone. flock(2)

local sys = require "container.sys"
local caller = require "container.linux.caller"
local file = require "container.fs.path"

local name = {}

--- Where the locks are: root's in /run, whatever the environment says; a user's in the directory
-- that the login made for such things, or else in one of the user's own in /tmp.
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
local TRIES <const>, PAUSE <const> = 1000, 0.001

--- A lock on the file of a name. Its last holder may have taken the file away between the opening
-- and the locking; then it is a lock on nothing, and the next try makes the file anew.
local function try(dir, wanted)
  while true do
    local fd, message, errno = sys.open(wanted, "rdwr,creat,nofollow", 0x180, dir) -- 0600
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

--- Waits until nobody sweeps, and keeps others from it as long as what this returns is open; nil
-- when somebody does not come to an end.
local function no_sweep(path)
  local fd = sys.open(path, "rdonly,directory")
  for _ = 1, fd and TRIES or 0 do
    if sys.flock(fd, "sh,nb") then
      return fd
    end
    sys.ppoll({}, PAUSE)
  end
  return nil
end

--- The lock; or a refusal when a container has it.
local function lock(dir, path, wanted)
  local fd, message, errno = try(dir, wanted)
  if fd or errno ~= sys.errno.EAGAIN then
    return fd, message, errno
  end
  -- A sweep has each lock for a moment, which may be long where there is much to do.
  local _ <close> = no_sweep(path)
  fd, message, errno = try(dir, wanted)
  if errno == sys.errno.EAGAIN then
    return nil, ("claim %s: another container has this name"):format(wanted), sys.errno.EBUSY
  end
  return fd, message, errno
end

--- Takes away the files that killed launchers left, unless somebody else does so just now. Those of
-- ranges have a colon: range.lua.
local function sweep(dir, path, own)
  local alone <close> = sys.open(path, "rdonly,directory")
  if not (alone and sys.flock(alone, "ex,nb")) then
    return
  end
  for _, entry in ipairs(sys.list(path) or {}) do
    local fd <close> = entry ~= own and not entry:find(":", 1, true)
      and sys.open(entry, "rdonly,nofollow,nonblock", nil, dir) or nil
    if fd and sys.flock(fd, "ex,nb") and sys.stat(fd).nlink > 0 then
      os.remove(path .. "/" .. entry)
    end
  end
end

--- Claims the name, or is refused and touches nothing of who has it.
function name.prepare(c)
  if not c.name then
    return true
  end
  local path = place()
  local dir <close>, message, errno = file.own_directory(path)
  if not dir then
    return nil, message, errno
  end
  local fd, why, number = lock(dir, path, c.name)
  if not fd then
    return nil, why, number
  end
  c.undo:push(fd.close, fd)
  c.undo:push(os.remove, path .. "/" .. c.name) -- while the lock is held
  sweep(dir, path, c.name)
  return true
end

return name
