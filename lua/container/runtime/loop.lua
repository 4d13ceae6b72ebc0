-- The event loop of the host program around its containers: what they do to the host program
-- happens in here, and nowhere else.
--
-- A container is attended through these fields of its object: `state.pidfd`, which can be read when
-- it has ended; `sources`, streams that are read and written meanwhile; `deadline`, the time of
-- clock_gettime at which `due` is to be called; and `ended`, called at its end. The programs in
-- `joined`, a set, are attended with it: the kernel ends a container, and its pidfd says so, only
-- when those have been waited for, which are children of the host program. pid_namespaces(7)

local callback = require "container.engine.callback"
local sys = require "container.sys"
local watch = require "container.runtime.watch"

local loop = {}

local PIECE <const> = 65536

-- What a pipe can hold at most, unless the administrator says otherwise. pipe(7)
local HELD <const> = 1 << 20

--- Calls a function of the caller's. One that raises or yields ends the container: the first such
-- trouble is what `wait` answers, and after it no function is called.
function loop.call(self, step, fn, ...)
  if self.trouble then
    return nil
  end
  local ok, value, second = callback.call(fn, ...)
  if not ok then
    self:fail(step, value)
    return nil
  end
  return value, second
end

--- Calls the function that the caller gave in `on` for an event, if there is one.
-- @string name as in `on`
-- @param ... what it gets behind the object
-- @return its first two values
function loop.event(self, name, ...)
  local fn = self.on and self.on[name]
  if fn then
    return loop.call(self, "on." .. name, fn, self.handle, ...)
  end
end

local function remove(self, source)
  watch.forget(self, source.fd)
  source.fd:close()
  for i, one in ipairs(self.sources) do
    if one == source then
      table.remove(self.sources, i)
      return
    end
  end
end

--- Reads a piece of a stream. How long it is, or nil at the end.
local function take(self, source)
  local piece = sys.read(source.fd, PIECE)
  if not piece or piece == "" then
    remove(self, source)
    return nil
  end
  if source.foreign then
    loop.call(self, source.name, source.take, piece)
  else
    source.take(piece)
  end
  if not source.event then
    loop.event(self, "output", source.name, piece)
  end
  return #piece
end

--- Writes to the program's standard input what the caller's function gives; its end when that is
-- nil. With an empty piece it has its next turn like everybody else.
local function give(self, source)
  if not source.rest then
    local piece = loop.call(self, source.name, source.give)
    if piece == nil then
      return remove(self, source)
    elseif type(piece) ~= "string" then
      self:fail(source.name, ("expected a string or nil, got a %s"):format(type(piece)))
      return remove(self, source)
    elseif piece == "" or self.closed then
      return
    end
    source.rest, source.from = piece, 1
  end
  local written, _, errno = sys.write(source.fd, source.rest, source.from)
  if written then
    source.from = source.from + written
    source.rest = source.from <= #source.rest and source.rest or nil
  elseif errno ~= sys.errno.EAGAIN then
    remove(self, source) -- nothing reads it any more
  end
end

--- Reads what an ended container has left in its streams. All that could write to them is dead, so
-- what is there is all. A process that has a copy of an end from outside does not delay it,
-- whether silent or not. A function that is called may close the container.
local function drain(self)
  for _, source in ipairs(table.move(self.sources, 1, #self.sources, 1, {})) do
    local left = source.take and HELD
    if source.over then
      source.over()
    end
    while left and left > 0 and not self.closed and source.fd:fileno()
        and sys.ppoll({ source.fd }, 0)[1] do
      local size = take(self, source)
      left = size and left - size
    end
    if source.fd:fileno() then
      remove(self, source)
    end
  end
end

local function add(list, what, fd, self, source)
  local n = #list + 1
  list[n], what[n] = fd, { self, source }
end

--- Adds what is waited for of a container's streams.
-- @param self
-- @bool network whether of its network alone
local function add_sources(self, network, readers, of_reader, writers, of_writer)
  for _, source in ipairs(self.sources) do
    if network and not source.serve then
      goto continue
    elseif source.take or source.serve then
      add(readers, of_reader, source.fd, self, source)
    else
      add(writers, of_writer, source.fd, self, source)
    end
    ::continue::
  end
end

local function leave(list)
  for _, self in ipairs(list) do
    self.attended = false
    watch.arm(self)
  end
end

--- These and the programs that joined them, each once; without those that have ended.
local function all_of(list)
  local all, known = {}, {}
  local function take_in(self)
    if not self.closed and not known[self] then
      known[self], all[#all + 1] = true, self
    end
  end
  for _, self in ipairs(list) do
    take_in(self)
    for program in pairs(not self.closed and self.joined or {}) do
      take_in(program)
    end
  end
  return all
end

--- Takes note of those that are over, and tells those whose time is up.
-- @tparam table list objects
-- @tparam table over set of those whose pidfd can be read
local function finish(list, over)
  local now = sys.clock_gettime()
  for _, self in ipairs(list) do
    if self.closed then
      goto continue
    elseif (over[self] or self.held) and self:reap(now) then
      drain(self)
      if not self.closed then
        self:ended()
      end
    elseif self.deadline and self.deadline <= now then
      self:due(now)
    end
    ::continue::
  end
end

--- One turn: waits until something happens to one of these containers, or to one of two fds of the
-- caller's, and deals with it.
-- @tparam table list objects of containers
-- @number[opt] seconds how long at most
-- @param[opt] reader fd that the caller waits to read
-- @param[opt] writer fd that the caller waits to write
-- @return true when the caller's fd is ready
function loop.turn(list, seconds, reader, writer)
  local readers, writers, of_reader, of_writer = {}, {}, {}, {}
  local now, served = sys.clock_gettime(), {}
  -- Also where an error comes out of here, as from a hook of the caller's.
  local attended <close> = setmetatable({}, { __close = leave })
  for _, self in ipairs(all_of(list)) do
    attended[#attended + 1] = self
    self.attended = true
    if self.held then
      seconds = math.min(seconds or math.huge, watch.HELD_PAUSE) -- its pidfd says nothing new
    else
      add(readers, of_reader, self.state.pidfd, self)
    end
    add_sources(self, false, readers, of_reader, writers, of_writer)
    -- A program's connections are served with its container's.
    local owner = self.container
    if owner and not owner.closed and not owner.attended and not served[owner] then
      served[owner] = true
      add_sources(owner, true, readers, of_reader, writers, of_writer)
    end
    if self.deadline then
      seconds = math.min(seconds or math.huge, math.max(self.deadline - now, 0))
    end
  end
  readers[#readers + 1], writers[#writers + 1] = reader, writer
  local can_read, can_write = sys.ppoll(readers, seconds, writers)
  for i, about in ipairs(of_reader) do
    local self, source = about[1], about[2]
    if can_read[i] and source and source.fd:fileno() then
      local serve = source.serve or take
      serve(self, source)
    end
  end
  for i, about in ipairs(of_writer) do
    if can_write[i] and about[2].fd:fileno() then
      give(about[1], about[2])
    end
  end
  local over = {}
  for i, about in ipairs(of_reader) do
    over[about[1]] = over[about[1]] or can_read[i] and not about[2]
  end
  finish(attended, over)
  return reader and can_read[#readers] or writer and can_write[#writers]
end

--- Has the time limits hold though nothing is waited for: those of the container, and of the
-- program in it that this is the object of.
-- @treturn number seconds until one is due; nil for none
function loop.keep_time(self)
  local left
  for _, one in ipairs { self, self.container } do
    local now = one.deadline and not one.closed and sys.clock_gettime()
    if now and one.deadline <= now then
      one:due(now)
    end
    if now and one.deadline then
      left = math.min(left or math.huge, math.max(one.deadline - now, 0))
    end
  end
  return left
end

--- Waits until an fd of the caller's can be read or written, or the container has ended. The
-- container's other streams and its time go on meanwhile: a program that fills one of them would
-- else never write to the other. In a function that is called during a wait for the container, that
-- wait deals with the streams.
-- @param self object of the container
-- @param[opt] reader fd that the caller waits to read
-- @param[opt] writer fd that the caller waits to write
-- @return whether the fd is open and ready. Everything that could use the other end is dead with
-- the container; another process's copy of that end delays nothing.
function loop.await(self, reader, writer)
  local fd, ready = reader or writer, nil
  while not ready and fd:fileno() do
    if self.closed then
      local can_read, can_write = sys.ppoll({ reader }, 0, { writer })
      return can_read[1] or can_write[1]
    elseif self.attended then
      local can_read, can_write = sys.ppoll({ self.state.pidfd, reader }, loop.keep_time(self),
        { writer })
      ready = can_read[2] or can_write[1]
      if can_read[1] and not ready then
        return false
      end
    else
      ready = loop.turn({ self }, nil, reader, writer)
    end
  end
  return ready and fd:fileno() ~= nil
end

return loop
