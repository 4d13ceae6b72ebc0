-- The configuration that `spec` writes: a shell in a container as the library makes it by default,
-- with the bundle's directory rootfs as its root.

local defaults = require "container.config.defaults"
local sys = require "container.sys"

-- What is an array also when it is empty.
local template = { ARRAYS = { args = true, env = true, mounts = true, options = true,
  namespaces = true, maskedPaths = true, readonlyPaths = true, inheritable = true,
  ambient = true } }

--- Makes it.
-- @bool[opt] rootless for the calling user, who becomes root in it
-- @treturn table
function template.config(rootless)
  local config = defaults().config
  local process, linux = config.process, config.linux
  process.args, process.terminal = { "sh" }, true
  table.insert(process.env, "TERM=xterm")
  config.root = { path = "rootfs", readonly = true }
  config.hostname = "lua-container"
  linux.sysctl = nil
  if rootless then
    table.insert(linux.namespaces, { type = "user" })
    linux.resources = nil
    linux.uidMappings = { { containerID = 0, hostID = sys.geteuid(), size = 1 } }
    linux.gidMappings = { { containerID = 0, hostID = sys.getegid(), size = 1 } }
  end
  return config
end

return template
