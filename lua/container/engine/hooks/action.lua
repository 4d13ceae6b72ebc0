-- One hook, done: a program that gets the container's state as standard input, a function in the
-- host program, or a function in a process of its own. Loaded when an option asks for it: hooks.

local errors = require "container.error"
local subprocess = require "container.linux.subprocess"
local callback = require "container.engine.callback"
local sys = require "container.sys"
local json = require "container.json"
local cleanup = require "container.engine.cleanup"

local action = {}

-- How much is kept of what a process says, and of a line of it.
local KEPT <const>, LINE <const> = 65536, 1024

-- Those that can be given their default back: signal(7). Two are glibc's.
local SIGNALS <const> = {}
for number = 1, 64 do
  if number ~= 9 and number ~= 19 and number ~= 32 and number ~= 33 then
    SIGNALS[#SIGNALS + 1] = number
  end
end

local function finish(pid)
  sys.killpg(pid, "KILL")
  sys.kill(pid, "KILL") -- which may not have come to have a group
  sys.wait(pid)
end

--- Waits until a process of ours ends, and reads what it says. Something in the host program may
-- throw us out of here, as Lua's own handler of Ctrl-C does; then the process is killed.
-- @return its end, as of container.wait, or nil; what it said; whether its time was up
local function follow(pid, reader, timeout)
  local unfinished <close> = cleanup.new()
  unfinished:push(finish, pid)
  local pidfd <close>, message, errno = sys.pidfd_open(pid)
  if not pidfd then
    if errno == sys.errno.ESRCH then
      unfinished:release() -- it is gone, and its number may be another's
    end
    return nil, message
  end
  local deadline = timeout and sys.clock_gettime() + timeout
  local text, fds, late = "", { pidfd, reader }, false
  local ready
  repeat
    local left = deadline and not late and math.max(deadline - sys.clock_gettime(), 0)
    ready = sys.ppoll(fds, left or nil)
    if ready[2] then
      local piece = sys.read(reader, KEPT) or ""
      text = (text .. piece):sub(-KEPT)
      fds[2] = piece ~= "" and reader or nil
    end
    if left == 0 and not ready[1] then
      late = true
      sys.killpg(pid, "KILL")
    end
  until ready[1]
  -- What is left; not to its end, for what the hook has started may have it open.
  if fds[2] and sys.ppoll({ reader }, 0)[1] then
    text = text .. (sys.read(reader, KEPT) or "")
  end
  unfinished:release()
  local how, value = sys.wait(pidfd)
  return how and { how = how, value = value }, how and text or value, late
end

--- As a program expects to start: no signal held back or ignored.
local function reset()
  sys.umask(0x12) -- 022
  sys.sigdefault(SIGNALS)
  sys.sigprocmask("setmask", {})
end

--- In a new process that has this memory: becomes the program. Its session is its own, so that all
-- of it can be killed; it dies with the process that waits for it, as far as it is one process.
local function become(program, parent, input, output)
  sys.dup2(input, 0)
  sys.dup2(output, 2)
  sys.close(1)
  sys.open_stdio()
  sys.close_others {}
  sys.setsid()
  sys.pdeathsig("KILL")
  if sys.getppid() ~= parent then
    sys._exit(128 + 9)
  end
  reset()
  local _, message = sys.exec(program.args, program.env, program.path)
  return message
end

local function ending(last)
  if last.how == "exit" then
    return ("exit status %d"):format(last.value)
  end
  return "killed by " .. sys.signal_name(last.value)
end

--- Runs a program to its end.
-- @return true; or nil and what went wrong
function action.execute(program, state)
  local input <close>, message, errno = sys.memfd("state", json.encode(state), "noexec")
  if not input then
    return nil, message, errno
  end
  local reader <const>, output <const>, number = sys.pipe()
  if not reader then
    return nil, output, number
  end
  local _ <close> = reader
  local _ <close> = output
  local parent, refusal = sys.getpid(), nil
  local pid, why, code = subprocess.start({}, function()
    refusal = become(program, parent, input, output)
    sys._exit(127)
  end)
  output:close()
  if not pid then
    return nil, why, code
  end
  local last, said, late = follow(pid, reader, program.timeout)
  if late then
    return nil, ("did not end within %g seconds"):format(program.timeout), sys.errno.ETIMEDOUT
  elseif refusal then
    return nil, errors.plain(refusal)
  elseif not last then
    return nil, "its end was not told: " .. said
  elseif last.how == "exit" and last.value == 0 then
    return true
  end
  local line = said:sub(-LINE):match("([^\n]+)%s*$")
  return nil, ending(last) .. (line and ": " .. line or "")
end

--- Calls a function of the caller's.
-- @return true; or nil and what went wrong
function action.call(_, fn, state)
  local ok, why = callback.call(fn, state)
  return ok or nil, not ok and why or nil
end

--- The same in a process of its own, in the container. The caller's files are closed there, and
-- have numbers that were not given to anything else: one that is written to is no line of ours.
function action.call_apart(ctx, fn, state)
  local reader <const>, writer <const>, errno = sys.pipe()
  if not reader then
    return nil, writer, errno
  end
  local _ <close> = reader
  local _ <close> = writer
  local pid, message, number = sys.clone({}, function()
    local own <const> = ctx.hook.above
    if not sys.close_others({ writer }, 0, own) then
      sys._exit(1)
    end
    reset()
    local ok, why = action.call(ctx, fn, state)
    sys.write(own, ok and "." or "!" .. why:sub(1, KEPT // 2))
  end)
  if not pid then
    return nil, message, number
  end
  local last, said = follow(pid, reader)
  local word, why = said:sub(1, 1), said:sub(2)
  if not last then
    return nil, said
  elseif word == "!" then
    return nil, why
  elseif word ~= "." then
    return nil, "the function did not return: " .. ending(last)
  end
  return true
end

return action
