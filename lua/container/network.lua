-- The network namespace: its loopback interface, which is down when it is born, and nothing else.
-- network_namespaces(7)

local container = require "container"

local network = {}

function network.child(c)
  if not c.network_namespace then
    return true -- the host's own
  end
  return container.interface_up("lo")
end

return network
