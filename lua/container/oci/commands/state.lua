-- `state`: how a container stands.

local json = require "container.json"
local make = require "container.oci.make"
local state = require "container.oci.state"

return {
  arguments = "ID",
  help = "Print the state of a container as JSON.",
  options = {},
  run = function(asked, global)
    local home = state.open(global.root, make.id(asked, "state"))
    io.stdout:write(json.encode(state.public(home)), "\n")
    return 0
  end,
}
