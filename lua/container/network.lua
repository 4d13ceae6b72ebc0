-- The network namespace: its loopback interface, which is down when it is born, and nothing else.

local container = require "container"

local network = {}

function network.child()
  return container.interface_up("lo")
end

return network
