-- Mounts of a container that are filesystems of the kernel's: proc, tmpfs, devpts and others.
-- mount(2)

local copy_up = require "container.fs.copy_up"
local file = require "container.fs.path"
local sys = require "container.sys"

local filesystem = {}

-- Their places may not be links: an image whose /proc is one wants something else to be /proc.
local FIXED <const> = { proc = true, sysfs = true, cgroup = true, cgroup2 = true }

--- What a refusal may come from.
local function hint(ctx, entry)
  return entry.type == "proc" and (ctx.user_namespace or ctx.lacks_host)
    and "; in a user namespace the kernel mounts a proc only where the caller sees another one and "
      .. "nothing covers a part of it, as an outer container does (podman: unmask=ALL)" or ""
end

--- Opens the place of a mount, which is made if it is missing.
-- @bool follow a link on the way leads where it leads inside the root, but not into /proc
local function place_of(ctx, entry, follow)
  local root, path = file.nearest(ctx.held, ctx.root, entry.destination)
  local target, message, errno =
    file.beneath(root, path, "directory", not follow and "nosymlinks" or nil)
  if not target and errno == sys.errno.ELOOP and not follow then
    message = ("mount %s: it is, or lies behind, a symbolic link in the root")
      :format(entry.destination)
  elseif target and follow and ctx.held["/proc"] and file.is_in(target, ctx.held["/proc"]) then
    target:close()
    return nil, file.BARRED:format(entry.destination), sys.errno.EPERM
  end
  return target, message, errno
end

--- A tmpfs of a bundle is as open as the directory that it lies on, unless it says how open.
local function with_mode(ctx, entry, data)
  if not ctx.bundle or entry.type ~= "tmpfs" or ("," .. data):find(",mode=", 1, true) then
    return data
  end
  local fd <close> = sys.open_beneath(ctx.root, entry.destination, "path,directory")
  local st = fd and sys.stat(fd)
  return st and ("%s%smode=%o"):format(data, data ~= "" and "," or "", st.mode & 0xfff) or data
end

-- Those that SELinux labels by themselves take no label.
local UNLABELLED <const> = { proc = true, sysfs = true, cgroup = true, cgroup2 = true }

--- The label of SELinux that the files of a bundle's mounts have.
local function with_label(ctx, entry, data)
  local label = ctx.bundle and ctx.config.linux.mountLabel
  if not label or UNLABELLED[entry.type] then
    return data
  end
  return ("%s%scontext=\"%s\""):format(data, data ~= "" and "," or "", label)
end

local function mount(target, entry, how, data)
  if sys.stat(target, "type") ~= "directory" then
    return nil, nil, sys.errno.ENOTDIR
  elseif how.remount then
    return sys.mount(nil, file.path(target), nil, "remount," .. how.flags, data)
  end
  local top, message, errno = file.mount(target, entry.source, entry.type,
    how.tmpcopyup and how.flags:gsub("%f[%w]ro%f[%W]", "silent") or how.flags, data)
  local ok = top
  if top and how.tmpcopyup then
    ok, message, errno = copy_up(target, top)
    if ok and how.flags:find("%f[%w]ro%f[%W]") then
      ok, message, errno = sys.mount_setattr(top, "ro")
    end
  end
  for _, words in ipairs(ok and how.propagation or {}) do
    ok, message, errno = sys.mount(nil, file.path(top), nil, (words:gsub("^rec,", "r")))
  end
  return ok and top, message, errno
end

--- Mounts one.
-- @tparam Context ctx
-- @tparam table entry { destination, type, source }
-- @tparam table how as of mount_options.lua: flags, data, propagation, tmpcopyup, remount
-- @bool[opt] asked a place that a person asked for may lie behind links
-- @return an fd of its top, or true if it was there; or nil, message, errno
function filesystem.mount(ctx, entry, how, asked)
  local follow = asked or ctx.bundle and not FIXED[entry.type]
  local data = with_label(ctx, entry, with_mode(ctx, entry, how.data or ""))
  local target <close>, message, errno = place_of(ctx, entry, follow)
  if not target then
    return nil, message, errno
  end
  local top, _, number = mount(target, entry, how, data)
  if not top then
    return nil, ("mount %s: %s%s"):format(entry.destination, sys.strerror(number),
      number == sys.errno.EPERM and hint(ctx, entry) or ""), number
  end
  return top
end

return filesystem
