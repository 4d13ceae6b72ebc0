-- What a command in the foreground does while its process runs: passes signals on, shows its
-- terminal, and ends as it does.

local object = require "container.runtime.container"
local process = require "container.linux.process"
local signals = require "container.cli.signals"
local sys = require "container.sys"
local tty = require "container.cli.tty"

local attend = {}

--- Passes one signal on.
local function pass(ctx, fd)
  local number = sys.read_signal(fd)
  if number then
    sys.pidfd_send_signal(ctx.pidfd, number)
  end
end

local function status_of(how, value)
  return how == "signal" and 128 + value or value
end

--- Serves a process of the caller's until it has ended.
-- @tparam Context ctx
-- @param[opt] master of its terminal, which is shown on the caller's
-- @treturn int the status
function attend.wait(ctx, master)
  sys.sigdefault { "CHLD" }
  sys.sigprocmask("block", signals.HANDLED)
  local fd <const> = sys.signalfd(signals.HANDLED)
  if master then
    local c = object.new(ctx).handle
    local terminal <close> = tty.new(c)
    while true do
      local ready = terminal and terminal:poll({ ctx.pidfd, fd }) or sys.ppoll({ ctx.pidfd, fd })
      if ready[2] then
        pass(ctx, fd)
      elseif ready[1] then
        if terminal then
          terminal:drain(fd)
        end
        break
      end
    end
  else
    repeat
      local ready = sys.ppoll({ ctx.pidfd, fd })
      if ready and ready[2] then
        pass(ctx, fd)
      end
    until ready and ready[1]
  end
  local how, value = process.reap(ctx.pidfd)
  return status_of(how, value)
end

return attend
