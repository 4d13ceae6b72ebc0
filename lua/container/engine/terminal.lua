-- A terminal of the container's own: a pseudoterminal of its devpts, of which it has the slave as
-- its standard streams and the launcher the master. The launcher's terminal is not handed in.
-- pty(7); OCI runtime specification, config, "terminal" and "consoleSize"
--
-- Loaded by spec.lua only for who asks for it, and there, for the child can load nothing.

local sync = require "container.engine.sync"
local check = require "container.config.check"
local sys = require "container.sys"
local path = require "container.fs.path"

local terminal = {}

local SIZE_MAX <const> = 0xffff

local function host_terminals()
  local streams = {}
  for fd = 0, 2 do
    streams[#streams + 1] = sys.isatty(fd) and fd or nil
  end
  return streams
end

local function read_size(field, value)
  local size = {}
  for key in next, check.plain(field, value) do
    check.expect(key == "height" or key == "width", field, "height or width", key)
  end
  for _, key in ipairs { "height", "width" } do
    local given = rawget(value, key)
    size[key] = check.expect(math.type(given) == "integer" and given >= 1 and given <= SIZE_MAX,
      field .. "." .. key, "an integer from 1 to 65535", given) and given
  end
  return size
end

--- Reads the option.
-- @string field
-- @param value true; { height, width }, its size at first; or "auto", which is one if standard
-- input and output are terminals, in the place of those streams that are
-- @treturn table what spec.lua keeps: the streams, the size if it is known, and the child's side;
-- nil when there is to be none
function terminal.read(field, value)
  local known = host_terminals()
  local streams, size = { 0, 1, 2 }, nil
  if value == "auto" then
    if known[1] ~= 0 or known[2] ~= 1 then
      return nil
    end
    streams = known
  elseif value ~= true then
    check.expect(type(value) == "table", field, "true, false, \"auto\" or a table", value)
    size = read_size(field, value)
  end
  if not size and known[1] then
    local height, width = sys.tcgetwinsize(known[1])
    size = height and height > 0 and { height = height, width = width } or nil
  end
  return { streams = streams, size = size, child = terminal.child, join = terminal.join }
end

--- The master of a new pseudoterminal, in the devpts that was mounted for the container, whatever
-- lies on that now.
local function open_master(c)
  local master, message, errno = sys.open("ptmx", "rdwr,noctty,nonblock", nil,
    c.held["/dev/pts"])
  local ok = master
  if ok then
    ok, message, errno = sys.unlockpt(master)
  end
  return ok and master, message, errno
end

--- Gives it to the program's user; the group and the mode it has from the mount.
local function dress(c, slave)
  local size, ok, message, errno = c.terminal.size, true, nil, nil
  if size then
    ok, message, errno = sys.tcsetwinsize(slave, size.height, size.width)
  end
  if ok then
    ok, message, errno =
      sys.chown(slave, c.config.process.user.uid, sys.stat(slave, "gid"))
  end
  return ok, message, errno
end

--- Shows it as /dev/console too.
local function bind_console(c, slave)
  local target <close>, message, errno =
    path.beneath(c.held["/dev"], "console", "file", "nosymlinks")
  if not target then
    return nil, message, errno
  end
  return sys.mount(path.path(slave), path.path(target), nil, "bind")
end

--- Runs in a new session, while /proc is the host's and /dev is held open.
function terminal.child(c)
  local master <close>, message, errno = open_master(c)
  if not master then
    return nil, message, errno
  end
  local slave <close>, why, number = sys.open_slave(master)
  if not slave then
    return nil, why, number
  end
  local ok
  ok, message, errno = dress(c, slave)
  if ok and c.held["/dev"] then
    ok, message, errno = bind_console(c, slave)
  end
  if ok then
    ok, message, errno = sys.tiocsctty(slave)
  end
  for _, fd in ipairs(c.terminal.streams) do
    if ok and not (c.stream and c.stream.decides(c, fd)) then
      ok, message, errno = sys.dup2(slave, fd)
    end
  end
  if ok then
    ok, message, errno = sync.hand(master)
  end
  return ok, message, errno
end

--- In a process that has joined a container: in what is its devpts now.
function terminal.join(c)
  local pts <close>, message, errno = sys.open("/dev/pts", "path,directory,nofollow")
  if not pts then
    return nil, message, errno
  end
  c.held = { ["/dev/pts"] = pts }
  return terminal.child(c)
end

return terminal
