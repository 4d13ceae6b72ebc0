-- Ports of the container that are reached from the host: the sockets that listen outside, and those
-- that connect inside. A socket keeps the network that it was made in, so a process that is there
-- for a moment makes it and hands it over.

local caller = require "container.linux.caller"
local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"

local ports = {}

-- Where the servers in the container are, whatever its network is.
local INSIDE <const> = "127.0.0.1"

--- Has a socket listen for each, in the network of the caller.
function ports.prepare(ctx)
  local list = {}
  for i, asked in ipairs(ctx.published) do
    local fd, message, errno = sys.inet_bind(asked.address, asked.host_port)
    if not fd then
      return nil, ("%s:%d: %s"):format(asked.address, asked.host_port,
        message:match("[^:]*$"):sub(2)), errno
    end
    ctx.undo:push(fd.close, fd)
    local _, number = sys.getsockname(fd)
    list[i] = { address = asked.address, host_port = number, port = asked.port, fd = fd }
  end
  ctx.published = list
  return true
end

--- In a process that shares this memory: every fd that is opened in it is closed in it, for the
-- number would mean another file here.
local function connect_all(ctx, list, socket)
  local alone = ctx.user_namespace and not caller.is_root()
  if not sys.setns(ctx.pidfd, alone and { "user", "network" } or { "network" }) then
    return
  end
  for _, port in ipairs(list) do
    local fd <close> = sys.inet_connect(INSIDE, port)
    if not (fd and sys.send_fd(socket, fd)) then
      sys.write(socket, "!")
    end
  end
end

--- Begins to connect inside.
-- @tparam Context ctx
-- @tparam table list array of ports
-- @treturn table array of fds, or false in the place of one; or nil, message, errno
function ports.connect(ctx, list)
  local mine <const>, other <const>, errno = sys.socketpair()
  if not mine then
    return nil, other, errno
  end
  local _ <close> = mine
  local _ <close> = other
  local pid, message, number = subprocess.start({}, function()
    pcall(connect_all, ctx, list, other)
    sys._exit(0)
  end)
  if not pid then
    return nil, message, number
  end
  sys.wait(pid)
  other:close()
  local fds = {}
  for i in ipairs(list) do
    fds[i] = sys.receive_fd(mine) or false
  end
  return fds
end

return ports
