-- Settings of the kernel that the container has for itself: OCI's linux.sysctl. Those of a network
-- namespace are that namespace's own. namespaces(7), proc_sys_net(5)

local sys = require "container.sys"
local file = require "container.fs.path"

local sysctl = {}

-- docker's defaults: every user may send echo requests and use every port.
sysctl.NETWORK = {
  ["net.ipv4.ip_unprivileged_port_start"] = "0",
  ["net.ipv4.ping_group_range"] = "0 2147483647",
}

local PINGS <const> = "net.ipv4.ping_group_range"

--- The same in a user namespace, where the range begins and ends with groups that are there: as the
-- kernel compares them, from the lowest on the host to the highest.
-- @tparam table mappings OCI's, of groups
-- @treturn table
function sysctl.network(mappings)
  local first, last
  for _, map in ipairs(mappings) do
    if not first or (map.hostID or 0) < (first.hostID or 0) then
      first = map
    end
    if not last or (map.hostID or 0) > (last.hostID or 0) then
      last = map
    end
  end
  local all = {}
  for name, value in pairs(sysctl.NETWORK) do
    all[name] = value
  end
  all[PINGS] = ("%d %d"):format(first.containerID, last.containerID + last.size - 1)
  return all
end

--- The names of sysctl(8), whose separator is a dot; with a slash first, a dot is one of a name.
local function path_of(name)
  local separator = name:match("[./]")
  return separator == "." and name:gsub("[./]", { ["."] = "/", ["/"] = "." }) or name
end

--- Runs in the child, when it is in its network namespace and before /proc/sys is read-only. A
-- kernel without one of the defaults, or an outer container that forbids it, leaves what is
-- narrower. What a bundle asks for has to hold.
function sysctl.child(ctx)
  local proc = ctx.held["/proc"]
  for name, value in pairs(proc and ctx.config.linux.sysctl or {}) do
    local ok, message, errno =
      sys.write_file(("%s/sys/%s"):format(file.path(proc), path_of(name)), value)
    if not ok and ctx.bundle then
      return nil, ("%s: %s"):format(name, message:match("[^:]*$"):sub(2)), errno
    end
  end
  return true
end

return sysctl
