-- The limits of a container hold for all that a program of it starts, and for a second program that
-- is started in it: the same on either version of cgroups, for root and for an ordinary user
-- with a cgroup of one's own.

local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local _, version = sys.cgroup_place("pids")
local DEADLINE <const> = 20 * support.patience -- seconds; for what hangs
local HOG <const> = support.lua .. " -e \"local s = ('x'):rep(64 << 20)\""

setup(function()
  api.run { "true" }
end)

local function box(options)
  options[1], options[2] = "sleep", "1000"
  return assert(api.spawn(options))
end

-- The cgroups of a process, as the host sees them.
local function cgroups(pid)
  return sys.read_file(("/proc/%d/cgroup"):format(pid))
end

-- The part of one processor that a container had in two seconds.
local function share(c)
  local start, before = sys.clock_gettime(), assert(c:stats()).cpu.usage
  sys.ppoll({}, 2)
  return (assert(c:stats()).cpu.usage - before) / (sys.clock_gettime() - start)
end

describe("a second program #cgroup", function()
  it("is in all cgroups of the container from its birth, which is counted", function()
    support.needs "memory"
    local c <close> = box { memory = "64M", cpus = 1, pids = 3, stats = true } -- room for one more
    local none, err = c:exec { "true" }
    assert.is_nil(none)
    assert.equal("clone", err.step) -- the helper is the third, and it is the fourth
    assert.equal(sys.errno.EAGAIN, err.errno)
    assert.is_true(c:stats().pids.refused > 0)
    assert.is_true(c:update { pids = 4 })
    local program <close> = assert(c:exec { "sleep", "1000" })
    assert.matches("lua%-container%-", cgroups(program.pid))
    -- That of all processes has one of the program's own below it.
    assert.equal(cgroups(c.pid), (cgroups(program.pid):gsub("/exec%-%d+", "")))
    assert.equal(3, c:stats().pids.current)
  end)

  it("has with the others as many processes as the container may", function()
    local c <close> = box { pids = 6 }
    local program <close> = assert(c:exec { "sh", "-c",
      "for i in 1 2 3 4 5 6; do sleep 1000 & echo $i; done", stdout = "capture", stderr = "null" })
    assert.equal("1\n2\n3\n", assert(program:wait(DEADLINE)).stdout)
    local found = c:stats().pids
    assert.truthy(found.refused > 0)
    assert.truthy(found.current <= 6 and (found.peak or 6) == 6, found.peak)
  end)

  it("has with the others as much memory, and whoever wants more is said to", function()
    support.needs "memory"
    local events = 0
    local neighbour <close> = box { memory = "32M" }
    local c <close> = box { memory = "16M", on = { oom = function() events = events + 1 end } }
    local program <close> = assert(c:exec { "sh", "-c", "exec " .. HOG })
    local result = assert(program:wait(DEADLINE))
    assert.same({ reason = "oom", status = 137, signal = "KILL" }, support.ending(result))
    if version == 2 then
      assert.equal("oom", assert(c:wait(DEADLINE)).reason) -- all of it
    else
      local other <close> = assert(c:exec { "sh", "-c", "kill -KILL $$" })
      assert.equal("signal", assert(other:wait(DEADLINE)).reason) -- which is not about memory
      assert.truthy(c:stats().memory.oom_kills > 0)
      assert.is_true(c:kill("TERM"))
      assert.truthy(assert(c:wait(DEADLINE)).oom_kills > 0)
    end
    assert.truthy(events >= 1, events)
    assert.equal("running", sys.wait(neighbour.pid, "nohang"))
  end)

  it("has with the others as much time, also by a limit that came later", function()
    support.needs "cpu"
    local c <close> = box { cpus = 0.5, stats = true }
    local text = "while :; do :; done & while :; do :; done"
    local one <close> = assert(c:exec { "sh", "-c", text })
    local other <close> = assert(c:exec { "sh", "-c", text })
    local used = share(c)
    assert.truthy(used <= 0.55 and used > 0, used)
    assert.is_true(c:update { cpus = 0.2 })
    used = share(c)
    assert.truthy(used <= 0.25, used)
    assert(one and other)
  end)

  it("stands still with the others", function()
    local c <close> = box {}
    local program <close> = assert(c:exec { "sh", "-c", "while :; do echo; done", stdout = "pipe" })
    assert(program.stdout:read("l"))
    assert.is_true(c:pause())
    repeat
      local more = sys.ppoll({ program.stdout:fd() }, 0.2)[1]
      assert(not more or sys.read(program.stdout:fd(), 65536))
    until not more
    assert.is_true(c:resume())
    assert(program.stdout:read("l"))
  end)
end)

describe("who left the program that started it #cgroup", function()
  -- In a session of its own, a child of init.
  local AWAY <const> = "(setsid sh -c %s &); "

  it("is in the cgroups of the container", function()
    support.needs "memory"
    local c <close> = assert(api.spawn { "sh", "-c", AWAY:format("'echo; sleep 1000'")
      .. "exec sleep 1000", memory = "64M", stdout = "pipe" })
    assert(c.stdout:read("l"))
    local list = assert(c:processes())
    assert.truthy(#list >= 3, #list)
    for _, pid in ipairs(list) do
      assert.equal(cgroups(c.pid), cgroups(pid))
    end
  end)

  it("has no more memory for it", function()
    support.needs "memory"
    local events = 0
    local c <close> = assert(api.spawn { "sh", "-c", AWAY:format(support.quote(HOG))
      .. "exec sleep 1000", memory = "16M", stderr = "null",
      on = { oom = function() events = events + 1 end } })
    local result
    repeat
      result = c:wait(0.1)
    until result or c:stats().memory.oom_kills > 0
    c:kill("KILL") -- in version 1 it goes on
    assert.truthy(assert(c:wait(DEADLINE)).oom_kills > 0)
    assert.truthy(events >= 1, events)
  end)

  it("has no more time for it", function()
    support.needs "cpu"
    local c <close> = assert(api.spawn { "sh", "-c",
      AWAY:format("'while :; do :; done'"):rep(3) .. "exec sleep 1000", cpus = 0.5, stats = true })
    local used = share(c)
    assert.truthy(used <= 0.55 and used > 0, used)
  end)
end)
