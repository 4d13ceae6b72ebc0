-- The mounts of a container: OCI's list of them, and the volumes at its end. mount(2);
-- OCI runtime specification, config, "Mounts"

local cgroup_mount = require "container.fs.cgroup_mount"
local copy_on_write = require "container.fs.copy_on_write"
local errors = require "container.error"
local sys = require "container.sys"
local devices = require "container.fs.devices"
local file = require "container.fs.path"
local filesystem = require "container.fs.filesystem"
local links = require "container.fs.links"
local sysfs = require "container.fs.sysfs"
local mount_fd = require "container.fs.mount_fd"
local mount_options = require "container.fs.mount_options"

local try <const> = errors.try

local mounts = {}

--- How the host's mounts reach this namespace, where a volume asks that something be passed on.
-- mount_namespaces(7)
local function propagation(ctx)
  local way
  for _, entry in ipairs(ctx and ctx.volumes or {}) do
    for _, words in ipairs(mount_options.read(entry.options, true).propagation) do
      if words:find("shared", 1, true) then
        return "shared"
      elseif words:find("slave", 1, true) then
        way = "slave"
      end
    end
  end
  return way
end

--- Makes everything private first: nothing that is mounted from here on shows on the host, also
-- where the host's mounts are shared, as systemd has them. Where something is to be passed on, that
-- is the root alone, which the new root is mounted on; and what comes of the others is decided
-- where they are bound. mount_namespaces(7)
function mounts.private(ctx)
  local way = propagation(ctx)
  if way then
    ctx.passes_on = way
    if way == "slave" then
      try(sys.mount(nil, "/", nil, "rslave"))
    end
    return sys.mount(nil, "/", nil, "private")
  end
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

--- Volumes of a container whose root is no user of the host are looked up here, and those that have
-- mappings of their own. Ids are those on disk only where that was asked for, by OCI's word for it.
function mounts.prepare(ctx)
  local all = ctx.trees
  if ctx.view and propagation(ctx) == "shared" then
    return nil, "a volume that is shared takes a root of the container's own (rootfs): the overlay "
      .. "of the host's is made of the host's mounts, where it would show", sys.errno.EINVAL,
      "volumes"
  end
  for _, entry in ipairs(ctx.volumes or {}) do
    try(copy_on_write.check(ctx, entry))
    if all or entry.uidMappings then
      ctx.trees = ctx.trees or {}
      local how = mount_options.read(entry.options, ctx.bundle)
      try(mount_fd.hold(ctx, entry, entry.source, {
        rec = not how.single, mapped = how.idmap and not entry.uidMappings,
        map_below = not ctx.bundle or how.idmap_below, own = entry.uidMappings and entry,
        passed_on = how.propagation[1] and not how.propagation[1]:find("private", 1, true),
      }))
    end
  end
  return true
end

-- What of the container's own /proc a bundle may cover, as runc has it: lxcfs does.
local COVERED <const> = {
  ["/proc/cpuinfo"] = true, ["/proc/diskstats"] = true, ["/proc/meminfo"] = true,
  ["/proc/stat"] = true, ["/proc/swaps"] = true, ["/proc/uptime"] = true, ["/proc/loadavg"] = true,
  ["/proc/slabinfo"] = true, ["/proc/net/dev"] = true,
  ["/proc/sys/kernel/ns_last_pid"] = true, ["/proc/sys/crypto/fips_enabled"] = true,
}

--- Shows something of the host's, or changes what is mounted already.
local function bind(ctx, entry, how)
  if how.remount then
    local target <close> = try(sys.open_beneath(ctx.root, entry.destination, "path"))
    return file.set_attributes(target, how)
  end
  local source = ctx.sources and ctx.sources[entry] or entry.source
  local place = type(source) == "userdata" and file.path(source) or source
  local proc = ctx.held["/proc"]
  local covered = ctx.bundle and proc and COVERED[entry.destination]
  local root, path = ctx.root, entry.destination
  if covered then
    root, path, proc = proc, path:sub(#"/proc" + 1), nil
  end
  local top, message, errno = file.bind(root, path, place, how, proc)
  if not top and place ~= source then
    -- Its fd is nothing that the user named.
    message = message:gsub(place .. "%f[^%d]", (entry.source:gsub("%%", "%%%%")))
  end
  return top, message, errno
end

--- Shows a directory of the host's, which the container changes for itself alone.
local function overlay(ctx, entry)
  local target <close> = try(file.beneath(ctx.root, entry.destination, "directory"))
  if ctx.held["/proc"] and file.is_in(target, ctx.held["/proc"]) then
    return nil, file.BARRED:format(entry.destination), sys.errno.EPERM
  end
  return copy_on_write.volume(ctx, target, ctx.sources[entry], entry)
end

local function one(ctx, entry, asked)
  local how = mount_options.read(entry.options, ctx.bundle)
  local ok, message, errno
  if entry.type == "cgroup" then
    ok, message, errno = cgroup_mount(ctx, entry, how.flags)
  elseif entry.overlay then
    ok, message, errno = overlay(ctx, entry)
  elseif how.bind then
    ok, message, errno = bind(ctx, entry, how)
  else
    ok, message, errno = filesystem.mount(ctx, entry, how, asked)
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
    local top, message, errno = one(ctx, entry, true)
    if not top then
      return nil, message, errno
    elseif type(top) == "userdata" then
      top:close()
    end
  end
  return true
end

return mounts
