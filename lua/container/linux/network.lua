-- The network namespace: its loopback interface, which is down when it is born, and nothing else.
-- network_namespaces(7)

local sys = require "container.sys"

local network = {}

-- What container.network_ahead gave, for the next container that has a namespace of its own: for
-- who knows before it is described that there will be one, as the command line.
network.ahead = nil

--- Takes it, for a child that shares our memory: so that knows when it is made, and meanwhile does
-- what it can without it. All others are born in theirs, as where this one is refused already.
function network.prepare(c)
  local made = network.ahead
  if not made or not c.network_namespace or c.user_namespace or c.way ~= "shared" then
    return true
  end
  network.ahead = nil
  c.undo:push(made.close, made)
  if made:wait(true) == nil then
    return true
  end
  c.network_made = made
  for i, name in ipairs(c.namespaces) do
    if name == "network" then
      table.remove(c.namespaces, i)
    end
  end
  return true
end

-- How often it is asked whether a thread is gone that is over, and how many seconds apart.
local TRIES <const>, PAUSE <const> = 100, 0.001

--- Waits until its thread takes no place among the processes any more.
-- @treturn bool whether there was one
function network.settle(c)
  if not c.network_made then
    return false
  end
  c.network_made:wait()
  for _ = 1, TRIES do
    local threads = sys.stat("/proc/self/task")
    if not threads or threads.nlink <= 3 then -- with its own and that above, as directories have
      break
    end
    sys.ppoll({}, PAUSE)
  end
  return true
end

--- In the child, by a file of the launcher's, which is open for a moment; so while the host's /proc
-- is there.
function network.join(c)
  if not c.network_made or c.network_made:join() then
    return true
  end
  -- Whatever that was: if it stops this one as well, it says so here.
  c.network_made = false
  return sys.unshare("network")
end

function network.child(c)
  if c.network_made or not c.network_namespace then
    return true -- in which it is up, or the host's own
  end
  return sys.interface_up("lo")
end

return network
