-- What the caller has done at OCI's moments of a container's life: functions, and programs that get
-- the container's state as standard input. Loaded when an option asks for it: hooks.
-- OCI runtime specification, config, "POSIX-platform Hooks", and runtime, "Lifecycle"
--
-- In the host program are called: prestart and createRuntime, while the child waits before its root
-- changes; poststart; poststop, the last of what is undone. In the container: createContainer,
-- before its root changes, and startContainer, with the rights of the program. There each is a
-- process of its own, so that nothing of it but what it did to the namespaces comes to the program.

local attend = require "container.attend"
local channel = require "container.channel"
local container = require "container"
local json = require "container.json"
local rootfs = require "container.rootfs"
local undo = require "container.undo"

local hook = {}

-- The moments, and how the container is called at each: runtime, "State".
local STATUS <const> = {
  prestart = "creating", createRuntime = "creating", createContainer = "creating",
  startContainer = "created", poststart = "running", poststop = "stopped",
}

-- Its own pid, as a hook in the container sees it.
local INSIDE <const> = 1

-- How much is kept of what a process says, and of a line of it.
local KEPT <const>, LINE <const> = 65536, 1024

-- Those that can be given their default back: signal(7). Two are glibc's.
local SIGNALS <const> = {}
for number = 1, 64 do
  if number ~= 9 and number ~= 19 and number ~= 32 and number ~= 33 then
    SIGNALS[#SIGNALS + 1] = number
  end
end

--- What spec.lua keeps of the option.
-- @tparam table hooks for each moment an array of functions and of OCI's tables
function hook.new(hooks)
  local meets = hooks.prestart or hooks.createRuntime
  return setmetatable({
    hooks = hooks,
    meets = meets, -- the child waits for its parent
    copies = meets or hooks.createContainer or hooks.startContainer, -- so it has its own memory
  }, { __index = hook })
end

-- Running one ------------------------------------------------------------------------------------

local function finish(pid)
  container.killpg(pid, "KILL")
  container.kill(pid, "KILL") -- which may not have come to have a group
  container.wait(pid)
end

--- Waits until a process of ours ends, and reads what it says. Something in the host program may
-- throw us out of here, as Lua's own handler of Ctrl-C does; then the process is killed.
-- @return its end, as of container.wait, or nil; what it said; whether its time was up
local function follow(pid, reader, timeout)
  local unfinished <close> = undo.new()
  unfinished:push(finish, pid)
  local pidfd <close>, message, errno = container.pidfd_open(pid)
  if not pidfd then
    if errno == container.errno.ESRCH then
      unfinished:release() -- it is gone, and its number may be another's
    end
    return nil, message
  end
  local deadline = timeout and container.clock_gettime() + timeout
  local text, fds, late = "", { pidfd, reader }, false
  local ready
  repeat
    local left = deadline and not late and math.max(deadline - container.clock_gettime(), 0)
    ready = container.ppoll(fds, left or nil)
    if ready[2] then
      local piece = container.read(reader, KEPT) or ""
      text = (text .. piece):sub(-KEPT)
      fds[2] = piece ~= "" and reader or nil
    end
    if left == 0 and not ready[1] then
      late = true
      container.killpg(pid, "KILL")
    end
  until ready[1]
  -- What is left; not to its end, for what the hook has started may have it open.
  if fds[2] and container.ppoll({ reader }, 0)[1] then
    text = text .. (container.read(reader, KEPT) or "")
  end
  unfinished:release()
  local how, value = container.wait(pidfd)
  return how and { how = how, value = value }, how and text or value, late
end

--- As a program is used to start, whoever starts it: no signal held back or ignored.
local function reset()
  container.umask(0x12) -- 022
  container.sigdefault(SIGNALS)
  container.sigprocmask("setmask", {})
end

--- In a new process that has this memory: becomes the program. Its session is its own, so that all
-- of it can be killed; it dies with who waits for it, as far as it is one process.
local function become(program, parent, input, output)
  container.dup2(input, 0)
  container.dup2(output, 2)
  container.close(1)
  container.open_stdio()
  container.close_others {}
  container.setsid()
  container.pdeathsig("KILL")
  if container.getppid() ~= parent then
    container._exit(128 + 9)
  end
  reset()
  local _, message = container.exec(program.args, program.env, program.path)
  return message
end

local function ending(last)
  if last.how == "exit" then
    return ("exit status %d"):format(last.value)
  end
  return "killed by " .. container.signal_name(last.value)
end

--- Runs a program to its end.
-- @return true; or nil and what went wrong
local function execute(program, state)
  local input <close>, message, errno = container.memfd("state", json.encode(state), "noexec")
  if not input then
    return nil, message, errno
  end
  local reader <const>, output <const>, number = container.pipe()
  if not reader then
    return nil, output, number
  end
  local _ <close> = reader
  local _ <close> = output
  local parent, refusal = container.getpid(), nil
  local mask = container.sigprocmask("block", "all")
  local pid, why, code = container.clone_vm({}, function()
    refusal = become(program, parent, input, output)
    container._exit(127)
  end)
  container.sigprocmask("setmask", mask)
  output:close()
  if not pid then
    return nil, why, code
  end
  local last, said, late = follow(pid, reader, program.timeout)
  if late then
    return nil, ("did not end within %g seconds"):format(program.timeout), container.errno.ETIMEDOUT
  elseif refusal then
    return nil, refusal
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
local function call(_, fn, state)
  local why
  attend.call({ fail = function(_, _, message) why = message end }, nil, fn, state)
  return not why or nil, why
end

--- The same in a process of its own, in the container. The caller's files are closed there, and
-- have numbers that were not given to anything else: one that is written to is no line of ours.
local function call_apart(c, fn, state)
  local reader <const>, writer <const>, errno = container.pipe()
  if not reader then
    return nil, writer, errno
  end
  local _ <close> = reader
  local _ <close> = writer
  local pid, message, number = container.clone({}, function()
    local own <const> = c.hook.above
    if not container.close_others({ writer }, 0, own) then
      container._exit(1)
    end
    reset()
    local ok, why = call(c, fn, state)
    container.write(own, ok and "." or "!" .. why:sub(1, KEPT // 2))
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

local function where(one)
  if type(one) == "table" then
    return one.path
  end
  local info = debug.getinfo(one, "S")
  return info.what == "C" and "[C]" or ("%s:%d"):format(info.short_src, info.linedefined)
end

--- Has one hook done.
-- @return true; or nil, a message that names it, and errno if there is one
local function act(c, moment, i, pid, caller)
  local one = c.hook.hooks[moment][i]
  local state = {
    ociVersion = c.config.ociVersion, id = c.hook.id, status = STATUS[moment], pid = pid,
    bundle = c.hook.bundle, annotations = {},
    root = moment == "createContainer" and rootfs.place(c) or nil, -- more than OCI has
  }
  local ok, why, errno
  if type(one) == "function" then
    ok, why, errno = caller(c, one, state)
  else
    ok, why, errno = execute(one, state)
  end
  if ok then
    return true
  end
  why = why:gsub("\0", "\\0") -- for a NUL ends what is told over the channel
  return nil, ("%s[%d] (%s): %s"):format(moment, i, where(one), why), errno
end

--- All of a moment, until one fails.
local function each(c, moment, pid, caller)
  for i in ipairs(c.hook.hooks[moment] or {}) do
    local ok, message, errno = act(c, moment, i, pid, caller)
    if not ok then
      return nil, message, errno
    end
  end
  return true
end

--- All of a moment at which nothing can be stopped any more: a failure is a warning.
local function each_warned(c, moment, pid)
  for i in ipairs(c.hook.hooks[moment] or {}) do
    local ok, message, errno = act(c, moment, i, pid, call)
    if not ok then
      local warning = channel.failure("hooks", message, errno)
      c.warnings = c.warnings or {}
      table.insert(c.warnings, warning)
      warn("lua-container: ", tostring(warning))
    end
  end
end

-- The sides --------------------------------------------------------------------------------------

local count = 0

--- Runs when everything else is undone: after the container's end, or when it did not come up.
local function stopped(c)
  if c.hook.begun then
    each_warned(c, "poststop")
  end
end

--- What the state says of the container; and from which number on no file of the caller's is.
function hook.prepare(c)
  count = count + 1
  c.hook.id = c.name or ("lua-container-%d-%d"):format(container.getpid(), count)
  local path = c.config.root.path
  if path:sub(1, 1) ~= "/" then
    path = ("%s/%s"):format(container.readlink("/proc/self/cwd"), path)
  end
  c.hook.bundle = path
  local highest = 2
  for _, name in ipairs(container.list("/proc/self/fd") or {}) do
    highest = math.max(highest, math.tointeger(name))
  end
  c.hook.above = highest + 1
  c.undo:push(stopped, c)
  return true
end

--- In the parent, while the child waits with its namespaces and mounts made and its root as it was.
function hook.parent(c, pid)
  c.hook.begun = true
  -- A child that does not come that far has something to tell, or was killed.
  if not c.hook.meets or not channel.reached(c) then
    return true
  end
  local ok, message, errno = each(c, "prestart", pid, call)
  if ok then
    ok, message, errno = each(c, "createRuntime", pid, call)
  end
  if ok then
    channel.go(c)
  end
  return ok, message, errno
end

--- In the child, the last before its root changes.
function hook.create(c)
  if c.hook.meets then
    channel.meet()
  end
  container.sigdefault { "CHLD" } -- or the end of a hook would not be told
  return each(c, "createContainer", INSIDE, call_apart)
end

--- In the child, the last of all, with the rights of the program. It still has the caller's memory
-- and image: no program of the container's may look at them.
function hook.start(c)
  local ok, message, errno = container.dumpable(false)
  if ok then
    ok, message, errno = each(c, "startContainer", INSIDE, call_apart)
  end
  return ok, message, errno
end

--- In the parent, when the program runs, whose time begins here.
function hook.started(c)
  c.started = container.clock_gettime()
  each_warned(c, "poststart", c.pid)
end

return hook
