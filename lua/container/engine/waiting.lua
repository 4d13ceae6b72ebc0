-- A container with startContainer hooks waits to be started before they run, as a copy of the
-- caller that has no file of the host's open and is not dumpable. It says and hears what init does
-- as "wait": csrc/init_replace.h. Without such hooks init waits.

local process = require "container.linux.process"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local waiting = {}

-- What the channel is called in the child: engine/sync.lua.
local CHANNEL <const>, LINE <const> = 3, process.LINE

-- How it ends where it cannot be started any more, as init does.
local FAILED <const> = 125

--- In the child: says that it is there, waits until its creator lets it go, and then for the
-- process that starts it, which hears from here on what fails. The connection takes the place of
-- both lines, whose numbers are never free: no other file gets them.
-- @return true; or nil, message, errno
function waiting.await(ctx)
  local socket = ctx.handed
  sys.dup2(socket, CHANNEL)
  sync.go_on()
  local ok, message, errno = sys.pdeathsig(0)
  if ok then
    ok, message, errno = sys.write(LINE, "\0")
  end
  if not ok then
    return nil, message, errno
  end
  sys.dup2(socket, LINE)
  local connection = sys.socket_accept(socket)
  if not connection then
    sys._exit(FAILED)
  end
  sys.dup2(connection, CHANNEL)
  sys.dup2(connection, LINE)
  connection:close()
  sys.close(socket)
  ctx.start_socket, ctx.handed = false, socket + 1
  return true
end

return waiting
