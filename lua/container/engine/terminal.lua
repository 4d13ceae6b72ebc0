-- A terminal of the container's own: a pseudoterminal of its devpts, of which it has the slave as
-- its standard streams and the launcher the master. The launcher's terminal is not handed in.
-- pty(7); OCI runtime specification, config, "terminal" and "consoleSize"

local streams = require "container.engine.streams"
local sync = require "container.engine.sync"
local sys = require "container.sys"
local path = require "container.fs.path"

local terminal = {}

--- The master of a new pseudoterminal, in the devpts that was mounted for the container, whatever
-- lies on that now.
local function open_master(ctx)
  local master, message, errno = sys.open("ptmx", "rdwr,noctty,nonblock", nil,
    ctx.held["/dev/pts"])
  local ok = master
  if ok then
    ok, message, errno = sys.unlockpt(master)
  end
  return ok and master, message, errno
end

--- Gives it to the program's user; the group and the mode it has from the mount.
local function setup_slave(ctx, slave)
  local size, ok, message, errno = ctx.terminal.size, true, nil, nil
  if size then
    ok, message, errno = sys.tcsetwinsize(slave, size.height, size.width)
  end
  if ok then
    ok, message, errno =
      sys.chown(slave, ctx.config.process.user.uid, sys.stat(slave, "gid"))
  end
  return ok, message, errno
end

--- Shows it as /dev/console too.
local function bind_console(ctx, slave)
  local target <close>, message, errno =
    path.beneath(ctx.held["/dev"], "console", "file", "nosymlinks")
  if not target then
    return nil, message, errno
  end
  return sys.mount(path.path(slave), path.path(target), nil, "bind")
end

--- Runs in a new session, while /proc is the host's and /dev is held open.
function terminal.child(ctx)
  local master <close>, message, errno = open_master(ctx)
  if not master then
    return nil, message, errno
  end
  local slave <close>, why, number = sys.open_slave(master)
  if not slave then
    return nil, why, number
  end
  local ok
  ok, message, errno = setup_slave(ctx, slave)
  if ok and ctx.held["/dev"] then
    ok, message, errno = bind_console(ctx, slave)
  end
  if ok then
    ok, message, errno = sys.tiocsctty(slave)
  end
  for _, fd in ipairs(ctx.terminal.streams) do
    if ok and not (ctx.stream and streams.decides(ctx, fd)) then
      ok, message, errno = sys.dup2(slave, fd)
    end
  end
  if ok then
    ok, message, errno = sync.send_fd(master)
  end
  return ok, message, errno
end

--- In a process that has joined a container: in what is its devpts now.
function terminal.join(ctx)
  local pts <close>, message, errno = sys.open("/dev/pts", "path,directory,nofollow")
  if not pts then
    return nil, message, errno
  end
  ctx.held = { ["/dev/pts"] = pts }
  return terminal.child(ctx)
end

return terminal
