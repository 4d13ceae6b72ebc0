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
-- @param c of container.spawn, with a tty
function tty.new(c)
  local self = {
    c = c,
    tty = c.tty:fd(),
    input = 0,
    -- With a file description of its own, for others use the one that it has from its shell.
    screen = sys.isatty(1) and sys.open("/proc/self/fd/1", "wronly,noctty,nonblock")
      or sys.stat(1) and 1,
    raw = false,
    to_program = "", -- bytes on their way
    to_screen = "",
    -- As long as this is open the master does not end, also when all in the container closed it.
    slave = assert(sys.open_slave(c.tty:fd())),
  }
  for fd = 2, 0, -1 do
    self.sized = sys.isatty(fd) and fd or self.sized
  end
  self.keys = sys.isatty(0)
  return setmetatable(self, metatable)
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

--- Gives the container's terminal the size of the launcher's.
function methods:resize()
  if self.sized then
    local height, width = sys.tcgetwinsize(self.sized)
    sys.tcsetwinsize(self.tty, height or 0, width or 0)
  end
end

local function read_input(self)
  local piece = sys.read(self.input, PIECE)
  if not piece or piece == "" then
    self.input = nil
    -- Of a file: twice where a line was begun, which the first one only hands over.
    piece = self.keys and "" or self.unended and END .. END or END
  end
  self.unended = piece:sub(-1) ~= "\n"
  self.to_program = piece
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

local function write_screen(self)
  local left = self.screen and write(self.screen, self.to_screen)
  if self.screen and not left then
    self.screen = nil
    self.c:kill("HUP")
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
  if self.to_screen == "" then
    read(self.tty, function()
      self.to_screen = sys.read(self.tty, PIECE) or ""
    end)
  end
  if self.to_program ~= "" then
    write_to(self.tty, function()
      self.to_program = write(self.tty, self.to_program) or ""
    end)
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
    self.to_screen = sys.read(self.tty, PIECE) or ""
  until self.to_screen == ""
end

return tty
