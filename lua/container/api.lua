-- What `require "container"` adds to the primitives: run, spawn, call, spawn_call, poll, plan,
-- features.

local check = require "container.check"
local errors = require "container.error"
local call = require "container.engine.call"
local exec = require "container.engine.exec"
local sys = require "container.sys"
local loop = require "container.runtime.loop"
local object = require "container.runtime.container"
local engine = require "container.engine.start"
local search = require "container.search"
local spec = require "container.config.spec"

local library = { _VERSION = "lua-container 0.2.0" }

-- Documented where it is, for it is loaded on use.
function library.features(form)
  local features, message = search.load("container.linux.features")
  if not features then
    return nil, errors.new("features", message)
  end
  return features.features(form)
end

--- What all ways to a container have in common.
-- @tparam table options see options.lua
-- @tparam[opt] table fn what call.lua made of a function in the place of the command
local function start(options, fn)
  object.reap()
  local c, err = spec.read(options, fn)
  if c then
    c, err = engine.start(c)
  end
  if not c then
    return nil, err
  end
  return object.new(c).handle
end

--- Lists the steps that a start with these options would take, in order. Nothing is done.
-- @tparam table options as of `run`
-- @treturn table array of { name, side = "prepare", "parent" or "child", why, needs = array of
-- names }; or nil and an error about the options
function library.plan(options)
  local asked, err = spec.read(options)
  if not asked then
    return nil, err
  end
  return engine.plan(asked)
end

--- Starts a container and returns its object at once. The container ends when the object is closed
-- or collected.
-- @tparam table options the command as an array, and named options: docs/reference-options.md
-- @return an `object`; or nil and an error, which prints as one sentence and has the fields step,
-- subject, errno and message
function library.spawn(options)
  return start(options)
end

--- Runs a container to its end.
-- @tparam table options as of `spawn`, without tty: the caller could not read the terminal
-- @treturn table the result, see `object:wait`; or nil and an error
function library.run(options)
  if type(options) == "table" and rawget(options, "tty") then
    return nil, errors.new("spec", "tty: takes container.spawn, which gives its other side",
      nil, "tty")
  end
  local c <close>, err = library.spawn(options)
  if not c then
    return nil, err
  end
  return c:wait()
end

local function spawn_call(name, options, fn, ...)
  if type(fn) ~= "function" then
    return nil, errors.new("spec", ("%s: expected a function, got a %s"):format(name, type(fn)))
  end
  local c, err = start(options, call.new(fn, ...))
  if not c then
    return nil, err
  end
  local self = object.of(c)
  table.insert(self.sources, call.source(self))
  return c
end

--- Runs a Lua function in a container in the place of a program, with every limit on it. The
-- function is pid 1 of the container: processes that it leaves behind end with it.
--
-- The function runs in a copy of the calling process: its upvalues, arguments and loaded modules
-- are copies. Nothing that it changes comes back except the values that it returns. `require` finds
-- modules that are loaded already, and else the container's files. `os.exit` ends only the copy.
-- The function must not yield. Before the copy is made, the caller's garbage is collected.
-- @tparam table options as of `spawn`, without a command, init, tty and hooks; more: result_limit,
-- the number of bytes that all results may take (16 MiB)
-- @func fn
-- @param ... its arguments
-- @return what the function returns: at most 1000 values, which are nil, booleans, numbers, strings
-- and tables of these, at most 100 deep and with at most 65536 keys beside their arrays. Or nil and
-- an error of step "call". It has `result`, see `object:wait`, and `reason`: "error" (the function
-- raised; `traceback`, and `value` if the error is not text), "exit" (it ended its process),
-- "timeout", "signal", "rlimit", "oom", "seccomp", or "malformed" (it wrote something else to the
-- pipe of its results)
function library.call(options, fn, ...)
  local c <close>, err = spawn_call("call", options, fn, ...)
  if not c then
    return nil, err
  end
  return c:wait()
end

--- Starts a function in a container as `call` does, and does not wait for it.
-- @tparam table options as of `call`
-- @func fn
-- @param ... its arguments
-- @return an `object` whose `wait` returns what `call` would return, and whose `poll` returns true
-- at the end; or nil and an error
function library.spawn_call(options, fn, ...)
  return spawn_call("spawn_call", options, fn, ...)
end

--- Starts a further process in the container: in all its namespaces and cgroups, with its limits,
-- and with its user, environment, working directory, capabilities and filters unless the options
-- say otherwise. The process ends with the container at the latest.
--
-- Before the program runs, its process is a copy of the caller that is in the container's
-- namespaces. It is not dumpable, but a container with CAP_SYS_PTRACE in the caller's own user
-- namespace can trace it all the same, and so act with the caller's rights, read its memory and
-- reach its program file through /proc/PID/exe. ptrace(2)
-- @function container:exec
-- @tparam table options the command, and of the options of `spawn`: env cwd user capabilities
-- cap_drop tty stdin stdout stderr output_limit timeout stop_timeout on debug
-- @return an `object` whose result has no memory_peak; or nil and an error: ESRCH when the
-- container has ended, EBUSY when it is paused, ECHILD when it is another process's
local function exec_in(self, options)
  local errno = sys.errno
  if self.container then
    return nil, errors.new("exec", "this is a program in a container: ask the container",
      errno.EINVAL)
  elseif self.closed then
    return nil, errors.new("exec", "the container has ended", errno.ESRCH)
  elseif self.state.paused then
    return nil, errors.new("exec", "the container is paused", errno.EBUSY)
  elseif self.owner ~= sys.getpid() then
    return nil, errors.new("exec", "the container is not this process's",
      sys.errno.ECHILD)
  end
  object.reap()
  local c, err = spec.exec(options, self.state)
  if c then
    c, err = exec.start(c)
  end
  if not c then
    return nil, err
  end
  return object.new(c, self).handle
end

-- Here, for an object knows nothing of how containers are made.
object.method("exec", exec_in)

--- Waits until at least one of many containers has ended. It serves all of them meanwhile, as
-- `object:wait` does.
-- @tparam table list objects of containers. Those that were waited for or closed count as ended
-- @number[opt] seconds the longest time to wait; without it there is no limit
-- @treturn table array of the objects that have ended, whose `wait` returns at once. It is empty
-- when the time is up. Or nil and an error
function library.poll(list, seconds)
  local function refuse(message, errno)
    return nil, errors.new("poll", message, sys.errno[errno])
  end
  if type(list) ~= "table"
      or seconds ~= nil and not (type(seconds) == "number" and seconds >= 0) then
    return refuse("expected an array of containers, and a number of seconds", "EINVAL")
  end
  local inner = {}
  for key in next, list do
    if not (math.type(key) == "integer" and key >= 1 and key <= #list) then
      return refuse(("expected an array of containers, got the key %s"):format(check.shown(key)),
        "EINVAL")
    end
  end
  for i, given in ipairs(list) do
    local self = object.of(given)
    inner[i] = self
    if not self then
      return refuse(("[%d] is not a container"):format(i), "EINVAL")
    elseif self.attended then
      return refuse(("[%d] is waited for already"):format(i), "EBUSY")
    elseif not self.closed and self.owner ~= sys.getpid() then
      return refuse(("[%d] is not this process's"):format(i), "ECHILD")
    end
  end
  local finish = seconds and sys.clock_gettime() + seconds
  local ended, left = {}, nil
  while true do
    for _, self in ipairs(inner) do
      ended[#ended + 1] = self.closed and self.handle or nil
    end
    if ended[1] or left == 0 or not list[1] then
      return ended
    end
    left = finish and math.max(finish - sys.clock_gettime(), 0)
    loop.turn(inner, left)
  end
end

return library
