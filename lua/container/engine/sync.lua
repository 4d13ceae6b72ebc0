-- The two lines between a parent and its child, and the form of what is said over them.
--
-- Over the channel, a pipe, the child says why it failed; both of its ends close when a program is
-- executed, so end of file without a word means that the program runs. The other is a socket
-- pair that lasts: its end of file tells pid 1 that the launcher is gone, and pid 1 answers
-- over it how the program ended. csrc/init.c speaks both. The launcher writes to it only to a child
-- that waits for it: a byte, so that it goes on. And before init is there, the child hands its
-- terminal over by it.

local errors = require "container.error"
local process = require "container.linux.process"
local sys = require "container.sys"

local sync = {}

-- What the child's ends are called from the first step on, and so in init.
local CHANNEL <const>, LINE <const> = 3, process.LINE

-- How long a child may take from the first byte of what it says to the last, and for what it has
-- said it would say, in seconds.
local TIMEOUT <const> = 10

-- What the launcher says to a child that waits, and the child over the channel when it does. It is
-- shorter than any failure.
local GO <const> = "."

local function close(ends)
  for _, fd in pairs(ends) do
    fd:close()
  end
end

function sync.prepare(ctx)
  local ends = {}
  ctx.channel = ends
  ctx.undo:push(close, ends)
  local reader, writer, errno = sys.pipe()
  if not reader then
    return nil, writer, errno
  end
  ends.reader, ends.writer = reader, writer
  local line, init, why = sys.socketpair()
  if not line then
    return nil, init, why
  end
  ends.line, ends.init = line, init
  ctx.tell = writer
  return true
end

--- In the parent, when it has done all that the child waits for: the child has its copies of its
-- ends by now. Without closing them here the parent would wait for an end of file that it holds up
-- itself.
function sync.parent(ctx)
  ctx.channel.writer:close()
  ctx.channel.init:close()
  if ctx.userns or ctx.net_devices then
    return sync.go(ctx)
  end
  return true
end

--- In the parent: has a child that waits go on. One that is gone is noticed elsewhere, and may have
-- said why.
-- @return what is true; or nil, message, errno
function sync.go(ctx)
  local written, message, errno = sys.write(ctx.channel.line, GO)
  return written or errno == sys.errno.EPIPE or nil, message, errno
end

--- The same for an init that waits until its limits are set.
sync.open_barrier = sync.go

--- Reads what comes over the channel. A signal gets out of poll, not out of read, and the host
-- program may have to hear of it.
-- @number[opt] finish when it is too late, by clock_gettime
-- @return a piece, empty at the end; or nil, message, errno
local function listen(ctx, finish)
  local ready, message, errno
  repeat
    local left = finish and math.max(finish - sys.clock_gettime(), 0)
    ready, message, errno = sys.ppoll({ ctx.channel.reader }, left)
    if not ready then
      return nil, message, errno
    elseif left == 0 and not ready[1] then
      return nil, "the child does not say all of it", sys.errno.ETIMEDOUT
    end
  until ready[1]
  return sys.read(ctx.channel.reader)
end

--- In the parent: waits until the child does, in sync.meet_parent. What it says instead, or that it
-- cannot be heard, is for sync.wait.
-- @return false when it does not come that far
function sync.reached(ctx)
  local piece = listen(ctx)
  if piece == GO then
    return true
  end
  ctx.channel.heard = piece
  return false
end

--- In the child: waits until its parent has it go on, or is gone.
function sync.go_on()
  if sys.read(LINE) ~= GO then
    sys._exit(128 + 9)
  end
end

--- In the child: waits until its parent has given it what it cannot give itself, before any look at
-- the line that takes all that comes over it for the launcher's end.
function sync.await(ctx)
  if ctx.userns or ctx.target or ctx.net_devices then
    sync.go_on()
  end
  return true
end

--- In the child: says that it has come to where its parent is to do something, and waits until that
-- is done.
-- @return true; or nil, message, errno
function sync.meet_parent()
  local ok, message, errno = sys.write(CHANNEL, GO)
  if ok then
    sync.go_on()
  end
  return ok and true, message, errno
end

--- In the child: says something to its parent, which waits for it on its end of the line.
function sync.send(words)
  return sys.write(LINE, words)
end

-- Smaller than what a pipe takes without a reader: a vfork parent is suspended until
-- the child is gone, is more than this. pipe(7)
local TOLD_MAX <const> = 32768

--- In the child: says what failed. Nothing more can be done if this fails too.
function sync.report(ctx, step, message, errno)
  message = errors.told(step, message):gsub("\0", "?"):sub(1, TOLD_MAX)
  sys.write(ctx.tell, string.pack("<i4zz", errno or 0, step, message))
end

--- In the child: hands an open file to its parent, which is there to take it when the program runs.
function sync.send_fd(fd)
  return sys.send_fd(LINE, fd)
end

--- In the parent, when the program runs: takes what the child handed over, by the same step.
-- @string step
-- @return an fd; or nil and an error
function sync.take(ctx, step)
  local ready, fd, message, errno
  ready, message, errno = sys.ppoll({ ctx.channel.line }, TIMEOUT)
  if ready and not ready[1] then
    message, errno = "the child has handed over nothing", sys.errno.ETIMEDOUT
  elseif ready then
    fd, message, errno = sys.receive_fd(ctx.channel.line)
  end
  if not fd then
    return nil, errors.new(step, message, errno)
  end
  return fd
end

-- errno, the step and the message, as sync.report and init.c write them.
local FAILURE <const> = "^....(%l[%l_.]*)\0[^\0]*\0$"
local FAILURE_MAX <const> = TOLD_MAX + 64

--- Hears the child out, as an enemy: what it says is short, comes in time, and has its form.
-- @return the whole, "" if it said nothing; or nil, message, errno
local function hear(ctx, finish)
  local said = ctx.channel.heard or ""
  repeat
    finish = finish or said ~= "" and sys.clock_gettime() + TIMEOUT or nil
    local piece, message, errno = listen(ctx, finish)
    if not piece then
      return nil, message, errno
    end
    said = said .. piece
    if #said > FAILURE_MAX then
      return nil, ("the child says more than %d bytes"):format(FAILURE_MAX), sys.errno.EMSGSIZE
    end
  until piece == ""
  if said ~= "" and not said:find(FAILURE) then
    return nil, "what the child says is malformed", sys.errno.EBADMSG
  end
  return said
end

--- In the parent: waits until the program runs.
-- @number[opt] seconds how long at most; a start has hooks that may take as long as they like
-- @return nil, or the error of the child
function sync.wait(ctx, seconds)
  local said, why, number = hear(ctx, seconds and sys.clock_gettime() + seconds)
  ctx.channel.reader:close()
  if not said then
    return errors.new("channel", why, number)
  elseif said == "" then
    return nil
  end
  local errno, step, message = string.unpack("<i4zz", said)
  if message ~= "" then
    return errors.refusal(step, message, errno ~= 0 and errno or nil)
  end
  -- Of init, which has no words of its own.
  local program = ctx.config.process.args[1]
  program = program ~= "" and program or "\"\""
  local reason = sys.strerror(errno)
  if step == "init" then
    local needs = errno == sys.errno.EMFILE and " (init needs an fd beside the standard streams: a "
      .. "limit of nofile has to leave room for it)" or sync.NEEDS
    return errors.refusal(step, reason .. needs, errno, program)
  elseif step == "fork" and errno == sys.errno.EAGAIN then
    reason = reason .. " (init and the program are two processes: the pids limit has to leave room "
      .. "for both; without an init it takes one)"
  elseif errno == sys.errno.ENOENT and not program:find("/", 1, true) then
    reason = "not found in PATH"
  end
  return errors.refusal(step, ("%s: %s"):format(program, reason), errno, program)
end

-- What init asks the kernel for: csrc/init.c.
sync.NEEDS = " (a profile of seccomp has to allow what init needs: clone close execve exit "
  .. "exit_group fcntl kill ppoll prctl read rt_sigaction rt_sigprocmask signalfd4 wait4 write)"

--- In the parent, when the program runs: of the four ends only one is left.
function sync.forget(ctx)
  local ends = ctx.channel
  ends.reader, ends.writer, ends.init = nil, nil, nil
end

-- struct init_answer of csrc/init.c.
local ANSWER <const> = "<i8i8i8i8"
local SIGNAL_MAX <const>, ERRNO_MAX <const> = 64, 4095

--- How the program ended, as pid 1 saw it; nil when pid 1 was the program or was killed. A program
-- with CAP_SYS_PTRACE can say anything in its place.
-- @treturn string "exit" or "signal"; or "failed", when pid 1 left because a call that it needs was
-- refused
-- @treturn int status, signal, or errno
-- @treturn table what was used by all that pid 1 reaped: user and system in seconds, and
-- memory, the most that one process had resident, in bytes
function sync.answer(ctx)
  -- It is all there by now, and a process with a copy of the other end does not delay it.
  local ready = sys.ppoll({ ctx.channel.line }, 0)
  local said = ready and ready[1] and sys.read(ctx.channel.line)
  ctx.channel.line:close()
  if not said or #said ~= ANSWER:packsize() then
    return nil
  end
  local status, user, system, memory = ANSWER:unpack(said)
  local used = { user = user / 1e6, system = system / 1e6, memory = memory * 1024 }
  local signal = status & 0x7f
  if status < 0 and status >= -ERRNO_MAX and user >= 0 then
    return "failed", -status, used
  elseif signal == 0 then
    return "exit", status >> 8 & 0xff, used
  elseif signal <= SIGNAL_MAX then
    return "signal", signal, used
  end
  return nil
end

--- Has pid 1 end everything and answer. Without an init nothing happens.
function sync.hang_up(ctx)
  sys.shutdown(ctx.channel.line)
end

return sync
