-- The network of a container by pasta(1), which needs no root: a process that passes packets on as
-- sockets of the host. It is a child of the caller's and ends with the container, or with the
-- caller; only the container's namespaces are handed to it.

local caller = require "container.linux.caller"
local process = require "container.linux.process"
local resolver = require "container.fs.resolver"
local subprocess = require "container.linux.subprocess"
local sync = require "container.engine.sync"
local sys = require "container.sys"
local there = require "container.linux.pasta"

local pasta = {}

-- Closed: by its own defaults it would hand on ports in both directions, and the address of the
-- gateway would be the host's 127.0.0.1.
local ALWAYS <const> = { "--foreground", "--quiet", "--config-net", "--no-map-gw" }
local PORTS <const> = { ["-t"] = "--tcp-ports", ["-u"] = "--udp-ports", ["-T"] = "--tcp-ns",
  ["-U"] = "--udp-ns" }

-- Seconds until it is ready, and how much of what it says is told.
local TIMEOUT <const>, SAID_MAX <const> = 10, 300

-- The fds that it has, from 3 on: where it says that it is ready, and the namespaces.
local READY <const>, NETWORK <const>, USER <const> = 3, 4, 5

local function fd_path(number)
  return ("/proc/self/fd/%d"):format(number)
end

--- Whether the caller has said what is done with ports of one kind.
local function is_given(options, short, long)
  for _, word in ipairs(options) do
    if word:sub(1, 2) == short or word:match("^[^=]*") == long then
      return true
    end
  end
  return false
end

local function arguments(ctx, alone)
  local list = { "pasta", table.unpack(ALWAYS) }
  local function add(...)
    for _, word in ipairs { ... } do
      list[#list + 1] = word
    end
  end
  for short, long in pairs(PORTS) do
    if not is_given(ctx.pasta, short, long) then
      add(short, "none")
    end
  end
  if caller.is_root() then
    add("--runas", "0")
  end
  add("--pid", fd_path(READY), "--netns", fd_path(NETWORK))
  if alone then
    add("--userns", fd_path(USER))
  else
    add("--netns-only")
  end
  add(table.unpack(ctx.pasta))
  return list
end

--- Says what is missing, before anything is made.
function pasta.prepare(ctx)
  local ok, message, errno = there.is_there()
  if not ok then
    return nil, message, errno
  end
  ctx.name_servers = resolver.of_host() or false
  return true
end

--- In the new process, which has this memory until its exec.
local function become(argv, parent, out, fds)
  sys.dup2(out, 2)
  sys.dup2(2, 1)
  sys.close(0)
  sys.open_stdio()
  sys.close_others(fds, #fds)
  sys.setsid()
  sys.pdeathsig("KILL")
  if sys.getppid() ~= parent then
    sys._exit(128 + 9)
  end
  sys.sigdefault { "CHLD", "PIPE", "INT", "TERM", "HUP" }
  sys.sigprocmask("setmask", {})
  local _, message = sys.exec(argv)
  sys.write(2, message)
end

local function finish(pidfd)
  sys.pidfd_send_signal(pidfd, "KILL")
  process.reap(pidfd)
  pidfd:close()
end

--- Waits until it is ready.
-- @return true; or nil, message, errno
local function await(pidfd, ready, said)
  local can_read = sys.ppoll({ ready, pidfd }, TIMEOUT) or {}
  if can_read[1] then
    return true
  elseif not can_read[2] then
    return nil, ("it is not ready after %d seconds"):format(TIMEOUT), sys.errno.ETIMEDOUT
  end
  local text = sys.ppoll({ said }, 0)[1] and sys.read(said, 65536) or ""
  text = text:gsub("Failed to send %d+ bytes to syslog\n", ""):match("[^\n]+")
  text = text and text:gsub("^pasta: ", ""):sub(1, SAID_MAX)
  return nil, text or "it ended without a word", sys.errno.EIO
end

--- Starts it for the namespaces of a process.
local function start(ctx, pid, ready_end, said_end)
  local alone = ctx.user_namespace and not caller.is_root()
  local fds = { ready_end }
  local _ <close> = setmetatable({}, { __close = function()
    for i = 2, #fds do
      fds[i]:close()
    end
  end })
  for _, kind in ipairs { "net", alone and "user" or nil } do
    local fd, message, errno = sys.open(("/proc/%d/ns/%s"):format(pid, kind))
    if not fd then
      return nil, message, errno
    end
    fds[#fds + 1] = fd
  end
  local argv, parent = arguments(ctx, alone), sys.getpid()
  local number, message, errno = subprocess.start({}, function()
    become(argv, parent, said_end, fds)
    sys._exit(127)
  end)
  if not number then
    return nil, message, errno
  end
  local pidfd, why, code = sys.pidfd_open(number)
  return pidfd, why, code
end

--- Makes two pipes for what it says; what it says later than at its start is lost when one is full.
local function pipes(ctx)
  local list = {}
  for _ = 1, 2 do
    local reader, writer, errno = sys.pipe()
    if not reader then
      return nil, writer, errno
    end
    ctx.undo:push(reader.close, reader)
    ctx.undo:push(writer.close, writer)
    list[#list + 1], list[#list + 2] = reader, writer
  end
  sys.nonblock(list[4])
  return list
end

--- In the parent, while the child waits.
function pasta.parent(ctx, pid)
  if not sync.reached(ctx) then
    return true -- it has something to tell
  end
  local list, message, errno = pipes(ctx)
  if not list then
    return nil, message, errno
  end
  local ready, ready_end, said, said_end = table.unpack(list)
  local pidfd
  pidfd, message, errno = start(ctx, pid, ready_end, said_end)
  if not pidfd then
    return nil, message, errno
  end
  ctx.undo:push(finish, pidfd)
  local ok
  ok, message, errno = await(pidfd, ready, said)
  ready:close()
  ready_end:close()
  said_end:close()
  if ok then
    ok, message, errno = sync.go(ctx)
  end
  return ok, message, errno
end

--- In the child, when it has its network: waits until there is a way out of it.
function pasta.child()
  return sync.meet_parent()
end

return pasta
