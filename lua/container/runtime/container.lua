-- A container that runs, as the host program holds it: what `container.spawn` gives back.

local attended = require "container.runtime.attended"
local errors = require "container.error"
local result = require "container.runtime.result"
local search = require "container.search"
local handle = require "container.runtime.handle"
local methods = require "container.runtime.methods"
local pipe = require "container.runtime.pipe"
local streams = require "container.engine.streams"
local sys = require "container.sys"
local loop = require "container.runtime.loop"
local control = require "container.runtime.control"
local process = require "container.linux.process"
local process_tree = require "container.linux.process_tree"
local watch = require "container.runtime.watch"

local object = {}

--- Calls `on.oom` when there is no memory left under the limit.
local function oom_source(self)
  local fd, sure = control.watch(self.state)
  if not fd then
    return nil, sure
  end
  local seen = 0
  return { fd = fd, name = "on.oom", event = true, take = function()
    local kills = control.oom(self.state) or 0
    if sure or kills > seen then
      seen = kills
      self.oom_told = true
      loop.event(self, "oom")
    end
  end }
end

local function watch_oom(self)
  local source, message = oom_source(self)
  if source then
    table.insert(self.sources, 1, source)
  else
    self:fail("on.oom", message)
  end
end

-- Those that live on though no object of them is held.
local detached = {}

--- Lets the container run without its object: it does not end when the object is collected. It
-- still ends with this process.
-- @return the object
function methods:detach()
  detached[self] = true
  return self
end

--- Takes note of the detached ones that have ended. Their functions may detach others meanwhile.
function object.reap()
  local list = {}
  for self in pairs(detached) do
    list[#list + 1] = self
  end
  for _, self in ipairs(list) do
    if not self.attended and (self.closed or self:poll() ~= false) then
      detached[self] = nil
    end
  end
end

--- The container is being killed, and the kernel waits for us to wait for these. Nothing of the
-- caller's is called here, for it may be the collector that closes.
local function end_joined(self)
  for program in pairs(self.joined or {}) do
    detached[program] = nil
    if not program.closed then
      program.on = nil
      program:kill_now()
      program:ended()
    end
  end
end

--- Kills the container if it still runs, waits for its end, and removes what was made for it. A
-- second call does nothing, and neither does one in a copy of the process, such as a child of
-- container.clone.
function methods:close()
  detached[self] = nil
  if self.owner ~= sys.getpid() then
    return
  elseif self.tty then
    self.tty:close()
  end
  self.released = true
  if self.closed then
    watch.close(self)
    return
  end
  self.closed = true
  self.trouble = self.trouble
    or errors.new("wait", "the container was closed", sys.errno.ECHILD)
  if sys.wait(self.state.pidfd, "nohang") == "running" then
    self:kill_now()
    end_joined(self)
    process.reap(self.state.pidfd, nil, self.container and function() self:end_tracer() end)
  end
  watch.close(self)
  self.state.undo:run()
end

local class = handle.class("container", methods, {
  __name = "container",
  __close = methods.close,
  __gc = methods.close,
  __tostring = function(self)
    return ("container (%d)"):format(self.pid)
  end,
})

-- The inner table of what a caller holds, or nil.
object.of = class.of

--- Adds a method.
-- @string name
-- @func fn of the inner table
function object.method(name, fn)
  methods[name] = fn
  class.expose(name, fn)
end

-- What the event loop does with it comes first, then what the caller does.
local metatable = { __index = setmetatable(attended, { __index = methods }) }

--- Has the event loop serve connections.
-- @param module for it; or nil and a message
local function serve(self, module, message)
  local source = nil
  if module then
    source, message = module.new(self)
  end
  self.sources[#self.sources + 1] = source
  if not source then
    self:fail("network", message)
  end
end

--- Makes the object of a container that runs, or of a program in one.
-- @tparam Context ctx what run.start gave, or join.start
-- @tparam[opt] table owner the object of the container that the program is in; it lives as long
-- @treturn table the inner table; its `handle` is for the caller
function object.new(ctx, owner)
  local self = setmetatable({
    pid = ctx.pid, name = ctx.name or nil, owner = sys.getpid(), state = ctx,
    closed = false, started = ctx.started or sys.clock_gettime(), sources = {}, captured = {},
    on = ctx.on or nil,
  }, metatable)
  local fields = { pid = ctx.pid, name = ctx.name or nil, container = owner and owner.handle }
  -- From here on the container ends with what the caller holds.
  self.handle = class.new(self, fields)
  self.deadline = ctx.timeout and self.started + ctx.timeout or nil
  if owner then
    self.container = owner
    self.tree = process_tree.new(ctx)
    self.oom_before = result.shared_oom(owner) or 0
    -- By weak keys: a program that is not held ends as a container does.
    owner.joined = owner.joined or setmetatable({}, { __mode = "k" })
    owner.joined[self] = true
  end
  if ctx.tty then
    self.tty = pipe.new(ctx.tty, "tty", self, ctx.stream and ctx.stream.limit)
    fields.tty = self.tty
  end
  if ctx.stream then
    self.sources = streams.sources(ctx)
    for _, source in ipairs(self.sources) do
      self.captured[#self.captured + 1] = source.finish and source or nil
    end
    for name, fd in pairs(streams.pipes(ctx)) do
      fields[name] = pipe.new(fd, name, self, ctx.stream.limit)
    end
    ctx.stream = false -- which has served
  end
  if ctx.on and ctx.on.oom and ctx.memory_counted then
    watch_oom(self)
  end
  if ctx.listeners then
    serve(self, search.load("container.runtime.network"))
  end
  if ctx.published then
    serve(self, search.load("container.runtime.ports"))
  end
  if owner and owner.watch then
    local ok, message = watch.join(owner, self)
    if not ok then
      self:fail("fd", message)
    end
  end
  return self
end

return object
