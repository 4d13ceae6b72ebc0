-- The option tty: a terminal of the container's own.
-- OCI runtime specification, config, "terminal" and "consoleSize"

local check = require "container.check"
local sys = require "container.sys"

local terminal = {}

local SIZE_MAX <const> = 0xffff

local function host_terminals()
  local streams = {}
  for fd = 0, 2 do
    streams[#streams + 1] = sys.isatty(fd) and fd or nil
  end
  return streams
end

local function read_size(field, value)
  local size = {}
  for key in next, check.plain(field, value) do
    check.expect(key == "height" or key == "width", field, "height or width", key)
  end
  for _, key in ipairs { "height", "width" } do
    local given = rawget(value, key)
    local number = check.integer(given)
    size[key] = check.expect(number and number >= 1 and number <= SIZE_MAX,
      field .. "." .. key, "an integer from 1 to 65535", given) and number
  end
  return size
end

--- Reads the option.
-- @string field
-- @param value true; { height, width }, its size at first; or "auto", which is one if standard
-- input and output are terminals, in the place of those streams that are
-- @treturn table the streams, and the size if it is known; nil when there is to be none
function terminal.read(field, value)
  local known = host_terminals()
  local streams, size = { 0, 1, 2 }, nil
  if value == "auto" then
    if known[1] ~= 0 or known[2] ~= 1 then
      return nil
    end
    streams = known
  elseif value ~= true then
    check.expect(type(value) == "table", field, "true, false, \"auto\" or a table", value)
    size = read_size(field, value)
  end
  if not size and known[1] then
    local height, width = sys.tcgetwinsize(known[1])
    size = height and height > 0 and { height = height, width = width } or nil
  end
  return { streams = streams, size = size }
end

return terminal
