-- Who the container's root is outside: user_namespaces(7), "User and group ID mappings".

local container = require "container"

local idmap = {}

local function write(path, data)
  local ok, message, errno = container.write_file(path, data)
  return ok, message, errno
end

local function lines(mappings)
  local text = {}
  for i, map in ipairs(mappings) do
    text[i] = ("%d %d %d\n"):format(map.containerID, map.hostID, map.size)
  end
  return table.concat(text)
end

--- Runs in the new user namespace, which has no ids until this is done. A single line that maps the
-- writer's own id is what an ordinary user may write; the group's only after setgroups has been
-- given up, for with it a group that denies access could be dropped.
function idmap.child(c)
  local linux = c.config.linux
  if not linux.uidMappings then
    return true
  end
  local ok, message, errno = write("/proc/self/setgroups", "deny")
  if ok then
    ok, message, errno = write("/proc/self/uid_map", lines(linux.uidMappings))
  end
  if ok then
    ok, message, errno = write("/proc/self/gid_map", lines(linux.gidMappings))
  end
  return ok, message, errno
end

return idmap
