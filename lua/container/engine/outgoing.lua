-- Outgoing connections by host name: the sockets of the container's network that the parent serves
-- (runtime/network.lua), made in the child and handed over. Addresses of a range that is used
-- nowhere are made local to the container's loopback interface, so a connection to any of them
-- arrives at a socket that listens on all addresses. RFC 2544; rtnetlink(7)

local address = require "container.linux.network.address"
local errors = require "container.error"
local resolver = require "container.fs.resolver"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local try <const> = errors.try

local outgoing = {}

local RANGE <const>, PREFIX <const> = "198.18.0.0", 15
local DOMAIN <const> = 53

-- Where names are asked for: as docker has it; and where programs ask that find no resolv.conf.
-- resolv.conf(5)
local SERVER <const>, UNTOLD <const> = "127.0.0.11", "127.0.0.1"

local READ_WRITE <const> = 0x1b6 -- 0666

--- Says where names are asked for, and opens the file of the log. One that is no plain file, such
-- as a FIFO, is not waited for.
function outgoing.prepare(ctx)
  ctx.name_servers = resolver.text { nameservers = { SERVER }, search = {},
    options = { "ndots:0" } }
  local path = ctx.outgoing.log
  if type(path) ~= "string" then
    return true
  end
  local fd, message, errno = sys.open(path, "wronly,append,creat,nonblock,noctty", READ_WRITE)
  if not fd then
    return nil, "network_log: " .. message, errno
  end
  ctx.undo:push(fd.close, fd)
  ctx.network_log = fd
  return true
end

--- The sockets, in the order in which they are handed over: those of names, then one a port.
-- @treturn table array of { address, port, kind }
local function sockets(ctx)
  local ports, six = {}, false
  for port in pairs(ctx.outgoing.ports) do
    ports[#ports + 1] = port
  end
  table.sort(ports)
  for _, block in ipairs(ctx.outgoing.blocks) do
    six = six or #block.bytes == 16
  end
  local list = { { ctx.name_server, DOMAIN, "datagram" } }
  if not ctx.outgoing.ports[DOMAIN] then
    list[2] = { ctx.name_server, DOMAIN, "stream" }
  end
  for _, any in ipairs { "0.0.0.0", six and "::" or nil } do
    for _, port in ipairs(ports) do
      list[#list + 1] = { any, port, "stream" }
    end
  end
  return list
end

--- Runs in the child, when its root is the container's and its loopback interface is up.
function outgoing.child(ctx)
  ctx.name_server = sys.stat("/etc", "type") == "directory" and SERVER or UNTOLD
  try(sys.route_local(RANGE, PREFIX, "lo"))
  for _, block in ipairs(ctx.outgoing.blocks) do
    local whole <const> = #block.bytes * 8 == block.prefix
    if not (whole and address.special(block.bytes) == "a loopback address") then
      local ok, message, errno = sys.route_local(block.text, block.prefix, "lo")
      if not ok and errno ~= sys.errno.EEXIST then
        return nil, message, errno
      end
    end
  end
  for _, of in ipairs(sockets(ctx)) do
    local socket <close> = try(sys.inet_bind(of[1], of[2], of[3]))
    try(sync.send_fd(socket))
  end
  return true
end

--- In the parent, when the program runs: takes them.
-- @return nil, or an error
function outgoing.take(ctx)
  ctx.listeners = {}
  for i in ipairs(sockets(ctx)) do
    local fd, err = sync.take(ctx, "network")
    if not fd then
      return err
    end
    ctx.undo:push(fd.close, fd)
    ctx.listeners[i] = fd
  end
  return nil
end

return outgoing
