-- What ends a container, and that nothing of it is left: no process, no cgroup.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local NEVER <const> = "1000000"

local function sweep(caller)
  command.sweep(function()
    assert.equal("", caller:print("true"))
  end)
end

-- Kills a launcher at call `n`: see spec/fixtures/at.c. Nothing may be left of the container.
-- @return where it was then, and at which call
local function kill_at(caller, n, ...)
  local marker = support.name()
  local words = { command.program "at", n, "9", support.lua, "run.lua", "-q", ... }
  words[#words + 1] = marker
  local s <close> = caller:start_words(words)
  local status = s:wait()
  local where, call = s.stderr:match("^(%a+) (%d+)\n$")
  assert(where, s.stderr)
  assert.equal(where == "end" and 0 or 137, status)
  assert(command.gone(marker), ("killed at call %d: processes are left"):format(n))
  return where, math.tointeger(call)
end

-- By the clock, where the specs below count system calls: at moments spread over a whole run, from
-- before there is anything to after it has been taken away.
-- @string words of the shell, which run a container to its end
local function kill_at_moments(caller, count, marker, words)
  local result = caller:shell(("%s %d %s"):format(command.program "moments", count, words))
  local killed, ended = result.stdout:match("(%d+) killed, (%d+) ended\n$")
  assert(killed, result.stderr)
  assert.equal(count, killed + ended)
  assert.truthy(killed + 0 > count // 4, killed)
  assert.truthy(command.gone(marker), "processes are left")
  sweep(caller)
end

for _, caller in ipairs(command.callers) do
  describe("when the launcher of " .. caller.name .. " is killed,", function()
    local small, large = 200, 100 -- with those of the other caller 500 of them
    if caller.ordinary then
      small, large = 120, 80
    end
    small, large = small // support.patience, large // support.patience

    it("at any moment from its birth to after its end, nothing of it is left", function()
      local marker = support.name()
      kill_at_moments(caller, small, marker,
        command.words(support.lua, "run.lua", "-q", command.probe("arguments", marker)))
    end)

    it("at any moment, being a large program whose memory the child shares, nothing is left",
      function()
        local marker = support.name()
        kill_at_moments(caller, large, marker, command.words(support.lua, "-e", ([[
          package.path, package.cpath = "./lua/?.lua;" .. package.path, "./?.so;" .. package.cpath
          local ballast = ("x"):rep(17 << 20)
          assert(require "container".run { "/probe", "arguments", %q, volumes = { %q } })
          return ballast]]):format(marker, command.program "probe" .. ":/probe"), "-", marker))
      end)
  end)

  describe("when the launcher of " .. caller.name .. " is killed,", function()
    -- From the beginning in steps, and the part from the clone on at each call.
    local function kill_at_the_start(step, ...)
      local _, last = kill_at(caller, NEVER, ...)
      local times = 0
      for n = 1, last + 1 do
        if n % step == 0 or n > last - 50 then
          kill_at(caller, n, ...)
          times = times + 1
        end
      end
      assert.truthy(times > 60)
      sweep(caller)
    end

    it("at any moment of the start, nothing of the container is left", function()
      kill_at_the_start(10, command.probe "wait")
    end)

    it("at any moment of the start without an init, nothing of it is left", function()
      kill_at_the_start(20, "--no-init", command.probe "wait")
    end)

    it("at any moment from the end of its program on, nothing of it is left", function()
      local n = 0
      repeat
        n = n + 1
      until kill_at(caller, "+" .. n, command.probe "arguments") == "end"
      assert.truthy(n > 5)
      sweep(caller)
    end)

    it("while its program runs, all of the container ends", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local marker = support.name()
        local s <close> = caller:start(init, command.probe("forks", 10, marker))
        s:expect("10 all\n")
        s:signal("KILL")
        assert.truthy(command.gone(marker))
        assert.equal(137, s:wait())
      end
      sweep(caller)
    end)

    it("while its program is stopped, all of the container ends", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local marker = support.name()
        local s <close> = caller:start(init, command.probe("forks", 3, marker))
        s:expect("3 all\n")
        for _, pid in ipairs(command.processes(marker)) do
          if pid ~= s.pid then
            sys.kill(pid, "STOP")
          end
        end
        s:signal("KILL")
        assert.truthy(command.gone(marker))
        assert.equal(137, s:wait())
      end
      sweep(caller)
    end)
  end)

  describe("when pid 1 of " .. caller.name .. " is killed,", function()
    it("all of the container ends, and the command with 137", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local marker = support.name()
        local s <close> = caller:start(init, command.probe("forks", 10, marker))
        s:expect("10 all\n")
        assert(sys.kill(command.children(s.pid)[1], "KILL"))
        assert.equal(137, s:wait())
        assert.equal("", s.stderr)
        assert.truthy(command.gone(marker))
      end
    end)

    it("as soon as it is there, the command ends, and nothing is left", function()
      for delay = 0, 99 do
        local marker = support.name()
        local s <close> = caller:start(command.probe("wait", marker))
        local child = command.await("there is a child", function()
          return command.children(s.pid)[1]
        end)
        for _ = 1, delay * 8 do -- a little further each time
          sys.stat("/")
        end
        sys.kill(child, "KILL")
        assert.equal(137, s:wait())
        assert.equal("", s.stderr)
        assert.truthy(command.gone(marker))
      end
    end)
  end)

  describe("when the program of " .. caller.name, function()
    it("is killed, the command ends with 137", function()
      local s <close> = caller:start(command.probe "wait")
      s:expect("ready\n")
      local init = command.children(s.pid)[1]
      assert(sys.kill(command.children(init)[1], "KILL"))
      assert.equal(137, s:wait())
    end)

    it("ends, its background processes end with it and hold nobody up", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local marker = support.name()
        local s <close> = caller:start(init, command.with_probe(), "sh", "-c",
          "/probe wait $0 & sleep 1000 & trap '' TERM; exit 4", marker)
        assert.equal(4, s:wait()) -- which also waits for the end of the streams they hold
        assert.truthy(command.gone(marker))
      end
    end)

    it("ends, a daemon that it left ends with it and holds nobody up", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local marker = support.name()
        local s <close> = caller:start(init, command.probe("daemon", marker))
        assert.equal(0, s:wait())
        assert.equal("a daemon stays\n", s.stdout)
        assert.truthy(command.gone(marker))
      end
    end)

    it("leaves orphans while it runs, init reaps them", function()
      assert.equal("200 reaped\n", caller:print("--pids-limit", "5", command.probe("orphans", 200)))
    end)

    it("closes its standard streams, it goes on", function()
      local s <close> = caller:start("sh", "-c", "exec >&- 2>&-; read x; exit 6")
      s:eof()
      assert.equal(6, s:wait())
    end)
  end)
end

describe("a cgroup #root", function()
  it("of a launcher that was killed is taken away by the next run", function()
    local s <close> = command.root:start(command.probe "wait")
    s:expect("ready\n")
    local directory = command.cgroup(s.pid)
    s:signal("KILL")
    assert.equal(137, s:wait())
    command.await("the container has ended", function()
      return not (sys.read_file(directory .. "/cgroup.procs") or ""):find("%d")
    end)
    sweep(command.root)
    assert.is_nil((sys.stat(directory)))
  end)

  it("of a launcher that lives is left alone by the next run", function()
    local s <close> = command.root:start(command.probe "wait")
    s:expect("ready\n")
    local directory = command.cgroup(s.pid)
    sweep(command.root)
    assert.equal("2\n", sys.read_file(directory .. "/pids.current"))
  end)
end)
