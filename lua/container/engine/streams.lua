-- The standard streams of a container that are not the caller's own: config/streams.lua reads the
-- options. The child's ends are put in place before anything else, the parent's are what the event
-- loop (runtime/loop.lua) reads and writes: a source has `fd`, and `take(piece)` or `give()`.

local pieces = require "container.engine.pieces"
local sys = require "container.sys"

local streams = {}

local NUMBERS <const> = { stdin = 0, stdout = 1, stderr = 2 }
local NAMES <const> = { [0] = "stdin", "stdout", "stderr" }

--- What the caller reads or writes is the caller's to close, once the container runs.
local function abandon(one, fd)
  if not one.kept then
    fd:close()
  end
end

--- A pipe, one end for the child. The other does not block where the parent writes, for a program
-- that reads slowly must not hold up the host program.
local function make_pipe(ctx, one, number)
  local reader, writer, errno = sys.pipe()
  if not reader then
    return nil, writer, errno
  end
  local theirs, ours = writer, reader
  if number == 0 then
    theirs, ours = reader, writer
    sys.nonblock(ours)
  end
  ctx.undo:push(abandon, one, ours)
  return theirs, ours
end

--- The child's end, and the parent's, of one stream.
local function open(ctx, number, one)
  if one.how == "file" then
    return sys.dup(one.file)
  elseif one.how == "data" then
    return sys.memfd("stdin", one.data, "noexec")
  end
  return make_pipe(ctx, one, number)
end

function streams.prepare(ctx)
  local ends = {}
  ctx.stream.ends = ends
  for number = 0, 2 do
    local one = ctx.stream[NAMES[number]]
    if one and one.how == "null" then
      ends[number] = "null" -- the container's own, which fills what is closed
    elseif one and one.how == "stdout" then
      ends[number] = 1
    elseif one and one.how ~= "inherit" then
      local theirs, ours, errno = open(ctx, number, one)
      if not theirs then
        return nil, ours, errno
      end
      ctx.undo:push(theirs.close, theirs)
      ends[number], one.fd = theirs, ours
    end
  end
  return true
end

-- What another user than the pipe's may do: read standard input, write the other two.
local READ <const>, WRITE <const> = 0x24, 0x12 -- 044, 022

--- What becomes a standard stream of the program: an fd or a number; nil where it is none of the
-- caller's.
local function handed_in(ctx, number)
  local own = ctx.stream and ctx.stream.ends[number]
  if own == 1 then
    return handed_in(ctx, 1)
  elseif own == "null" then
    return nil
  elseif own or ctx.stream and ctx.stream[NAMES[number]] then
    return own or number
  end
  for _, of_terminal in ipairs(ctx.terminal and ctx.terminal.streams or {}) do
    if of_terminal == number then
      return nil
    end
  end
  return number
end

--- Lets every user in the container open the pipes that it has, as /dev/stdout: the kernel asks for
-- the permission of the pipe, which belongs to the user that made it. The owner stays. A process
-- that has not the pipe does not reach it by these bits, for a pipe has no name but in the /proc of
-- processes that have it. What has a name is the caller's and stays as it is: files, FIFOs,
-- terminals. pipe(7), proc_pid_fd(5)
function streams.permit(ctx)
  for number = 0, 2 do
    local fd = handed_in(ctx, number)
    local kind, mode
    if fd then
      kind, mode = sys.stat(fd, "type", "mode")
    end
    local path = kind == "fifo" and sys.readlink("/proc/self/fd/"
      .. (math.type(fd) and fd or fd:fileno()))
    if path and path:find("^pipe:%[") then
      sys.chmod(fd, mode | (number == 0 and READ or WRITE)) -- refused where it is another user's
    end
  end
  return true
end

--- Whether an option says what this stream is.
function streams.decides(ctx, number)
  local one = ctx.stream[NAMES[number]]
  if one and one.how == "stdout" then
    return streams.decides(ctx, 1)
  end
  return one ~= nil
end

--- In the parent: only the child holds its ends from here on, so their end can be seen.
function streams.parent(ctx)
  local ends = ctx.stream.ends
  for number = 0, 2 do
    local fd = ends[number]
    if type(fd) == "userdata" then
      fd:close()
    end
  end
  return true
end

--- In the child, first of all: puts the ends in their places.
function streams.child(ctx)
  local ends = ctx.stream.ends
  for number = 0, 2 do
    local fd = ends[number]
    if fd == "null" then
      sys.close(number)
    elseif fd then
      local ok, _, errno = sys.dup2(fd, number)
      if not ok and fd == 1 and errno == sys.errno.EBADF then
        sys.close(number) -- standard output is null, and standard error with it
      elseif not ok then
        return nil, ("dup2 %s: %s"):format(NAMES[number], sys.strerror(errno)), errno
      end
    end
  end
  return true
end

--- What is captured: the pieces, up to a limit, and how many bytes came in all.
local function capture(limit)
  local kept, size = pieces.new(), 0
  return {
    take = function(piece)
      local room = limit - size
      size = size + #piece
      if room > 0 then
        kept:add(#piece <= room and piece or piece:sub(1, room))
      end
    end,
    finish = function()
      return kept:join(), size
    end,
  }
end

--- The parent's ends as sources of the event loop; those of "pipe" are the caller's and not among
-- them.
-- @return array of sources: name, fd, and take or give; those that were captured have `finish`
function streams.sources(ctx)
  local list = {}
  for name in pairs(NUMBERS) do
    local one = ctx.stream[name]
    local source = nil
    if one and one.how == "capture" then
      source = capture(ctx.stream.limit)
    elseif one and one.how == "function" then
      source = { [name == "stdin" and "give" or "take"] = one.fn, foreign = true }
    end
    if source then
      source.name, source.fd = name, one.fd
      list[#list + 1] = source
    end
  end
  return list
end

--- The parent's ends that the caller reads and writes, by name.
function streams.pipes(ctx)
  local pipes = {}
  for name in pairs(NUMBERS) do
    local one = ctx.stream[name]
    if one and one.how == "pipe" then
      one.kept = true
      pipes[name] = one.fd
    end
  end
  return pipes
end

return streams
