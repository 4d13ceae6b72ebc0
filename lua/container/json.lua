-- JSON as text, of tables, strings, numbers and booleans. Knows no containers. RFC 8259

local search = require "container.search"
local sys = require "container.sys"

local json = {}

--- UTF-8 is left as it is; of other text each byte is a character.
local function quoted(text)
  local special = utf8.len(text) and "[%c\"\\\x7f]" or "[%c\"\\\x7f-\xff]"
  return "\"" .. text:gsub(special, function(byte)
    return ("\\u%04x"):format(byte:byte())
  end) .. "\""
end

local encode

local function pieces(list, indent, left, right)
  if #list == 0 then
    return left .. right
  end
  local between = ",\n" .. indent .. "  "
  return ("%s\n%s  %s\n%s%s"):format(left, indent, table.concat(list, between), indent, right)
end

local function array(value, arrays, indent)
  local list = {}
  for i, element in ipairs(value) do
    list[i] = encode(element, arrays, indent .. "  ")
  end
  return pieces(list, indent, "[", "]")
end

local function object(value, arrays, indent)
  local names, list = {}, {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local field = value[name]
    -- An empty table does not say which of both it is.
    local write = arrays[name] and array or encode
    list[i] = ("%s: %s"):format(quoted(name), write(field, arrays, indent .. "  "))
  end
  return pieces(list, indent, "{", "}")
end

function encode(value, arrays, indent)
  if type(value) == "string" then
    return quoted(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  return (value[1] ~= nil and array or object)(value, arrays, indent)
end

--- Writes a value, with the names of an object in order, so that the same value is the same text. A
-- string is taken byte by byte.
-- @param value tables without circles, strings, finite numbers, booleans
-- @tparam[opt] table arrays names of fields, as keys, that are arrays also when they are empty
-- @treturn string
function json.encode(value, arrays)
  return encode(value, arrays or {}, "")
end

--- Writes a value in one line.
-- @param value as of `encode`
-- @treturn string
function json.line(value)
  return (json.encode(value):gsub("\n *", ""))
end

--- Reads text, by lua-cjson: the module that is linked with the command, or the one where Lua
-- looked for modules when this library was loaded.
-- @string text
-- @return the value, in which JSON's null is `null`
-- @return null
-- @treturn[2] nil where there is no lua-cjson, or the text is no JSON
-- @treturn[2] string a message; for text that is no JSON it ends in "at character N"
function json.decode(text)
  local open = package.preload.cjson
  local path = not open and package.searchpath("cjson", search.cpath)
  open = open or path and package.loadlib(path, "luaopen_cjson")
  if not open then
    return nil, "JSON takes lua-cjson, which is not there"
      .. (sys.directory and "" or ": this command was built without it")
  end
  local cjson = open("cjson")
  local ok, value = pcall(cjson.decode, text)
  if not ok then
    return nil, tostring(value)
  end
  return value, cjson.null
end

--- Where a value ends, in text that is JSON.
-- @int at where it begins
local function behind(text, at)
  local depth = 0
  repeat
    local first, last = text:find("^[^%[%]{}\"]*.", at)
    local mark = text:sub(last, last)
    if mark == "\"" then
      repeat
        last = text:find("[\\\"]", last + 1)
        local quote = text:sub(last, last) == "\""
        last = quote and last or last + 1
      until quote
    end
    depth = depth + ((mark == "{" or mark == "[") and 1 or (mark == "}" or mark == "]") and -1 or 0)
    at = last + 1
  until depth == 0 or not first
  return at
end

--- The members of an object, as they are written: for what is passed on as it is, also where a
-- table of Lua could not tell an empty array from an empty object.
-- @string text that is a JSON object or array; its members are objects, arrays and strings, or they
-- are left out
-- @treturn table of texts, by name or by number
function json.members(text)
  local members, at, count = {}, text:find("[%[{]") + 1, 0
  local named = text:sub(at - 1, at - 1) == "{"
  while true do
    at = text:find("[^%s,]", at)
    if text:find("^[%]}]", at) then
      return members
    end
    count = count + 1
    local key = count
    if named then
      local last = behind(text, at)
      key = text:sub(at + 1, last - 2)
      at = text:find("[^%s:]", last)
    end
    local last = text:find("^[%[{\"]", at) and behind(text, at)
    if last then
      members[key] = text:sub(at, last - 1)
    end
    at = last or text:find("[,%]}]", at)
  end
end

return json
