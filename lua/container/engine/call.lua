-- A function of the caller's that runs in a container in the place of a program, and its values.
-- It runs in a copy of the host program, which is pid 1: everything that it sees of the caller's is
-- a copy, and what it changes is gone with it.

local errors = require "container.error"
local options = require "container.config.options"
local pieces = require "container.engine.pieces"
local mount_fd = require "container.fs.mount_fd"
local sys = require "container.sys"
local codec = require "container.engine.codec"

local call = {}

-- The most bytes of what a function returns, unless the caller says.
local LIMIT <const> = options.entries.result_limit.default

-- How much of the text of an error, and of its traceback, is told.
local TEXT_MAX <const>, ERROR_MAX <const> = 64 << 10, 256 << 10

-- What begins the bytes that come of a function.
local VALUES <const>, ERROR <const> = "V", "E"

-- The pipe as the function's process has it.
local PIPE <const> = 3

--- Leaves a call for engine/start.lua.
-- @func fn
-- @param ... its arguments
function call.new(fn, ...)
  return { fn = fn, arguments = table.pack(...), limit = LIMIT }
end

--- Makes the pipe that the values come over.
function call.prepare(ctx)
  local reader, writer, errno = sys.pipe()
  if not reader then
    return nil, writer, errno
  end
  ctx.undo:push(reader.close, reader)
  ctx.undo:push(writer.close, writer)
  ctx.call.reader, ctx.call.writer = reader, writer
  -- What is garbage now is the host program's to end, and not the copy's.
  ctx.call.collects = collectgarbage("isrunning")
  if ctx.call.collects then
    collectgarbage()
  end
  return true
end

--- In the parent: only the child can write from here on.
function call.parent(ctx)
  ctx.call.writer:close()
  return true
end

--- An error of any type as text. The address of a table would tell nothing.
local function text_of(err)
  local ok, text = pcall(tostring, err)
  if type(err) == "table" and getmetatable(err) == nil then
    ok = false
  end
  return (ok and text or ("an error that is a " .. type(err))):sub(1, TEXT_MAX)
end

--- An error with its traceback, and its value where that is more than a text and can be returned.
local function encode_error(err, traceback)
  local text = text_of(err)
  local bytes = err ~= nil and type(err) ~= "string"
    and codec.encode({ n = 3, text, traceback, err }, { size = ERROR_MAX })
  return bytes or codec.encode { n = 2, text, traceback }
end

--- Runs the function, in a coroutine for a traceback of its own; what it gives, or what went wrong,
-- as bytes.
local function answer(ctx)
  local thread = coroutine.create(ctx.call.fn)
  local list = table.pack(coroutine.resume(thread,
    table.unpack(ctx.call.arguments, 1, ctx.call.arguments.n)))
  if not list[1] then
    return ERROR .. encode_error(list[2], debug.traceback(thread, ""):sub(2, TEXT_MAX))
  elseif coroutine.status(thread) ~= "dead" then
    return ERROR .. codec.encode { n = 2, "the function yields, which it may not", "" }
  end
  local bytes, message = codec.encode(
    table.move(list, 2, list.n, 1, { n = list.n - 1 }), { size = ctx.call.limit })
  return bytes and VALUES .. bytes or ERROR .. codec.encode { n = 2, message, "" }
end

--- In the child, as its last step: here the function runs, with every limit there is.
function call.child(ctx)
  local leave = os.exit
  local ok, message, errno = sys.open_stdio()
  if ok then
    ok, message, errno = sys.make_undumpable("call")
  end
  if ok then
    ok, message, errno = sys.set_environment(ctx.config.process.env)
  end
  -- An exec would close what the steps before have left open. Of the channel it says that the
  -- function runs, so what fails from here on is not told.
  if ok then
    ok, message, errno = sys.close_others({ mount_fd.FIRST_FD + #(ctx.trees or {}) }, 0)
  end
  if not ok then
    return nil, message, errno
  end
  sys.umask(0x12) -- 022
  sys.sigdefault("all")
  sys.sigprocmask("setmask", {})
  if ctx.call.collects then
    collectgarbage("restart")
  end
  local bytes, from = answer(ctx), 1
  while from <= #bytes do
    local written = sys.write(PIPE, bytes, from)
    if not written then
      break
    end
    from = from + written
  end
  leave(0)
end

--- The values' end of the pipe as a source of the event loop, which ends a function that writes
-- more than it may.
-- @tparam table self the object of the container
function call.source(self)
  local one = self.state.call
  local kept, size = pieces.new(), 0
  one.pieces = kept
  return { fd = one.reader, name = "call", event = true, take = function(piece)
    size = size + #piece
    if size > math.max(one.limit, ERROR_MAX) + 1 then
      self:fail("call", ("what the function returns has more than %d bytes"):format(one.limit))
    elseif not self.trouble then
      kept:add(piece)
    end
  end }
end

local function failure(message, reason, result)
  local err = errors.new("call", message)
  err.reason, err.result = reason, result
  return nil, err
end

-- What ended a function by a signal, by the reason of its result.
local BY <const> = {
  rlimit = ", by a limit of rlimits", seccomp = ", by the filter of system calls", signal = "",
}

--- A sentence for a function that did not come to its end.
local function ended(ctx, result)
  if result.reason == "timeout" then
    return ("the function took longer than %g seconds"):format(ctx.timeout)
  elseif result.reason == "oom" then
    local limit = (ctx.config.linux.resources.memory or {}).limit
    return "the function ran out of memory and was killed"
      .. (limit and limit > 0 and (": its limit is %d bytes"):format(limit) or "")
  end
  return ("the function was ended by signal %s%s"):format(result.signal, BY[result.reason])
end

--- What the caller gets of a container that has ended.
-- @tparam Context ctx
-- @tparam table result of `wait`
-- @return the values; or nil and an error with reason, result and, of an error in the function,
-- traceback and value
function call.outcome(ctx, result)
  if result.reason ~= "exit" then
    return failure(ended(ctx, result), result.reason, result)
  end
  local bytes = ctx.call.pieces:join()
  if bytes == "" then
    return failure(("the function ended its process, with status %d"):format(result.status),
      "exit", result)
  end
  local kind = bytes:sub(1, 1)
  local list, message = codec.decode(bytes:sub(2),
    { size = kind == VALUES and ctx.call.limit or ERROR_MAX })
  if list and kind == VALUES then
    return table.unpack(list, 1, list.n)
  elseif list and kind == ERROR and type(list[1]) == "string" and type(list[2]) == "string" then
    local _, err = failure(list[1], "error", result)
    err.traceback, err.value = list[2] ~= "" and list[2] or nil, list[3]
    return nil, err
  end
  return failure("what came of the function is malformed: " .. (message or "it is no answer"),
    "malformed", result)
end

return call
