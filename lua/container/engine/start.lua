-- The parent's side: what is prepared on the host, the clone, and the wait until the program runs.
-- Only the order. Runs in the host program, which it leaves as it was, on every way out.

local errors = require "container.error"
local sys = require "container.sys"
local call = require "container.engine.call"
local cgroup = require "container.linux.cgroup"
local sync = require "container.engine.sync"
local child = require "container.engine.child"
local hooks = require "container.engine.hooks"
local userns = require "container.linux.userns"
local mounts = require "container.fs.mounts"
local names = require "container.engine.names"
local namespaces = require "container.linux.namespaces"
local process = require "container.linux.process"
local rootfs = require "container.fs.rootfs"
local seccomp = require "container.linux.seccomp"
local streams = require "container.engine.streams"
local mount_fd = require "container.fs.mount_fd"
local cleanup = require "container.engine.cleanup"
local user = require "container.linux.user"

local run = {}

-- Each is { step, subject }; those with `prepare` run before the clone, those with `parent` after
-- it.
run.order = {
  { "namespace", namespaces }, -- decides whether there is a user namespace, which others ask
  { "hooks", { prepare = hooks.prepare } }, -- before all: poststop is when all is undone
  { "rootfs", rootfs }, -- the likeliest mistake, before anything is made
  { "mount", mounts }, -- the volumes, as likely
  { "user", user }, -- reads files of that root
  { "seccomp", seccomp }, -- reads a file, and may compile it
  { "name", names }, -- the first that anybody else can see
  { "cgroup", cgroup },
  { "channel", { parent = sync.open_gate } }, -- the limits are set: init goes on
  { "process", process },
  { "stream", streams },
  { "call", call },
  { "idmap", userns }, -- until the maps are there the child waits
  { "tree", mount_fd }, -- takes the user namespace with its maps
  { "channel", sync }, -- the last that the child needs: it goes on
  { "hooks", { parent = hooks.parent } }, -- while it waits once more
}

local function each(c, verb, ...)
  for _, entry in ipairs(run.order) do
    local step, subject = entry[1], entry[2]
    if subject[verb] then
      local ok, message, errno, about = subject[verb](c, ...)
      if not ok then
        return nil, errors.refusal(step, message, errno, about)
      end
    end
  end
  return true
end

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
local function discard(c)
  if c.pidfd then
    sys.pidfd_send_signal(c.pidfd, "KILL")
  else
    sys.kill(c.pid, "KILL")
  end
  sys.wait(c.pidfd or c.pid)
end

-- How children are made, "copy", "isolated" or "shared": for who knows, as the command line, and
-- for specs and measurements, which want one.
run.way = nil

-- Where this module was found, and so the others: a later change of package.path decides nothing.
local PATH <const>, CPATH <const> = (sys.lua_path or "") .. package.path, package.cpath

-- The Lua state that such children run in, once there is one; false where there can be none.
local state

local function isolation()
  if state == nil then
    state = sys.isolate(PATH, CPATH, "container.engine.isolated") or false
  end
  return state
end

-- From how many pages on the copying of a host program's page tables costs more than all the rest,
-- and from the how manieth container on such a state is cheaper than the copies.
local LARGE <const>, SEVERAL <const> = 4096, 2

local started = 0

--- How the child is made: as a copy of the host program, or in its memory and isolated from it,
-- which is faster, but for the making of the state, and better where there are threads, for a copy
-- without their locks is made by two forks. Or in its memory and in its own state, which is the
-- fastest, for a program that may end when somebody kills the child: the command line.
local function way(c)
  started = started + 1
  if c.users or c.call or c.hook and c.hook.copies then
    -- The host program would stand still until the exec, and the child waits for it before; and a
    -- function of the caller's is not there.
    return "copy"
  elseif run.way then
    return run.way
  elseif started >= SEVERAL then
    return "isolated"
  end
  local threads = sys.stat("/proc/self/task")
  local pages = sys.read_file("/proc/self/statm")
  local large = not threads or threads.nlink > 3 or not pages
    or tonumber(pages:match("^%d+ (%d+)")) >= LARGE
  return large and "isolated" or "copy"
end

local function copy(c, place)
  return sys.clone(c.namespaces, function() child.main(c) end, place)
end

--- What the child notes in `c` is its own: its files have other numbers than ours.
local function share(c, place)
  return sys.clone_vm(c.namespaces, function()
    child.main(setmetatable({}, { __index = c }))
  end, place, cgroup.directories(c))
end

--- What does not fit into the state is copied after all.
local function isolate(c, place)
  local pid, message, errno = sys.clone_isolated(isolation(), c.namespaces, c, place)
  if not pid and errno == sys.errno.ENOMEM then
    return copy(c, place)
  end
  return pid, message, errno
end

local WAYS <const> = { copy = copy, isolated = isolate, shared = share }

--- Clones, with every signal held back until init is ready for it: one that comes now is delivered
-- then, and no handler of the host program runs in the child.
local function clone(c)
  local mask = sys.sigprocmask("block", "all")
  local how = WAYS[c.way]
  local place = cgroup.birthplace(c)
  c.born_in_cgroup = place ~= nil
  local pid, message, errno = how(c, place)
  if not pid and place and errno == sys.errno.ENOSYS then
    -- A filter around this process knows only the older call: then the child joins by itself.
    c.born_in_cgroup = false
    pid, message, errno = how(c)
  end
  sys.sigprocmask("setmask", mask)
  if not pid then
    return nil, errors.new("clone", namespaces.explain(c, message, errno), errno)
  end
  return pid
end

-- What only the start asks for: a program may hold many containers, and each for long.
local PASSING <const> = { "asked_capabilities", "resolver", "tell", "trees", "volumes" }

local function forget(c)
  for _, field in ipairs(PASSING) do
    c[field] = nil
  end
  c.config.mounts, c.config.linux.namespaces = nil, nil
  sync.forget(c)
end

--- Starts a container.
-- @tparam table c what spec.lua made: `config` in OCI's form, and how the caller wants it
-- @treturn table c, with `pid`, `pidfd` and `undo`, which the caller now owns; or nil and an error
-- with step, subject, errno
function run.start(c)
  local stack <close> = cleanup.new()
  c.undo = stack
  c.hook = hooks.new(c.config.hooks)
  c.way = way(c)
  if c.way == "isolated" and not isolation() then
    c.way = "copy"
  end
  c.shares_memory = c.way ~= "copy"
  -- Such a child may be over before it is taken hold of, and where nobody waits for children it is
  -- gone then: so init waits. The command line does wait.
  c.gate = c.way == "isolated"
  local ok, err = each(c, "prepare")
  if not ok then
    return nil, explain(err)
  end
  c.pid, err = clone(c)
  if not c.pid then
    return nil, explain(err)
  end
  local unfinished <close> = cleanup.new()
  unfinished:push(discard, c)
  ok, err = each(c, "parent", c.pid)
  if ok then
    err = sync.wait(c)
  end
  if not err and c.terminal then
    c.tty, err = sync.take(c, "terminal")
  end
  if err then
    return nil, explain(err)
  end
  hooks.started(c)
  unfinished:release()
  c.undo = stack:release()
  forget(c)
  return c
end

return run
