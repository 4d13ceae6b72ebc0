-- The addresses that a name has outside: by the host's hosts file, and by the servers of its
-- resolv.conf, which are asked without waiting. hosts(5), resolv.conf(5)

local address = require "container.linux.network.address"
local dns = require "container.linux.network.dns"
local sys = require "container.sys"

-- Why a name has no address, where none of the servers says anything.
local resolver = { SILENT = "is not answered by the servers of this machine" }
resolver.__index = resolver

local DOMAIN <const> = 53
local SERVERS <const> = 3
-- How long one server has, how often all are asked, and how long the second kind of address may
-- take when the first is there, in seconds.
local TIMEOUT <const>, ROUNDS <const>, SECOND <const> = 2, 2, 0.2
-- How long an answer is kept, in seconds, and how many.
local TTL_MAX <const>, TTL_FAILED <const>, KEPT <const> = 60, 1, 4096
local ANSWER_MAX <const> = 4096
local FILE_MAX <const> = 1 << 20

-- What the host's files say, in lower case, as long as they stay as they are.
local files = {}

--- A file of the host's, unless it is large: it is searched for each name that is not known.
local function read(path)
  local st = sys.stat(path)
  if not st or st.type ~= "file" or st.size > FILE_MAX then
    return ""
  end
  local known = files[path]
  if not known or known.mtime ~= st.mtime or known.ino ~= st.ino or known.size ~= st.size then
    known = { mtime = st.mtime, ino = st.ino, size = st.size,
      text = "\n" .. (sys.read_file(path) or ""):lower() .. "\n" }
    files[path] = known
  end
  return known.text
end

--- The line of a text that a place is in.
local function line_at(text, place)
  local first = place
  while text:byte(first - 1) ~= 10 do
    first = first - 1
  end
  return text:sub(first, text:find("\n", place, true) - 1)
end

--- The addresses of a name in the hosts file.
local function by_file(name)
  local text, list = read("/etc/hosts"), {}
  local at = text:find(name, 1, true)
  while at do
    local words = line_at(text, at):gsub("#.*", "")
    local first, rest = words:match("^%s*(%S+)(%s.*)$")
    if first and sys.inet_bytes(first)
        and (rest:gsub("%.?%s+", " ") .. " "):find(" " .. name .. " ", 1, true) then
      list[#list + 1] = first
    end
    at = text:find("\n", at, true)
    at = text:find(name, at, true)
  end
  return list
end

--- Servers, and the domains that a name without a dot is looked for in.
local function settings()
  local servers, domains = {}, {}
  for line in read("/etc/resolv.conf"):gmatch("[^\n]+") do
    local word, rest = line:match("^%s*(%l+)%s+(.-)%s*$")
    if word == "nameserver" and #servers < SERVERS and sys.inet_bytes(rest) then
      servers[#servers + 1] = rest
    elseif word == "search" or word == "domain" then
      domains = {}
      for domain in rest:gmatch("%S+") do
        domains[#domains + 1] = domain:gsub("%.$", "")
      end
    end
  end
  servers[1] = servers[1] or "127.0.0.1"
  return servers, domains
end

-- What has an answer coming is guessed at by others: its number is not to be known.
local function random()
  local fd <close> = sys.open("/dev/urandom")
  local bytes = fd and sys.read(fd, 4)
  if bytes and #bytes == 4 then
    return (">I2I2"):unpack(bytes)
  end
  return math.random(0, 0xffff), math.random(0, 0xffff)
end

--- @tparam table poll of poll.lua, which the sockets are watched by
function resolver.new(poll)
  return setmetatable({ poll = poll, kept = {}, count = 0, asked = {}, pending = 0 }, resolver)
end

local function finish(self, ask, addresses, ttl, why)
  if ask.socket then
    self.poll:drop(ask.socket)
    ask.socket = nil
  end
  self.poll:cancel(ask)
  self.asked[ask.key], self.pending = nil, self.pending - 1
  if self.count >= KEPT then
    self.kept, self.count = {}, 0
  end
  self.count = self.count + (self.kept[ask.key] and 0 or 1)
  self.kept[ask.key] = { addresses = addresses, why = why,
    until_when = sys.clock_gettime() + math.min(ttl, TTL_MAX) }
  for _, fn in ipairs(ask.waiting) do
    fn(addresses, why)
  end
end

local ask_next

--- All that a server has to say is there.
local function conclude(self, ask)
  local list = {}
  for _, kind in ipairs { dns.A, dns.AAAA } do
    for _, bytes in ipairs(ask.found[kind] or {}) do
      list[#list + 1] = sys.inet_text(address.plain(bytes))
    end
  end
  if list[1] then
    return finish(self, ask, list, ask.ttl or 0)
  elseif ask.failed then
    return ask_next(self, ask)
  end
  ask.name = table.remove(ask.names, 1)
  if ask.name then
    ask.round, ask.at = 1, 0
    return ask_next(self, ask)
  end
  return finish(self, ask, {}, TTL_FAILED, "has no address")
end

--- Takes what a server has sent.
local function take(self, ask)
  local message, _, errno = sys.recvfrom(ask.socket, ANSWER_MAX)
  if not message then
    if errno ~= sys.errno.EAGAIN then -- no process listens there
      ask_next(self, ask)
    end
    return
  end
  for kind, id in pairs(ask.ids) do
    local code, addresses, ttl, cut = dns.read_answer(message, id, ask.name, kind)
    if code then
      ask.ids[kind] = nil
      ask.failed = ask.failed or code ~= dns.NOERROR and code ~= dns.NXDOMAIN
        or cut and not addresses[1]
      ask.found[kind] = addresses
      ask.ttl = ttl and math.min(ask.ttl or ttl, ttl) or ask.ttl
      break
    end
  end
  if not next(ask.ids) then
    conclude(self, ask)
  elseif next(ask.found) and ask.found[next(ask.found)][1] then
    self.poll:after(ask, SECOND, function()
      conclude(self, ask)
    end)
  end
end

--- Sends both questions to a server.
local function send(self, ask, server)
  ask.socket = sys.inet_connect(server, DOMAIN, "datagram")
  local ok = ask.socket and self.poll:watch(ask.socket, function()
    take(self, ask)
  end)
  ask.ids, ask.found, ask.failed, ask.ttl = {}, {}, false, nil
  local first, second = random()
  ask.ids[dns.A], ask.ids[dns.AAAA] = first, second
  for kind, id in pairs(ask.ids) do
    local message = dns.query(id, ask.name, kind)
    ok = ok and message and sys.sendto(ask.socket, message, server, DOMAIN)
  end
  return ok
end

--- Asks the next server, as long as there is one.
function ask_next(self, ask)
  while true do
    if ask.socket then
      self.poll:drop(ask.socket)
      ask.socket = nil
    end
    ask.at = ask.at + 1
    if ask.at > #ask.servers then
      ask.round, ask.at = ask.round + 1, 1
    end
    if ask.round > ROUNDS then
      return finish(self, ask, {}, TTL_FAILED, resolver.SILENT)
    elseif send(self, ask, ask.servers[ask.at]) then
      break
    end
  end
  self.poll:after(ask, TIMEOUT, function()
    ask_next(self, ask)
  end)
end

--- Looks a name up.
-- @string name in lower case
-- @func fn is called with an array of addresses as text, and why it is empty: at once, where that
-- is known, or later
function resolver:lookup(name, fn)
  local known = self.kept[name]
  if known and known.until_when > sys.clock_gettime() then
    return fn(known.addresses, known.why)
  elseif self.asked[name] then
    table.insert(self.asked[name].waiting, fn)
    return
  end
  local list = by_file(name)
  if list[1] then
    return fn(list)
  end
  local servers, domains = settings()
  local names = { name }
  for i, domain in ipairs(not name:find(".", 1, true) and domains or {}) do
    table.insert(names, i, name .. "." .. domain)
  end
  local ask = { key = name, name = table.remove(names, 1), names = names, servers = servers,
    round = 1, at = 0, waiting = { fn } }
  self.asked[name], self.pending = ask, self.pending + 1
  ask_next(self, ask)
end

return resolver
