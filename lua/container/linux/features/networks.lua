-- Which networks a container of this user's may have, by trying.

local caller = require "container.linux.caller"
local cni = require "container.linux.cni.config"
local pasta = require "container.linux.pasta"
local sys = require "container.sys"

local networks = {}

--- Whether there is a network of CNI that can be attached.
local function cni_is_there()
  if not caller.is_root() then
    return nil, "networks of CNI are made by root alone"
  end
  local why
  for _, network in ipairs(cni.list()) do
    local lacks = network.message or cni.lacks(network)
    if not lacks then
      return true
    end
    why = why or lacks
  end
  return nil, why or ("no file of %s describes a network"):format(cni.directory())
end

--- @tparam table answer of features.lua, which takes note
-- @func try runs a function in a child with new namespaces
function networks.look(answer, try)
  local own = caller.is_root() and { "network" } or { "user", "network" }
  -- Local addresses, which outgoing connections by name take.
  answer:note("networks", "allow", try(own, function()
    local ok, message = sys.interface_up("lo")
    if ok then
      ok, message = sys.route_local("198.18.0.0", 15, "lo")
    end
    return ok, message
  end))
  -- Published ports take the namespace and nothing else.
  answer:note("networks", "publish", answer.found.namespaces.network,
    answer.found.reasons["namespaces.network"])
  answer:note("networks", "cni", cni_is_there())
  answer:note("networks", "pasta", pasta.is_there())
end

return networks
