-- What a container sees in /sys/fs/cgroup: its own cgroup and no other. cgroup_namespaces(7)

local errors = require "container.error"
local file = require "container.fs.path"
local filesystem = require "container.fs.filesystem"
local sys = require "container.sys"

local try <const> = errors.try

--- Whether the container's /sys came with what the host has mounted in it.
local function has_entries(ctx, place)
  local root, path = file.nearest(ctx.held, ctx.root, place)
  local fd <close> = sys.open_beneath(root, path, "path,directory", "nosymlinks")
  local names = fd and sys.list(file.path(fd))
  return names and #names > 0
end

--- One hierarchy: its root is the container's cgroup in a namespace of those; without one that
-- directory of the host's is bound.
local function mount_one(ctx, held, own, flags)
  local name = own.hierarchy
  local place = "/" .. (name and name:gsub("^name=", "") or "unified")
  if ctx.cgroup_namespace then
    local top <close>, message, errno = filesystem.mount(held, { destination = place,
      type = name and "cgroup" or "cgroup2", source = "cgroup" }, { flags = flags, data = name })
    return top and true, message, errno
  end
  local top <close>, message, errno =
    filesystem.mount(held, { destination = place, source = own.path }, { flags = "bind" })
  if not top then
    return nil, message, errno
  end
  return sys.mount(nil, file.path(top), nil, "remount,bind," .. flags)
end

--- The cgroup that the container was given, the root of its cgroup namespace: in version 2 alone
-- one mount, else a tmpfs with those hierarchies. In every other, the container is in its
-- launcher's cgroup, which may hold others: those are never shown, and covered where /sys is the
-- host's. (To mount all hierarchies, as docker does, would also cost a start a tenth more.)
return function(ctx, entry, flags)
  local place, homes = entry.destination, ctx.cgroup or {}
  if #homes == 1 and homes[1].version == 2 and ctx.cgroup_namespace then
    return filesystem.mount(ctx, { destination = place, type = "cgroup2", source = "cgroup" },
      { flags = flags })
  elseif #homes == 0 and not has_entries(ctx, place) then
    return true
  end
  local top <close> = try(filesystem.mount(ctx,
    { destination = place, type = "tmpfs", source = "tmpfs" },
    { flags = "nosuid,nodev,noexec", data = "mode=755" }))
  local held = { root = top, held = {} }
  for _, own in ipairs(homes) do
    try(mount_one(ctx, held, own, flags))
  end
  return sys.mount(nil, file.path(top), nil, "remount,bind," .. flags)
end
