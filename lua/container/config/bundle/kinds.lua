-- Readers of what JSON has: each checks a value of config.json and answers a copy with nothing that
-- the specification does not know. A refusal names the value's path, as jq(1) writes it. JSON's
-- null counts as absent.

local check = require "container.check"

local refuse, expect = check.refuse, check.expect

local kinds = {}

--- JSON's null, in the form of any JSON module: no value that JSON has is a userdata.
local function is_absent(value)
  return value == nil or type(value) == "userdata"
end

--- A string that a system call takes whole.
function kinds.text(field, value)
  return check.text(field, value)
end

function kinds.flag(field, value)
  return check.switch(field, value)
end

--- An absolute path.
function kinds.path(field, value)
  check.text(field, value, "an absolute path")
  return expect(value:sub(1, 1) == "/", field, "an absolute path", value)
end

--- A string that says nothing where it is empty, as Go's JSON writes what is not set.
function kinds.optional_text(field, value)
  return check.text(field, value) ~= "" and value or nil
end

--- One line of a file; nothing where it is empty.
function kinds.line(field, value)
  expect(not check.text(field, value):find("\n", 1, true), field, "a text of one line", value)
  return value ~= "" and value or nil
end

--- An integer. JSON numbers are floating; those from 2^63 on, as RLIM_INFINITY is one, become -1.
-- @int[opt] low
-- @int[opt] high
function kinds.integer(low, high)
  local expected = low and high and ("an integer from %d to %d"):format(low, high)
    or low and ("an integer from %d"):format(low) or "an integer"
  return function(field, value)
    local number = check.integer(value)
    if not number and type(value) == "number" and value >= 2.0 ^ 63 and value <= 2.0 ^ 64 then
      return expect(not high, field, expected, value) and -1
    end
    expect(number and (not low or number >= low) and (not high or number <= high), field, expected,
      value)
    return number
  end
end

--- One of some words.
-- @string words
function kinds.one_of(words)
  local set = {}
  for word in words:gmatch("%S+") do
    set[word] = true
  end
  local expected = "one of " .. words
  return function(field, value)
    return expect(type(value) == "string" and set[value], field, expected, value) and value
  end
end

--- One of some words, or nothing where it is empty.
-- @string words
function kinds.optional_of(words)
  local read = kinds.one_of(words)
  return function(field, value)
    return value ~= "" and read(field, value) or nil
  end
end

--- An array. Its indices are those of JSON, from 0 on.
-- @func read of an element
function kinds.list(read)
  return function(field, value)
    expect(type(value) == "table", field, "an array", value)
    local list, count = {}, #value
    for key in next, value do
      expect(math.type(key) == "integer" and key >= 1 and key <= count, field, "an array",
        value)
    end
    for i = 1, count do
      list[i] = read(("%s[%d]"):format(field, i - 1), value[i])
    end
    return list
  end
end

local function expect_object(field, value)
  expect(type(value) == "table" and rawget(value, 1) == nil, field, "an object", value)
end

--- An object with any names.
-- @func read of a value
function kinds.map(read)
  return function(field, value)
    expect_object(field, value)
    local map = {}
    for _, name in ipairs(check.keys(field, value, "names without NUL")) do
      local content = value[name]
      map[name] = not is_absent(content) and read(("%s[%s]"):format(field, check.shown(name)),
        content) or nil
    end
    return map
  end
end

--- An object with known fields; others are ignored, as the specification asks.
-- @tparam table fields readers by name
-- @string[opt] needed words: the fields that have to be there
function kinds.object(fields, needed)
  local names = {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  return function(field, value)
    expect_object(field, value)
    local prefix, object = field ~= "" and field .. "." or "", {}
    for _, name in ipairs(names) do
      local content = rawget(value, name)
      if not is_absent(content) then
        object[name] = fields[name](prefix .. name, content)
      end
    end
    for name in (needed or ""):gmatch("%S+") do
      if object[name] == nil then
        refuse(prefix .. name, "is missing")
      end
    end
    return object
  end
end

--- What is refused where it is given and says something, which 0 does not.
-- @string reason
function kinds.unsupported(reason)
  return function(field, value)
    if value ~= 0 then
      refuse(field, reason)
    end
  end
end

return kinds
