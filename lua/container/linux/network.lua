-- The network namespace: its loopback interface, which is down when it is born, and nothing else.
-- network_namespaces(7)

local sys = require "container.sys"

local network = {}

--- Runs in the child. A container that has the host's network leaves it as it is.
function network.child(c)
  if not c.network_namespace then
    return true
  end
  return sys.interface_up("lo")
end

return network
