-- Lua values as bytes, and back, between processes of which one does not trust the other: nil,
-- booleans, numbers, strings and tables of these. Knows no containers.
--
-- A list of values is its length and the values. A value is a byte that says what it is, and: of an
-- integer or a float 8 bytes; of a string its length and its bytes; of a table the lengths of its
-- array and of the rest, the values of the one, and the keys and values of the other. All are
-- little-endian, lengths have 4 bytes.

local codec = {}

-- The most of everything: bytes, tables in tables, values and keys for so many bytes. A table that
-- is empty takes 9 bytes here and some 60 in memory, a nil 1 and some 16.
local SIZE <const>, DEPTH <const>, BYTES_A_VALUE <const> = 16 << 20, 100, 8

-- More at once no call gives back: every value of a list has a place on Lua's stack.
local VALUES <const> = 1000

-- Keys can be chosen so that a table finds each only by looking at all the others. So no table has
-- more of them beside its array, for growing it goes through all at once; and reading may take so
-- many seconds of processor time, which is looked at after so many values.
local KEYS <const>, TIMEOUT <const>, OFTEN <const> = 1 << 16, 5, 64

local NIL <const>, FALSE <const>, TRUE <const>, INTEGER <const> = 0, 1, 2, 3
local FLOAT <const>, STRING <const>, TABLE <const> = 4, 5, 6

-- What is wrong is thrown from here and becomes a message in `run`, so it is never seen outside.
local problem = {}

local function fail(message, ...)
  error(setmetatable({ message = message:format(...) }, problem), 0)
end

local function run(fn, ...)
  local ok, result = pcall(fn, ...)
  if ok then
    return result
  elseif getmetatable(result) == problem then
    return nil, result.message
  end
  return nil, tostring(result) -- there was no memory left
end

local function limits_of(given)
  local size = given and given.size or SIZE
  return { size = size, depth = given and given.depth or DEPTH,
    count = math.max(size // BYTES_A_VALUE, 16) }
end

-- Writing ----------------------------------------------------------------------------------------

local KEY_MAX <const> = 64

local function name_of(key)
  if type(key) ~= "string" then
    return ("[%s]"):format(type(key) == "table" and "table" or tostring(key))
  elseif #key > KEY_MAX then
    return ("[a string of %d bytes]"):format(#key)
  elseif key:find("^[%a_][%w_]*$") then
    return "." .. key
  end
  return ("[%s]"):format((("%q"):format(key):gsub("\\\n", "\\n")))
end

--- Where a value is: "result 2.x.y".
local function place(w)
  local path = {}
  for i = 2, #w.path do
    path[#path + 1] = name_of(w.path[i])
  end
  return ("%s %d%s"):format(w.what, w.path[1], table.concat(path))
end

local function put(w, format, ...)
  local piece = format:pack(...)
  w.left = w.left - #piece
  if w.left < 0 then
    fail("%s: all together they take more than %d bytes", place(w), w.limits.size)
  end
  w.pieces[#w.pieces + 1] = piece
end

local function count(state)
  state.count = state.count + 1
  if state.count > state.limits.count then
    fail("more than %d values and keys", state.limits.count)
  end
end

local write

local function write_entry(w, key, entry)
  w.path[#w.path + 1] = key
  write(w, entry)
  w.path[#w.path] = nil
end

local function write_table(w, given)
  if getmetatable(given) ~= nil then
    fail("%s: a table with a metatable cannot be %s", place(w), w.done)
  elseif w.open[given] then
    fail("%s: a table that contains itself cannot be %s", place(w), w.done)
  elseif w.depth == w.limits.depth then
    fail("%s: more than %d tables in each other", place(w), w.limits.depth)
  end
  w.open[given], w.depth = true, w.depth + 1
  local length, rest = 0, {}
  while rawget(given, length + 1) ~= nil do
    length = length + 1
  end
  for key in next, given do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then
      rest[#rest + 1] = key
    end
  end
  if #rest > KEYS then
    fail("%s: more than %d keys beside the array", place(w), KEYS)
  end
  put(w, "<BI4I4", TABLE, length, #rest)
  for i = 1, length do
    write_entry(w, i, rawget(given, i))
  end
  for _, key in ipairs(rest) do
    local kind = type(key)
    if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
      fail("%s: a key that is a %s cannot be %s", place(w), kind, w.done)
    end
    write(w, key)
    write_entry(w, key, rawget(given, key))
  end
  w.open[given], w.depth = nil, w.depth - 1
end

function write(w, given)
  count(w)
  local kind = math.type(given) or type(given)
  if given == nil then
    put(w, "B", NIL)
  elseif kind == "boolean" then
    put(w, "B", given and TRUE or FALSE)
  elseif kind == "integer" then
    put(w, "<Bi8", INTEGER, given)
  elseif kind == "float" then
    put(w, "<Bd", FLOAT, given)
  elseif kind == "string" and #given <= w.left then
    put(w, "<Bs4", STRING, given)
  elseif kind == "string" then
    fail("%s: all together they take more than %d bytes", place(w), w.limits.size)
  elseif kind == "table" then
    write_table(w, given)
  else
    fail("%s: a %s cannot be %s", place(w), kind, w.done)
  end
end

--- Writes a list of values. Tables are copied as often as they are met.
-- @tparam table list as of table.pack, with `n`
-- @tparam[opt] table limits size in bytes (16 MiB), depth of tables (100)
-- @treturn string; or nil and a message, such as "result 2.x.y: a function cannot be returned"
function codec.encode(list, limits)
  limits = limits_of(limits)
  return run(function()
    local w = { pieces = {}, path = { 0 }, open = {}, depth = 0, count = 0, left = limits.size,
      limits = limits, what = "result", done = "returned" }
    if list.n > VALUES then
      fail("result: more than %d values", VALUES)
    end
    put(w, "<I4", list.n)
    for i = 1, list.n do
      w.path[1] = i
      write(w, list[i])
    end
    return table.concat(w.pieces)
  end)
end

-- Reading ----------------------------------------------------------------------------------------

local function take(r, format, size)
  if size > #r.bytes - r.at + 1 then
    fail("it is cut short")
  end
  local one, two = format:unpack(r.bytes, r.at)
  r.at = r.at + size
  return one, two
end

local read

-- What stands in a table.
local function read_entry(r)
  local entry = read(r)
  if entry == nil then
    fail("a table has a nil")
  end
  return entry
end

local function read_table(r)
  if r.depth == r.limits.depth then
    fail("more than %d tables in each other", r.limits.depth)
  end
  r.depth = r.depth + 1
  local length, rest = take(r, "<I4I4", 8)
  if rest > KEYS then
    fail("more than %d keys beside an array", KEYS)
  end
  local result = {}
  for i = 1, length do
    result[i] = read_entry(r)
  end
  for _ = 1, rest do
    local key = read(r, true)
    if key == nil or key ~= key then
      fail("a key is nil or not a number")
    end
    result[key] = read_entry(r)
  end
  r.depth = r.depth - 1
  return result
end

function read(r, key)
  count(r)
  if r.count % OFTEN == 0 and os.clock() > r.finish then
    fail("it takes longer than %d seconds to read", TIMEOUT)
  end
  local kind = take(r, "B", 1)
  if kind == NIL then
    return nil
  elseif kind == FALSE or kind == TRUE then
    return kind == TRUE
  elseif kind == INTEGER then
    return (take(r, "<i8", 8))
  elseif kind == FLOAT then
    return (take(r, "<d", 8))
  elseif kind == STRING then
    local size = take(r, "<I4", 4)
    if size > #r.bytes - r.at + 1 then
      fail("it is cut short")
    end
    r.at = r.at + size
    return r.bytes:sub(r.at - size, r.at - 1)
  elseif kind == TABLE and not key then
    return read_table(r)
  end
  fail("there is no value of kind %d here", kind)
end

--- Reads a list of values that anybody may have written.
-- @string bytes
-- @tparam[opt] table limits as of `encode`
-- @treturn table as of table.pack, with `n`; or nil and a message
function codec.decode(bytes, limits)
  limits = limits_of(limits)
  return run(function()
    if #bytes > limits.size then
      fail("it has more than %d bytes", limits.size)
    end
    local r = { bytes = bytes, at = 1, depth = 0, count = 0, limits = limits,
      finish = os.clock() + TIMEOUT }
    local list = { n = take(r, "<I4", 4) }
    if list.n > VALUES then
      fail("more than %d values", VALUES)
    end
    for i = 1, list.n do
      list[i] = read(r)
    end
    if r.at <= #bytes then
      fail("%d bytes follow it", #bytes - r.at + 1)
    end
    return list
  end)
end

return codec
