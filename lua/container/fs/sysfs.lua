-- The /sys of a container where the kernel refuses a new one. It mounts a sysfs in a user namespace
-- only where the whole of another one can be seen, which an outer container may have covered in
-- parts, or not mounted at all. user_namespaces(7)

local old_kernel = require "container.fs.old_kernel"
local sys = require "container.sys"
local path = require "container.fs.path"

local sysfs = {}

--- An empty one, with the place for the container's own cgroup.
local function empty(target)
  local top, message, errno =
    path.mount(target, "tmpfs", "tmpfs", "nosuid,nodev,noexec", "mode=755,size=64k")
  if not top then
    return nil, message, errno
  end
  local place <close>, why, number = path.beneath(top, "fs/cgroup", "directory")
  if not place then
    return nil, why, number
  end
  local ok
  ok, message, errno = old_kernel.remount(top, "ro")
  return ok and top, message, errno
end

--- Mounts what there is instead: the caller's own /sys, read-only, as crun and runc do, which shows
-- the caller's network interfaces; or where the caller has none, an empty directory.
-- @param root fd of the container's root
-- @string destination
-- @return an fd of its top; or nil, message, errno
function sysfs.instead(root, destination)
  local own = sys.stat("/sys/kernel")
  if own then
    return path.bind(root, destination, "/sys",
      { all = "ro,nosuid,nodev,noexec" })
  end
  local target <close>, message, errno = path.beneath(root, destination, "directory", "nosymlinks")
  if not target then
    return nil, message, errno
  end
  return empty(target)
end

return sysfs
