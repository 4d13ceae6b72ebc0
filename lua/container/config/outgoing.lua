-- The options of outgoing connections by host name: which names, addresses and ports a container
-- reaches.

local address = require "container.linux.network.address"
local check = require "container.check"
local mounts = require "container.config.mounts"
local punycode = require "container.config.punycode"

local refuse, expect, text = check.refuse, check.expect, check.text

local outgoing = {}

local ENTRY <const> = "HOST[:PORT[,PORT]], such as example.org:443, *.example.org, 192.0.2.0/24:80"
  .. " or unix:PATH"

-- Those of the web.
local PORTS <const> = { 80, 443 }
-- Each is a socket that listens in the container's network.
local PORTS_MAX <const> = 64
local CONNECTIONS <const>, CONNECTIONS_MAX <const> = 256, 32768

--- What there is to be reached, empty at first.
local function table_of(ctx)
  ctx.outgoing = ctx.outgoing or { names = {}, suffixes = {}, blocks = {}, ports = {},
    connections = CONNECTIONS }
  return ctx.outgoing
end

local function read_ports(field, words, value)
  local ports = {}
  for word in (words .. ","):gmatch("([^,]*),") do
    local port = word:find("^%d%d?%d?%d?%d?$") and math.tointeger(word)
    expect(port and port >= 1 and port <= 65535, field, "ports from 1 to 65535", value)
    ports[#ports + 1] = port
  end
  return ports
end

--- The parts of an entry: an address of IPv6 stands in brackets where ports follow.
local function split(value)
  local host, ports = value:match("^%[([^%]]*)%]:(.+)$")
  if host then
    return host, ports
  end
  host = value:match("^%[([^%]]*)%]$") or value:match("^[^:]*:[^:]*:.*$")
  if host then
    return host
  end
  host, ports = value:match("^([^:]*):(.+)$")
  return host or value, ports
end

--- A name as it is asked for: in lower case, without the last dot, and in ASCII.
local function host_name(field, host, value)
  local name = punycode.host((host:lower():gsub("%.$", "")))
  local ok = name and #name <= 253 and name ~= ""
  for label in (ok and name .. "." or ""):gmatch("([^.]*)%.") do
    ok = ok and #label <= 63 and label:find("^[%w_-]+$")
  end
  -- That is an address, misspelt.
  ok = ok and not name:find("^[%d.]+$")
  expect(ok, field, ENTRY, value)
  return name
end

--- Adds ports to a set.
local function add(set, ports)
  set = set or {}
  for _, port in ipairs(ports) do
    set[port] = true
  end
  return set
end

local function read_host(field, value, found)
  expect(not value:find("://", 1, true), field, ENTRY, value)
  local host, words = split(value)
  local ports = words and read_ports(field, words, value) or PORTS
  add(found.ports, ports)
  local block = address.block(host)
  if block then
    block.ports = add(nil, ports)
    found.blocks[#found.blocks + 1] = block
    return
  end
  local below = host:match("^%*%.(.+)$")
  if host == "*" then
    found.all = add(found.all, ports)
  elseif below then
    local suffix = "." .. host_name(field, below, value)
    found.suffixes[suffix] = add(found.suffixes[suffix], ports)
  else
    local name = host_name(field, host, value)
    found.names[name] = add(found.names[name], ports)
  end
end

--- The option `allow`. What begins with "unix:" is a volume, of a socket at the same place.
function outgoing.allow(ctx, value)
  local found = table_of(ctx)
  found.allowed = true
  for i = 1, check.array("allow", value) do
    local field = ("allow[%d]"):format(i)
    local entry = text(field, rawget(value, i), ENTRY)
    local path = entry:match("^unix:(.*)$")
    if path then
      expect(path:sub(1, 1) == "/", field, "unix: and an absolute path", entry)
      mounts.volume(ctx, field, path .. ":" .. path)
    else
      read_host(field, entry, found)
    end
  end
  local count = 0
  for _ in pairs(found.ports) do
    count = count + 1
  end
  if count > PORTS_MAX then
    refuse("allow", ("names %d ports, and at most %d can be served"):format(count, PORTS_MAX))
  end
end

function outgoing.connections(ctx, value)
  local number = check.integer(value)
  expect(number and number >= 1 and number <= CONNECTIONS_MAX, "connections",
    ("a number from 1 to %d"):format(CONNECTIONS_MAX), value)
  table_of(ctx).connections = number
end

function outgoing.network_log(ctx, value)
  if type(value) ~= "function" then
    expect(text("network_log", value, "a path or a function") ~= "", "network_log", "a path", value)
  end
  table_of(ctx).log = value
end

--- When all options are read: they go together or not.
function outgoing.finish(ctx)
  local found = ctx.outgoing
  if found and not found.allowed then
    refuse(found.log and "network_log" or "connections", "takes allow, which says what is reached")
  elseif ctx.on and ctx.on.connect and not found then
    refuse("on.connect", "takes allow, such as { \"*\" }, which says for which ports it is asked")
  elseif found and ctx.network and ctx.network ~= "none" then
    refuse("allow", "takes a network of the container's own, and not " .. ctx.network)
  elseif found and next(found.ports) == nil then
    ctx.outgoing = nil -- sockets alone
  end
end

return outgoing
