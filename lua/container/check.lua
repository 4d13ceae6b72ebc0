-- Checks of what a person wrote, each refusing by the path of the field. Knows no containers.

local check = {}

local SHOWN_MAX <const> = 64

-- A refusal is thrown from here and becomes a value in `run`, so it is never seen outside.
local refusal = {}

--- Refuses a field.
-- @string field such as "volumes[2]"
-- @string message what is wrong with it
-- @int[opt] errno
function check.refuse(field, message, errno)
  error(setmetatable({ field = field, message = message, errno = errno }, refusal), 0)
end

--- Calls `fn(...)`, in which there may be a refusal.
-- @return what it returns; or nil and a table with field, message, errno
function check.run(fn, ...)
  local ok, value = pcall(fn, ...)
  if ok then
    return value
  elseif getmetatable(value) ~= refusal then
    error(value, 0)
  end
  return nil, value
end

--- A value as a message shows it: never by its own __tostring, and never long.
function check.shown(value)
  local kind = type(value)
  if kind == "string" then
    if #value > SHOWN_MAX then
      return ("a string of %d bytes"):format(#value)
    end
    return (("%q"):format(value):gsub("\\\n", "\\n"))
  elseif kind == "number" or kind == "boolean" or kind == "nil" then
    return tostring(value)
  end
  return "a " .. kind
end

--- Refuses unless `ok`; else gives the value back.
function check.expect(ok, field, expected, value)
  if not ok then
    check.refuse(field, ("expected %s, got %s"):format(expected, check.shown(value)))
  end
  return value
end

--- A string that a system call takes whole.
function check.text(field, value, expected)
  check.expect(type(value) == "string", field, expected or "a string", value)
  if value:find("\0", 1, true) then
    check.refuse(field, "contains a NUL byte")
  end
  return value
end

local NAME_MAX <const> = 128

--- The name of a container.
function check.name(field, value)
  check.text(field, value)
  return check.expect(#value <= NAME_MAX and value:find("^[A-Za-z0-9_+-][A-Za-z0-9_+.-]*$"), field,
    "1 to 128 letters, digits, _, +, - and . (not first)", value) and value
end

--- A switch.
function check.switch(field, value)
  return check.expect(type(value) == "boolean", field, "true or false", value)
end

--- The integer that a number is, also of a float such as 2^20; nil of any other value.
function check.integer(value)
  return type(value) == "number" and math.tointeger(value) or nil
end

-- The kernel's PID_MAX_LIMIT: what pids.max accepts.
local PIDS_MAX <const> = 1 << 22

--- A number of processes as OCI has it: -1 is no limit.
function check.pids(field, value)
  local number = check.integer(value)
  local limit = (value == "max" or number == -1) and -1
    or number and number >= 1 and number <= PIDS_MAX and number
  return check.expect(limit, field, "a positive integer or \"max\"", value) and limit
end

local UNITS <const> = { [""] = 1, b = 1, k = 1 << 10, m = 1 << 20, g = 1 << 30, t = 1 << 40 }
local BYTES_MAX <const> = 1 << 60

--- Bytes as docker writes them: 512K, 64m, 1GB, 1GiB.
-- @string text
-- @treturn integer|nil
function check.bytes(text)
  local digits, unit = text:lower():match("^(%d+)([bkmgt]?)i?b?$")
  local number, factor = math.tointeger(tonumber(digits)), UNITS[unit]
  return number and number <= BYTES_MAX // factor and number * factor or nil
end

--- A table whose fields are what they seem: they are read raw, so one that answers by a function is
-- refused.
function check.plain(field, value)
  check.expect(type(value) == "table", field, "a table", value)
  if getmetatable(value) ~= nil then
    check.refuse(field, "expected a plain table, got one with a metatable")
  end
  return value
end

--- The length of a table's array part, which may have no holes; the other keys are the caller's
-- business.
function check.length(field, value)
  local highest, count = 0, 0
  for key in next, value do
    if math.type(key) == "integer" then
      if key < 1 then
        check.refuse(("%s[%d]"):format(field, key), "an array begins at 1")
      end
      highest = math.max(highest, key)
      count = count + 1
    end
  end
  -- With as many entries as the highest index there is no hole; else the first one is near.
  local i = 1
  while highest ~= count do
    if rawget(value, i) == nil then
      check.refuse(("%s[%d]"):format(field, i), "is missing: the array has a hole")
    end
    i = i + 1
  end
  return count
end

--- The length of an array: a plain table with entries alone. A named key, which would say something
-- that is not heard, is refused.
-- @string field
-- @param value
-- @string[opt="an array"] expected
function check.array(field, value, expected)
  for key in next, check.plain(field, value) do
    if math.type(key) ~= "integer" then
      check.refuse(field, ("expected %s, got the key %s"):format(expected or "an array",
        check.shown(key)))
    end
  end
  return check.length(field, value)
end

--- The string keys of a mapping that may stand beside an array, in an order of their own, so that
-- the same table is read in the same way.
-- @string field
-- @tparam table value
-- @string expected what a key is
function check.keys(field, value, expected)
  local keys = {}
  for key in next, value do
    if math.type(key) ~= "integer" then
      check.expect(type(key) == "string" and not key:find("\0", 1, true), field, expected, key)
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  return keys
end

--- An absolute path without the steps that go nowhere.
function check.clean(path)
  local steps = {}
  for step in path:gmatch("[^/]+") do
    if step ~= "." then
      steps[#steps + 1] = step
    end
  end
  return "/" .. table.concat(steps, "/")
end

return check
