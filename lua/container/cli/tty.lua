-- Between the launcher's terminal and the container's own: keys go in, what is to be seen comes
-- out, the size follows. Meanwhile the launcher's terminal passes on every byte as it is; what
-- way this ends, it has its settings back. Loaded by cli.lua only where the container has one.

local sys = require "container.sys"

local tty = {}

-- What a pipe takes without blocking when it says that it can be written: pipe(7), PIPE_BUF.
local PIECE <const> = 4096
-- A process is not told that a shell took it from the background, so there it looks now and then.
local TICK <const> = 0.5
-- What ends an input, as the line discipline has it at first: termios(3), VEOF.
local END <const> = "\4"
-- No event says that the program has read what was typed, so at the end of the input the launcher
-- looks again after so many seconds, at first and at most.
local LOOK <const>, LOOK_MAX <const> = 0.005, 0.05
-- How many seconds a program that reads single bytes has to end by itself after that key, and
-- after how many the key is typed once more.
local QUIET <const>, AGAIN <const> = 1, 0.2

local methods = {}

--- Gives the launcher's terminal its settings back.
function methods:restore()
  if self.raw then
    sys.tcsetattr(0, self.settings)
    self.raw = false
  end
end

local metatable = {
  __name = "container.cli.tty",
  __index = methods,
  __close = methods.restore,
}

--- Makes one. To be held by a <close> variable.
-- @param c of container.spawn
-- @return it; nil for a container without a tty; or nil, message
function tty.new(c)
  if not c.tty then
    return nil
  end
  -- As long as this is open the master does not end, also when all in the container closed it.
  local slave, message = sys.open_slave(c.tty:fd())
  if not slave then
    return nil, message
  end
  local self = {
    c = c,
    tty = c.tty:fd(), -- nil after a hang-up
    input = 0,
    -- With a file description of its own, for others use the one that it has from its shell.
    screen = sys.isatty(1) and sys.open("/proc/self/fd/1", "wronly,noctty,nonblock")
      or sys.stat(1) and 1,
    raw = false,
    to_program = "", -- bytes on their way
    to_screen = "",
    slave = slave,
    at_end = false, -- whether an input that is no terminal has come to its end
    look = LOOK,
    typed = 0, -- how often that key was typed since bytes are read
    terminals = {}, -- of the launcher's streams
  }
  for fd = 2, 0, -1 do
    if sys.isatty(fd) then
      self.sized = fd
      table.insert(self.terminals, fd)
    end
  end
  self.keys = sys.isatty(0)
  return setmetatable(self, metatable)
end

--- Closes the container's side, as a terminal does that goes away: what reads it there sees its
-- end, and the kernel sends HUP to the leader of the session, which is init and passes it on.
local function close(self)
  if self.tty then
    self.c.tty:close()
    self.tty, self.input, self.at_end = nil, nil, false
    self.to_program, self.to_screen = "", ""
  end
end

--- Hangs up where the launcher's terminal has gone away, as when its window was closed. The program
-- has the stop timeout to end.
-- @treturn boolean whether it has
function methods:hang_up()
  for _, fd in ipairs(self.terminals) do
    if not sys.tcgetattr(fd) then
      if self.tty then
        close(self)
        self.c:stop(0)
      end
      return true
    end
  end
  return false
end

--- Whether the launcher's terminal is the launcher's to use, and that it is set so then. One that
-- controls no session has no background.
local function in_foreground(self)
  if not self.keys then
    return true
  end
  local group = sys.tcgetpgrp(0)
  if group and group ~= sys.getpgrp() then
    self.raw = false -- a shell has it, with its own settings
    return false
  end
  if not self.raw then
    self.settings = sys.tcgetattr(0)
    if self.settings then
      self.raw = true
      self:resume()
    end
  end
  return true
end

--- After the launcher was stopped and continued: the terminal may have been set meanwhile.
function methods:resume()
  if self.raw then
    sys.tcsetattr(0, sys.cfmakeraw(self.settings))
  end
  self:resize()
end

--- Gives the container's terminal the size of the launcher's, if that is still there.
function methods:resize()
  local height, width
  if self.sized and self.tty then
    height, width = sys.tcgetwinsize(self.sized)
  end
  if height then
    sys.tcsetwinsize(self.tty, height, width)
  end
end

local function read_input(self)
  if not self.input then
    return -- hung up meanwhile
  end
  local piece = sys.read(self.input, PIECE)
  if piece and piece ~= "" then
    self.to_program = piece
    return
  end
  self.input = nil
  if self.keys then
    self:hang_up()
  else
    self.at_end = true
  end
end

--- Ends the program's input as far as a terminal can. What is typed before the program has read the
-- rest would come to it as another byte if it takes lines no longer, as an editor of lines does: so
-- this waits until nothing is left. Where lines are read the key is an end each time, as that of a
-- file is. Where bytes are read it is one of them, which most programs know; one that does not end
-- by it sees a hang-up. A program that edits lines switches to lines while it acts on one, and a
-- key that the kernel handles just then comes to it as a NUL: so it is typed twice before that.
-- @treturn number seconds until it has to be looked at again
local function type_end(self)
  local left = sys.ppoll({ self.slave }, 0)[1]
  local settings = not left and sys.tcgetattr(self.slave)
  if not settings then
    self.look = math.min(self.look * 2, LOOK_MAX)
    return self.look
  end
  local now = sys.clock_gettime()
  self.look = LOOK
  if sys.is_canonical(settings) then
    self.to_program, self.quiet_since, self.typed = END, nil, 0
    return self.look
  end
  self.quiet_since = self.quiet_since or now
  local quiet = now - self.quiet_since
  if self.typed == 0 or self.typed == 1 and quiet >= AGAIN then
    self.to_program, self.typed = END, self.typed + 1
  elseif quiet < QUIET then
    return (self.typed == 1 and AGAIN or QUIET) - quiet
  else
    close(self)
  end
  return self.look
end

--- Writes what is on its way, or a part of it.
-- @return what is left; nil when it can never be written
local function write(fd, data)
  local n, _, errno = sys.write(fd, data)
  if n then
    return data:sub(n + 1)
  end
  return errno == sys.errno.EAGAIN and data or nil
end

local function write_program(self)
  if self.tty then
    self.to_program = write(self.tty, self.to_program) or ""
  end
end

local function read_program(self)
  self.to_screen = self.tty and sys.read(self.tty, PIECE) or ""
  self.quiet_since = nil
end

local function write_screen(self)
  local left = self.screen and write(self.screen, self.to_screen)
  if self.screen and not left then
    self.screen = nil
    if not self:hang_up() then
      self.c:kill("HUP")
    end
  end
  self.to_screen = left or ""
end

--- Waits as container.ppoll does, and copies until then what there is to copy.
-- @tparam table fds
-- @number[opt] seconds how long at most
-- @treturn table for each place in `fds` true or nil
function methods:poll(fds, seconds)
  local readers, writers, jobs = table.move(fds, 1, #fds, 1, {}), {}, { {}, {} }
  local function read(fd, job)
    readers[#readers + 1], jobs[1][#readers + 1] = fd, job
  end
  local function write_to(fd, job)
    writers[#writers + 1], jobs[2][#writers + 1] = fd, job
  end
  local attached = in_foreground(self)
  if attached and self.input and self.to_program == "" then
    read(self.input, read_input)
  end
  if self.at_end and self.tty and self.to_program == "" then
    seconds = math.min(seconds or math.huge, type_end(self))
  end
  if self.tty and self.to_screen == "" then
    read(self.tty, read_program)
  end
  if self.to_program ~= "" then
    write_to(self.tty, write_program)
  end
  if self.to_screen ~= "" and self.screen then
    write_to(self.screen, write_screen)
  end
  if not attached then
    seconds = math.min(seconds or TICK, TICK)
  end
  local can_read, can_write = sys.ppoll(readers, seconds, writers)
  for i, ready in ipairs { can_read, can_write } do
    for at, job in pairs(jobs[i]) do
      if ready[at] then
        job(self)
      end
    end
  end
  if not self.screen then
    self.to_screen = ""
  end
  return can_read
end

-- Those that ask for the end also of what stands still.
local ENDING <const> = { TERM = true, INT = true, HUP = true, QUIT = true }

--- After the container's end: what it wrote and is not shown yet. What is to show it may stand
-- still, so a signal can cut it short.
-- @param signals an fd
function methods:drain(signals)
  repeat
    while self.to_screen ~= "" do
      if not self.screen then
        return
      end
      local signal, screen = sys.ppoll({ signals }, nil, { self.screen })
      local number = signal[1] and sys.read_signal(signals)
      if number and ENDING[sys.signal_name(number)] then
        return
      elseif screen[1] then
        write_screen(self)
      end
    end
    self.to_screen = self.tty and sys.read(self.tty, PIECE) or ""
  until self.to_screen == ""
end

return tty
