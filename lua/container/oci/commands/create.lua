-- `create`: a container of a bundle, which waits to be started.

local creation = require "container.oci.creation"
local make = require "container.oci.make"

return {
  arguments = "ID",
  help = "Make a container that waits to be started.",
  options = make.options,
  run = function(asked, global)
    local id = make.id(asked, "create")
    make.check(asked)
    asked.debug = global.debug
    creation.create(asked, id, global.root)
    return 0
  end,
}
