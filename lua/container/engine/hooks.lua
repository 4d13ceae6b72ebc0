-- What the caller has done at OCI's moments of a container's life: functions, and programs that get
-- the container's state as standard input.
-- OCI runtime specification, config, "POSIX-platform Hooks", and runtime, "Lifecycle"
--
-- In the host program are called: prestart and createRuntime, while the child waits before its root
-- changes; poststart; poststop, the last of what is undone. In the container: createContainer,
-- before its root changes, and startContainer, with the rights of the program. There each is a
-- process of its own, so that nothing of it but what it did to the namespaces comes to the program.

local errors = require "container.error"
local action = require "container.engine.hooks.action"
local sync = require "container.engine.sync"
local sys = require "container.sys"
local rootfs = require "container.fs.rootfs"
local waiting = require "container.engine.waiting"

local hook = {}

-- The moments, and how the container is called at each: runtime, "State".
local STATUS <const> = {
  prestart = "creating", createRuntime = "creating", createContainer = "creating",
  startContainer = "created", poststart = "running", poststop = "stopped",
}

--- What a start knows of its hooks from the beginning on; nil where there are none.
-- @tparam[opt] table hooks for each moment an array of functions and of OCI's tables
function hook.new(hooks)
  if not hooks then
    return nil
  end
  local meets = (hooks.prestart or hooks.createRuntime) ~= nil
  return {
    hooks = hooks,
    meets = meets, -- the child waits for its parent
    copies = meets or (hooks.createContainer or hooks.startContainer) ~= nil, -- has its own memory
  }
end

local function where(one)
  if type(one) == "table" then
    return errors.plain(one.path)
  end
  local info = debug.getinfo(one, "S")
  return info.what == "C" and "[C]" or ("%s:%d"):format(info.short_src, info.linedefined)
end

--- Has one hook done.
-- @return true; or nil, a message that names it, and errno if there is one
local function act(ctx, moment, i, pid, caller)
  local one = ctx.hook.hooks[moment][i]
  local state = {
    ociVersion = ctx.config.ociVersion, id = ctx.hook.id, status = STATUS[moment], pid = pid,
    bundle = ctx.bundle or ctx.hook.bundle, annotations = ctx.config.annotations or {},
    root = moment == "createContainer" and rootfs.place(ctx) or nil, -- more than OCI has
  }
  local ok, why, errno
  if type(one) == "function" then
    ok, why, errno = caller(ctx, one, state)
  else
    ok, why, errno = action.execute(one, state)
  end
  if ok then
    return true
  end
  why = why:gsub("\0", "\\0") -- for a NUL ends what is told over the channel
  return nil, ("%s[%d] (%s): %s"):format(moment, i, where(one), why), errno
end

--- All of a moment, until one fails.
local function each(ctx, moment, pid, caller)
  for i in ipairs(ctx.hook.hooks[moment] or {}) do
    local ok, message, errno = act(ctx, moment, i, pid, caller)
    if not ok then
      return nil, message, errno
    end
  end
  return true
end

--- All of a moment at which nothing can be stopped any more: a failure is a warning.
local function each_warned(ctx, moment, pid)
  for i in ipairs(ctx.hook.hooks[moment] or {}) do
    local ok, message, errno = act(ctx, moment, i, pid, action.call)
    if not ok then
      local warning = errors.new("hooks", message, errno)
      ctx.warnings = ctx.warnings or {}
      table.insert(ctx.warnings, warning)
      warn("lua-container: ", tostring(warning))
    end
  end
end

-- The sides --------------------------------------------------------------------------------------

local count = 0

--- Runs when everything else is undone: after the container's end, or when it did not come up.
local function stopped(ctx)
  if ctx.hook.begun then
    each_warned(ctx, "poststop")
  end
end

--- What the state says of the container; and from which number on no file of the caller's is.
function hook.prepare(ctx)
  count = count + 1
  ctx.hook.id = ctx.id or ctx.name or ("lua-container-%d-%d"):format(sys.getpid(), count)
  local path = ctx.config.root.path
  if path:sub(1, 1) ~= "/" then
    path = ("%s/%s"):format(sys.readlink("/proc/self/cwd"), path)
  end
  ctx.hook.bundle = path
  local highest = 2
  for _, name in ipairs(sys.list("/proc/self/fd") or {}) do
    highest = math.max(highest, math.tointeger(name))
  end
  ctx.hook.above = highest + 1
  if not ctx.start_socket then -- or another process ends the container, and runs them
    ctx.undo:push(stopped, ctx)
  end
  return true
end

--- In the parent, while the child waits with its namespaces and mounts made and its root as it was.
function hook.parent(ctx, pid)
  ctx.hook.begun = true
  -- A child that does not come that far has something to tell, or was killed.
  if not ctx.hook.meets or not sync.reached(ctx) then
    return true
  end
  local ok, message, errno = each(ctx, "prestart", pid, action.call)
  if ok then
    ok, message, errno = each(ctx, "createRuntime", pid, action.call)
  end
  if ok then
    ok, message, errno = sync.go(ctx)
  end
  return ok, message, errno
end

--- In the child, the last before its root changes.
function hook.create(ctx)
  local ok, message, errno = true, nil, nil
  if ctx.hook.meets then
    ok, message, errno = sync.meet_parent()
  end
  if not ok then
    return nil, message, errno
  end
  sys.sigdefault { "CHLD" } -- or the end of a hook would not be told
  return each(ctx, "createContainer", sys.getpid(), action.call_apart)
end

--- In the child, the last of all, with the rights of the program. It still has the caller's memory
-- and image: no program of the container's may look at them.
function hook.start(ctx)
  local ok, message, errno = sys.dumpable(false)
  if ok and ctx.start_socket and ctx.hook.hooks.startContainer then
    ok, message, errno = waiting.await(ctx)
  end
  if ok then
    ok, message, errno = each(ctx, "startContainer", sys.getpid(), action.call_apart)
  end
  return ok, message, errno
end

--- In the parent, when the program runs, whose time begins here.
function hook.started(ctx)
  if not ctx.hook or ctx.start_socket then
    return
  end
  ctx.started = sys.clock_gettime()
  each_warned(ctx, "poststart", ctx.pid)
end

return hook
