-- What a child of ours has to say. Knows no containers.

local sys = require "container.sys"
local path = require "container.fs.path"

local subprocess = {}

--- A child that runs `fn` in this memory: in a copy of it a lock that another thread of the host
-- program holds would be held for ever. Every signal is held back until it executes a program or is
-- gone, for no handler of the host program's may run in it.
-- @tparam table namespaces new ones for it
-- @func fn ends in exec or _exit
-- @return its pid; or nil, message, errno
function subprocess.start(namespaces, fn)
  local mask = sys.sigprocmask("block", "all")
  local pid, message, errno = sys.clone_vm(namespaces, fn)
  sys.sigprocmask("setmask", mask)
  return pid, message, errno
end

-- How many bytes of what `output` answers are enough.
local OUTPUT_MAX <const> = 1 << 20

--- Runs `fn` in such a child.
-- @tparam table namespaces new ones for it
-- @func fn is given an fd to write to; the child is gone when it returns. The status says less than
-- the words, and may be another's to take
-- @treturn string what was written, to the end; or nil, message, errno
function subprocess.output(namespaces, fn)
  local reader <const>, writer <const>, errno = sys.pipe()
  if not reader then
    return nil, writer, errno
  end
  local _ <close> = reader
  local _ <close> = writer
  local pid, message, number = subprocess.start(namespaces, function()
    fn(writer)
    sys._exit(0)
  end)
  if not pid then
    return nil, message, number
  end
  writer:close()
  local text = path.read_all(reader, OUTPUT_MAX)
  reader:close() -- so that one with more to say ends
  sys.wait(pid)
  return text
end

-- A fd that ends the wait of `compute` when it can be read: the command line's signals that end it.
subprocess.interrupt = nil

-- What the answer of `compute` may have, in bytes.
local ANSWER_MAX <const> = 1 << 20

-- What the copy may take beside what this process has, in bytes.
local MORE_MEMORY <const> = 1 << 30

--- Reads an answer until its end, until `seconds` have passed, or until a signal ends it all.
-- @treturn string; or nil, message, errno
local function answer(reader, seconds)
  local pieces, size, deadline = {}, 0, sys.clock_gettime() + seconds
  while true do
    local left = math.max(deadline - sys.clock_gettime(), 0)
    local ready = sys.ppoll({ reader, subprocess.interrupt }, left) or {}
    if ready[1] then
      local piece, message, errno = sys.read(reader, 65536)
      if not piece then
        return nil, message, errno
      elseif piece == "" then
        return table.concat(pieces)
      end
      pieces[#pieces + 1], size = piece, size + #piece
      if size > ANSWER_MAX then
        return nil, "the answer is too long", sys.errno.E2BIG
      end
    elseif ready[2] then
      return nil, "interrupted by a signal", sys.errno.EINTR
    elseif left == 0 then
      return nil, ("not done after %d seconds"):format(seconds), sys.errno.ETIMEDOUT
    end
  end
end

--- In the copy: ends with its parent, and takes no more memory than that much.
local function confine(writer, parent)
  assert(sys.pdeathsig("KILL"))
  if sys.getppid() ~= parent then
    sys._exit(1) -- it has ended before that
  end
  assert(sys.close_others { writer })
  local status = sys.read_file("/proc/self/status") or ""
  local size = status:match("\nVmSize:%s*(%d+) kB")
  if size then
    sys.setrlimit("as", tonumber(size) * 1024 + MORE_MEMORY) -- or the lower one that there is
  end
  sys.setrlimit("core", 0)
end

--- Runs `fn` in a copy of this process, which may take long, crash or ask for all memory there is.
-- @int seconds how long it may take
-- @func fn returns a string, or nil and a message
-- @treturn string what it returned; or nil, message, errno (ETIMEDOUT after `seconds`, EINTR when
-- `interrupt` can be read)
function subprocess.compute(seconds, fn)
  local reader <const>, writer <const>, errno = sys.pipe()
  if not reader then
    return nil, writer, errno
  end
  local _ <close> = reader
  local _ <close> = writer
  local mask, parent = sys.sigprocmask("block", "all"), sys.getpid()
  local pid, refusal, why = sys.clone({}, function()
    confine(writer, parent)
    local value, message = fn()
    sys.write(3, (value and "+" or "-") .. (value or message))
    sys._exit(0)
  end)
  local pidfd <close> = pid and sys.pidfd_open(pid)
  sys.sigprocmask("setmask", mask)
  if not pid then
    return nil, refusal, why
  end
  writer:close()
  local said, message, number = answer(reader, seconds)
  if pidfd then
    sys.pidfd_send_signal(pidfd, "KILL")
  end
  local how, status = sys.wait(pidfd or pid)
  if not said then
    return nil, message, number
  elseif said == "" then
    return nil, how == "signal" and "ended by " .. sys.signal_name(status)
      or "ended without a word", sys.errno.EIO
  elseif said:sub(1, 1) == "+" then
    return said:sub(2)
  end
  return nil, said:sub(2), sys.errno.EINVAL
end

return subprocess
