-- Takes the container's connections, decides about each, and connects outside in its place.

local address = require "container.linux.network.address"
local loop = require "container.runtime.loop"
local policy = require "container.runtime.network.policy"
local sys = require "container.sys"

local connections = {}
connections.__index = connections

-- How many connections are taken in a turn, and for how many seconds none is when the calling
-- process has no fd left for one.
local TURN <const>, PAUSE <const> = 16, 0.1
-- For how many seconds one address is tried, and all that a name has.
local ADDRESS_TIME <const>, TIME <const> = 5, 10
local DOMAIN <const> = 53

--- @tparam table service of runtime/network.lua
function connections.new(service)
  return setmetatable({ service = service, poll = service.poll, pending = {}, count = 0,
    listeners = {}, open = {} }, connections)
end

local function forget(self, one)
  if self.pending[one] then
    self.pending[one] = nil
    self.count = self.count - 1
  end
  self.poll:cancel(one)
  if one.outside then
    self.poll:drop(one.outside)
    one.outside = nil
  end
end

local function event(one, fields)
  fields.event, fields.name, fields.protocol = fields.event or "connect", one.name, "tcp"
  fields.address, fields.port = fields.address or not one.name and one.address or nil,
    fields.port or one.port
  return fields
end

--- The container's program sees a connection that is reset.
local function refuse(self, one, reason)
  forget(self, one)
  sys.socket_reset(one.inside)
  one.inside:close()
  self.service.counts.refused = self.service.counts.refused + 1
  self.service:decided(event(one, { allowed = false, reason = reason }))
  self:resume()
end

local try_next

--- The other side has answered: from now on bytes are passed on.
local function established(self, one)
  local outside, service = one.outside, self.service
  self.poll:forget(outside)
  one.outside = nil
  forget(self, one)
  local number, message = service.relay:add(one.inside, outside)
  if not number then
    outside:close()
    return refuse(self, one, message)
  end
  self.open[number] = one
  service.counts.accepted = service.counts.accepted + 1
  service:decided(event(one, { allowed = true, address = one.to, port = one.to_port }))
end

--- A connect has ended.
local function connected(self, one)
  local ok, message = sys.socket_error(one.outside)
  if ok then
    return established(self, one)
  end
  self.poll:drop(one.outside)
  one.outside, one.failed = nil, message
  try_next(self, one)
end

--- Connects to the next of the addresses.
function try_next(self, one)
  while one.to_try[1] do
    one.to = table.remove(one.to_try, 1)
    local outside, message, errno = sys.inet_connect(one.to, one.to_port)
    if outside and self.poll:watch(outside, function() connected(self, one) end, "out") then
      one.outside = outside
      local left = math.max(one.finish - sys.clock_gettime(), 0)
      self.poll:after(one, one.to_try[1] and math.min(ADDRESS_TIME, left) or left, function()
        self.poll:drop(one.outside)
        one.outside, one.failed = nil, "connect: " .. sys.strerror(sys.errno.ETIMEDOUT)
        try_next(self, one)
      end)
      return
    end
    -- Of a kind that this machine has no way to, it is not what is worth telling.
    one.failed = errno == sys.errno.ENETUNREACH and one.failed or message or "epoll_ctl"
  end
  refuse(self, one, one.failed or "no address")
end

--- Asks the caller's function.
-- @treturn bool whether the connection may be made
-- @return an address and a port in the place of those that there are
local function asked(self, one, first)
  local owner = self.service.owner
  if not self.service:asks() then
    return true
  end
  local answer, port = loop.event(owner, "connect",
    { name = one.name, address = first, port = one.port, protocol = "tcp" })
  if type(answer) == "boolean" or answer == nil then
    return answer or false
  end
  port = port == nil and one.port or port
  if type(answer) == "string" and sys.inet_bytes(answer) and math.type(port) == "integer"
      and port >= 1 and port <= 65535 then
    return true, answer, port
  end
  owner:fail("on.connect", "expected true, false, or an address and a port")
  return false
end

--- The addresses of a connection are known: takes those that it may have.
local function decide(self, one, addresses, why)
  local list, refused = {}, nil
  for _, text in ipairs(addresses) do
    local reason = policy.refuses(self.service.found, text, one.port)
    list[#list + 1] = not reason and text or nil
    refused = refused or reason
  end
  local may, other, port = asked(self, one, list[1])
  if not self.pending[one] then
    return -- it has closed the container
  elseif not may then
    return refuse(self, one, "refused by on.connect")
  elseif not other and not list[1] then
    return refuse(self, one, refused or why)
  end
  one.to_try, one.to_port = other and { other } or list, port or one.port
  one.finish = sys.clock_gettime() + TIME
  try_next(self, one)
end

--- Begins with a connection that has come.
local function begin(self, fd)
  local text, port = sys.getsockname(fd)
  if not text then
    return fd:close()
  elseif port == DOMAIN and not self.service.names:of(text) and text:find("^127%.") then
    return self.service.names:stream(fd)
  end
  local one = { inside = fd, name = self.service.names:of(text), address = text, port = port }
  self.pending[one], self.count = true, self.count + 1
  if one.name and policy.allows_name(self.service.found, one.name, port) then
    self.service.resolver:lookup(one.name, function(addresses, why)
      self.service:later(function()
        decide(self, one, addresses, why)
      end)
    end)
  elseif not one.name
      and policy.allows_address(self.service.found, address.plain(sys.inet_bytes(text)), port) then
    self.service:later(function()
      decide(self, one, { text })
    end)
  else
    refuse(self, one, "not allowed")
  end
end

--- Takes no more connections for now: those that come wait in the kernel.
local function pause(self)
  if not self.paused then
    self.paused = true
    for _, listener in ipairs(self.listeners) do
      self.poll:forget(listener)
    end
  end
end

local function is_full(self)
  return self.count + self.service.relay:counts() >= self.service.found.connections
end

--- Takes what has come to a listener.
local function take(self, listener)
  for _ = 1, TURN do
    if is_full(self) then
      return pause(self)
    end
    local fd, _, errno = sys.inet_accept(listener)
    if fd then
      begin(self, fd)
    elseif errno == sys.errno.EMFILE or errno == sys.errno.ENFILE
        or errno == sys.errno.ENOBUFS or errno == sys.errno.ENOMEM then
      pause(self)
      self.poll:after(self, PAUSE, function() self:resume() end)
      return
    else
      return
    end
  end
end

--- Takes connections again when there is room.
function connections:resume()
  if self.paused and not is_full(self) then
    self.paused = false
    for _, listener in ipairs(self.listeners) do
      self.poll:watch(listener, function() take(self, listener) end)
    end
  end
end

--- Serves a listener from now on.
-- @return true; or nil, message, errno
function connections:listen(listener)
  self.listeners[#self.listeners + 1] = listener
  return self.poll:watch(listener, function() take(self, listener) end)
end

--- Moves bytes, and takes note of what is over.
function connections:move(most)
  local relay = self.service.relay
  local over = relay:turn(most)
  for _, about in ipairs(over or {}) do
    local one = self.open[about[1]]
    self.open[about[1]] = nil
    self.service:decided(event(one, { event = "end", address = one.to, port = one.to_port,
      sent = about[2], received = about[3], reason = about[4] and sys.strerror(about[4]) }))
  end
  if over and over[1] then
    self:resume()
  end
end

function connections:close()
  for one in pairs(self.pending) do
    forget(self, one)
    one.inside:close()
  end
end

return connections
