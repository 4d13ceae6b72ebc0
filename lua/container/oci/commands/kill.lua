-- `kill`: a signal for a container.

local container = require "container.oci.container"
local errors = require "container.error"
local signals = require "container.linux.signals"
local state = require "container.oci.state"
local sys = require "container.sys"

return {
  arguments = "ID [SIGNAL]",
  help = "Send a signal to the first process of a container: TERM unless another is given.",
  options = {
    { "--all", "-a", field = "all", help = "Send it to all processes of the container." },
  },
  run = function(asked, global)
    if not asked[1] then
      errors.try(nil, "\"kill\" requires an ID", sys.errno.EINVAL)
    end
    local number, message = signals.number(asked[2] or "TERM")
    errors.try(number, message)
    container.kill(state.open(global.root, asked[1]), number, asked.all)
    return 0
  end,
}
