-- The root of a container: a directory, or a throw-away view of the host's own `/`.
--
-- Either is mounted on top of `/` itself. Nothing of the host is covered by that, for a process's
-- root stays what it was; "/.." leads to what was put on top. pivot_root then makes that the
-- root and lets the old one go. pivot_root(2)

local host_overlay = require "container.fs.host_overlay"
local sys = require "container.sys"
local file = require "container.fs.path"
local mount_fd = require "container.fs.mount_fd"
local run_directory = require "container.fs.run_directory"

local rootfs = {}

local VIEW <const> = "/"

-- Under which mount_fd.lua holds the root.
local ROOT <const> = "root"

--- Asks, before anything is made, whether there is such a directory and it can be read.
function rootfs.prepare(c)
  local fd <close>, message, errno = sys.open(c.config.root.path, "rdonly,directory")
  if not fd then
    return nil, message, errno
  end
  -- By whatever path, a link or ..: the host's own root is seen, never handed out.
  local asked, own = assert(sys.stat(fd)), assert(sys.stat(VIEW))
  if asked.dev == own.dev and asked.ino == own.ino then
    c.view = true
    c.resolver = c.network == "host" and run_directory.resolver() or false
  end
  if not c.trees then
    return true
  elseif c.view then
    return host_overlay.hold(c)
  end
  return mount_fd.hold(c, ROOT, c.config.root.path, { rec = true, mapped = true })
end

local function top()
  return sys.open("/..", "path,directory")
end

local function bind(path, held, privileged)
  local ok, message, errno
  if held then
    ok, message, errno = sys.move_mount(held, "/")
  else
    ok, message, errno = sys.mount(path, "/", nil, "rbind")
  end
  if not ok then
    return nil, message, errno
  elseif held or not privileged then
    -- A node of a device that an image brings is a door to the host's, which idmapped is root's.
    return file.restrict("/..", path, "nodev", top)
  end
  return top()
end

--- Puts the new root on top of the old and leaves an fd of it for those who mount into it.
function rootfs.child(c)
  local message, errno
  if c.view then
    c.root, message, errno = host_overlay.make(c)
  else
    c.root, message, errno = bind(c.config.root.path, mount_fd.of(c, ROOT), c.privileged)
  end
  return c.root and true, message, errno
end

--- Where the new root is until it is the root, as a path.
function rootfs.place(c)
  return c.view and "/../root" or "/.."
end

--- Makes the root itself read-only, and nothing that is mounted in it. Before 5.12 one mount could
-- be changed by mounting it again.
local function read_only(root)
  local ok, message, errno = sys.mount_setattr(file.path(root), "ro")
  if not ok and errno == sys.errno.ENOSYS then
    ok, message, errno = file.remount(root, "ro")
  end
  return ok, message, errno
end

--- Makes it the root. From here on nothing of the host can be reached by a path.
function rootfs.pivot(c)
  local ok, message, errno = true, nil, nil
  if c.config.root.readonly then
    ok, message, errno = read_only(c.root)
  end
  if ok then
    ok, message, errno = sys.pivot_root(c.root)
  end
  c.root:close()
  return ok, message, errno
end

return rootfs
