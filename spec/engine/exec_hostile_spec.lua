-- A second program in a container whose own program is hostile.

local command = require "spec.fixtures.command"
local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true", pids = PIDS }
end)

--- A container whose program traces all that comes, and has begun to.
local function hostile(options)
  local program = command.program "seize"
  options = options or {}
  options[1], options.pids, options.stdout = "/seize", PIDS, "pipe"
  options.volumes = { program .. ":/seize" }
  local c = assert(api.spawn(options))
  assert.equal("ready\n", c.stdout:read("L"))
  return c
end

describe("a second program beside one that traces it #root", function()
  it("holds up neither its own time limit nor the caller, and the container ends for it", function()
    local began = sys.clock_gettime()
    local c <close> = hostile()
    local e <close> = assert(c:exec { "sleep", "1000", timeout = 0.2, stop_timeout = 0.1 })
    local result = assert(e:wait(20 * support.patience))
    assert.equal("timeout", result.reason)
    local ended, err = c:wait(20 * support.patience)
    assert.is_nil(ended)
    assert.equal("wait: a process of the container traces one that has ended, and does not let it "
      .. "go", tostring(err))
    assert.is_true(sys.clock_gettime() - began < 20 * support.patience)
  end)

  it("does not keep an event loop busy while it is traced", function()
    local c <close> = hostile()
    local e <close> = assert(c:exec { "sleep", "1000", timeout = 0.2, stop_timeout = 0.1 })
    local number, turns, result = c:fileno(), 0
    repeat
      assert.is_true(sys.ppoll({ number }, 20 * support.patience)[1])
      turns, result = turns + 1, c:poll()
    until result ~= false
    assert.is_nil(result)
    assert.equal("timeout", e:wait(0).reason)
    assert.is_true(turns < 1000, turns)
  end)

  it("is closed with its container while it is traced", function()
    local c <close> = hostile()
    local e <close> = assert(c:exec { "sleep", "1000" })
    c.stdout:read("L")
    assert(e:kill("KILL"))
    c:close()
    assert.equal("KILL", assert(e:wait(0)).signal)
  end)

  it("can be traced only when its program runs", function()
    for _ = 1, 20 do
      local c <close> = hostile()
      local e <close> = assert(c:exec { "sleep", "1000" })
      assert.matches("/sleep\n$", c.stdout:read("L"))
      assert.is_false(e:poll())
      c:close()
    end
  end)
end)

describe("the process that becomes a second program #root", function()
  it("has all capabilities of its container's program, whatever it gave up to be hidden", function()
    for _, options in ipairs { {}, { privileged = true }, { no_new_privileges = false } } do
      options[1], options[2], options.pids = "sleep", "1000", PIDS
      local c <close> = assert(api.spawn(options))
      local e <close> = assert(c:exec { "grep", "Cap", "/proc/2/status", "/proc/self/status",
        stdout = "capture" })
      local sets = {}
      local said = assert(e:wait(10 * support.patience)).stdout
      for file, set in said:gmatch("/proc/(%w+)/status:([^\n]*)") do
        sets[file] = (sets[file] or "") .. set
      end
      assert.equal(sets["2"], sets.self)
      assert.is_string(sets.self)
    end
  end)
end)
