-- A further process in a running container, in the caller's process: the steps before the clone,
-- the process that joins the container and makes the program's, and the wait for its exec.

local child = require "container.engine.child"
local cleanup = require "container.engine.cleanup"
local context = require "container.engine.context"
local errors = require "container.error"
local order = require "container.engine.order"
local process = require "container.linux.process"
local processes = require "container.linux.cgroup.processes"
local steps = require "container.engine.steps"
local streams = require "container.engine.streams"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local exec = {}

-- Seconds that both processes may take. Those of the container can stop one that is among them.
local TIMEOUT <const> = 10

--- In the process that joins: makes the program's process, and says over the socket which it is.
local function spawn_sibling(ctx)
  local pid, message, errno = sys.clone_sibling(function()
    child.main(ctx, order.exec, "child")
  end)
  local said
  if pid then
    said, message, errno = sync.send(string.pack("<i4", pid))
    if said then
      sys._exit(0)
    end
    sys.kill(pid, "KILL") -- the launcher cannot know of it
  end
  return "clone", message, errno
end

--- Ends a process that the caller is the parent of. One that a process of the container traces is
-- let go when that is killed.
local function discard(ctx, pid)
  sys.kill(pid, "KILL")
  local pidfd <close> = sys.pidfd_open(pid)
  if not pidfd then
    sys.wait(pid, "nohang")
    return
  end
  process.reap(pidfd, nil, function()
    sys.pidfd_send_signal(ctx.target.pidfd, "KILL")
  end)
end

--- Makes the process that joins, and waits until it has said which is the program's.
-- @return pid; or nil, and nothing if the children have said why
local function make(ctx)
  local mask = sys.sigprocmask("block", "all")
  local between, message, errno = sys.clone({}, function()
    child.main(ctx, order.exec, "join", spawn_sibling)
  end)
  sys.sigprocmask("setmask", mask)
  if not between then
    return nil, errors.new("clone", message, errno)
  end
  if ctx.stream then
    streams.parent(ctx)
  end
  ctx.channel.writer:close()
  local pidfd <close> = sys.pidfd_open(between)
  local said = sys.ppoll({ ctx.channel.line, pidfd }, TIMEOUT)[1]
    and sys.read(ctx.channel.line, 4)
  discard(ctx, between)
  return said and #said == 4 and string.unpack("<i4", said) or nil
end

--- Waits until the program runs.
local function await(ctx)
  local err = sync.wait(ctx, TIMEOUT)
  if err and err.step == "channel" and err.errno == sys.errno.ETIMEDOUT then
    return errors.new("join", ("the process that joins the container has stood still for %d "
      .. "seconds"):format(TIMEOUT), sys.errno.ETIMEDOUT)
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
  local pid, err = make(ctx)
  if not pid then
    ctx.channel.init:close()
    return err or sync.wait(ctx, TIMEOUT)
      or errors.new("join", "the process that joins the container ended without a word")
  end
  ctx.pid = pid
  unfinished:push(discard, ctx, pid)
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
