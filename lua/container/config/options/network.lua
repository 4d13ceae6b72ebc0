-- The options of outgoing connections by host name.

local outgoing = require "container.config.outgoing"
local publish = require "container.config.publish"

return {
  title = "Connections",
  {
    name = "publish", type = "(string|{ address?: string, host_port?: integer, port: integer })[]",
    default_text = "none", runs = "run call", read = publish.read,
    cli = { { "--publish", short = "p", value = "[ADDRESS:]HOSTPORT:PORT", list = true } },
    help = "Publish a TCP port of the container on the host, at 127.0.0.1 if no address is given.",
    more = "HOSTPORT 0 is a free one, which c:ports() tells.",
  },
  {
    name = "allow", type = "string[]", default_text = "none", runs = "run call",
    read = outgoing.allow,
    cli = { { "--allow", value = "HOST[:PORT[,PORT]]", list = true } },
    help = "Allow TCP connections to a host by its name; the ports are 80 and 443 if left out.",
    more = "HOST is a name, *.NAME for all names below it, * for all names, an address, or a block "
      .. "such as 192.0.2.0/24. An address of IPv6 stands in brackets. unix:PATH allows a Unix "
      .. "socket of the host. Nothing else is reached.",
  },
  {
    name = "connections", type = "integer", default = 256, runs = "run call",
    read = outgoing.connections,
    cli = { { "--connections", value = "N", as = "integer" } },
    help = "Maximum number of outgoing connections at once; further ones wait.",
  },
  {
    name = "network_log", type = "string|fun(event: container.NetworkEvent)", runs = "run call",
    read = outgoing.network_log,
    cli = { { "--network-log", value = "FILE", complete = "file" } },
    help = "Append a line of JSON to a file for each name and connection, allowed or refused.",
    lua = "A function is called with the fields of each line.",
  },
}
