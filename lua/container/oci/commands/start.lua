-- `start`: a container that waits becomes its program.

local container = require "container.oci.container"
local make = require "container.oci.make"
local state = require "container.oci.state"

return {
  arguments = "ID",
  help = "Start a container that was created.",
  options = {},
  run = function(asked, global)
    container.start(state.open(global.root, make.id(asked, "start"), true))
    return 0
  end,
}
