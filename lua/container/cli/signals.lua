-- The signals of the launcher: those that end a start, and those that are passed to the container.

local sys = require "container.sys"

local signals = {}

-- What is passed to the program when it reaches the launcher; and the two that stop and continue
-- the launcher.
signals.HANDLED = { "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "TSTP", "CONT" }

-- Those of them that also end a start that takes long.
signals.ENDING = { "TERM", "INT", "HUP", "QUIT" }

--- Stops as a key of the terminal asks, and the container too if it is the same terminal's; returns
-- when it is continued.
local function suspend(c, init, terminal)
  if terminal then
    terminal:restore()
  else
    c:kill(init and "TSTP" or "STOP")
  end
  -- The kernel ignores it where no other process could continue this one.
  sys.sigprocmask("unblock", { "TSTP" })
  sys.kill(sys.getpid(), "TSTP")
  sys.sigprocmask("block", { "TSTP" })
  if not terminal then
    c:kill("CONT")
  end
end

--- Passes a signal on. The container is in a session of its own, so the keys of the launcher's
-- terminal reach it only in this way.
function signals.pass(c, fd, init, terminal)
  local number, from = sys.read_signal(fd)
  local name = number and sys.signal_name(number)
  if name == "TSTP" then
    suspend(c, init, terminal)
  elseif name == "CONT" or name == "WINCH" and terminal then
    if terminal then
      terminal:resume()
    end
    -- A new size reaches the program from its own terminal.
    if name == "WINCH" and from == "process" then
      c:kill(number)
    end
  elseif name == "TERM" then
    c:stop()
  elseif name == "HUP" and terminal and terminal:hang_up() then
    return -- by that the program has it already
  elseif number then
    c:kill(number)
  end
end

return signals
