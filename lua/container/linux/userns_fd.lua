-- A user namespace that no process is in, held by an fd: what an idmapped mount is told its ids by.
-- user_namespaces(7), mount_setattr(2) "ID-mapped mounts"

local errors = require "container.error"
local process = require "container.linux.process"
local sys = require "container.sys"

local try <const> = errors.try

local function lines(mappings)
  local text = {}
  for i, map in ipairs(mappings) do
    text[i] = ("%d %d %d\n"):format(map.containerID, map.hostID, map.size)
  end
  return table.concat(text)
end

local function open(pid, uid_mappings, gid_mappings)
  local proc = ("/proc/%d/"):format(pid)
  try(sys.write_file(proc .. "uid_map", lines(uid_mappings)))
  try(sys.write_file(proc .. "gid_map", lines(gid_mappings)))
  return sys.open(proc .. "ns/user")
end

--- Makes one, by a child that is gone when this returns.
-- @tparam table uid_mappings OCI's
-- @tparam table gid_mappings
-- @return an fd; or nil, message, errno
return function(uid_mappings, gid_mappings)
  local parent = sys.getpid()
  local pid, message, errno = sys.clone({ "user" }, function()
    sys.pdeathsig("KILL")
    if sys.getppid() == parent then
      sys.ppoll({}) -- until it is killed
    end
    sys._exit(0)
  end)
  if not pid then
    return nil, message, errno
  end
  local fd, why, number = errors.caught(open, pid, uid_mappings, gid_mappings)
  sys.kill(pid, "KILL")
  local pidfd <close> = sys.pidfd_open(pid)
  if pidfd then
    process.reap(pidfd)
  end
  return fd, why, number
end
