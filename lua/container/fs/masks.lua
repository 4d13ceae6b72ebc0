-- What of /proc and /sys is hidden, or can only be read: `linux.maskedPaths` and
-- `linux.readonlyPaths` of the OCI runtime specification.

local errors = require "container.error"
local sys = require "container.sys"
local file = require "container.fs.path"

local try <const> = errors.try

local masks = {}

-- runc's default list, and what advisories have added to it since.
masks.MASKED = {
  "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/interrupts", "/proc/irq", "/proc/kcore",
  "/proc/keys", "/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags", "/proc/latency_stats",
  "/proc/pagetypeinfo", "/proc/sched_debug", "/proc/scsi", "/proc/slabinfo", "/proc/timer_list",
  "/proc/timer_stats", "/proc/vmallocinfo", "/sys/devices/virtual/powercap", "/sys/firmware",
}

masks.READONLY = { "/proc/fs", "/proc/sys", "/proc/sysrq-trigger" }

local CPUS <const> = "/sys/devices/system/cpu"

--- The container's own /dev/null, held by an fd and looked at: what is bound over a secret is that
-- device and nothing that took its place.
local function null(ctx)
  local root, path = file.nearest(ctx.held, ctx.root, "/dev/null")
  local fd = try(sys.open_beneath(root, path, "path", "nosymlinks"))
  local st = assert(sys.stat(fd))
  if st.type ~= "char" or st.major ~= 1 or st.minor ~= 3 then
    fd:close()
    return nil, "stat /dev/null: not the null device", sys.errno.EINVAL
  end
  return fd
end

--- Covers what is at `path`: a file by the null device, a directory by an empty tmpfs. The first
-- directory gets that tmpfs, and the others the same again: a filesystem costs more than a mount.
local function hide(path, root, covers)
  local ok, message, errno = sys.mask_path(root, path, covers.file, covers.directory)
  if ok then
    return true
  elseif errno ~= sys.errno.EISDIR then
    -- What is not there, or cannot be reached by this user, needs no mask; anything else stops the
    -- start.
    return errno == sys.errno.ENOENT or errno == sys.errno.EACCES, message, errno
  end
  local target <close> = assert(sys.open_beneath(root, path, "path", "nosymlinks"))
  ok, message, errno =
    sys.mount("tmpfs", file.path(target), "tmpfs", "ro,nosuid,nodev,noexec", "size=0k")
  if ok then
    covers.directory, message, errno = sys.open_beneath(root, path, "path", "nosymlinks")
  end
  return covers.directory and true, message, errno
end

local function protect(path, root)
  local target <close>, message, errno = sys.open_beneath(root, path, "path", "nosymlinks")
  if not target then
    return errno == sys.errno.ENOENT, message, errno
  end
  -- The same file, on itself.
  local held <close>, why, number = sys.open_tree(target, "rec")
  local ok = held
  if ok then
    ok, why, number = sys.mount_setattr(held, "rec,ro")
  end
  if ok then
    ok, why, number = sys.move_mount(held, target)
  end
  if ok or number ~= sys.errno.ENOSYS then
    return ok, why, number
  end
  local top <close>, reason, code = file.bind(root, path, file.path(target), { all = "ro" })
  return top and true, reason, code
end

--- Temperatures of processors, which tell of the neighbours' load.
local function throttles(ctx)
  local list = {}
  local root, path = file.nearest(ctx.held, ctx.root, CPUS .. "/cpu0/thermal_throttle")
  local first <close> = sys.open_beneath(root, path, "path")
  for _, name in ipairs(first and sys.list(CPUS) or {}) do
    if name:find("^cpu%d+$") then
      list[#list + 1] = ("%s/%s/thermal_throttle"):format(CPUS, name)
    end
  end
  return list
end

--- Whether a volume lies on a mount that is held.
local function is_covered(ctx, root, place, known)
  if known[root] == nil then
    local fd <close> = sys.open_beneath(ctx.root, place, "path")
    known[root] = not fd or sys.mount_id(fd) ~= sys.mount_id(root)
  end
  return known[root]
end

--- Does it with each path: in the mounts that are held, and where a volume lies on these, with what
-- is seen at that path, too.
local function each(ctx, paths, what, fn, ...)
  local known = {}
  for _, path in ipairs(paths) do
    local root, rest = file.nearest(ctx.held, ctx.root, path)
    local ok, message, errno = fn(rest, root, ...)
    if ok and root ~= ctx.root and ctx.volumes and ctx.volumes[1]
        and is_covered(ctx, root, rest == "." and path or path:sub(1, #path - #rest), known) then
      ok, message, errno = fn(path, ctx.root, ...)
    end
    if not ok then
      return nil, ("%s %s: %s"):format(what, path, message), errno
    end
  end
  return true
end

local function uncover(covers)
  for _, fd in pairs(covers) do
    fd:close()
  end
end

--- Runs while the old root is there, for mounts are made by /proc/self/fd, and the container's own
-- proc is one of what is masked.
function masks.child(ctx)
  local masked, readonly = ctx.config.linux.maskedPaths, ctx.config.linux.readonlyPaths
  if #masked == 0 and #readonly == 0 then
    return true
  end
  local covers <close> = setmetatable({}, { __close = uncover })
  local ok, message, errno
  covers.file, message, errno = null(ctx)
  if not covers.file then
    return nil, message, errno
  end
  ok, message, errno = each(ctx, masked, "mask", hide, covers)
  if ok and masked == masks.MASKED then
    ok, message, errno = each(ctx, throttles(ctx), "mask", hide, covers)
  end
  if ok then
    ok, message, errno = each(ctx, readonly, "protect", protect)
  end
  return ok, message, errno
end

return masks
