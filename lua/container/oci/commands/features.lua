-- `features`: what this runtime knows, as the specification has it.
-- OCI runtime specification, features and features-linux

local features = require "container.oci.features"
local json = require "container.json"

return {
  arguments = "",
  help = "Print what this runtime knows as JSON.",
  options = {},
  run = function()
    io.stdout:write(json.encode(features.list(), features.ARRAYS), "\n")
    return 0
  end,
}
