-- The options stdin, stdout, stderr and output_limit.

local check = require "container.check"
local sys = require "container.sys"

local streams = {}

-- What is buffered of a captured stream unless the caller says: the rest is read and counted.
streams.LIMIT = 16 << 20

local WORDS <const> = { inherit = true, null = true, pipe = true }

--- Another number for the caller's open file, so that it can be closed there meanwhile.
local function given(field, file)
  local open, st, message, errno = pcall(sys.stat, file)
  if not open then
    check.refuse(field, "is closed", sys.errno.EBADF)
  elseif not st then
    check.refuse(field, message, errno)
  elseif st.type == "directory" then
    -- It would be a way out of the root.
    check.refuse(field, "is a directory", sys.errno.EISDIR)
  end
  return { how = "file", file = file }
end

local function is_file(value)
  if type(value) ~= "userdata" then
    local number = check.integer(value)
    return number and number >= 0 and number < 1 << 31
  end
  local metatable = getmetatable(value)
  return io.type(value) or type(metatable) == "table" and metatable.__name == "container.fd"
end

local function read_one(name, value)
  if name == "stdin" then
    if type(value) == "table" then
      check.expect(check.array(name, value) == 1, name, "a table with one string", value)
      check.expect(type(value[1]) == "string", name .. "[1]", "a string", value[1])
      return { how = "data", data = value[1] }
    elseif type(value) == "string" and not WORDS[value] then
      return { how = "data", data = value }
    end
  elseif value == "capture" or name == "stderr" and value == "stdout" then
    return { how = value }
  end
  if WORDS[value] then
    return { how = value }
  elseif type(value) == "function" then
    return { how = "function", fn = value }
  elseif is_file(value) then
    return given(name, check.integer(value) or value)
  end
  check.refuse(name, ("expected %s, got %s"):format(name == "stdin"
    and "\"inherit\", \"null\", \"pipe\", its content, a function, a file or an fd"
    or "\"inherit\", \"null\", \"capture\", \"pipe\", a function, a file or an fd",
    check.shown(value)))
end

--- Reads one of them.
function streams.read(ctx, value, name)
  ctx.stream = ctx.stream or { limit = streams.LIMIT }
  if name == "output_limit" then
    local number = check.integer(value)
    ctx.stream.limit = check.expect(number and number >= 0, name, "a number of bytes", value)
      and number
  else
    ctx.stream[name] = read_one(name, value)
  end
end

return streams
