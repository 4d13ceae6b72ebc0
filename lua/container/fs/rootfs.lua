-- The root of a container: a directory, or a throw-away view of the host's own `/`.
--
-- Either is mounted on top of `/` itself. Nothing of the host is covered by that, for a process's
-- root stays what it was; "/.." leads to what was put on top. pivot_root then makes that the
-- root and lets the old one go. pivot_root(2)

local copy_on_write = require "container.fs.copy_on_write"
local errors = require "container.error"
local host_overlay = require "container.fs.host_overlay"
local old_kernel = require "container.fs.old_kernel"
local sys = require "container.sys"
local file = require "container.fs.path"
local mount_fd = require "container.fs.mount_fd"
local run_directory = require "container.fs.run_directory"

local try <const> = errors.try

local rootfs = {}

local VIEW <const> = "/"

-- Under which mount_fd.lua holds the root.
local ROOT <const> = "root"

--- Asks, before anything is made, whether there is such a directory and it can be read.
function rootfs.prepare(ctx)
  local fd <close> = try(sys.open(ctx.config.root.path, "rdonly,directory"))
  -- By any path, a link or ..: the host's own root is seen, never handed out.
  local asked, own = assert(sys.stat(fd)), assert(sys.stat(VIEW))
  if not ctx.bundle and asked.dev == own.dev and asked.ino == own.ino then
    ctx.view = true
    ctx.resolver = ctx.network == "host" and run_directory.resolver() or false
  end
  if not ctx.trees then
    return true
  elseif ctx.view then
    return host_overlay.hold(ctx)
  end
  return mount_fd.hold(ctx, ROOT, ctx.config.root.path, { rec = true, mapped = not ctx.bundle })
end

local function top()
  return sys.open("/..", "path,directory")
end

local function bind(path, held, has_nodes)
  local ok, message, errno
  if held then
    ok, message, errno = sys.move_mount(held, "/")
  else
    ok, message, errno = sys.mount(path, "/", nil, "rbind")
  end
  if not ok then
    return nil, message, errno
  elseif not has_nodes then
    -- A node of a device that an image brings is a door to the host's, which idmapped is root's.
    return file.restrict("/..", path, "nodev", top)
  end
  return top()
end

--- Puts the new root on top of the old and leaves an fd of it for the steps that mount into it.
function rootfs.child(ctx)
  local message, errno
  if ctx.view then
    ctx.root, message, errno = host_overlay.make(ctx)
  else
    local held = mount_fd.of(ctx, ROOT)
    local has_nodes = ctx.bundle or ctx.privileged and not held
    if ctx.copy_on_write then
      ctx.root, message, errno = copy_on_write.root(ctx, held, has_nodes)
    else
      ctx.root, message, errno = bind(ctx.config.root.path, held, has_nodes)
    end
    if ctx.root and ctx.passes_on then
      -- What is mounted in it is the container's alone.
      try(sys.mount(nil, file.path(ctx.root), nil, "rprivate"))
    end
  end
  return ctx.root and true, message, errno
end

--- Where the new root is until it is the root, as a path.
function rootfs.place(ctx)
  return (ctx.view or ctx.copy_on_write) and "/../root" or "/.."
end

--- Makes it the root. From here on nothing of the host can be reached by a path.
function rootfs.pivot(ctx)
  local ok, message, errno = true, nil, nil
  if ctx.config.root.readonly then
    -- The working directory is made when it is missing, and later nothing can be.
    local _ <close> = file.beneath(ctx.root, ctx.config.process.cwd, "directory")
    ok, message, errno = old_kernel.set(ctx.root, "ro") -- and nothing that is mounted in it
  end
  if ok then
    ok, message, errno = sys.pivot_root(ctx.root, ctx.passes_on and true)
  end
  ctx.root:close()
  local way = ctx.bundle and ctx.config.linux.rootfsPropagation
  if ok and way then
    ok, message, errno = sys.mount(nil, "/", nil, way)
  end
  return ok, message, errno
end

return rootfs
