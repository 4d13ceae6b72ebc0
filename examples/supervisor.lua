-- Keeps services running, each in a container of its own.
--
--   lua5.4 examples/supervisor.lua [SERVICES.lua]
--
-- The file returns an array of services, such as supervisor/services.lua: options of
-- container.spawn with a name, `ready`, a pattern that a line of its output has when it is, and
-- `restart = false` for what runs once. A service starts when the one before it is ready. One that
-- ends is started again, after a pause that doubles each time it did not last. TERM and INT end
-- all, the last first.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/../lua/?.lua;" .. package.path
package.cpath = here .. "/../?.so;" .. package.cpath
local container = require "container"

local INTERVAL <const>, LONGEST <const>, LASTED <const> = 0.1, 5, 10 -- seconds
local GRACE <const> = 5 -- seconds from TERM to KILL

local services = assert(loadfile(arg[1] or here .. "/supervisor/services.lua"))()
local stopping

local function log(name, text)
  print(("%-10s | %s"):format(name, text))
  io.flush()
end

local function start(service)
  local options = { stdin = "null", stdout = "pipe", stderr = "stdout" }
  for key, value in pairs(service) do
    if key ~= "ready" and key ~= "restart" and key ~= "state" then
      options[key] = value
    end
  end
  local c, err = container.spawn(options)
  service.state = { c = c, began = container.clock_gettime(), pause = service.state.pause,
    rest = "", ready = not service.ready }
  return c, err
end

--- What a service has said, by whole lines.
local function listen(service, text)
  local s = service.state
  s.rest = s.rest .. text
  for line in s.rest:gmatch("([^\n]*)\n") do
    log(service.name, line)
    if not s.ready and line:find(service.ready) then
      s.ready = true
      log(service.name, ("* ready after %.1f s"):format(container.clock_gettime() - s.began))
    end
  end
  s.rest = s.rest:match("[^\n]*$")
end

--- Takes note of the end, and when it is to start again.
local function ended(service, result, err)
  local s, now = service.state, container.clock_gettime()
  if s.c then
    listen(service, s.c.stdout:read("a") .. (s.rest ~= "" and "\n" or ""))
    s.c.stdout:close()
  end
  log(service.name, result and ("* ended by %s, %s"):format(result.reason,
    result.signal or "status " .. result.status) or "* " .. tostring(err))
  local lasted = now - s.began > LASTED
  service.state = { pause = lasted and INTERVAL or math.min(s.pause * 2, LONGEST), done = true }
  if service.restart ~= false and not stopping then
    service.state = { pause = service.state.pause, again = now + (lasted and INTERVAL or s.pause) }
    log(service.name, ("* again in %.1f s"):format(lasted and INTERVAL or s.pause))
  end
end

--- Asks the last that runs to end, and when its time is up kills it. True when none runs.
local function stop(now)
  for i = #services, 1, -1 do
    local s = services[i].state
    if s.c and not s.asked then
      s.asked = now + GRACE
      s.c:kill("TERM")
    elseif s.c and s.asked <= now then
      s.c:kill("KILL")
    end
    if s.c then
      return false
    end
  end
  return true
end

--- Starts what is due, in order. What to wait for: fds, the services they are of, and seconds.
local function survey(now, signals)
  local readers, of, wait, before = { signals }, {}, 3600, true
  for _, service in ipairs(services) do
    if service.state.again and service.state.again <= now and before and not stopping then
      local c, err = start(service)
      if not c then
        ended(service, nil, err)
      end
    end
    local s = service.state
    if s.c then
      for _, fd in ipairs { s.c:fd(), not s.silent and s.c.stdout:fd() or nil } do
        readers[#readers + 1], of[#readers + 1] = fd, service
      end
    end
    local due = s.asked or before and not stopping and s.again or math.huge
    wait = math.min(wait, due - now, s.c and s.c:due_in() or math.huge)
    before = before and (s.ready or s.done)
  end
  return readers, of, math.max(wait, 0)
end

-- Blocked, so that they wait for us; the programs in the containers have all signals as usual.
container.sigprocmask("block", { "TERM", "INT" })
local signals = assert(container.signalfd { "TERM", "INT" })
for _, service in ipairs(services) do
  service.state = { pause = INTERVAL, again = 0 }
end

while not stopping or not stop(container.clock_gettime()) do
  local readers, of, wait = survey(container.clock_gettime(), signals)
  local ready = container.ppoll(readers, wait)
  if ready[1] then
    stopping = container.read_signal(signals)
    log("supervisor", "* signal " .. container.signal_name(stopping) .. ": ending all")
  end
  for i, service in pairs(of) do
    local s = service.state
    if s.c and ready[i] and readers[i] == s.c.stdout:fd() then
      local text = s.c.stdout:readsome()
      s.silent = not text -- no process inside has it open any more
      listen(service, text or "")
    end
    local result, err
    if s.c then
      result, err = s.c:poll()
    end
    if result or err then
      ended(service, result, err)
    end
  end
end
log("supervisor", "* all have ended")
