-- A terminal of the container's own: a pseudoterminal of its devpts, of which it has the slave as
-- its standard streams and the launcher the master. The launcher's terminal is not handed in.
-- pty(7); OCI runtime specification, config, "terminal" and "consoleSize"

local errors = require "container.error"
local streams = require "container.engine.streams"
local sync = require "container.engine.sync"
local sys = require "container.sys"
local path = require "container.fs.path"

local try <const> = errors.try

local terminal = {}

--- The master of a new pseudoterminal, in the devpts that was mounted for the container, also
-- where something lies on that now.
local function open_master(ctx)
  local master = try(sys.open("ptmx", "rdwr,noctty,nonblock", nil, ctx.held["/dev/pts"]))
  try(sys.unlockpt(master))
  return master
end

--- Gives it to the program's user; the group and the mode it has from the mount.
local function setup_slave(ctx, slave)
  local size = ctx.terminal.size
  if size then
    try(sys.tcsetwinsize(slave, size.height, size.width))
  end
  try(sys.chown(slave, ctx.config.process.user.uid, sys.stat(slave, "gid")))
end

--- Shows it as /dev/console too.
local function bind_console(ctx, slave)
  local target <close> = try(path.beneath(ctx.held["/dev"], "console", "file", "nosymlinks"))
  try(sys.mount(path.path(slave), path.path(target), nil, "bind"))
end

--- Runs in a new session, while /proc is the host's and /dev is held open.
function terminal.child(ctx)
  local master <close> = open_master(ctx)
  local slave <close> = try(sys.open_slave(master))
  setup_slave(ctx, slave)
  if ctx.held["/dev"] then
    bind_console(ctx, slave)
  end
  try(sys.tiocsctty(slave))
  for _, fd in ipairs(ctx.terminal.streams) do
    if not (ctx.stream and streams.decides(ctx, fd)) then
      try(sys.dup2(slave, fd))
    end
  end
  return try(sync.send_fd(master))
end

--- In a process that has joined a container: in what is its devpts now.
function terminal.join(ctx)
  local pts <close> = try(sys.open("/dev/pts", "path,directory,nofollow"))
  ctx.held = { ["/dev/pts"] = pts }
  return terminal.child(ctx)
end

return terminal
