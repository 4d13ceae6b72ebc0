-- The parent's side: what is prepared on the host, the clone, and the wait until the program runs.
-- Only the order. Runs in the host program, which it leaves as it was, on every way out.

local container = require "container"
local cgroup = require "container.cgroup"
local channel = require "container.channel"
local child = require "container.child"
local namespace = require "container.namespace"
local process = require "container.process"
local rootfs = require "container.rootfs"
local undo = require "container.undo"

local run = {}

-- Each is { step, subject }; those with `prepare` run before the clone, those with `parent` after it.
run.order = {
  { "namespace", namespace }, -- decides whether there is a user namespace, which others ask
  { "rootfs", rootfs }, -- the likeliest mistake, before anything is made
  { "cgroup", cgroup },
  { "process", process },
  { "channel", channel },
}

local function each(c, verb, ...)
  for _, entry in ipairs(run.order) do
    local step, subject = entry[1], entry[2]
    if subject[verb] then
      local ok, message, errno = subject[verb](c, ...)
      if not ok then
        return nil, channel.failure(step, message, errno)
      end
    end
  end
  return true
end

--- Starts a container.
-- @tparam table c what spec.lua made: `config` in OCI's form, and how the caller wants it
-- @treturn table c, with `pid`, `pidfd` and `undo`, which the caller now owns; or nil and an error
-- with step, subject, errno
function run.start(c)
  local stack <close> = undo.new()
  c.undo = stack
  local ok, err = each(c, "prepare")
  if not ok then
    return nil, err
  end
  -- Held back until init is ready for them: a signal of this moment is delivered to it, and no
  -- handler of the host program runs in the child.
  local mask = container.sigprocmask("block", "all")
  local pid, message, errno = container.clone(c.namespaces, function()
    child.main(c)
  end)
  local pidfd, why, number
  if pid then
    pidfd, why, number = container.pidfd_open(pid)
  end
  container.sigprocmask("setmask", mask)
  if not pid then
    return nil, channel.failure("clone", namespace.explain(c, message, errno), errno)
  end
  stack:push(function()
    -- Never somebody else's process: it is our child until it is waited for.
    if container.wait(pid, "nohang") == "running" then
      container.kill(pid, "KILL")
      container.wait(pid)
    end
  end)
  if not pidfd then
    return nil, channel.failure("clone", why, number)
  end
  stack:push(pidfd.close, pidfd)
  ok, err = each(c, "parent", pid)
  err = not ok and err or channel.wait(c)
  if err then
    container.wait(pid)
    return nil, err
  end
  c.pid, c.pidfd = pid, pidfd
  c.undo = stack:release()
  return c
end

return run
