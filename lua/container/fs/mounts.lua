-- The mounts of a container: OCI's list of them, and the volumes at its end. mount(2);
-- OCI runtime specification, config, "Mounts"

local sys = require "container.sys"
local file = require "container.fs.path"
local sysfs = require "container.fs.sysfs"
local mount_fd = require "container.fs.mount_fd"

local mount = {}

-- Options that are flags of mount(2); any other is the filesystem's own.
local FLAGS <const> = {
  bind = true, rbind = true, ro = true, nosuid = true, nodev = true, noexec = true,
  noatime = true, nodiratime = true, relatime = true, strictatime = true, sync = true,
  dirsync = true, nosymfollow = true,
}

local function split(options)
  local flags, data, words = {}, {}, {}
  for _, word in ipairs(options or {}) do
    words[word] = true
    local list = FLAGS[word] and flags or data
    list[#list + 1] = word
  end
  return table.concat(flags, ","), table.concat(data, ","), words
end

--- Makes everything private first: nothing that is mounted from here on shows on the host, also
-- where the host's mounts are shared, as systemd has them. mount_namespaces(7)
function mount.private()
  local ok, message, errno = sys.mount(nil, "/", nil, "rprivate")
  if errno == sys.errno.EINVAL then
    message = message .. "; the caller is in a chroot that is no mount point, and to leave that "
      .. "takes CAP_SYS_CHROOT, CAP_SYS_ADMIN and a /proc"
  end
  return ok, message, errno
end

--- What a refusal may come from.
local function hint(c, entry)
  return entry.type == "proc" and (c.user_namespace or c.lacks_host)
    and "; in a user namespace the kernel mounts a proc only where the caller sees another one and "
      .. "nothing covers a part of it, as an outer container does (podman: unmask=ALL)" or ""
end

--- Mounts a filesystem of the kernel's. Its place may not be a link: an image whose /proc is one
-- wants something else to be /proc.
local function filesystem(c, entry, flags, data)
  local root, path = file.nearest(c.held, c.root, entry.destination)
  local target <close>, message, errno = file.beneath(root, path, "directory", "nosymlinks")
  if not target then
    if errno == sys.errno.ELOOP then
      message = ("mount %s: it is, or lies behind, a symbolic link in the root")
        :format(entry.destination)
    end
    return nil, message, errno
  end
  local top, _, number
  if sys.stat(target, "type") == "directory" then
    top, _, number = file.mount(target, entry.source, entry.type, flags, data)
  else
    number = sys.errno.ENOTDIR
  end
  if not top then
    return nil, ("mount %s: %s%s"):format(entry.destination, sys.strerror(number),
      number == sys.errno.EPERM and hint(c, entry) or ""), number
  end
  return top
end

--- Whether the container's /sys came with what the host has mounted in it.
local function has_entries(c, place)
  local root, path = file.nearest(c.held, c.root, place)
  local fd <close> = sys.open_beneath(root, path, "path,directory", "nosymlinks")
  local names = fd and sys.list(file.path(fd))
  return names and #names > 0
end

--- The cgroup that the container was given, the root of its cgroup namespace: in version 2 alone
-- one mount, else a tmpfs with those hierarchies. In every other, the container is in its
-- launcher's cgroup, which may hold others: those are never shown, and covered where /sys is the
-- host's. (To mount all hierarchies, as docker does, would also cost a start a tenth more.)
local function own_cgroup(c, entry, flags)
  local place, homes = entry.destination, c.cgroup or {}
  if #homes == 1 and homes[1].version == 2 then
    return filesystem(c, { destination = place, type = "cgroup2", source = "cgroup" }, flags)
  elseif #homes == 0 and not has_entries(c, place) then
    return true
  end
  local top <close>, message, errno = filesystem(c,
    { destination = place, type = "tmpfs", source = "tmpfs" }, "nosuid,nodev,noexec", "mode=755")
  if not top then
    return nil, message, errno
  end
  local held = { root = top, held = {} }
  for _, own in ipairs(homes) do
    local name = own.hierarchy
    local made <close>, why, number = filesystem(held, { destination = "/" .. (name or "unified"),
      type = name and "cgroup" or "cgroup2", source = "cgroup" }, flags, name)
    if not made then
      return nil, why, number
    end
  end
  return sys.mount(nil, file.path(top), nil, "remount,bind," .. flags)
end

--- Volumes of a container whose root is nobody on the host are looked up here. Its ids are those on
-- disk only where that was asked for, by OCI's word for it.
function mount.prepare(c)
  for _, entry in ipairs(c.trees and c.volumes or {}) do
    local _, _, words = split(entry.options)
    local ok, message, errno =
      mount_fd.hold(c, entry, entry.source, { rec = true, mapped = words.idmap })
    if not ok then
      return nil, message, errno
    end
  end
  return true
end

local function one(c, entry)
  local flags, data, words = split(entry.options)
  local ok, message, errno
  if entry.type == "cgroup" then
    ok, message, errno = own_cgroup(c, entry, flags)
  elseif words.bind or words.rbind then
    local source = mount_fd.of(c, entry) or entry.source
    ok, message, errno = file.bind(c.root, entry.destination, source, words)
  else
    ok, message, errno = filesystem(c, entry, flags, data)
    if entry.type == "sysfs" and errno == sys.errno.EPERM
        and (c.user_namespace or c.lacks_host) then
      ok, message, errno = sysfs.instead(c.root, entry.destination)
    end
  end
  if not ok and (message:find("/proc/self/fd/", 1, true) or message:find("^move_mount:")) then
    message = ("mount %s: %s"):format(entry.destination, sys.strerror(errno))
  end
  return ok, message, errno
end

-- What is held open as soon as it is mounted: what is done in it later is done there, whatever
-- volume comes to lie on it and whoever renames its place in the root meanwhile.
local HELD <const> =
  { ["/dev"] = true, ["/dev/pts"] = true, ["/proc"] = true, ["/sys"] = true }

--- Runs while the old root is still attached: volumes come from there, and a user namespace may
-- mount proc only where a full one is visible.
function mount.child(c)
  c.held = {}
  for _, entry in ipairs(c.config.mounts) do
    local top, message, errno = one(c, entry)
    if not top then
      return nil, message, errno
    end
    local place = entry.destination
    if HELD[place] and not c.held[place] then
      c.held[place] = top
    elseif type(top) == "userdata" then
      top:close()
    end
  end
  return true
end

return mount
