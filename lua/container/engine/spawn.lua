-- How a child is made: the only module that knows. "fork": a copy of the caller's memory, in which
-- functions of the caller run too. "vfork": in the caller's memory and in a Lua state apart, while
-- the caller is suspended until the child's exec; its cost does not grow with the caller, and the
-- child may be killed at any time. clone(2), CLONE_VM and CLONE_VFORK; csrc/isolate.c

local between = require "container.engine.between"
local cgroup = require "container.linux.cgroup"
local child = require "container.engine.child"
local errors = require "container.error"
local namespaces = require "container.linux.namespaces"
local order = require "container.engine.order"
local search = require "container.search"
local sys = require "container.sys"

local spawn = {}

-- Set to "fork" or "vfork" where the caller knows which is better: the command line, specs, bench.
spawn.mode = nil

-- The Lua state that isolated children run in, once there is one; false where there can be none.
local state

local function isolation()
  if state == nil then
    state = sys.isolate(search.path, search.cpath, "container.engine.isolated") or false
  end
  return state
end

-- From how many pages on the copying of the caller's page tables costs more than all the rest, and
-- from which container on such a state is cheaper than the copies.
local LARGE <const>, SEVERAL <const> = 4096, 2

local started = 0

--- Whether a copy costs more than the other way. A copy without the locks of other threads is
-- made by two forks.
local function copy_is_dear()
  if started >= SEVERAL then
    return true
  end
  local threads = sys.stat("/proc/self/task")
  local pages = sys.read_file("/proc/self/statm")
  return not threads or threads.nlink > 3 or not pages
    or tonumber(pages:match("^%d+ (%d+)")) >= LARGE
end

--- Decides how the child of this context is made.
-- @tparam Context ctx
function spawn.choose(ctx)
  started = started + 1
  local mode = "fork"
  -- While the caller is suspended it can give the child nothing; and its functions are not there.
  if not (ctx.userns or ctx.call or ctx.joins or ctx.pasta or ctx.net_devices
      or ctx.hook and ctx.hook.copies) then
    mode = spawn.mode or copy_is_dear() and "vfork" or "fork"
  end
  if mode == "vfork" and not isolation() then
    mode = "fork"
  end
  ctx.child_mode, ctx.shares_memory = mode, mode == "vfork"
  -- Such a child may be over before the caller has hold of it, and where the caller ignores SIGCHLD
  -- it is gone then: so init waits.
  ctx.start_barrier = ctx.shares_memory
end

local function fork(ctx, place)
  return sys.clone(ctx.namespaces, function() child.main(ctx) end, place)
end

--- What does not fit into the state is copied after all.
local function vfork(ctx, place)
  local pid, message, errno = sys.clone_isolated(isolation(), ctx.namespaces, ctx, place)
  if not pid and errno == sys.errno.ENOMEM then
    return fork(ctx, place)
  end
  return pid, message, errno
end

--- By the process between, where namespaces are joined.
local function join(ctx, place)
  local pid, err = between.make(ctx, order.start, place)
  if not pid then
    return nil, err or between.failure(ctx)
  end
  return pid
end

--- Makes the child, with every signal blocked until init is ready for it: one that comes now is
-- delivered then, and no handler of the caller runs in the child.
-- @tparam Context ctx
-- @treturn int its pid; or nil and an error of step "clone"
function spawn.child(ctx)
  local make = ctx.child_mode == "vfork" and vfork or fork
  local mask = sys.sigprocmask("block", "all")
  local place = cgroup.birthplace(ctx)
  ctx.born_in_cgroup = place ~= nil
  if ctx.joins then
    sys.sigprocmask("setmask", mask)
    return join(ctx, place)
  end
  local pid, message, errno = make(ctx, place)
  if not pid and place and errno == sys.errno.ENOSYS then
    -- A filter around this process knows only the older call: then the child joins by itself.
    ctx.born_in_cgroup = false
    pid, message, errno = make(ctx)
  end
  sys.sigprocmask("setmask", mask)
  if not pid then
    return nil, errors.new("clone", namespaces.explain(ctx, message, errno), errno)
  end
  return pid
end

return spawn
