-- A directory of the host's that a container changes for itself alone: what is read comes from
-- there, what is written goes to a tmpfs that ends with the container. Kernel document
-- filesystems/overlayfs

local errors = require "container.error"
local file = require "container.fs.path"
local sys = require "container.sys"

local try <const> = errors.try

local copy_on_write = {}

local SCRATCH <const> = "mode=0755"

--- Makes the directories of the upper layer, the topmost as the lower one is, as far as those ids
-- exist here.
-- @param scratch fd of a directory of ours
-- @param lower fd
-- @bool userns
-- @treturn string the options of the overlay
local function layers(scratch, lower, userns)
  local st = try(sys.stat(lower))
  try(sys.mkdir("upper", st.mode & 0xfff, scratch))
  try(sys.mkdir("work", 0x1c0, scratch)) -- 0700
  sys.chown("upper", st.uid, st.gid, scratch)
  local path = file.path(scratch)
  -- By fd, for a path may hold a comma or a colon, which mean something to overlay.
  return ("lowerdir=%s,upperdir=%s/upper,workdir=%s/work%s"):format(file.path(lower), path, path,
    userns and ",userxattr" or "")
end

local function in_user_namespace(ctx)
  return ctx.user_namespace or ctx.lacks_host
end

local function refusal(what, errno)
  return nil, ("overlay %s: %s"):format(what, sys.strerror(errno)), errno
end

--- Mounts a volume so. The tmpfs lies below it at the same place.
-- @tparam Context ctx
-- @param target fd of the place
-- @param lower fd
-- @tparam table entry of the volume
-- @return an fd of its top; or nil, message, errno
function copy_on_write.volume(ctx, target, lower, entry)
  local scratch <close> = try(file.mount(target, "tmpfs", "tmpfs", "nosuid,nodev", SCRATCH))
  local top, _, errno = file.mount(scratch, "overlay", "overlay", "nodev",
    layers(scratch, lower, in_user_namespace(ctx)))
  if not top then
    return refusal(entry.source, errno)
  end
  return top
end

--- Puts a root so on top of `/`.
-- @tparam Context ctx
-- @param[opt] held fd of a mount of it that is nowhere
-- @bool has_nodes devices in it can be opened
-- @return an fd of it, which is called root in the tmpfs on top; or nil, message, errno
function copy_on_write.root(ctx, held, has_nodes)
  try(sys.mount("tmpfs", "/", "tmpfs", "nosuid,nodev", SCRATCH))
  local scratch <close> = try(sys.open("/..", "path,directory"))
  local source = ctx.config.root.path
  if held then
    try(sys.mkdir("lower", 0x1c0, scratch)) -- 0700
    local place <close> = try(sys.open("lower", "path,directory", nil, scratch))
    try(sys.move_mount(held, place))
  end
  local lower <close> =
    try(sys.open(held and "lower" or source, "path,directory", nil, held and scratch or nil))
  try(sys.mkdir("root", 0x1ed, scratch)) -- 0755
  local place <close> = try(sys.open("root", "path,directory", nil, scratch))
  local ok, _, errno = sys.mount("overlay", file.path(place), "overlay",
    not has_nodes and "nodev" or nil, layers(scratch, lower, in_user_namespace(ctx)))
  if not ok then
    return refusal(source, errno)
  end
  return sys.open("root", "path,directory", nil, scratch)
end

--- Refuses a volume that is held for a container with a range of ids: it is mounted nowhere.
function copy_on_write.check(ctx, entry)
  if ctx.trees and entry.overlay then
    return nil, ("%s: a volume with O does not go with the user namespace auto or subid"):format(
      entry.source), sys.errno.EINVAL, "volumes"
  end
  return true
end

return copy_on_write
