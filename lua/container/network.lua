-- The network namespace: its loopback interface, which is down when it is born, and nothing else.
-- network_namespaces(7)

local container = require "container"
local file = require "container.file"

local network = {}

-- What container.network_ahead gave, for the next container that has a namespace of its own: for
-- who knows before it is described that there will be one, as the command line.
network.ahead = nil

--- Takes it, after all that can be done meanwhile: the child then has no need to be born in one.
function network.prepare(c)
  if not (network.ahead and c.network_namespace) or c.user_namespace then
    return true
  end
  local made = network.ahead:take() -- where that cannot be, it is made with the others
  network.ahead = nil
  if made then
    c.undo:push(made.close, made)
    c.network_made = file.path(made)
    for i, name in ipairs(c.namespaces) do
      if name == "network" then
        table.remove(c.namespaces, i)
      end
    end
  end
  return true
end

--- In the child, which has that file too.
function network.join(c)
  if not c.network_made then
    return true
  end
  return container.setns(c.network_made, "network")
end

function network.child(c)
  if c.network_made or not c.network_namespace then
    return true -- in which it is up, or the host's own
  end
  return container.interface_up("lo")
end

return network
