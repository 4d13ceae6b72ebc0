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

--- Makes a node in a directory of our own.
-- @param parent fd of the directory
-- @string name
-- @string source the host's own of it
-- @param ... as of container.mknod: type, mode, major, minor
local function node(parent, name, source, kind, mode, major, minor)
  local ok, message, errno = sys.mknod(name, kind, mode, major, minor, parent)
  if ok or errno ~= sys.errno.EPERM then
    return ok, message, errno
  end
  -- No process makes device nodes in a user namespace, or where a device cgroup forbids it. The
  -- host's own is bound in its place.
  local target <close> = try(path.beneath(parent, name, "file", "nosymlinks"))
  return sys.mount(source, path.path(target), nil, "bind")
end

--- A device of the host's that was asked for, in its place beneath /dev.
local function asked(dev, entry)
  local above, name = entry.path:match("^/dev(.*)/([^/]+)$")
  local parent <close> = try(path.beneath(dev, "." .. above, "directory", "nosymlinks"))
  return node(parent, name, entry.source, entry.type == "b" and "block" or "char", entry.fileMode,
    entry.major, entry.minor)
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

--- Runs when the container's own /dev is mounted and empty, so no link of an image is in the way;
-- and before a volume is mounted there, which lies on what is made here. What was asked for takes
-- the place of one of the default.
function devices.child(ctx)
  local dev, made = ctx.held["/dev"], {}
  for _, entry in ipairs(ctx.config.linux.devices or {}) do
    if not made[entry.path] and not devices.is_inside(ctx, entry) then
      try(asked(dev, entry))
      made[entry.path] = true
    end
  end
  for _, entry in ipairs(NODES) do
    local name, major, minor = table.unpack(entry)
    if not made["/dev/" .. name] then
      try(node(dev, name, "/dev/" .. name, "char", 0x1b6, major, minor)) -- 0666
    end
  end
  for name, target in pairs(LINKS) do
    try(sys.symlink(target, name, dev))
  end
  return true
end

return devices
