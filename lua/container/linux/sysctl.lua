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

-- Settings by the namespace whose own they are.
local NAMESPACES <const> = {
  { "^net%.", "network" }, { "^fs%.mqueue%.", "ipc" }, { "^kernel%.msg", "ipc" },
  { "^kernel%.sem$", "ipc" }, { "^kernel%.sem_next_id$", "ipc" }, { "^kernel%.shm", "ipc" },
  { "^kernel%.auto_msgmni$", "ipc" }, { "^kernel%.hostname$", "uts" },
  { "^kernel%.domainname$", "uts" },
}

--- The name of a setting with dots between its parts, as sysctl(8) prefers.
-- @string name that or one with slashes
-- @treturn string
function sysctl.dotted(name)
  return name:match("[./]") == "/" and (name:gsub("[./]", { ["."] = "/", ["/"] = "." })) or name
end

--- The namespace that a setting is of; nil for one of the whole machine.
-- @string name as of `dotted`
-- @treturn string|nil
function sysctl.namespace(name)
  name = sysctl.dotted(name)
  for _, pair in ipairs(NAMESPACES) do
    if name:find(pair[1]) then
      return pair[2]
    end
  end
end

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
-- narrower. What was asked for has to hold.
function sysctl.child(ctx)
  local proc = ctx.held["/proc"]
  for name, value in pairs(proc and ctx.config.linux.sysctl or {}) do
    local ok, message, errno =
      sys.write_file(("%s/sys/%s"):format(file.path(proc), path_of(name)), value)
    if not ok and (ctx.bundle or ctx.sysctl_given and ctx.sysctl_given[name]) then
      return nil, ("%s: %s"):format(name, message:match("[^:]*$"):sub(2)), errno
    end
  end
  return true
end

return sysctl
