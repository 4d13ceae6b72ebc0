-- Serves the outgoing connections of a container, in the event loop of the caller: names, policy,
-- and the relay of bytes. Nothing here waits, and a turn does little: whatever is left comes in the
-- next one. docs/networks.md

local connections = require "container.runtime.network.connections"
local json = require "container.json"
local loop = require "container.runtime.loop"
local names = require "container.runtime.network.names"
local poll = require "container.runtime.network.poll"
local resolver = require "container.runtime.network.resolver"
local sys = require "container.sys"

local network = {}
network.__index = network

-- How many bytes are moved in a turn.
local BYTES <const> = 1 << 20

--- Tells of a decision, to where the caller wants it.
-- @tparam table event fields of container.NetworkEvent
function network:decided(event)
  local ctx = self.owner.state
  local log = ctx.outgoing.log
  if not log then
    return
  end
  event.time = os.date("!%Y-%m-%dT%H:%M:%SZ")
  event.container = ctx.name or nil
  if type(log) == "function" then
    self:later(function()
      loop.call(self.owner, "network_log", log, event)
    end)
  elseif not self.closed then
    sys.write(ctx.network_log, json.line(event) .. "\n")
  end
end

--- Has something done at the end of the turn: what calls a function of the caller's, which may
-- close the container.
-- @func fn
function network:later(fn)
  self.queue[#self.queue + 1] = fn
end

local function run_queue(self)
  while self.queue[1] do
    local queue = self.queue
    self.queue = {}
    for _, fn in ipairs(queue) do
      if not self.closed then
        fn()
      end
    end
  end
end

--- Whether a function of the caller's decides about each connection.
function network:asks()
  return self.owner.on and self.owner.on.connect and true or false
end

--- Does what there is to do, without waiting.
function network:turn()
  if not self.closed then
    self.poll:turn()
    run_queue(self)
    self:count()
  end
end

--- Renews the counters that c:stats() shows.
function network:count()
  local counts = self.counts
  counts.connections, counts.sent, counts.received = self.relay:counts()
end

--- The container has ended: what its programs have sent goes out as far as there is room.
function network:finish()
  if not self.closed then
    self.connections:move(BYTES)
    self.relay:flush()
    self:count()
    run_queue(self)
  end
end

function network:close()
  if not self.closed then
    self:count()
    self.closed = true
    self.counts.connections = 0
    self.connections:close()
    self.names:close()
    self.relay:close()
    self.poll:close()
  end
end

local function listen(self, listeners)
  local ok, message, errno = self.poll:watch(self.relay, function()
    self.connections:move(BYTES)
  end)
  for i, listener in ipairs(listeners) do
    if ok and i == 1 then
      ok, message, errno = self.poll:watch(listener, function()
        self.names:datagrams(listener)
      end)
    elseif ok then
      ok, message, errno = self.connections:listen(listener)
    end
  end
  return ok, message, errno
end

--- Begins to serve the network of a container.
-- @param owner the inner table of its object
-- @return a source for the event loop; or nil, message, errno
function network.new(owner)
  local ctx = owner.state
  local waits, message, errno = poll.new()
  if not waits then
    return nil, message, errno
  end
  ctx.undo:push(waits.close, waits)
  local relay, why, number = sys.relay(ctx.outgoing.connections)
  if not relay then
    return nil, why, number
  end
  local self = setmetatable({ owner = owner, found = ctx.outgoing, poll = waits, relay = relay,
    queue = {}, counts = { connections = 0, accepted = 0, refused = 0, names = 0, names_refused = 0,
      sent = 0, received = 0 } }, network)
  self.names = names.new(self)
  self.resolver = resolver.new(waits)
  self.connections = connections.new(self)
  ctx.undo:push(network.close, self)
  ctx.traffic = self.counts
  local ok
  ok, message, errno = listen(self, ctx.listeners)
  if not ok then
    return nil, message, errno
  end
  return { name = "network", fd = waits.fd, serve = function() self:turn() end,
    over = function() self:finish() end }
end

return network
