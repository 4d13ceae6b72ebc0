-- Answers the container's questions for names, by UDP and TCP: a name that is allowed, and is there
-- outside, has an address of a range that is used nowhere, made up for it. Every other name does
-- not exist.

local dns = require "container.linux.network.dns"
local policy = require "container.runtime.network.policy"
local sys = require "container.sys"

local names = {}
names.__index = names

-- 198.18.0.0/15 without its first and its last address. RFC 2544
local FIRST <const>, LAST <const> = 0xc6120001, 0xc613fffe
-- How many names have an address at once, and for how many seconds a program may keep one.
local NAMES <const>, TTL <const> = 4096, 60
-- What is taken of a question, and how many in a turn.
local QUESTION_MAX <const>, TURN <const> = 512, 16
-- How many connections ask for names at once, and for how many seconds one may.
local STREAMS <const>, STREAM_TIME <const> = 16, 10
-- How many names are looked up outside at once. Further ones are when they are connected to.
local LOOKUPS <const> = 64

--- @tparam table service of runtime/network.lua
function names.new(service)
  return setmetatable({ service = service, poll = service.poll, streams = {},
    next = FIRST, addresses = {}, by_address = {}, order = {}, oldest = 1,
    refused = {}, refused_count = 0 }, names)
end

--- The name that an address was made up for.
function names:of(text)
  return self.by_address[text]
end

--- Makes up an address. Of too many names the oldest one loses its own, which is not given to
-- another name before all others have been.
local function address_of(self, name)
  local text = self.addresses[name]
  if text then
    return text
  end
  text = sys.inet_text((">I4"):pack(self.next))
  self.next = self.next < LAST and self.next + 1 or FIRST
  self.addresses[name], self.by_address[text] = text, name
  self.order[#self.order + 1] = name
  if #self.order - self.oldest >= NAMES then
    local old = self.order[self.oldest]
    self.by_address[self.addresses[old]], self.addresses[old] = nil, nil
    self.oldest = self.oldest + 1
    if self.oldest > NAMES then
      self.order = table.move(self.order, self.oldest, #self.order, 1, {})
      self.oldest = 1
    end
  end
  self.service:decided { event = "name", name = name, allowed = true }
  return text
end

--- Says once that a name is refused.
local function refuse(self, name, reason)
  self.service.counts.names_refused = self.service.counts.names_refused + 1
  if self.refused_count < NAMES and not self.refused[name] then
    self.refused[name], self.refused_count = true, self.refused_count + 1
    self.service:decided { event = "name", name = name, allowed = false, reason = reason }
  end
end

--- Answers with an address, if the name has one outside that may be connected to.
local function give(self, query, reply)
  local function known(addresses, why)
    local found, name = self.service.found, query.name
    local reason = addresses and (addresses[1] and policy.refuses_all(found, name, addresses)
      or not addresses[1] and why) or nil
    if not reason then
      return reply(dns.answer(query, dns.NOERROR, sys.inet_bytes(address_of(self, name)), TTL))
    end
    refuse(self, name, reason)
    reply(dns.answer(query, why == self.service.resolver.SILENT and dns.SERVFAIL or dns.NXDOMAIN))
  end
  self.service.counts.names = self.service.counts.names + 1
  -- A function of the caller's may know another place for it.
  if self.service:asks() or self.service.resolver.pending >= LOOKUPS then
    return known()
  end
  self.service.resolver:lookup(query.name, known)
end

--- Answers a question.
-- @string message
-- @func reply is called with the answer, at once or later
-- @treturn bool false where there is no question, and no answer
function names:answer(message, reply)
  local query = dns.read_query(message)
  if not query then
    return false
  elseif query.refused then
    reply(dns.answer(query, query.refused))
  elseif not dns.is_internet(query) or query.name:find("[^%w._-]")
      or not policy.has_name(self.service.found, query.name) then
    refuse(self, query.name, "not allowed")
    reply(dns.answer(query, dns.NXDOMAIN))
  elseif query.type ~= dns.A then
    reply(dns.answer(query, dns.NOERROR))
  else
    give(self, query, reply)
  end
  return true
end

--- Answers what has come to a socket.
function names:datagrams(socket)
  for _ = 1, TURN do
    local message, from, port = sys.recvfrom(socket, QUESTION_MAX)
    if not message then
      return
    end
    self:answer(message, function(answer)
      sys.sendto(socket, answer, from, port) -- one without room is asked for again
    end)
  end
end

local function hang_up(self, stream)
  self.poll:cancel(stream)
  self.poll:drop(stream.fd)
  for i, one in ipairs(self.streams) do
    if one == stream then
      table.remove(self.streams, i)
      break
    end
  end
end

--- Takes what a connection has sent: a question has its length before it.
local function take(self, stream)
  local piece, _, errno = sys.read(stream.fd, QUESTION_MAX)
  if errno == sys.errno.EAGAIN then
    return
  elseif not piece or piece == "" then
    return hang_up(self, stream)
  end
  stream.text = stream.text .. piece
  while #stream.text >= 2 do
    local size = (">I2"):unpack(stream.text)
    if size > QUESTION_MAX then
      return hang_up(self, stream)
    elseif #stream.text < 2 + size then
      break
    end
    local message = stream.text:sub(3, 2 + size)
    stream.text = stream.text:sub(3 + size)
    local ok = self:answer(message, function(answer)
      -- One that does not read its answers gets no more.
      if stream.fd:fileno() and sys.write(stream.fd, (">s2"):pack(answer)) ~= #answer + 2 then
        hang_up(self, stream)
      end
    end)
    if not ok then
      hang_up(self, stream)
    end
    if not stream.fd:fileno() then
      return
    end
  end
end

--- Serves a connection.
function names:stream(fd)
  if #self.streams >= STREAMS then
    hang_up(self, self.streams[1])
  end
  local stream = { fd = fd, text = "" }
  self.streams[#self.streams + 1] = stream
  self.poll:after(stream, STREAM_TIME, function()
    hang_up(self, stream)
  end)
  if not self.poll:watch(fd, function() take(self, stream) end) then
    hang_up(self, stream)
  end
end

function names:close()
  while self.streams[1] do
    hang_up(self, self.streams[1])
  end
end

return names
