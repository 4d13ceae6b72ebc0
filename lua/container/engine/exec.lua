-- A second program in a container that runs: both sides, only the order, and why it is that order.
--
-- Into a PID namespace nobody moves, only children are born in it. So there is a process between: a
-- copy of the host program, which joins the container and makes the program's process as a child
-- of its own parent, the host program. A copy it has to be: one that shares the host program's
-- memory must not be where somebody of the container could reach it.

local errors = require "container.error"
local sys = require "container.sys"
local capabilities = require "container.linux.capabilities"
local cgroup = require "container.linux.cgroup"
local sync = require "container.engine.sync"
local child = require "container.engine.child"
local userns = require "container.linux.userns"
local keyring = require "container.linux.keyring"
local landlock = require "container.linux.landlock"
local rlimits = require "container.linux.rlimits"
local process = require "container.linux.process"
local seccomp = require "container.linux.seccomp"
local streams = require "container.engine.streams"
local terminal = require "container.engine.terminal"
local cleanup = require "container.engine.cleanup"
local user = require "container.linux.user"

local join = {}

-- How long both processes may take. Those of the container can stop one that is among them.
local PATIENCE <const> = 10

-- What the container's pidfd is called in the children.
local TARGET <const> = 6

-- Nobody in the container can look into these processes; a change of ids may undo that.
local function hide()
  return sys.hide("exec")
end

local function enter(c)
  local names = table.move(c.target.namespaces, 1, #c.target.namespaces, 1, {})
  names[#names + 1] = "cgroup"
  -- By an owner, for a number would be a pid.
  local pidfd <close>, message, errno = sys.dup(TARGET)
  sys.close(TARGET)
  if not pidfd then
    return nil, message, errno
  end
  return sys.setns(pidfd, names)
end

--- Makes the program's process, and says over the line which it is.
local function beget(c)
  local pid, message, errno = sys.clone_sibling(function()
    child.main(c, join.inside)
  end)
  if pid then
    sync.say(string.pack("<i4", pid))
    sys._exit(0)
  end
  return nil, message, errno
end

-- Each is { step, function }, as of child.lua. Those of the process between.
join.between = {
  { "stream", streams.child }, -- from files of the host program
  { "channel", function(c) return sync.keep(c, { c.target.pidfd }) end }, -- and no other file
  { "limit", rlimits.score }, -- while /proc is the host's, and shows this process to itself
  { "join", hide }, -- before anybody could look
  { "process", process.follow }, -- from here on it dies with the launcher
  { "cgroup", function(c) return cgroup.join(c.target) end }, -- by a path of the host's
  { "join", enter }, -- everything at once: the host's files end here
  { "clone", beget },
}

-- Those of the program's process, which is in the container from its birth.
join.inside = {
  { "channel", sync.await }, -- the launcher knows by now whom it has to end if this fails
  { "process", process.child }, -- from here on it too dies with the launcher
  { "idmap", userns.join }, -- without ids nothing can be opened
  { "join", hide },
  { "terminal", terminal.join }, -- has the rights
  { "process", process.enter }, -- with the rights to make a directory
  { "limit", rlimits.child },
  { "keyring", keyring.child },
  { "landlock", landlock.child }, -- from here on as in child.lua
  { "seccomp", seccomp.early },
  { "capability", capabilities.bound },
  { "user", user.child },
  { "join", hide },
  { "capability", capabilities.child },
  { "seccomp", seccomp.child },
  { "exec", process.exec },
}

--- What the processes need of the host program.
local function prepare(c)
  for _, entry in ipairs {
    { "user", c.user and user }, { "process", process }, { "stream", streams },
    { "channel", sync },
  } do
    local step, subject = entry[1], entry[2]
    local ok, message, errno = not subject, nil, nil
    if subject then
      ok, message, errno = subject.prepare(c)
    end
    if not ok then
      return nil, errors.refusal(step, message, errno)
    end
  end
  return true
end

--- Ends a process that the host program is the parent of.
local function discard(pid)
  sys.kill(pid, "KILL")
  sys.wait(pid)
end

--- Makes the process between, and waits until it has said which is the program's.
-- @return pid; or nil, and nothing if the children have said why
local function make(c)
  local mask = sys.sigprocmask("block", "all")
  local between, message, errno = sys.clone({}, function()
    child.main(c, join.between)
  end)
  sys.sigprocmask("setmask", mask)
  if not between then
    return nil, errors.new("clone", message, errno)
  end
  streams.parent(c)
  c.channel.writer:close()
  local pidfd <close> = sys.pidfd_open(between)
  local said = sys.ppoll({ c.channel.line, pidfd }, PATIENCE)[1]
    and sys.read(c.channel.line, 4)
  discard(between)
  return said and #said == 4 and string.unpack("<i4", said) or nil
end

--- Waits until the program runs.
local function await(c)
  if not sys.ppoll({ c.channel.reader }, PATIENCE)[1] then
    return errors.new("join", ("the process that joins the container has stood still for %d "
      .. "seconds"):format(PATIENCE), sys.errno.ETIMEDOUT)
  end
  local err = sync.wait(c)
  if not err and c.terminal then
    c.tty, err = sync.take(c, "terminal")
  end
  return err
end

--- Lets the process go on, of which there is only the number until there is a pidfd.
local function adopt(c)
  local pidfd, message, errno = sys.pidfd_open(c.pid)
  if not pidfd then
    return errors.new("join", message, errno)
  end
  c.undo:push(pidfd.close, pidfd)
  c.pidfd = pidfd
  c.channel.init:close()
  sync.go(c)
  return await(c)
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

--- Starts a program in a container.
-- @tparam table c what spec.exec made, with `target`, what run.start gave of the container
-- @treturn table c, with `pid`, `pidfd` and `undo`, which the caller now owns; or nil and an error
function join.start(c)
  local stack <close> = cleanup.new()
  c.undo = stack
  local ok, err = prepare(c)
  if not ok then
    return nil, explain(err)
  end
  c.pid, err = make(c)
  if not c.pid then
    err = err or sync.wait(c)
      or errors.new("join", "the process that joins the container ended without a word")
    return nil, explain(err)
  end
  local unfinished <close> = cleanup.new()
  unfinished:push(discard, c.pid)
  err = adopt(c)
  if err then
    return nil, explain(err)
  end
  unfinished:release()
  c.undo = stack:release()
  sync.forget(c)
  return c
end

return join
