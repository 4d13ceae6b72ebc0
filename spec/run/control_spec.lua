-- A container that runs, seen and held by its launcher: the same on either version of cgroups, for
-- root and for an ordinary user with a cgroup of one's own.

local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local DEADLINE <const> = 20 * support.patience

local _, version = sys.cgroup_place("pids")

setup(function()
  api.run { "true" }
end)

-- A container that counts as long as it may, one line a step.
local function counter(options)
  options[1], options[2], options[3] = "sh", "-c", "while :; do echo; done"
  options.stdout = "pipe"
  return assert(api.spawn(options))
end

-- How many bytes come while no more than that many seconds pass.
local function counted(c, seconds)
  local bytes, finish = 0, sys.clock_gettime() + seconds
  while sys.ppoll({ c.stdout:fd() }, math.max(finish - sys.clock_gettime(), 0))[1] do
    bytes = bytes + #sys.read(c.stdout:fd(), 65536)
    if sys.clock_gettime() > finish then
      break
    end
  end
  return bytes
end

-- What was written before it stood still.
local function empty(c)
  while sys.ppoll({ c.stdout:fd() }, 0)[1] do
    assert(sys.read(c.stdout:fd(), 65536))
  end
end

describe("pause #cgroup", function()
  it("stops a counter, and resume lets it go on", function()
    local c <close> = counter {}
    assert(c.stdout:read("l"))
    for _ = 1, 2 do
      assert.is_true(c:pause())
      empty(c)
      assert.equal(0, counted(c, 0.2))
      assert.is_true(c:resume())
      assert(c.stdout:read("l"))
    end
    assert.is_true(c:resume()) -- of what runs is nothing
  end)

  it("stops all of many processes, and who is born meanwhile", function()
    local c <close> = assert(api.spawn { "sh", "-c",
      "for i in 1 2 3 4; do (while :; do (:); done) & done; wait", cpus = 1, stats = true })
    assert.is_true(c:pause())
    local used = c:stats().cpu.usage
    sys.ppoll({}, 0.2)
    -- Version 2 adds up what was used before when it is asked.
    assert.truthy(c:stats().cpu.usage - used < 0.05)
  end)

  for what, pids in pairs { ["with a cgroup"] = 20, ["without a cgroup"] = "max" } do
    it("stops exec processes and their children, " .. what, function()
      local c <close> = assert(api.spawn { "sleep", "1000", pids = pids })
      local e <close> = assert(c:exec { "sh", "-c", "(while :; do echo; done) & wait",
        stdout = "pipe" })
      assert(e.stdout:read("l"))
      assert.is_true(c:pause())
      empty(e)
      assert.equal(0, counted(e, 0.2))
      assert.is_true(c:resume())
      assert(e.stdout:read("l"))
    end)

    it("takes no notice of zombies, " .. what, function()
      local c <close> = assert(api.spawn { "sh", "-c", "sleep 0 & exec sleep 1000", pids = pids })
      local e <close> = assert(c:exec { "sh", "-c",
        "until grep -q 'State:.Z' /proc/[0-9]*/status; do :; done" }) -- which is not waited for
      assert.truthy(sys.ppoll({ e:fd() }, DEADLINE)[1])
      assert.is_true(c:pause())
      assert.is_true(c:resume())
    end)
  end

  it("does not keep a container from being ended", function()
    local c = counter {}
    assert.is_true(c:pause())
    assert.is_true(c:kill("KILL"))
    assert.equal("KILL", c:wait().signal)
    c:close()
    local other = counter {}
    assert.is_true(other:pause())
    other:close()
    local late <close> = assert(api.spawn { "sleep", "1000", timeout = 0.1, stop_timeout = 0 })
    assert.is_true(late:pause())
    assert.equal("timeout", late:wait().reason)
  end)

  it("is refused for one that has ended", function()
    local c <close> = assert(api.spawn { "true" })
    c:wait()
    for _, name in ipairs { "pause", "resume", "processes", "stats", "update" } do
      local value, err = c[name](c, {})
      assert.is_nil(value)
      assert.equal(name .. ": the container has ended", tostring(err))
    end
  end)

  local function killed(pids)
    local result = support.script(([[
      local c = assert(container.spawn {
        "sleep", "1000", pids = %q, stdout = "null", stderr = "null" })
      assert(c:pause())
      print(c.pid)
      io.stdout:flush()
      sys.kill(sys.getpid(), "KILL")
    ]]):format(pids))
    local pid <close> = sys.pidfd_open(tonumber(result.stdout))
    for _ = 1, 3 do -- the first finds it, and the last finds it gone
      assert(api.run { "true" })
    end
    assert.truthy(not pid or sys.ppoll({ pid }, 10)[1])
    assert(api.run { "true" })
  end

  it("is the end of a container whose launcher is killed meanwhile, by the next run #root",
    function()
      killed(20)
      killed("max")
    end)
end)

describe("processes #cgroup", function()
  local function same(options)
    options[1], options[2], options[3] = "sh", "-c", "sleep 1000 & sleep 1000 & echo; wait"
    options.stdout = "pipe"
    local c <close> = assert(api.spawn(options))
    assert(c.stdout:read("l"))
    local list = assert(c:processes())
    assert.equal(4, #list)
    assert.equal(c.pid, list[1])
  end

  it("are those of the container, by the host's numbers", function()
    same {}
  end)

  it("are known also without a cgroup", function()
    same { pids = "max" }
  end)

  for what, pids in pairs { ["with a cgroup"] = 20, ["without a cgroup"] = "max" } do
    it("are also those of exec processes, until these end, " .. what, function()
      local c <close> = assert(api.spawn { "sleep", "1000", pids = pids })
      local e <close> = assert(c:exec { "sh", "-c", "sleep 1000 & echo; wait", stdout = "pipe" })
      assert(e.stdout:read("l"))
      local found = {}
      for _, pid in ipairs(assert(c:processes())) do
        found[pid] = true
      end
      assert.is_true(found[c.pid] and found[e.pid])
      assert.equal(4, #assert(c:processes()))
      assert(e:kill("KILL"))
      assert(e:wait(DEADLINE))
      e:close()
      local left
      local finish = sys.clock_gettime() + DEADLINE
      repeat
        left = #assert(c:processes())
      until left == 2 or sys.clock_gettime() > finish
      assert.equal(2, left)
    end)
  end
end)

describe("stats #cgroup", function()
  it("tell what is used, in seconds and bytes", function()
    support.needs "memory"
    local c <close> = assert(api.spawn { "sh", "-c",
      "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo; sleep 1000", stats = true,
      memory = "64M", pids = 7, cpus = 0.5, stdout = "pipe" })
    assert(c.stdout:read("l"))
    local found = assert(c:stats())
    local most <const> = 10 * support.patience
    assert.truthy(found.cpu.usage > 0.001 and found.cpu.usage < most, found.cpu.usage)
    assert.truthy(found.cpu.user + found.cpu.system < most) -- counted in ticks in version 1
    assert.equal("integer", math.type(found.cpu.periods))
    assert.truthy(found.cpu.throttled >= 0)
    assert.equal(64 << 20, found.memory.limit)
    assert.truthy(found.memory.current > 0 and found.memory.current <= 64 << 20)
    assert.truthy(not found.memory.peak or found.memory.peak >= found.memory.current)
    assert.equal(0, found.memory.oom_kills)
    for _, part in ipairs { "cache", "anon", "kernel" } do
      assert.equal("integer", math.type(found.memory[part]), part)
    end
    assert.truthy(found.pids.current >= 2, found.pids.current)
    assert.equal(7, found.pids.limit)
    assert.equal(0, found.pids.refused)
    local waits = found.pressure
    assert.equal(version == 2 and sys.stat("/proc/pressure/cpu") ~= nil, waits ~= nil)
    for _, what in ipairs(waits and { "cpu", "memory", "io" } or {}) do
      assert.truthy(waits[what].some.avg10 >= 0 and waits[what].some.total >= 0)
    end
  end)

  it("count how often a bomb found no room", function()
    local c <close> = assert(api.spawn { "sh", "-c",
      "exec 2>&-; bomb() { bomb | bomb & }; bomb; exec sleep 1000", pids = 12 })
    local looks = 0
    repeat
      looks = looks + 1
      sys.ppoll({}, 0.01)
    until c:stats().pids.refused > 0 or looks > 1000
    local found = c:stats().pids
    assert.truthy(found.refused > 0)
    assert.truthy(found.current <= 12)
    assert.truthy(not found.peak or found.peak <= 12)
  end)

  it("do not tell what nobody counts", function()
    local c <close> = assert(api.spawn { "sleep", "1000" })
    local found = c:stats()
    assert.equal(2, found.pids.current)
    assert.truthy(version == 2 or not found.memory)
  end)

  it("are in the result when they were asked for", function()
    support.needs "memory"
    local result = assert(api.run { "true", stats = true })
    assert.equal(0, result.stats.pids.current)
    assert.truthy(result.stats.cpu.usage > 0)
    assert.is_nil(assert(api.run { "true" }).stats)
  end)
end)

describe("update #cgroup", function()
  it("changes limits up and down while the container runs", function()
    support.needs "memory"
    local c <close> = assert(api.spawn { "sleep", "1000", memory = "32M", cpus = 1 })
    for _, memory in ipairs { 64 << 20, 16 << 20, 48 << 20 } do
      assert.is_true(c:update { memory = memory, pids = 9, cpus = 0.5 })
      assert.equal(memory, c:stats().memory.limit)
      assert.equal(9, c:stats().pids.limit)
    end
    assert.is_true(c:update { memory = "max", pids = "max", cpus = "max" })
    assert.is_nil(c:stats().memory.limit)
    assert.is_nil(c:stats().pids.limit)
  end)

  it("limits what was not limited before", function()
    support.needs "cpu"
    local c <close> = counter {}
    assert.is_true(c:update { cpus = 0.1 })
    counted(c, 0.5)
    local found = c:stats().cpu
    assert.truthy(found.throttled_periods > 0, found.throttled_periods)
  end)

  it("puts back what it has set when a later one is refused, which it names", function()
    support.needs("memory", "cpuset")
    local c <close> = assert(api.spawn { "sleep", "1000", memory = "32M", pids = 7,
      cpuset_cpus = "0", cpuset_mems = "0" })
    local ok, err = c:update { memory = "64M", pids = 9, cpuset_cpus = "9999" }
    assert.is_nil(ok)
    assert.equal("cpuset_cpus", err.subject)
    assert.equal(32 << 20, c:stats().memory.limit)
    assert.equal(7, c:stats().pids.limit)
    -- The same the other way round: what is written last is refused.
    ok, err = c:update { cpuset_cpus = "0", memory = "64M", unified = { ["pids.max"] = "none" } }
    assert.is_nil(ok)
    assert.equal("unified", err.subject)
    assert.equal(32 << 20, c:stats().memory.limit)
  end)

  it("refuses what it does not know, by its name", function()
    local c <close> = assert(api.spawn { "sleep", "1000" })
    for message, options in pairs {
      ["update: options: \"hostname\" cannot be changed while a container runs"] =
        { hostname = "x" },
      ["update: memory: expected a number of bytes, such as \"64M\", got 0"] = { memory = 0 },
      ["update: pids: expected a positive integer or \"max\", got 0"] = { pids = 0 },
      ["update: options: expected a table, got nil"] = false,
    } do
      local ok, err = c:update(options or nil)
      assert.is_nil(ok)
      assert.equal(message, tostring(err))
    end
  end)
end)

describe("want of memory #cgroup", function()
  local HOG <const> = { support.lua, "-e", "local s = ('x'):rep(64 << 20)" }

  it("is the reason, and an event, and no neighbour's", function()
    support.needs "memory"
    local events = 0
    local neighbour <close> = assert(api.spawn { "sleep", "1000", memory = "32M" })
    local result = assert(api.run { HOG[1], HOG[2], HOG[3], memory = "16M",
      on = { oom = function() events = events + 1 end } })
    assert.equal("oom", result.reason)
    assert.equal("KILL", result.signal)
    assert.equal(137, result.status)
    assert.truthy(result.oom_kills > 0)
    assert.truthy(not result.memory_peak or result.memory_peak <= 16 << 20)
    assert.truthy(events >= 1, events)
    assert.equal("running", sys.wait(neighbour.pid, "nohang"))
  end)

  it("is said where a function runs, and on the command line", function()
    support.needs "memory"
    local value, err = api.call({ memory = "16M" }, function() return #("x"):rep(64 << 20) end)
    assert.is_nil(value)
    assert.equal("call: the function ran out of memory and was killed: its limit is 16777216 bytes",
      tostring(err))
    assert.equal("oom", err.reason)
    local result = support.run("./lua-container -m 16M " .. support.quote(HOG[1])
      .. " -e " .. support.quote(HOG[3]))
    assert.equal(137, result.status)
    assert.matches("lua%-container: ended: out of memory, by its memory limit\n", result.stderr)
  end)

  it("is waited for, and not looked for again and again", function()
    support.needs "memory"
    local c <close> = assert(api.spawn { "sleep", "0.5", memory = "64M",
      on = { oom = function() end } })
    local ppoll, calls = sys.ppoll, 0
    sys.ppoll = function(...)
      calls = calls + 1
      return ppoll(...)
    end
    local result = c:wait()
    sys.ppoll = ppoll
    assert.equal(0, result.status)
    assert.truthy(calls <= 10, calls)
  end)

  it("is not the reason where a container is killed", function()
    support.needs "memory"
    local c <close> = assert(api.spawn { "sleep", "1000", memory = "16M" })
    c:kill("KILL")
    assert.equal("signal", c:wait().reason)
  end)

  it("comes for what children want as well", function()
    support.needs "memory"
    local result = assert(api.run { "sh", "-c", HOG[1] .. " -e '" .. HOG[3]:gsub("'", "\"")
      .. "'; kill -KILL $$", memory = "16M", stderr = "null" })
    assert.equal("oom", result.reason)
  end)
end)
