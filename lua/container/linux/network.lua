-- The network namespace: its loopback interface, which is down when it is born, and nothing else.
-- network_namespaces(7)

local sys = require "container.sys"

local network = {}

--- Runs in the child, where it has a network namespace of its own.
function network.child()
  return sys.interface_up("lo")
end

return network
