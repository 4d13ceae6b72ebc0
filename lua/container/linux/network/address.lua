-- Addresses of IPv4 and IPv6 as bytes, blocks of them, and which are no place of the internet.
-- IANA's registries of special-purpose addresses; RFC 6890

local sys = require "container.sys"

local address = {}

-- Of IPv6, how each of these has an address of IPv4 in it: the byte that it begins with.
local EMBEDDED <const> = {
  { "::/96", 13 }, { "::ffff:0:0/96", 13 }, { "64:ff9b::/96", 13 }, { "2002::/16", 3 },
}

local SPECIAL <const> = {
  { "0.0.0.0/8", "an address of this network" },
  { "10.0.0.0/8", "a private address" },
  { "100.64.0.0/10", "a private address" },
  { "127.0.0.0/8", "a loopback address" },
  { "168.63.129.16/32", "an address of a metadata service" },
  { "169.254.0.0/16", "a link-local address" },
  { "172.16.0.0/12", "a private address" },
  { "192.0.0.0/24", "a reserved address" },
  { "192.168.0.0/16", "a private address" },
  { "198.18.0.0/15", "a private address" },
  { "224.0.0.0/4", "a multicast address" },
  { "240.0.0.0/4", "a reserved address" },
  { "::/128", "an address of this network" },
  { "::1/128", "a loopback address" },
  { "64:ff9b:1::/48", "a private address" },
  { "100::/64", "a reserved address" },
  { "2001::/32", "a reserved address" },
  { "fc00::/7", "a private address" },
  { "fe80::/10", "a link-local address" },
  { "fec0::/10", "a private address" },
  { "ff00::/8", "a multicast address" },
}

--- Reads an address or a block.
-- @string text such as "192.0.2.1", "10.0.0.0/8" or "2001:db8::/32"
-- @treturn table|nil { bytes = string, prefix = bits, text = the address }
function address.block(text)
  local host, digits = text:match("^([^/]+)/(%d%d?%d?)$")
  local bytes = sys.inet_bytes(host or text)
  local prefix = bytes and (digits and math.tointeger(digits) or #bytes * 8)
  if not bytes or prefix > #bytes * 8 then
    return nil
  end
  return { bytes = bytes, prefix = prefix, text = sys.inet_text(bytes) }
end

--- Whether an address is in a block.
-- @tparam table block
-- @string bytes
function address.is_in(block, bytes)
  local whole, rest = block.prefix // 8, block.prefix % 8
  if #bytes ~= #block.bytes or bytes:sub(1, whole) ~= block.bytes:sub(1, whole) then
    return false
  end
  return rest == 0
    or (bytes:byte(whole + 1) ~ block.bytes:byte(whole + 1)) >> (8 - rest) == 0
end

for _, list in ipairs { EMBEDDED, SPECIAL } do
  for _, entry in ipairs(list) do
    entry[1] = address.block(entry[1])
  end
end

--- An address of IPv4 that is written as one of IPv6 is the former. RFC 4291, "IPv4-Mapped"
-- @string bytes
-- @treturn string bytes
function address.plain(bytes)
  return address.is_in(EMBEDDED[2][1], bytes) and bytes:sub(13) or bytes
end

--- What makes an address one that a name of the internet has no business with.
-- @string bytes
-- @treturn string|nil such as "a private address"
function address.special(bytes)
  for _, entry in ipairs(SPECIAL) do
    if address.is_in(entry[1], bytes) then
      return entry[2]
    end
  end
  for _, entry in ipairs(EMBEDDED) do
    if address.is_in(entry[1], bytes) then
      return address.special(bytes:sub(entry[2], entry[2] + 3))
    end
  end
  return nil
end

--- Whether an address is one of this machine's own. Nothing is sent. connect(2)
-- @string text
function address.is_own(text)
  local socket <close> = sys.inet_connect(text, 9, "datagram")
  return socket ~= nil and sys.getsockname(socket) == text
end

return address
