-- The mounts of a container: OCI's list of them, and the volumes at its end. mount(2);
-- OCI runtime specification, config, "Mounts"

local container = require "container"
local file = require "container.file"
local tree = require "container.tree"

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
  return container.mount(nil, "/", nil, "rprivate")
end

--- Mounts a filesystem of the kernel's. Its place may not be a link: an image whose /proc is one
-- wants something else to be /proc.
local function filesystem(root, entry, flags, data)
  local target <close>, message, errno =
    file.beneath(root, entry.destination, "directory", "nosymlinks")
  if not target then
    if errno == container.errno.ELOOP then
      message = ("mount %s: it is, or lies behind, a symbolic link in the root")
        :format(entry.destination)
    end
    return nil, message, errno
  end
  return container.mount(entry.source, file.path(target), entry.type, flags, data)
end

--- Whether the container's /sys came with what the host has mounted in it.
local function has_entries(root, path)
  local fd <close> = container.open_beneath(root, path, "path,directory", "nosymlinks")
  local names = fd and container.list(file.path(fd))
  return names and #names > 0
end

--- The cgroup that the container was given, the root of its cgroup namespace: in version 2 alone
-- one mount, else a tmpfs with those hierarchies. In every other, the container is in its
-- launcher's cgroup, which may hold others: those are never shown, and covered where /sys is the
-- host's. (To mount all hierarchies, as docker does, would also cost a start a tenth more.)
local function own_cgroup(c, entry, flags)
  local place, homes = entry.destination, c.cgroup or {}
  if #homes == 1 and homes[1].version == 2 then
    return filesystem(c.root, { destination = place, type = "cgroup2", source = "cgroup" }, flags)
  elseif #homes == 0 and not has_entries(c.root, place) then
    return true
  end
  local ok, message, errno = filesystem(c.root,
    { destination = place, type = "tmpfs", source = "tmpfs" }, "nosuid,nodev,noexec", "mode=755")
  for i = 1, ok and #homes or 0 do
    local name = homes[i].hierarchy
    ok, message, errno = filesystem(c.root, { destination = place .. "/" .. (name or "unified"),
      type = name and "cgroup" or "cgroup2", source = "cgroup" }, flags, name)
    if not ok then
      return nil, message, errno
    end
  end
  if ok then
    local top <close> = assert(container.open_beneath(c.root, place, "path"))
    ok, message, errno = container.mount(nil, file.path(top), nil, "remount,bind," .. flags)
  end
  return ok, message, errno
end

--- Volumes of a container whose root is nobody on the host are looked up here. Its ids are those on
-- disk only where that was asked for, by OCI's word for it.
function mount.prepare(c)
  for _, entry in ipairs(c.trees and c.volumes or {}) do
    local _, _, words = split(entry.options)
    local ok, message, errno =
      tree.hold(c, entry, entry.source, { rec = true, mapped = words.idmap })
    if not ok then
      return nil, message, errno
    end
  end
  return true
end

local function one(c, entry)
  local root = c.root
  local flags, data, words = split(entry.options)
  local ok, message, errno
  if entry.type == "cgroup" then
    ok, message, errno = own_cgroup(c, entry, flags)
  elseif words.bind or words.rbind then
    local source = tree.of(c, entry) or entry.source
    ok, message, errno = file.bind(root, entry.destination, source, words)
  else
    ok, message, errno = filesystem(root, entry, flags, data)
  end
  if not ok and (message:find("/proc/self/fd/", 1, true) or message:find("^move_mount:")) then
    message = ("mount %s: %s"):format(entry.destination, container.strerror(errno))
  end
  return ok, message, errno
end

-- What is held open as soon as it is mounted, for a volume may come to lie on it: for devices and
-- for the terminal.
local HELD <const> = { ["/dev"] = "dev", ["/dev/pts"] = "pts" }

--- Runs while the old root is still attached: the sources of volumes are there, and a user
-- namespace may mount proc only where a full one is visible.
function mount.child(c)
  for _, entry in ipairs(c.config.mounts) do
    local ok, message, errno = one(c, entry)
    if not ok then
      return nil, message, errno
    end
    local held = HELD[entry.destination]
    if held and not c[held] then
      c[held], message, errno = container.open_beneath(c.root, entry.destination, "path,directory")
      if not c[held] then
        return nil, message, errno
      end
    end
  end
  return true
end

return mount
