-- Messages of the domain name system, as bytes: what a container asks, and what the host's servers
-- answer. Whatever is not understood is nil; nothing here trusts a length. RFC 1035, RFC 6891

local dns = { A = 1, AAAA = 28, NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4 }

local INTERNET <const>, CNAME <const>, OPT <const> = 1, 5, 41
local HEADER <const> = ">I2I2I2I2I2I2"
local HEADER_SIZE <const> = 12

-- Of the second field of a header.
local RESPONSE <const>, OPCODE <const>, TRUNCATED <const> = 0x8000, 0x7800, 0x0200
local DESIRED <const>, AVAILABLE <const> = 0x0100, 0x0080

local NAME_MAX <const>, LABEL_MAX <const> = 255, 63
-- How many of the pointers in a name are followed.
local POINTERS <const> = 16
-- How many records of an answer are looked at.
local RECORDS <const> = 64
-- How large a datagram may be that comes back: what no network has to take apart.
local SIZE <const> = 1232

--- Reads a name, in lower case and without the last dot.
-- @string message
-- @int at
-- @treturn string name; nil where there is none
-- @treturn int the place behind it
local function read_name(message, at)
  local labels, size, after, pointers = {}, 0, nil, 0
  while true do
    local length = message:byte(at)
    if not length then
      return nil
    elseif length == 0 then
      return table.concat(labels, "."), after or at + 1
    elseif length >= 0xc0 then
      local low = message:byte(at + 1)
      pointers = pointers + 1
      if not low or pointers > POINTERS then
        return nil
      end
      after = after or at + 2
      at = ((length & 0x3f) << 8 | low) + 1
    else
      size = size + length + 1
      if length > LABEL_MAX or size > NAME_MAX or #message < at + length then
        return nil
      end
      -- A dot or a control character in a label would make another name of it.
      labels[#labels + 1] = message:sub(at + 1, at + length):lower():gsub("[^%w_-]", "?")
      at = at + length + 1
    end
  end
end

--- Writes a name; nil where it is none.
local function write_name(name)
  local parts = {}
  for label in (name .. "."):gmatch("([^.]*)%.") do
    if label == "" or #label > LABEL_MAX then
      return nil
    end
    parts[#parts + 1] = string.char(#label) .. label
  end
  local text = table.concat(parts) .. "\0"
  return #text <= NAME_MAX and text or nil
end

--- Reads what is asked.
-- @string message
-- @treturn table|nil { id, flags, name, type, class, text = the question as it came }; its
-- `refused` is the code to answer with where it is no question that can be answered. Nil for what
-- is not to be answered at all
function dns.read_query(message)
  if #message < HEADER_SIZE then
    return nil
  end
  local id, flags, questions = HEADER:unpack(message)
  if flags & RESPONSE ~= 0 then
    return nil
  end
  local query = { id = id, flags = flags, text = "" }
  if flags & OPCODE ~= 0 then
    query.refused = dns.NOTIMP
    return query
  end
  local name, after = read_name(message, HEADER_SIZE + 1)
  if questions ~= 1 or not name or #message < after + 3 then
    query.refused = dns.FORMERR
    return query
  end
  query.name = name
  query.type, query.class = (">I2I2"):unpack(message, after)
  query.text = message:sub(HEADER_SIZE + 1, after + 3)
  return query
end

--- Makes an answer.
-- @tparam table query of read_query
-- @int code
-- @string[opt] bytes an address
-- @int[opt] ttl seconds that it is good for
-- @treturn string
function dns.answer(query, code, bytes, ttl)
  local flags = RESPONSE | AVAILABLE | query.flags & (OPCODE | DESIRED) | code
  local record = bytes and (">I2I2I2I4s2"):pack(0xc000 | HEADER_SIZE, query.type, INTERNET, ttl,
    bytes) or ""
  return HEADER:pack(query.id, flags, query.text ~= "" and 1 or 0, bytes and 1 or 0, 0, 0)
    .. query.text .. record
end

function dns.is_internet(query)
  return query.class == INTERNET
end

--- Makes a question.
-- @int id
-- @string name
-- @int kind dns.A or dns.AAAA
-- @treturn string|nil
function dns.query(id, name, kind)
  local text = write_name(name)
  return text and HEADER:pack(id, DESIRED, 1, 0, 0, 1) .. text .. (">I2I2"):pack(kind, INTERNET)
    .. ("\0" .. (">I2I2I4I2"):pack(OPT, SIZE, 0, 0)) or nil
end

--- Takes the addresses out of an answer: those of the name, or of one that it is another name of.
local function read_records(message, at, count, name, kind)
  local names, addresses, least = { [name] = true }, {}, nil
  for _ = 1, math.min(count, RECORDS) do
    local owner, after = read_name(message, at)
    if not owner or #message < after + 9 then
      break
    end
    local type, class, ttl, length = (">I2I2I4I2"):unpack(message, after)
    local data = after + 10
    if #message < data + length - 1 then
      break
    end
    if class == INTERNET and names[owner] then
      if type == CNAME then
        names[read_name(message, data) or owner] = true
      elseif type == kind and length == (kind == dns.A and 4 or 16) then
        addresses[#addresses + 1] = message:sub(data, data + length - 1)
      end
      least = math.min(least or ttl, ttl)
    end
    at = data + length
  end
  return addresses, least
end

--- Reads the answer to a question of ours.
-- @string message
-- @int id
-- @string name
-- @int kind
-- @treturn int|nil the code; nil for what answers another question, or none
-- @treturn table array of addresses, as bytes
-- @treturn int|nil seconds that they are good for
-- @treturn bool whether there is more than there was room for
function dns.read_answer(message, id, name, kind)
  if #message < HEADER_SIZE then
    return nil
  end
  local got, flags, questions, answers = HEADER:unpack(message)
  local asked, after = read_name(message, HEADER_SIZE + 1)
  if got ~= id or flags & RESPONSE == 0 or questions ~= 1 or asked ~= name
      or #message < after + 3 or (">I2"):unpack(message, after) ~= kind then
    return nil
  end
  local addresses, ttl = read_records(message, after + 4, answers, name, kind)
  return flags & 0xf, addresses, ttl, flags & TRUNCATED ~= 0
end

return dns
