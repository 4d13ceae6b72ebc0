-- `resume`: a paused container goes on.

local container = require "container.oci.container"
local errors = require "container.error"
local freezer = require "container.linux.cgroup.freezer"
local make = require "container.oci.make"
local state = require "container.oci.state"
local sys = require "container.sys"

return {
  arguments = "ID",
  help = "Let a paused container go on.",
  options = {},
  run = function(asked, global)
    local home = state.open(global.root, make.id(asked, "resume"), true)
    local status = state.status(home)
    if status ~= "paused" then
      errors.try(nil, ("cannot resume container %s: it is %s"):format(home.id, status),
        sys.errno.EINVAL)
    end
    local ctx = container.context(home)
    errors.try(freezer.thaw(ctx))
    return 0
  end,
}
