-- What `require "container"` adds to the primitives: run, spawn, call, spawn_call, poll, plan,
-- features.

local check = require "container.check"
local errors = require "container.error"
local call = require "container.engine.call"
local exec = require "container.engine.exec"
local features = require "container.linux.features"
local sys = require "container.sys"
local loop = require "container.runtime.loop"
local object = require "container.runtime.container"
local engine = require "container.engine.start"
local spec = require "container.config.spec"

local library = { _VERSION = "lua-container 0.2.0", features = features.features }

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

--- The steps that a start with these options would take, in order. Nothing is done.
-- @tparam table options as of `run`
-- @treturn table array of { name, side = "prepare", "parent" or "child", why, needs = array of
-- names }; or nil and an error of the options
function library.plan(options)
  local asked, err = spec.read(options)
  if not asked then
    return nil, err
  end
  return engine.plan(asked)
end

--- Starts a container. The object ends it when it is closed or collected.
-- @tparam table options see options.lua
-- @return an object, see object.lua, with `pid`, `name` if it has one, and the streams that were
-- asked for as "pipe"; or nil and an error, which prints as one sentence and carries step, subject,
-- errno
function library.spawn(options)
  return start(options)
end

--- Runs a container to its end.
-- @tparam table options see options.lua; without tty, for its other side could not be read
-- @treturn table the result of `wait`; or nil and an error
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

--- Runs a function in a container, in the place of a program, with every limit on it. It is pid 1,
-- so the programs that it starts and leaves behind end with it, and it has a copy of everything: of
-- its upvalues, of the modules that are loaded, of the arguments. What it changes is gone with it,
-- but for the values that it returns. `require` finds what is loaded already, else what the
-- container's files have; os.exit ends the function's process alone. It cannot yield. Beforehand
-- there is a full collection here, so that the copy has nothing of ours to end.
-- @tparam table options see options.lua; no command, init or tty; more: result_limit in bytes
-- (16 MiB)
-- @func fn
-- @param ... its arguments
-- @return what it returns: nil, booleans, numbers, strings and tables of these, 1000 at most,
-- tables 100 deep at most and with at most 65536 keys beside their arrays; or nil and an error of
-- step "call", with `result` as of `wait` and a `reason`: "error" (raised, with `traceback`, and
-- with `value` when what was raised is no text and can be returned; or a result that cannot be
-- returned), "exit" (it ended its process), "timeout", "signal", "rlimit", "oom", "seccomp" or
-- "malformed" (it wrote something else into the pipe)
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
-- @return an object as of `spawn`, whose `wait` answers what `call` would, and whose `poll` answers
-- true when that is there; or nil and an error
function library.spawn_call(options, fn, ...)
  return spawn_call("spawn_call", options, fn, ...)
end

--- Starts a second program in the container: in all its namespaces and its cgroups, with its
-- limits, user, variables, directory, capabilities and filters unless the options give others. It
-- ends with the container at the latest.
-- @tparam table options the command, and of those of options.lua: env cwd user capabilities
-- cap_drop tty stdin stdout stderr output_limit timeout stop_timeout on
-- @return an object as that of a container, whose result has no memory_peak; or nil and an error,
-- ESRCH when the container has ended
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

--- Waits until at least one of many containers has ended, and meanwhile attends all of them as
-- `wait` does.
-- @tparam table list objects of containers; those that were waited for or closed count as ended
-- @number[opt] seconds how long at most
-- @treturn table array of those that have ended, whose `wait` answers at once; empty when the time
-- is up; or nil and an error
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
