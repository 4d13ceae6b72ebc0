-- What is in /dev: OCI runtime specification, config-linux, "Default Devices" and "Default
-- Filesystems". The tmpfs, pts, shm and mqueue are mounts; here are the nodes and links.

local errors = require "container.error"
local sys = require "container.sys"
local path = require "container.fs.path"

local try <const> = errors.try

local devices = {}

local NODES <const> = {
  { "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 },
  { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
}

local LINKS <const> = {
  fd = "/proc/self/fd", stdin = "/proc/self/fd/0", stdout = "/proc/self/fd/1",
  stderr = "/proc/self/fd/2", ptmx = "pts/ptmx",
}

--- Makes a node in a directory of our own, or in one of a bundle's root, where what is there stays.
-- @param parent fd of the directory
-- @string name
-- @tparam table entry { source = the host's own of it, kind, fileMode, major, minor, uid, gid }
-- @bool[opt] keep what has this name stays
local function node(parent, name, entry, keep)
  local ok, message, errno =
    sys.mknod(name, entry.kind, entry.fileMode, entry.major, entry.minor, parent)
  if ok and (entry.uid or entry.gid) then
    return sys.chown(name, entry.uid or 0, entry.gid or 0, parent)
  elseif ok or errno ~= sys.errno.EPERM then
    return ok or keep and errno == sys.errno.EEXIST, message, errno
  end
  -- No process makes device nodes in a user namespace, or where a device cgroup forbids it. The
  -- host's own is bound in its place, as it is.
  local target <close> = try(path.beneath(parent, name, "file", "nosymlinks"))
  return sys.mount(entry.source, path.path(target), nil, "bind")
end

local KINDS <const> = { b = "block", c = "char", p = "fifo" }

--- A device that was asked for, in its place beneath /dev, or anywhere in a bundle's root.
local function asked(ctx, dev, entry)
  local above, name = entry.path:match("^(.*)/([^/]+)$")
  local inside = (above .. "/"):match("^/dev(/.*)$")
  local parent <close> = try(path.beneath(inside and dev or ctx.root, "." .. (inside or above),
    "directory", "nosymlinks"))
  return node(parent, name, { source = entry.source, kind = KINDS[entry.type],
    fileMode = entry.fileMode, major = entry.major or 0, minor = entry.minor or 0,
    uid = entry.uid, gid = entry.gid }, ctx.bundle)
end

--- Whether a device that was asked for lies in a volume or tmpfs that was: it is bound there then,
-- when that is mounted.
function devices.is_inside(ctx, entry)
  for i = ctx.first_given or math.huge, #ctx.config.mounts do
    local above = ctx.config.mounts[i].destination .. "/"
    if entry.path:sub(1, #above) == above then
      return true
    end
  end
  return false
end

--- The directory of devices: the container's own mount, or in a bundle also one of its root.
local function directory(ctx)
  local dev = ctx.held["/dev"]
  if dev or not ctx.bundle then
    return dev
  end
  return try(path.beneath(ctx.root, "/dev", "directory", "nosymlinks"))
end

--- Links to where the kernel and the container's devpts have it.
local function link(ctx, dev)
  for name, target in pairs(LINKS) do
    local ok, message, errno = sys.symlink(target, name, dev)
    if not (ok or ctx.bundle and errno == sys.errno.EEXIST) then
      return nil, message, errno
    end
  end
  return true
end

--- Whether a bundle brings all of /dev.
local function is_bound(ctx)
  for _, entry in ipairs(ctx.bundle and ctx.volumes or {}) do
    if entry.destination == "/dev" then
      return true
    end
  end
  return false
end

--- Runs when the container's own /dev is mounted and empty, so no link of an image is in the way;
-- and before a volume is mounted there, which lies on what is made here. What was asked for takes
-- the place of one of the default; ptmx is always that of the container's devpts.
function devices.child(ctx)
  if is_bound(ctx) then
    return true
  end
  local dev, made = directory(ctx), { ["/dev/ptmx"] = ctx.bundle }
  for _, entry in ipairs(ctx.config.linux.devices or {}) do
    if not made[entry.path] and not devices.is_inside(ctx, entry) then
      try(asked(ctx, dev, entry))
      made[entry.path] = true
    end
  end
  for _, entry in ipairs(NODES) do
    local name, major, minor = table.unpack(entry)
    if not made["/dev/" .. name] then
      try(node(dev, name, { source = "/dev/" .. name, kind = "char", fileMode = 0x1b6, -- 0666
        major = major, minor = minor }, ctx.bundle))
    end
  end
  return link(ctx, dev)
end

return devices
