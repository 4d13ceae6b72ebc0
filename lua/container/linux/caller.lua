-- Which rights the calling process has on this machine: those of the host's root, or those of a
-- user, which may be the root of a user namespace. user_namespaces(7)

local sys = require "container.sys"
local path = require "container.fs.path"

local caller = {}

-- The inode of the initial user namespace. USER_NS_INIT_INO of linux/nsfs.h
local INITIAL <const> = 0xeffffffd

-- What a start needs where the container has no user namespace of its own: to make the others, to
-- configure the network in its own, and to take rights and ids away.
local STARTING <const> =
  { "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP" }

-- What the writer of a map of more than the own id needs; without CAP_SETFCAP its root cannot be
-- in it since Linux 5.12.
local MAPPING <const> = { "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP" }

-- Mounts of every host beneath /proc, on a directory that is empty.
local HARMLESS <const> = { autofs = true, binfmt_misc = true }

local function has(names)
  local held = sys.capget() or {}
  for _, name in ipairs(names) do
    if not held[name] then
      return false
    end
  end
  return true
end

--- Whether the caller has the rights of the host's root: user id 0 in the initial user namespace,
-- and the capabilities that a start needs. The root of another one has no rights over the host's
-- mounts and cgroups, and without CAP_SYS_ADMIN none but a user namespace can be made.
-- @treturn bool
function caller.is_root()
  if sys.geteuid() ~= 0 then
    return false
  end
  local namespace = sys.stat("/proc/self/ns/user")
  return (not namespace or namespace.ino == INITIAL) and has(STARTING)
end

--- Whether the caller can write maps of all ids that it has.
-- @treturn bool
function caller.maps_ids()
  return has(MAPPING)
end

--- The user id by which the namespace above knows the caller, so that the roots of two users'
-- namespaces are two.
-- @treturn int
function caller.user()
  local uid = sys.geteuid()
  local map = sys.read_file("/proc/self/uid_map") or ""
  for first, above, size in map:gmatch("(%d+) +(%d+) +(%d+)") do
    local offset = uid - math.tointeger(first)
    if offset >= 0 and offset < math.tointeger(size) then
      return math.tointeger(above) + offset
    end
  end
  return uid
end

--- The ids that there are in the caller's user namespace.
-- @string kind "uid" or "gid"
-- @treturn table array of OCI's mappings, of each id to itself
function caller.ids(kind)
  local list = {}
  local map = sys.read_file(("/proc/self/%s_map"):format(kind)) or ""
  for first, size in map:gmatch("(%d+) +%d+ +(%d+)") do
    first = math.tointeger(first)
    list[#list + 1] = { containerID = first, hostID = first, size = math.tointeger(size) }
  end
  return list
end

--- Whether the caller is in a chroot into a directory that nothing is mounted on.
-- @treturn bool
function caller.in_directory()
  for _, entry in ipairs(path.mounts() or { { target = "/" } }) do
    if entry.target == "/" then
      return false
    end
  end
  return true
end

--- Whether a container has to do without a user namespace of its own. The kernel mounts a proc in a
-- user namespace only where the whole of another one can be seen. Where parts of the caller's are
-- covered, as bwrap covers them when root starts it, the caller's own user namespace may still have
-- the right; but none inside it, for there no process can uncover them. And from a chroot, as
-- sbuild and mmdebstrap make it in a user namespace, the kernel makes no other.
-- @treturn bool
function caller.keeps_namespace()
  if sys.geteuid() ~= 0 or not has(STARTING) then
    return false
  end
  for _, entry in ipairs(path.mounts() or {}) do
    if entry.target:find("^/proc/") and not HARMLESS[entry.type] then
      return true
    end
  end
  return caller.in_directory()
end

return caller
