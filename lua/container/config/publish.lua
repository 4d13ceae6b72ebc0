-- The option `publish`: which ports of the container are reached from the host.

local check = require "container.check"
local sys = require "container.sys"

local refuse, expect, text = check.refuse, check.expect, check.text

local publish = {}

local ENTRY <const> = "[ADDRESS:]HOSTPORT:PORT, such as 8080:80, or { address, host_port, port }"
local ADDRESS <const> = "127.0.0.1"
local PORTS_MAX <const> = 64

local function read_port(field, value, least, whole)
  local port = type(value) == "string" and value:find("^%d%d?%d?%d?%d?$") and math.tointeger(value)
    or check.integer(value)
  return expect(port and port >= least and port <= 65535, field,
    ("a port from %d to 65535"):format(least), whole) and port
end

--- An entry as docker writes it.
local function split(field, value)
  local words, protocol = value:match("^(.-)/(%w+)$")
  if protocol and protocol ~= "tcp" then
    refuse(field, ("%s: only TCP can be published"):format(protocol))
  end
  words = words or value
  local address, rest = words:match("^%[([%x:.]+)%]:(.+)$")
  if not address then
    address, rest = words:match("^([%d.]+):(%d*:%d+)$")
  end
  local host, port = (rest or words):match("^(%d*):(%d+)$")
  expect(host, field, ENTRY, value)
  return address, host ~= "" and host or "0", port
end

local function read_entry(field, value)
  local address, host, port
  if type(value) == "table" then
    for key in next, check.plain(field, value) do
      expect(key == "address" or key == "host_port" or key == "port", field, ENTRY, key)
    end
    address, port = rawget(value, "address"), rawget(value, "port")
    host = rawget(value, "host_port")
  else
    address, host, port = split(field, text(field, value, ENTRY))
  end
  address = text(field, address or ADDRESS, "an address")
  expect(sys.inet_bytes(address), field, "an address", address)
  return { address = address, host_port = read_port(field, host or 0, 0, value),
    port = read_port(field, port, 1, value) }
end

--- Reads the option.
function publish.read(ctx, value)
  local count = check.array("publish", value)
  expect(count <= PORTS_MAX, "publish", ("at most %d ports"):format(PORTS_MAX), count)
  local list = {}
  for i = 1, count do
    list[i] = read_entry(("publish[%d]"):format(i), rawget(value, i))
  end
  ctx.published = list[1] and list or nil
end

--- When all options are read.
function publish.finish(ctx)
  if ctx.published and ctx.network == "host" then
    refuse("publish", "does not go with the host's network, in which every port is the host's")
  end
  for i, entry in ipairs(ctx.published and ctx.outgoing and ctx.published or {}) do
    if ctx.outgoing.ports[entry.port] then
      refuse(("publish[%d]"):format(i), ("port %d is one that allow names, so no program in the "
        .. "container can listen on it"):format(entry.port))
    end
  end
end

return publish
