-- The mounts of a container: OCI's list of them, and the volumes at its end. mount(2);
-- OCI runtime specification, config, "Mounts"

local errors = require "container.error"
local sys = require "container.sys"
local devices = require "container.fs.devices"
local file = require "container.fs.path"
local links = require "container.fs.links"
local sysfs = require "container.fs.sysfs"
local mount_fd = require "container.fs.mount_fd"

local try <const> = errors.try

local mounts = {}

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
function mounts.private()
  local ok, message, errno = sys.mount(nil, "/", nil, "rprivate")
  if errno == sys.errno.EINVAL then
    message = message .. "; the caller is in a chroot that is no mount point, and to leave that "
      .. "takes CAP_SYS_CHROOT, CAP_SYS_ADMIN and a /proc that is mounted"
  end
  return ok, message, errno
end

--- Opens the sources of the volumes while `/` is still the host's for every path: as soon as the
-- new root is on top of it, a path that goes up to `/` by ".." comes out there.
function mounts.sources(ctx)
  ctx.sources = {}
  for _, entry in ipairs(ctx.volumes or {}) do
    local held = mount_fd.of(ctx, entry)
    local fd, message, errno = held, nil, nil
    if not held then
      fd, message, errno = sys.open(entry.source, "path")
    end
    if not fd then
      return nil, message, errno
    end
    ctx.sources[entry] = fd
  end
  return true
end

--- What a refusal may come from.
local function hint(ctx, entry)
  return entry.type == "proc" and (ctx.user_namespace or ctx.lacks_host)
    and "; in a user namespace the kernel mounts a proc only where the caller sees another one and "
      .. "nothing covers a part of it, as an outer container does (podman: unmask=ALL)" or ""
end

--- Mounts a filesystem of the kernel's. Its place may not be a link: an image whose /proc is one
-- wants something else to be /proc.
local function filesystem(ctx, entry, flags, data)
  local root, path = file.nearest(ctx.held, ctx.root, entry.destination)
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
      number == sys.errno.EPERM and hint(ctx, entry) or ""), number
  end
  return top
end

--- Whether the container's /sys came with what the host has mounted in it.
local function has_entries(ctx, place)
  local root, path = file.nearest(ctx.held, ctx.root, place)
  local fd <close> = sys.open_beneath(root, path, "path,directory", "nosymlinks")
  local names = fd and sys.list(file.path(fd))
  return names and #names > 0
end

--- The cgroup that the container was given, the root of its cgroup namespace: in version 2 alone
-- one mount, else a tmpfs with those hierarchies. In every other, the container is in its
-- launcher's cgroup, which may hold others: those are never shown, and covered where /sys is the
-- host's. (To mount all hierarchies, as docker does, would also cost a start a tenth more.)
local function own_cgroup(ctx, entry, flags)
  local place, homes = entry.destination, ctx.cgroup or {}
  if #homes == 1 and homes[1].version == 2 then
    return filesystem(ctx, { destination = place, type = "cgroup2", source = "cgroup" }, flags)
  elseif #homes == 0 and not has_entries(ctx, place) then
    return true
  end
  local top <close> = try(filesystem(ctx,
    { destination = place, type = "tmpfs", source = "tmpfs" }, "nosuid,nodev,noexec", "mode=755"))
  local held = { root = top, held = {} }
  for _, own in ipairs(homes) do
    local name = own.hierarchy
    local _ <close> = try(filesystem(held, { destination = "/" .. (name or "unified"),
      type = name and "cgroup" or "cgroup2", source = "cgroup" }, flags, name))
  end
  return sys.mount(nil, file.path(top), nil, "remount,bind," .. flags)
end

--- Volumes of a container whose root is no user of the host are looked up here. Its ids are those
-- on disk only where that was asked for, by OCI's word for it.
function mounts.prepare(ctx)
  for _, entry in ipairs(ctx.trees and ctx.volumes or {}) do
    local _, _, words = split(entry.options)
    try(mount_fd.hold(ctx, entry, entry.source, { rec = true, mapped = words.idmap }))
  end
  return true
end

local function one(ctx, entry)
  local flags, data, words = split(entry.options)
  local ok, message, errno
  if entry.type == "cgroup" then
    ok, message, errno = own_cgroup(ctx, entry, flags)
  elseif words.bind or words.rbind then
    local source = ctx.sources and ctx.sources[entry] or entry.source
    local place = type(source) == "userdata" and file.path(source) or source
    ok, message, errno = file.bind(ctx.root, entry.destination, place, words, ctx.held["/proc"])
    if not ok and place ~= source then
      -- Its fd is nothing that the user named.
      message = message:gsub(place .. "%f[^%d]", (entry.source:gsub("%%", "%%%%")))
    end
  else
    ok, message, errno = filesystem(ctx, entry, flags, data)
    if entry.type == "sysfs" and errno == sys.errno.EPERM
        and (ctx.user_namespace or ctx.lacks_host) then
      ok, message, errno = sysfs.instead(ctx.root, entry.destination)
    end
  end
  if not ok and (message:find("/proc/self/fd/", 1, true) or message:find("^move_mount:")) then
    message = ("mount %s: %s"):format(entry.destination, sys.strerror(errno))
  end
  return ok, message, errno
end

-- What is held open as soon as it is mounted: what is done in it later is done there, also
-- when a volume lies on it or its place in the root is renamed meanwhile.
local HELD <const> =
  { ["/dev"] = true, ["/dev/pts"] = true, ["/proc"] = true, ["/sys"] = true }

--- The mounts of the default. Runs while the old root is still attached: a user namespace may
-- mount proc only where a full one is visible.
function mounts.child(ctx)
  ctx.held = {}
  for i = 1, (ctx.first_given or math.huge) - 1 do
    local entry = ctx.config.mounts[i]
    if not entry then
      break
    end
    local top = try(one(ctx, entry))
    local place = entry.destination
    if HELD[place] and not ctx.held[place] then
      ctx.held[place] = top
    elseif type(top) == "userdata" then
      top:close()
    end
  end
  return true
end

--- A tmpfs that was asked for. A link on the way leads where it leads inside the root, but not into
-- /proc.
local function tmpfs(ctx, entry)
  local flags, data = split(entry.options)
  local target <close>, message, errno = file.beneath(ctx.root, entry.destination, "directory")
  if not target then
    return nil, message, errno
  elseif ctx.held["/proc"] and file.is_in(target, ctx.held["/proc"]) then
    return nil, file.BARRED:format(entry.destination), sys.errno.EPERM
  end
  local number = sys.errno.ENOTDIR
  if sys.stat(target, "type") == "directory" then
    local top, _, code = file.mount(target, entry.source, entry.type, flags, data)
    if top then
      return top
    end
    number = code
  end
  return nil, ("mount %s: %s"):format(entry.destination, sys.strerror(number)), number
end

--- How deep a place lies, when its links are followed; as it is written, where it cannot be found.
local function depth(ctx, entry)
  local place = links.where(ctx.root, entry.destination) or entry.destination
  return select(2, place:gsub("/", ""))
end

--- What was asked for, the outer before the inner, whichever links lead there.
local function given(ctx)
  local list, depths, order = {}, {}, {}
  for i = ctx.first_given, #ctx.config.mounts do
    list[#list + 1] = ctx.config.mounts[i]
  end
  for _, entry in ipairs(ctx.config.linux.devices or {}) do
    if devices.is_inside(ctx, entry) then
      list[#list + 1] = { destination = entry.path, type = "bind", source = entry.source,
        options = { "bind" } }
    end
  end
  for i, entry in ipairs(#list > 1 and list or {}) do
    depths[entry], order[entry] = depth(ctx, entry), i
  end
  table.sort(list, function(one_entry, other)
    local difference = depths[one_entry] - depths[other]
    return difference < 0 or difference == 0 and order[one_entry] < order[other]
  end)
  return list
end

--- The volumes and tmpfs that were asked for, and devices that lie in one. Runs when /dev is
-- filled, so that a volume can lie on a device; and while the old root is attached, for they come
-- from there.
function mounts.given(ctx)
  for _, entry in ipairs(ctx.first_given and given(ctx) or {}) do
    local top, message, errno
    if entry.type == "tmpfs" then
      top, message, errno = tmpfs(ctx, entry)
    else
      top, message, errno = one(ctx, entry)
    end
    if not top then
      return nil, message, errno
    elseif type(top) == "userdata" then
      top:close()
    end
  end
  return true
end

return mounts
