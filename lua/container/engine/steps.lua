-- Drives the steps of engine/order.lua, for parent and children alike, and traces them.

local errors = require "container.error"
local sys = require "container.sys"

local steps = {}

-- A line of the trace is shorter than what a pipe takes at once: PIPE_BUF.
local LINE_MAX <const> = 1024

--- What an error of a step names: the name up to the dot.
function steps.subject(step)
  return step.name:match("^[^.]+")
end

--- Whether a step runs for this context.
function steps.applies(ctx, step)
  return not step.only or ctx[step.only]
end

--- Writes the line of one step to the fd that this process has for it.
local function trace(ctx, side, step, began, message)
  local line = ("lua-container: %-7s %-20s %6d us%s"):format(side, step.name,
    (sys.clock_gettime() - began) * 1e6 // 1, message and ": " .. errors.plain(message) or "")
  sys.write(ctx.trace, line:sub(1, LINE_MAX) .. "\n")
end

local function run_one(ctx, side, step)
  if not ctx.trace then
    return step.fn(ctx, ctx.pid)
  end
  local began = sys.clock_gettime()
  local done, ok, message, errno, subject = pcall(step.fn, ctx, ctx.pid)
  if not done then
    trace(ctx, side, step, began, errors.text(ok))
    error(ok, 0)
  end
  trace(ctx, side, step, began, not ok and message or nil)
  return ok, message, errno, subject
end

--- Runs the steps of one side, until one is refused. What raises but is no refusal goes on.
-- @tparam Context ctx
-- @tparam table list of steps
-- @string side
-- @return true; or nil, step, message, errno, subject
function steps.run(ctx, list, side)
  for _, step in ipairs(list) do
    if step.side == side and steps.applies(ctx, step) then
      local ok, message, errno, subject = errors.caught(run_one, ctx, side, step)
      if not ok then
        return nil, step, message, errno, subject
      end
    end
  end
  return true
end

--- Opens where the trace goes.
-- @tparam Context ctx whose `debug` is true, for standard error, or a function
-- @treturn userdata|nil what the lines of a function are read from, once the program runs
function steps.open_trace(ctx)
  if ctx.debug == true then
    ctx.trace = sys.dup(2) or false
    return nil
  elseif not ctx.debug then
    return nil
  end
  local reader, writer = sys.pipe()
  if reader then
    sys.nonblock(reader)
    sys.nonblock(writer) -- a line that finds no room is lost
    ctx.trace = writer
  end
  return reader
end

--- The start is over: closes the trace, and gives its lines to the caller's function.
-- @tparam Context ctx
-- @param[opt] reader of open_trace
function steps.close_trace(ctx, reader)
  if ctx.trace then
    ctx.trace:close()
    ctx.trace = false
  end
  if not reader then
    return
  end
  local text, piece = "", sys.read(reader)
  while piece and piece ~= "" do
    text, piece = text .. piece, sys.read(reader)
  end
  reader:close()
  for line in text:gmatch("[^\n]+") do
    ctx.debug(line)
  end
end

return steps
