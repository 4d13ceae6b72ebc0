-- The container's program: what it starts with, and how it comes to run.

local report = require "container.report"
local sys = require "container.sys"
local path = require "container.fs.path"

local process = {}

local STREAMS <const> = { [0] = "stdin", "stdout", "stderr" }

-- One image for all containers of this Lua state: its bytes cannot be changed by anyone.
local image

-- How long a child that was killed is waited for, in seconds.
local TIMEOUT <const> = 10

-- How long, in seconds, one that has ended may be held by a tracer before that is ended, too.
process.HELD = 1

--- Waits for a child, with a deadline. One that another process traces can have ended, and its
-- pidfd can be read, and still waitid does not answer until that process lets it go. ptrace(2)
-- @param pidfd of the child
-- @string[opt] flags more flags of sys.wait
-- @func[opt] release called when it has been held for a second: to end the tracer
-- @return as sys.wait; nil, message, ETIMEDOUT after 10 seconds
function process.reap(pidfd, flags, release)
  local finish = sys.clock_gettime() + TIMEOUT
  local pause, held = 0.001, nil
  flags = flags and "nohang," .. flags or "nohang"
  while true do
    local how, value, used = sys.wait(pidfd, flags)
    local left = finish - sys.clock_gettime()
    if how ~= "running" then
      return how, value, used
    elseif left <= 0 then
      return nil, "wait: a process that was killed cannot be waited for", sys.errno.ETIMEDOUT
    end
    local ready = sys.ppoll({ pidfd }, left)
    if not ready or ready[1] then
      sys.ppoll({}, math.min(pause, left)) -- it says so for good, and waitid may not answer
      pause = math.min(2 * pause, 0.05)
      held = held or sys.clock_gettime()
      if release and sys.clock_gettime() - held > process.HELD then
        release()
        release = nil
      end
    end
  end
end

local NO_ROOM <const> = "; the caller's limit of file sizes (ulimit -f) leaves no room for init"

--- Makes the sealed file that pid 1 runs from: csrc/init.c. A process that joins a container has a
-- file of its own, which cannot be read: then the kernel lets no process of the container trace it,
-- read its memory or open its fds before the program runs. Each has another file, so that a
-- container that changes the mode of one does not change that of the next.
function process.prepare(ctx)
  local message, errno
  if ctx.target then
    ctx.image, message, errno = sys.memfd("lua-container-exec", sys.init_program(), "execonly")
    if ctx.image then
      ctx.undo:push(ctx.image.close, ctx.image)
    end
  else
    if not image then
      image, message, errno = sys.memfd("lua-container-init", sys.init_program())
    end
    ctx.image = image
  end
  if not ctx.image then
    return nil, errno == sys.errno.EFBIG and message .. NO_ROOM or message, errno
  end
  -- A directory as a standard stream would be a way out of the root.
  for fd = 0, 2 do
    local given = ctx.stream and ctx.stream[STREAMS[fd]]
    local inherited = not given or given.how == "inherit"
    if inherited and sys.stat(fd, "type") == "directory" then
      return nil, ("open_stdio %d: this standard stream is a directory"):format(fd),
        sys.errno.EISDIR
    end
  end
  if ctx.announce then
    report.write(("Running [%s] as %d\n"):format(
      table.concat(ctx.config.process.args, " "), sys.getpid()))
  end
  return true
end

-- The fd of the child's end of the socket whose other end is the launcher's: engine/sync.lua.
process.LINE = 4

--- In the child: from here on it dies with the launcher, of a signal. One that died before this is
-- noticed by the end of file on its line.
function process.follow()
  local ok, message, errno = sys.pdeathsig("KILL")
  if not ok then
    return nil, message, errno
  end
  local ready
  ready, message, errno = sys.ppoll({ process.LINE }, 0)
  if ready and ready[1] then
    sys._exit(128 + 9)
  end
  return ready and true, message, errno
end

--- Has a session of its own, without a terminal: from here on no key of the launcher's reaches it.
-- Dies with the launcher; and no permission bit of what is made from here on is taken away.
function process.child()
  sys.umask(0)
  local session, message, errno = sys.setsid()
  if not session then
    return nil, message, errno
  end
  return process.follow()
end

--- Enters the working directory, which is made when it is missing, as docker does.
function process.enter(ctx)
  local cwd = ctx.config.process.cwd
  local ok, message, errno = sys.chdir(cwd)
  if ok or errno ~= sys.errno.ENOENT then
    return ok, message, errno
  end
  local root <close> = assert(sys.open("/", "path,directory"))
  local made <close>, why, number = path.beneath(root, cwd, "directory")
  if not made then
    return nil, why, number
  end
  return sys.chdir(made)
end

local EXECUTABLE <const> = 0x49 -- 0111

--- Why a file is no program, or nil where it looks like one.
local function lack(file)
  local st, _, errno = sys.stat(file)
  if not st then
    return errno
  end
  return (st.type == "directory" or st.mode & EXECUTABLE == 0) and sys.errno.EACCES or nil
end

--- Looks whether the program is there, in the container's root and from the working directory: so
-- that a container that waits to be started is refused when it is made. The exec decides.
function process.find(ctx)
  local p = ctx.config.process
  local name, errno = p.args[1], nil
  if name:find("/", 1, true) then
    errno = lack(name)
    return not errno, errno and ("\"%s\": %s"):format(name, sys.strerror(errno):lower()), errno
  end
  local directories = ""
  for _, entry in ipairs(p.env) do
    directories = entry:match("^PATH=(.*)") or directories
  end
  for directory in directories:gmatch("[^:]+") do
    local why = lack(directory .. "/" .. name)
    if not why then
      return true
    end
    errno = why == sys.errno.EACCES and why or errno
  end
  if errno then
    return nil, ("\"%s\": permission denied"):format(name), errno
  end
  return nil, ("\"%s\": executable file not found in $PATH"):format(name),
    sys.errno.ENOENT
end

-- What lets root read a file whose mode does not.
local READERS <const> = { "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH" }

--- In a process that joins a container: gives up what lets root read the image that it executes
-- next, so that the kernel lets no other process look into the one that runs from it. What the
-- program gets is computed from the other sets. execve(2), capabilities(7), ptrace(2)
function process.conceal()
  return sys.capability_lower(READERS)
end

-- What the kernel takes of one string, with its NUL, where pages have 4 KiB. execve(2)
local STRING_MAX <const> = 131072

--- Where a list of arguments is too long because of one of them: which, for the message.
local function too_long(p)
  for i, word in ipairs(p.args) do
    if #word >= STRING_MAX then
      return (" (args[%d] has %d bytes)"):format(i, #word)
    end
  end
  for _, word in ipairs(p.env) do
    if #word >= STRING_MAX then
      return (" (env.%s has %d bytes)"):format(word:match("^[^=]*"), #word)
    end
  end
  return ""
end

-- What init finds its socket and the files for the program by: csrc/init.c.
local FIRST <const> = 6

--- What init is told beside the program: csrc/init.c. The files that it is to have are moved to
-- where it looks for them, from numbers that are not below those.
-- @treturn table array of words; or nil, message, errno
local function words(ctx)
  local list = { ctx.start_barrier and "gate" or nil }
  local kept = ctx.kept and #ctx.kept or 0
  local count = kept + (ctx.start_socket and 1 or 0)
  for i = 0, count - 1 do
    local ok, message, errno = sys.dup2(ctx.handed + i, FIRST + i)
    if not ok then
      return nil, message, errno
    end
  end
  if kept > 0 then
    list[#list + 1], list[#list + 2] = "keep", tostring(kept)
  end
  list[#list + 1] = ctx.start_socket and "wait" or ctx.outlives and "free" or nil
  list[#list + 1] = ctx.init and "init" or "exec"
  return list
end

--- The last step: becomes init, from the sealed image, which starts the program or becomes it.
function process.exec(ctx)
  local p = ctx.config.process
  local ok, message, errno = sys.open_stdio(true)
  if not ok then
    return nil, message, errno
  end
  sys.umask(p.user.umask or 0x12) -- 022
  if ctx.announce then
    report.write(("Running in child [%s] as %d\n"):format(
      table.concat(p.args, " "), sys.getpid()))
  end
  local argv
  argv, message, errno = words(ctx)
  if not argv then
    return nil, message, errno
  end
  table.move(p.args, 1, #p.args, #argv + 1, argv)
  ok, message, errno = sys.fexecve(5, argv, p.env)
  if errno == sys.errno.ENOSYS then
    return ok, message, errno
  end
  -- The program is what was asked for, and what is too long for init is too long for it.
  message = message:gsub("^execveat %S+:", function() return p.args[1] .. ":" end)
  if errno == sys.errno.E2BIG then
    message = message .. too_long(p)
  end
  return ok, message, errno
end

return process
