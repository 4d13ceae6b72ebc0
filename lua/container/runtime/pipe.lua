-- The caller's end of a stream: read and written as a file of Lua's io library, but an error is a
-- value of this library, and a wait goes on attending the container.

local errors = require "container.error"
local check = require "container.check"
local handle = require "container.runtime.handle"
local sys = require "container.sys"
local buffer = require "container.runtime.buffer"
local loop = require "container.runtime.loop"

local PIECE <const> = 65536

-- How many bytes a line may have, and all that "a" reads, unless the caller says.
local LINE_MAX <const>, ALL_MAX <const> = 1 << 20, 16 << 20

local pipe = {}

local methods = {}

local function failure(self, message, errno)
  return nil, errors.new(self.name, message, errno)
end

--- Whether there is something to read, or the end, without waiting for it.
local function is_ready(self)
  -- Asked first: nothing more comes after the container's end.
  return self.container.closed or sys.ppoll({ self.stream }, 0)[1]
end

--- Reads a piece into the buffer; false at the end, or nil and an error.
local function fill(self)
  if not loop.await(self.container, self.stream) then
    return false
  end
  local piece, message, errno = sys.read(self.stream, PIECE)
  -- A terminal whose other side is closed answers with an error.
  if not piece and errno ~= sys.errno.EIO then
    return nil, message, errno
  elseif not piece or piece == "" then
    return false
  end
  self.buffer:push(piece)
  return true
end

--- What came stays there to be read otherwise.
local function too_long(self, what, limit)
  return failure(self, ("%s has more than %d bytes"):format(what, limit), sys.errno.E2BIG)
end

local function read_line(self, keep, limit)
  local search = {}
  while true do
    local size = self.buffer:line(search)
    if (size and size - 1 or self.buffer.size) > limit then
      return too_long(self, "a line", limit)
    elseif size then
      local line = self.buffer:take(size)
      return keep and line or line:sub(1, -2)
    end
    local more, message, errno = fill(self)
    if more == nil then
      return failure(self, message, errno)
    elseif not more then
      return self.buffer.size > 0 and self.buffer:take(self.buffer.size) or nil
    end
  end
end

--- Reads until there are so many bytes, or the end.
local function read_size(self, size)
  while self.buffer.size < size do
    local more, message, errno = fill(self)
    if more == nil then
      return failure(self, message, errno)
    elseif not more then
      break
    end
  end
  return (self.buffer.size > 0 or size == 0) and self.buffer:take(size) or nil
end

local function read_all(self, limit)
  while true do
    if self.buffer.size > limit then
      return too_long(self, "what came", limit)
    end
    local more, message, errno = fill(self)
    if more == nil then
      return failure(self, message, errno)
    elseif not more then
      return self.buffer:take(self.buffer.size)
    end
  end
end

--- Reads as file:read of Lua does: "l" a line without its end (the default), "L" with its end, "a"
-- everything up to the end, a number N at most N bytes. The output is held in memory, so a line and
-- everything have a limit. Longer output is the error E2BIG, and can still be read by `readsome` or
-- with a number.
-- @param[opt="l"] format
-- @int[opt] limit the number of bytes that a line may have without its end (default: 1 MiB), or
-- everything (default: the option `output_limit`)
-- @return a string; nil at the end; or nil and an error
function methods:read(format, limit)
  local most = check.integer(limit)
  if not self.stream:fileno() then
    return failure(self, "the stream is closed", sys.errno.EBADF)
  elseif limit ~= nil and not (most and most >= 0) then
    return failure(self, "expected a number of bytes as the limit", sys.errno.EINVAL)
  elseif not self.container.closed and not self.container.attended then
    loop.keep_time(self.container)
  end
  if format == nil or format == "l" or format == "L" then
    return read_line(self, format == "L", most or LINE_MAX)
  elseif format == "a" then
    return read_all(self, most or self.limit)
  end
  local size = check.integer(format)
  if size and size >= 0 then
    return read_size(self, size)
  end
  return failure(self, "expected \"l\", \"L\", \"a\" or a number of bytes to read",
    sys.errno.EINVAL)
end

--- Reads what is available, at most `size` bytes. It waits when nothing is available; after a call
-- of `fileno` it never waits.
-- @int[opt=65536] size
-- @return a string; false when nothing is available (only after `fileno`); nil at the end; or nil
-- and an error
function methods:readsome(size)
  if not self.stream:fileno() then
    return failure(self, "the stream is closed", sys.errno.EBADF)
  elseif size ~= nil and not (check.integer(size) and size > 0) then
    return failure(self, "expected a number of bytes to read", sys.errno.EINVAL)
  end
  if self.buffer.size == 0 then
    if self.in_loop and not is_ready(self) then
      return false
    end
    local more, message, errno = fill(self)
    if more == nil then
      return failure(self, message, errno)
    elseif not more then
      return nil
    end
  end
  return self.buffer:take(check.integer(size) or PIECE)
end

--- Iterates over the lines. It raises the errors that `read` would return, as io.lines does, also
-- for a line over the limit.
-- @param[opt="l"] format
-- @int[opt=1048576] limit the number of bytes that a line may have without its end
function methods:lines(format, limit)
  return function()
    local line, err = self:read(format, limit)
    return err and error(err, 0) or line
  end
end

--- Writes strings and numbers. It waits while the pipe is full; after a call of `fileno` it never
-- waits, and the caller writes the rest later.
-- @return the stream, when all is written; false when the pipe is full (only after `fileno`); or
-- nil and an error (EPIPE when no process reads it any more)
-- @treturn int with the stream or false, the number of bytes written
function methods:write(...)
  if not self.stream:fileno() then
    return failure(self, "the stream is closed", sys.errno.EBADF)
  end
  local total = 0
  for i = 1, select("#", ...) do
    local data, from = select(i, ...), 1
    if type(data) ~= "string" and type(data) ~= "number" then
      return failure(self, ("expected a string to write, got a %s"):format(type(data)),
        sys.errno.EINVAL)
    end
    data = tostring(data)
    while from <= #data do
      local over = self.container.closed -- then nothing makes room any more
      local written, message, errno = sys.write(self.stream, data, from)
      if written then
        from, total = from + written, total + written
      elseif errno ~= sys.errno.EAGAIN then
        return failure(self, message, errno)
      elseif self.in_loop and not over then
        return false, total
      elseif over or not loop.await(self.container, nil, self.stream) then
        return failure(self, "write: Broken pipe", sys.errno.EPIPE)
      end
    end
  end
  return self, total
end

--- Closes the stream. A program that reads it sees its end.
-- @return true
function methods:close()
  return self.stream:close()
end

--- Changes the size of a terminal. Its foreground process group gets SIGWINCH.
-- @int height
-- @int width
-- @return true; or nil and an error
function methods:resize(height, width)
  local function fits(size)
    return check.integer(size) and size >= 1 and size <= 0xffff
  end
  if not fits(height) or not fits(width) then
    return failure(self, "expected a height and a width from 1 to 65535", sys.errno.EINVAL)
  elseif not self.stream:fileno() then
    return failure(self, "the stream is closed", sys.errno.EBADF)
  end
  local ok, message, errno = sys.tcsetwinsize(self.stream, height, width)
  if ok then
    return true
  end
  return failure(self, message, errno)
end

--- Gives the fd, as an object for `container.ppoll`.
-- @return the fd
function methods:fd()
  return self.stream
end

--- Gives the number of the fd, for event loops such as luv and cqueues. stdout, stderr and tty are
-- readable when there is output, or at the end; stdin and tty are writable when there is room. The
-- number is valid until the stream is closed, that of a tty until the container's object is closed.
-- From now on `readsome` and `write` of this stream do not wait.
-- @treturn int the number; or nil and an error: EBADF when the stream is closed
function methods:fileno()
  local number = self.stream:fileno()
  if not number then
    return failure(self, "the stream is closed", sys.errno.EBADF)
  end
  self.in_loop = true
  return number
end

local metatable = { __index = methods }

local class = handle.class("stream", methods, {
  __name = "container.stream",
  __close = methods.close,
  __tostring = function(self)
    return ("container.stream (%s)"):format(self.name)
  end,
})

--- Makes one.
-- @param fd
-- @string name as errors name it
-- @tparam table owner the object of the container
-- @int[opt=16777216] limit how many bytes everything may have that is read
function pipe.new(fd, name, owner, limit)
  return class.new(setmetatable({ stream = fd, name = name, container = owner,
    buffer = buffer.new(), limit = limit or ALL_MAX }, metatable), {})
end

return pipe
