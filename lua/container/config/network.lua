-- The option `network`: the container's own network namespace, the host's, or one that is there.

local caller = require "container.linux.caller"
local check = require "container.check"
local privileged = require "container.config.privileged"

local expect, text = check.expect, check.text

local network = {}

local WORDS <const> = "\"none\", \"host\", \"pasta\", \"ns:PATH\", \"container:NAME\" or the name "
  .. "of a network of CNI"

-- What follows the word and the colon.
local KINDS = {}

--- A namespace with a path, such as ip-netns(8) makes it.
function KINDS.ns(ctx, value, path)
  expect(path:sub(1, 1) == "/", "network", "ns: and an absolute path", value)
  ctx.network_path = path
end

--- One by pasta(1), with options of its own.
function KINDS.pasta(ctx, _, words)
  ctx.pasta = {}
  for word in (words or ""):gmatch("[^,]+") do
    table.insert(ctx.pasta, word)
  end
end

--- The one of another container.
KINDS["container"] = function(ctx, _, name)
  ctx.network_owner = check.name("network", name)
end

--- Reads the option.
function network.read(ctx, value)
  text("network", value, WORDS)
  if value ~= "none" and value ~= "host" then
    local kind, rest = value:match("^(%l+):(.+)$")
    kind = value == "pasta" and value or kind
    local name = not kind and value:match("^%w[%w_.-]*$")
    expect(name or kind and KINDS[kind], "network", WORDS, value)
    if name then
      ctx.network_name = name
    else
      KINDS[kind](ctx, value, rest)
    end
  end
  ctx.network = value
end

--- When all options are read. The settings of a network that is there are not the container's.
function network.finish(ctx)
  if ctx.network == "host" then
    privileged.share_network(ctx)
  elseif ctx.outgoing and next(ctx.outgoing.ports) and ctx.network and ctx.network ~= "none" then
    check.refuse("allow", "is for a container without another network: network = \"none\"")
  elseif ctx.network_owner and ctx.userns == "subid" then
    check.refuse("network", "container: shares the user namespace of that container, so it does "
      .. "not go with userns = \"subid\"")
  elseif ctx.network_name and not caller.is_root() then
    check.refuse("network", ("the network %s of CNI is made by root alone"):format(ctx.network))
  elseif ctx.network_path or ctx.network_owner or ctx.network_name then
    ctx.config.linux.sysctl = nil
    for _, entry in ipairs(ctx.config.linux.namespaces) do
      if entry.type == "network" then
        -- What has no path yet is found or made when the container starts: engine/network.lua.
        entry.path = ctx.network_path or ctx.network
      end
    end
  end
end

return network
