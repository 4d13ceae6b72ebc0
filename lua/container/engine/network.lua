-- The network of another container: it is found by that container's name.

local names = require "container.engine.names"
local file = require "container.fs.path"
local sys = require "container.sys"

local network = {}

-- More than that no resolver reads. resolv.conf(5)
local NAMES_MAX <const> = 1 << 16

--- Ids of a user namespace, as /proc shows them to a process outside.
local function mappings(pid, kind)
  local list = {}
  local map = sys.read_file(("/proc/%d/%s_map"):format(pid, kind)) or ""
  for first, above, size in map:gmatch("(%d+) +(%d+) +(%d+)") do
    list[#list + 1] = { containerID = math.tointeger(first), hostID = math.tointeger(above),
      size = math.tointeger(size) }
  end
  return list
end

--- An ordinary user has rights over that network only in the user namespace that it belongs to.
local function share_ids(ctx, entry, pid)
  local linux = ctx.config.linux
  local fd, message, errno = sys.open(("/proc/%d/ns/user"):format(pid))
  if not fd then
    return nil, message, errno
  end
  ctx.undo:push(fd.close, fd)
  entry.path, entry.about = ("/proc/self/fd/%d"):format(fd:fileno()), ctx.network
  ctx.userns = "joined"
  linux.uidMappings, linux.gidMappings = mappings(pid, "uid"), mappings(pid, "gid")
  return linux.uidMappings[1] and linux.gidMappings[1] and true,
    "the container's user namespace has no ids", sys.errno.EINVAL
end

--- What its programs ask for names: its resolver may be in that network. Nothing where the caller
-- may not look.
local function share_names(ctx, pid)
  local root <close> = sys.open(("/proc/%d/root"):format(pid), "path,directory")
  local fd <close> = root and sys.open_beneath(root, "/etc/resolv.conf", "rdonly,nonblock") or nil
  local st = fd and sys.stat(fd)
  if st and st.type == "file" and st.size <= NAMES_MAX then
    ctx.name_servers = file.read_all(fd, NAMES_MAX)
  end
end

--- Finds it, before the namespaces are chosen. It is held open: a number may come to mean another
-- process.
function network.find(ctx)
  local fd, found, errno = names.network(ctx.network_owner)
  if not fd then
    return nil, found, errno
  end
  ctx.undo:push(fd.close, fd)
  share_names(ctx, found)
  for _, entry in ipairs(ctx.config.linux.namespaces) do
    if entry.type == "network" then
      entry.path, entry.about = ("/proc/self/fd/%d"):format(fd:fileno()), ctx.network
    elseif entry.type == "user" and not ctx.userns then
      local ok, message, number = share_ids(ctx, entry, found)
      if not ok then
        return nil, message, number
      end
    end
  end
  return true
end

return network
