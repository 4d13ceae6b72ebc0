-- Serves the published ports of a container, in the event loop of the caller: takes connections on
-- the host, connects inside, and passes bytes on. Nothing here waits.

local engine = require "container.engine.ports"
local poll = require "container.runtime.network.poll"
local sys = require "container.sys"

local ports = {}
ports.__index = ports

-- How many connections there are at most, further ones wait; how many are taken in a turn; how many
-- bytes are moved in one.
local CONNECTIONS <const>, TURN <const>, BYTES <const> = 512, 16, 1 << 20
-- For how many seconds none is taken when the calling process has no fd left for one; and how long
-- a server in the container may take to accept.
local PAUSE <const>, TIME <const> = 0.1, 10

--- The client sees a connection that is reset.
local function refuse(self, one)
  self.pending[one] = nil
  self.poll:cancel(one)
  if one.inside then
    self.poll:drop(one.inside)
  end
  sys.socket_reset(one.client)
  one.client:close()
  self:resume()
end

--- A connect inside has ended.
local function connected(self, one)
  if not sys.socket_error(one.inside) then
    return refuse(self, one)
  end
  self.poll:forget(one.inside)
  if not self.relay:add(one.inside, one.client) then
    return refuse(self, one)
  end
  self.pending[one] = nil
  self.poll:cancel(one)
end

--- Connects inside for all that have come.
local function begin(self, clients, port)
  local list = {}
  for i in ipairs(clients) do
    list[i] = port
  end
  local fds = engine.connect(self.ctx, list) or {}
  for i, client in ipairs(clients) do
    local one = { client = client, inside = fds[i] or nil }
    self.pending[one] = true
    if one.inside and self.poll:watch(one.inside, function() connected(self, one) end, "out") then
      self.poll:after(one, TIME, function() refuse(self, one) end)
    else
      refuse(self, one)
    end
  end
end

local function room(self)
  local waiting = 0
  for _ in pairs(self.pending) do
    waiting = waiting + 1
  end
  return CONNECTIONS - waiting - self.relay:counts()
end

--- Takes no more connections for now: those that come wait in the kernel.
local function pause(self)
  if not self.paused then
    self.paused = true
    for _, entry in ipairs(self.listeners) do
      self.poll:forget(entry.fd)
    end
  end
end

--- Takes what has come to a listener.
local function take(self, entry)
  local clients, left = {}, math.min(TURN, room(self))
  for i = 1, left do
    local fd, _, errno = sys.inet_accept(entry.fd)
    if not fd then
      if errno ~= sys.errno.EAGAIN and errno ~= sys.errno.ECONNABORTED then
        pause(self)
        self.poll:after(self, PAUSE, function() self:resume() end)
      end
      break
    end
    clients[i] = fd
  end
  if left == 0 then
    pause(self)
  elseif clients[1] then
    begin(self, clients, entry.port)
  end
end

local function listen(self)
  local ok, message, errno = true, nil, nil
  for _, entry in ipairs(self.listeners) do
    if ok then
      ok, message, errno = self.poll:watch(entry.fd, function() take(self, entry) end)
    end
  end
  return ok, message, errno
end

--- Takes connections again when there is room.
function ports:resume()
  if self.paused and room(self) > 0 then
    self.paused = false
    listen(self)
  end
end

function ports:move()
  local over = self.relay:turn(BYTES)
  if over and over[1] then
    self:resume()
  end
end

--- The container has ended: what its programs have sent is passed on as far as there is room.
function ports:finish()
  if not self.closed then
    self.relay:turn(BYTES)
    self.relay:flush()
  end
end

function ports:close()
  if not self.closed then
    self.closed = true
    for one in pairs(self.pending) do
      one.client:close()
      if one.inside then
        one.inside:close()
      end
    end
    self.relay:close()
    self.poll:close()
  end
end

--- Begins to serve the ports of a container.
-- @param owner the inner table of its object
-- @return a source for the event loop; or nil, message, errno
function ports.new(owner)
  local ctx = owner.state
  local waits, message, errno = poll.new()
  if not waits then
    return nil, message, errno
  end
  ctx.undo:push(waits.close, waits)
  local relay, why, number = sys.relay(CONNECTIONS)
  if not relay then
    return nil, why, number
  end
  local self = setmetatable({ ctx = ctx, poll = waits, relay = relay, pending = {},
    listeners = {} }, ports)
  for _, entry in ipairs(ctx.published) do
    if not entry.by_plugins then
      table.insert(self.listeners, entry)
    end
  end
  ctx.undo:push(ports.close, self)
  local ok
  ok, message, errno = waits:watch(relay, function() self:move() end)
  if ok then
    ok, message, errno = listen(self)
  end
  if not ok then
    return nil, message, errno
  end
  return { name = "publish", fd = waits.fd, serve = function() waits:turn() end,
    over = function() self:finish() end }
end

return ports
