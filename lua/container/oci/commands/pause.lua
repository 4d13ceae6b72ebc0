-- `pause`: all of a container stands still.

local container = require "container.oci.container"
local errors = require "container.error"
local freezer = require "container.linux.cgroup.freezer"
local make = require "container.oci.make"
local state = require "container.oci.state"
local sys = require "container.sys"

return {
  arguments = "ID",
  help = "Have all processes of a container stand still.",
  options = {},
  run = function(asked, global)
    local home = state.open(global.root, make.id(asked, "pause"), true)
    local status = state.status(home)
    if status ~= "running" and status ~= "created" then
      errors.try(nil, ("cannot pause container %s: it is %s"):format(home.id, status),
        sys.errno.EINVAL)
    end
    local ctx = container.context(home)
    errors.try(freezer.pause(ctx))
    return 0
  end,
}
