-- A caller whose root is not the root of its mount namespace: a chroot, as of sbuild, schroot or a
-- step of a CI.
--
-- What makes a root works on that of the namespace. From a chroot into a plain directory neither a
-- private mount nor pivot_root(2) is to be had; from one into a mount point they may be, but a
-- process that joins the container later is given the namespace's root, and that would be the
-- host's. So the chroot becomes the root of the child's own namespace first.

local errors = require "container.error"
local sys = require "container.sys"

local try <const> = errors.try

local chroot = {}

local OWN <const> = "/proc/self/ns/mnt"

--- Makes a tree the root of this mount namespace, and lets go of all else in it.
-- @param root fd of a directory
local function enter(root)
  -- Or the host would see the next mount.
  try(sys.mount(nil, "/", nil, "rprivate"))
  local tree <close> = try(sys.open_tree(root, "rec"))
  try(sys.move_mount(tree, "/"))
  try(sys.pivot_root(tree))
end

--- Runs in the child, with the rights over its new mount namespace. Joining the own namespace leads
-- to its root: setns(2).
function chroot.leave(ctx)
  if ctx.user_namespace then
    return true -- the kernel makes none from a chroot
  end
  local place = sys.readlink("/proc/self/cwd")
  local root <close> = sys.open("/", "path,directory")
  local cwd <close> = sys.open(".", "path,directory")
  if not root or not cwd or not sys.setns(OWN, "mount") then
    return true -- without the right to it, or without proc: the next step has more to say
  end
  local here, there = sys.stat(root), sys.stat("/")
  if here.ino == there.ino and sys.mount_id(root) == sys.mount_id("/") then
    return sys.chdir(cwd)
  end
  enter(root)
  sys.chdir(place or "/") -- else it is outside of the chroot
  return true
end

return chroot
