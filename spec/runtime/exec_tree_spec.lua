-- How an exec process ends, with all that came from it.

local api = require "container.api"
local sys = require "container.sys"
local support = require "spec.support"

local DEADLINE <const> = 20 * support.patience
local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

setup(function()
  api.run { "true", pids = PIDS }
end)

local function spawn(pids)
  return assert(api.spawn { "sleep", "1000", pids = pids })
end

--- What runs in the container beside its init, by the words of each, as the container sees it.
local function running(c)
  local e <close> = assert(c:exec { "sh", "-c", [[
    for p in /proc/[0-9]*; do
      [ $p = /proc/1 ] || [ $p = /proc/$$ ] || tr '\0' ' ' <$p/cmdline && echo; done 2>/dev/null]],
    stdout = "capture" })
  local list = {}
  for words in assert(e:wait(DEADLINE)).stdout:gmatch("(sleep %d+)") do
    list[#list + 1] = words
  end
  table.sort(list)
  return list
end

--- An exec process that has said that all it starts runs.
local function begin(c, script, options)
  options = options or {}
  options[1], options[2], options[3] = "sh", "-c", script
  options.stdout = "pipe"
  local e = assert(c:exec(options))
  assert.equal("ready\n", e.stdout:read("L"))
  return e
end

local LEAVES_CHILDREN <const> = [[
  (trap '' TERM; sleep 77) &
  (setsid sleep 78) &
  sh -c 'trap "" TERM; (sleep 79 & sleep 80 & wait) & wait' &
  sh -c 'sleep 81 & exit' &
  until [ $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -o 'sleep [78][0-9]' |
    sort -u | wc -l) = 5 ]; do :; done
  echo ready
  exec sleep 50]]

describe("an exec process with a cgroup #root #cgroup", function()
  -- A daemon: its parents are gone, and it leads a session that the exec process has never been in.
  local DAEMON <const> = "setsid sh -c 'setsid sleep 70 </dev/null >/dev/null 2>&1 &'; \z
    until grep -q 'sleep.70' /proc/[0-9]*/cmdline 2>/dev/null; do :; done; echo ready; sleep 50"

  for name, stop in pairs {
    timeout = function(e) return e:wait(DEADLINE) end,
    KILL = function(e) return e:kill("KILL") and e:wait(DEADLINE) end,
    TERM = function(e) return e:kill("TERM") and e:wait(DEADLINE) end,
    close = function(e) return e:close() or true end,
  } do
    it("ends with a daemon that it has started, by " .. name, function()
      local c <close> = spawn(20)
      local e <close> = begin(c, DAEMON, { timeout = name == "timeout" and 0.3 or nil,
        stop_timeout = 0.2 })
      assert(stop(e))
      local finish = sys.clock_gettime() + DEADLINE
      local list
      repeat
        list = running(c)
      until not table.concat(list, ","):find("sleep 70", 1, true) or sys.clock_gettime() > finish
      assert.same({ "sleep 1000" }, list)
    end)
  end

  it("leaves a daemon in the container when it ends by itself, and no cgroup after it", function()
    local c <close> = spawn(20)
    local e <close> = begin(c, (DAEMON:gsub("; sleep 50", "")))
    assert.equal(0, e:wait(DEADLINE).status)
    assert.same({ "sleep 1000", "sleep 70" }, running(c))
    assert.equal(3, #c:processes()) -- with the init
  end)
end)

for what, pids in pairs { ["with a cgroup"] = PIDS, ["without a cgroup"] = "max" } do
  describe("an exec process " .. what .. " #root", function()
    it("ends with all that came from it at its time limit, by TERM, by KILL and when closed",
      function()
        for name, stop in pairs {
          timeout = function(e) assert.equal("timeout", e:wait(DEADLINE).reason) end,
          TERM = function(e)
            assert(e:kill("TERM"))
            assert.equal("TERM", e:wait(DEADLINE).signal)
          end,
          KILL = function(e)
            assert(e:kill("KILL"))
            assert.equal("KILL", e:wait(DEADLINE).signal)
          end,
          close = function(e) e:close() end,
        } do
          local c <close> = spawn(pids)
          local other <close> = begin(c, "echo ready; exec sleep 60")
          local e <close> = begin(c, LEAVES_CHILDREN,
            { timeout = name == "timeout" and 2 * support.patience or nil, stop_timeout = 0.1 })
          stop(e)
          local list
          local finish = sys.clock_gettime() + DEADLINE
          repeat
            list = running(c)
          until #list <= 2 or sys.clock_gettime() > finish
          assert.same({ "sleep 1000", "sleep 60" }, list, name)
          assert.is_false(other:poll())
        end
      end)
  end)
end

describe("a signal of keys to an exec process #root", function()
  it("reaches its process group", function()
    local c <close> = spawn(PIDS)
    for _, signal in ipairs { "INT", "QUIT" } do
      local e <close> = begin(c, "echo ready; sleep 90; echo after")
      local words
      local finish = sys.clock_gettime() + DEADLINE
      repeat
        words = table.concat(running(c), ",")
      until words:find("sleep 90", 1, true) or sys.clock_gettime() > finish
      assert(e:kill(signal))
      assert.equal(signal, assert(e:wait(DEADLINE)).signal)
      assert.same({ "sleep 1000" }, running(c))
    end
  end)

  it("stops the group and lets it go on", function()
    local c <close> = spawn(PIDS)
    local e <close> = begin(c, "echo ready; exec sleep 1000")
    local function state()
      return sys.read_file(("/proc/%d/stat"):format(e.pid)):match("%) (%a)")
    end
    local function becomes(stopped)
      local finish = sys.clock_gettime() + DEADLINE
      repeat
        sys.ppoll({}, 0.01)
      until (state() == "T") == stopped or sys.clock_gettime() > finish
      return (state() == "T") == stopped
    end
    assert(e:kill("TSTP"))
    assert.is_true(becomes(true))
    assert(e:kill("CONT"))
    assert.is_true(becomes(false))
    assert(e:kill("KILL"))
    assert.equal("KILL", e:wait(DEADLINE).signal)
  end)
end)
