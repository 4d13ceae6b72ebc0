-- What a container reaches by what was allowed: names and addresses, each with its ports.

local address = require "container.linux.network.address"
local sys = require "container.sys"

local policy = {}

--- The rules that a name falls under, from the most specific one.
local function rules(found, name)
  local list = { found.names[name] }
  local dot = name:find(".", 1, true)
  while dot do
    list[#list + 1] = found.suffixes[name:sub(dot)]
    dot = name:find(".", dot + 1, true)
  end
  list[#list + 1] = found.all
  return list
end

--- Whether a name has an address in the container.
-- @tparam table found of config/outgoing.lua
-- @string name in lower case
function policy.has_name(found, name)
  return rules(found, name)[1] ~= nil
end

--- Whether a name is reached at a port.
function policy.allows_name(found, name, port)
  for _, ports in ipairs(rules(found, name)) do
    if ports[port] then
      return true
    end
  end
  return false
end

--- Whether an address is reached at a port, allowed by itself.
-- @string bytes
function policy.allows_address(found, bytes, port)
  for _, block in ipairs(found.blocks) do
    if block.ports[port] and address.is_in(block, bytes) then
      return true
    end
  end
  return false
end

--- Why an address that a name has is not connected to.
-- @string text
-- @int port
-- @treturn string|nil such as "10.0.0.1 is a private address"
function policy.refuses(found, text, port)
  local bytes = address.plain(sys.inet_bytes(text))
  if policy.allows_address(found, bytes, port) then
    return nil
  end
  local what = address.special(bytes) or address.is_own(text) and "an address of this machine"
  return what and ("%s is %s"):format(text, what) or nil
end

--- Why none of the addresses that a name has is connected to, at any port.
-- @string name that is allowed
-- @tparam table addresses array of text, not empty
-- @treturn string|nil
function policy.refuses_all(found, name, addresses)
  local reason
  for _, text in ipairs(addresses) do
    for port in pairs(found.ports) do
      if policy.allows_name(found, name, port) then
        local why = policy.refuses(found, text, port)
        if not why then
          return nil
        end
        reason = reason or why
      end
    end
  end
  return reason
end

return policy
