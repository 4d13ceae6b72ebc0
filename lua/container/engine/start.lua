-- A container's start, in the caller's process: the steps before the clone, the clone, the steps
-- after it, and the wait until the program runs. Leaves the caller as it was, on every way out.

local cleanup = require "container.engine.cleanup"
local context = require "container.engine.context"
local errors = require "container.error"
local hooks = require "container.engine.hooks"
local namespaces = require "container.linux.namespaces"
local order = require "container.engine.order"
local outgoing = require "container.engine.outgoing"
local process = require "container.linux.process"
local spawn = require "container.engine.spawn"
local steps = require "container.engine.steps"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local start = {}

-- Every call that a start cannot do without is older than that.
local HINT <const> = "; the launcher needs Linux 5.10 or later, and no older filter of system "
  .. "calls around it"

--- Says what it means that the kernel does not know a system call.
local function explain(err)
  if err.errno == sys.errno.ENOSYS then
    err.message = err.message .. HINT
  end
  return err
end

--- Ends a child that came up but is not to stay.
local function discard(ctx)
  if ctx.pidfd then
    sys.pidfd_send_signal(ctx.pidfd, "KILL")
  else
    sys.kill(ctx.pid, "KILL")
  end
  local pidfd = ctx.pidfd or sys.pidfd_open(ctx.pid)
  if pidfd then
    process.reap(pidfd)
  else
    sys.wait(ctx.pid)
  end
end

--- The steps of one side.
-- @return true; or nil and an error
local function run(ctx, side)
  local ok, step, message, errno, subject = steps.run(ctx, order.start, side)
  if not ok then
    return nil, errors.refusal(steps.subject(step), message, errno, subject)
  end
  return true
end

--- From the clone until the program runs. What was begun is undone by the stack of the caller.
-- @return true; or nil and an error
local function launch(ctx, unfinished)
  local pid, err = spawn.child(ctx)
  if not pid then
    return nil, err
  end
  ctx.pid = pid
  unfinished:push(discard, ctx)
  local ok
  ok, err = run(ctx, "parent")
  if ok then
    err = sync.wait(ctx)
  end
  if not err and ctx.terminal then
    ctx.tty, err = sync.take(ctx, "terminal")
  end
  if not err and ctx.outgoing then
    err = outgoing.take(ctx)
  end
  return not err, err
end

--- Makes the context of what was asked for, as the steps find it first.
-- @tparam table asked what config/spec.lua made of the options
-- @tparam table undo a stack of engine/cleanup.lua
-- @treturn Context
function start.context(asked, undo)
  local ctx = context.new(asked, undo)
  ctx.hook = hooks.new(ctx.config.hooks) or false
  for _, entry in ipairs(ctx.config.linux.namespaces) do
    ctx.joins = ctx.joins or entry.path ~= nil
  end
  return ctx
end

--- The steps that a start would take, in order.
-- @tparam table asked what config/spec.lua made of the options
-- @treturn table array of { name, side, why, needs }
function start.plan(asked)
  local ctx, list, there = start.context(asked, cleanup.new()), {}, {}
  namespaces.prepare(ctx)
  ctx.seccomp = ctx.config.linux.seccomp and true
  for _, step in ipairs(order.start) do
    if steps.applies(ctx, step) then
      local needs = {}
      for _, name in ipairs(step.needs or {}) do
        needs[#needs + 1] = there[name] and name or nil
      end
      there[step.name] = true
      list[#list + 1] = { name = step.name, side = step.side, why = step.why, needs = needs }
    end
  end
  return list
end

--- Starts a container.
-- @tparam table asked what config/spec.lua made of the options
-- @treturn Context with `pid`, `pidfd` and `undo`, which the caller now owns; or nil and an error
-- with step, subject, errno
function start.start(asked)
  local stack <close> = cleanup.new()
  local ctx = start.context(asked, stack)
  spawn.choose(ctx)
  local trace = steps.open_trace(ctx)
  local unfinished <close> = cleanup.new()
  local ok, err = run(ctx, "prepare")
  if ok then
    ok, err = launch(ctx, unfinished)
  end
  steps.close_trace(ctx, trace)
  if not ok then
    return nil, explain(err)
  end
  hooks.started(ctx)
  unfinished:release()
  ctx.undo = stack:release()
  context.started(ctx)
  sync.forget(ctx)
  return ctx
end

return start
