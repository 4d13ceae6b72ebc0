-- A further process in a running container, in the caller's process: the steps before the clone,
-- the process between (between.lua), and the wait for the program's exec.

local between = require "container.engine.between"
local cleanup = require "container.engine.cleanup"
local context = require "container.engine.context"
local errors = require "container.error"
local order = require "container.engine.order"
local processes = require "container.linux.cgroup.processes"
local steps = require "container.engine.steps"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local exec = {}

--- Waits until the program runs.
local function await(ctx)
  local err = sync.wait(ctx, between.TIMEOUT)
  if err and err.step == "channel" and err.errno == sys.errno.ETIMEDOUT then
    return errors.new("join", ("the process that joins the container has stood still for %d "
      .. "seconds"):format(between.TIMEOUT), sys.errno.ETIMEDOUT)
  end
  if not err and ctx.terminal then
    ctx.tty, err = sync.take(ctx, "terminal")
  end
  return err
end

--- Lets the process go on, of which there is only the number until there is a pidfd.
local function adopt(ctx)
  local pidfd, message, errno = sys.pidfd_open(ctx.pid)
  if not pidfd then
    return errors.new("join", message, errno)
  end
  ctx.undo:push(pidfd.close, pidfd)
  ctx.pidfd = pidfd
  processes.joined(ctx.target, ctx)
  ctx.undo:push(processes.left, ctx.target, ctx)
  ctx.channel.init:close()
  local ok
  ok, message, errno = sync.go(ctx)
  if not ok then
    return errors.new("channel", message, errno)
  end
  return await(ctx)
end

--- One sentence for all that the kernel answers about a container that has just ended.
local function explain(err)
  local gone = err.step == "join" and err.errno == sys.errno.ESRCH
    or err.step == "clone" and err.errno == sys.errno.ENOMEM
  if gone then
    return errors.new("exec", "the container has ended", sys.errno.ESRCH)
  elseif err.step == "clone" and err.errno == sys.errno.EAGAIN then
    err.message = err.message .. " (the pids limit has to leave room for two processes until the "
      .. "program runs)"
  end
  return err
end

--- From the steps before the clone until the program runs. What was begun is undone by the stack.
-- @return nil, or an error
local function launch(ctx, unfinished)
  local ok, step, message, errno = steps.run(ctx, order.exec, "prepare")
  if not ok then
    return errors.refusal(steps.subject(step), message, errno)
  end
  local pid, err = between.make(ctx, order.exec)
  if not pid then
    return err or between.failure(ctx)
  end
  ctx.pid = pid
  unfinished:push(between.discard, ctx, pid)
  return adopt(ctx)
end

--- Starts a program in a container.
-- @tparam table asked what config/spec.lua made of the options, with `target`, the context of the
-- container
-- @treturn Context with `pid`, `pidfd` and `undo`, which the caller now owns; or nil and an error
function exec.start(asked)
  local stack <close> = cleanup.new()
  local ctx = context.new(asked, stack)
  local trace = steps.open_trace(ctx)
  local unfinished <close> = cleanup.new()
  local err = launch(ctx, unfinished)
  steps.close_trace(ctx, trace)
  if err then
    return nil, explain(err)
  end
  unfinished:release()
  ctx.undo = stack:release()
  sync.forget(ctx)
  return ctx
end

return exec
