-- A process between the caller and the child, which joins namespaces that are there and makes the
-- child as a child of its own parent: for a process moves into a PID namespace only by birth, and
-- the caller stays where it is. setns(2), clone(2) CLONE_PARENT

local child = require "container.engine.child"
local errors = require "container.error"
local process = require "container.linux.process"
local streams = require "container.engine.streams"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local between = {}

-- Seconds that it may take. Processes of a namespace that it joins can stop it.
between.TIMEOUT = 10

--- In the process between: makes the child, and says over the socket which it is.
-- @return nothing; or what failed
local function spawn_sibling(ctx, list, place)
  local pid, message, errno = sys.clone_sibling(function()
    child.main(ctx, list, "child")
  end, ctx.target and {} or ctx.namespaces, place)
  local said
  if pid then
    said, message, errno =
      sys.write(ctx.target and process.LINE or ctx.channel.init, string.pack("<i4", pid))
    if said then
      sys._exit(0)
    end
    sys.kill(pid, "KILL") -- the launcher cannot know of it
  end
  return "clone", message, errno
end

--- Ends a process that the caller is the parent of. One that a process of the container traces is
-- let go when that is killed.
function between.discard(ctx, pid)
  sys.kill(pid, "KILL")
  local pidfd <close> = sys.pidfd_open(pid)
  if not pidfd then
    sys.wait(pid, "nohang")
    return
  end
  process.reap(pidfd, nil, function()
    if ctx.target then
      sys.pidfd_send_signal(ctx.target.pidfd, "KILL")
    end
  end)
end

--- Makes the process, and waits until it has said which is the child.
-- @tparam Context ctx
-- @tparam table list of steps, of which it takes those of the side "join"
-- @param[opt] place fd of the cgroup that the child is born in
-- @treturn int pid; or nil, and an error if there was no such process
function between.make(ctx, list, place)
  local mask = sys.sigprocmask("block", "all")
  local pid, message, errno = sys.clone({}, function()
    child.main(ctx, list, "join", function()
      return spawn_sibling(ctx, list, place)
    end)
  end)
  sys.sigprocmask("setmask", mask)
  if not pid then
    return nil, errors.new("clone", message, errno)
  end
  if ctx.target then
    if ctx.stream then
      streams.parent(ctx)
    end
    ctx.channel.writer:close()
  end
  local pidfd <close> = sys.pidfd_open(pid)
  local said = sys.ppoll({ ctx.channel.line, pidfd }, between.TIMEOUT)[1]
    and sys.read(ctx.channel.line, 4)
  between.discard(ctx, pid)
  return said and #said == 4 and string.unpack("<i4", said) or nil
end

--- Why the process made no child.
-- @treturn table an error
function between.failure(ctx)
  if not ctx.target then
    ctx.channel.writer:close()
  end
  ctx.channel.init:close()
  return sync.wait(ctx, between.TIMEOUT)
    or errors.new("join", "the process that joins the namespaces has ended without a word")
end

return between
