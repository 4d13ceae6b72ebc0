-- All of a container is frozen, and goes on.

local cgroup = require "container.linux.cgroup"
local sys = require "container.sys"
local processes = require "container.linux.cgroup.processes"

local freezer = {}

local E <const> = sys.errno

-- How long processes may take to stand still: those that wait for a disk do not at once.
local TIMEOUT <const> = 5

-- The files by which all of a cgroup stands still, and what they say then.
local FREEZER <const> = {
  { write = "freezer.state", on = "FROZEN", off = "THAWED", read = "freezer.state",
    frozen = "^FROZEN" },
  { write = "cgroup.freeze", on = "1", off = "0", read = "cgroup.events",
    frozen = "frozen 1" },
}

--- Where the container can be made to stand still: its cgroup of version 2, or one that is made.
local function find(ctx)
  local entry = cgroup.home(ctx, "freezer") or cgroup.home(ctx, "pids")
  if entry and (entry.version == 2 or entry.controllers.freezer) then
    return entry
  end
  local place, version = sys.cgroup_place("freezer")
  if not place then
    place, version = sys.cgroup_directory(), 2
  end
  if not place then
    return nil, "cgroup controller freezer: no hierarchy has it, and there is none of version 2",
      E.ENOENT
  end
  return { place = place, version = version, made = true }
end

local function switch(ctx, word)
  local names = FREEZER[ctx.freezer.version]
  return sys.write_file(ctx.freezer.path .. "/" .. names.write, names[word])
end

--- Has every process of the container stand still, and waits until all do. cgroup-v2
-- "cgroup.freeze", cgroup-v1/freezer-subsystem
-- @return true; or nil, message, errno, and then it runs: ENOENT where nothing can freeze it,
-- ETIMEDOUT when a process does not stand still within 5 seconds
function freezer.pause(ctx)
  if not ctx.freezer then
    local found, why, number = find(ctx)
    if not found then
      return nil, why, number
    end
    ctx.freezer = found
  end
  local entry = ctx.freezer
  local ok, message, errno
  if entry.made and not entry.path then
    ok, message, errno = processes.adopt(ctx, entry, function() switch(ctx, "on") end)
  else
    ok, message, errno = switch(ctx, "on")
    if ok and entry.made then
      ok, message, errno = processes.gather(ctx, entry)
    end
  end
  local names, finish = FREEZER[entry.version], sys.clock_gettime() + TIMEOUT
  local pause = 0.0005
  while ok do
    if (sys.read_file(entry.path .. "/" .. names.read) or ""):find(names.frozen) then
      ctx.paused = true
      return true
    elseif sys.clock_gettime() > finish then
      ok, message, errno = nil, ("freeze %s: a process does not stand still"):format(entry.path),
        E.ETIMEDOUT
    end
    sys.ppoll({}, pause) -- version 1 tells no process
    pause = math.min(2 * pause, 0.05)
  end
  if entry.path then
    switch(ctx, "off")
  end
  return nil, message, errno
end

--- Lets a container go on that another process has paused.
-- @return true; or nil, message, errno
function freezer.thaw(ctx)
  local entry, message, errno = find(ctx)
  if not entry or entry.made then
    return nil, message or "it has no cgroup that can be frozen", errno or E.ENOENT
  end
  ctx.freezer, ctx.paused = entry, true
  return freezer.resume(ctx)
end

--- Lets a paused container go on; nothing where it is not paused.
-- @return true; or nil, message, errno
function freezer.resume(ctx)
  if not ctx.paused then
    return true
  end
  local ok, message, errno = switch(ctx, "off")
  ctx.paused = not ok
  return ok, message, errno
end

return freezer
