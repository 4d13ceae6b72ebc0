-- Signals that reach the launcher: TERM, INT, HUP, QUIT, USR1, USR2 and WINCH are the program's.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local FORWARDED <const> = {
  { "HUP", 1 }, { "INT", 2 }, { "QUIT", 3 }, { "USR1", 10 }, { "USR2", 12 }, { "TERM", 15 },
  { "WINCH", 28 },
}

for _, caller in ipairs(command.callers) do
  describe("a signal to the launcher of " .. caller.name, function()
    for _, init in ipairs { "--", "--no-init" } do
      it("reaches a program that handles it, once, run with " .. init, function()
        local words = table.pack(command.probe "signals")
        table.insert(words, 1, init == "--" and "--quiet" or init)
        local s <close> = caller:start(table.unpack(words))
        s:expect("^ready\n$")
        for _, signal in ipairs(FORWARDED) do
          local name, number = table.unpack(signal)
          s:signal(name)
          s:expect(("^signal %d from a process\n$"):format(number))
        end
        s:eof()
        assert.equal(0, s:wait())
        assert.equal("", s.stdout)
      end)
    end

    it("reaches a shell that traps it", function()
      local s <close> = caller:start("sh", "-c", "for s in HUP INT QUIT USR1 USR2 TERM; do \z
        trap \"echo got $s\" $s; done; sleep 1000 & echo ready; while :; do wait; done")
      s:expect("^ready\n")
      for _, name in ipairs { "HUP", "INT", "QUIT", "USR1", "USR2", "TERM" } do
        s:signal(name)
        s:expect("^got " .. name .. "\n$")
      end
      assert(sys.kill(command.children(s.pid)[1], "KILL")) -- pid 1
      assert.equal(137, s:wait())
    end)

    it("ends a program that has no handler for it, and the command with 128+n", function()
      for _, signal in ipairs(FORWARDED) do
        local name, number = table.unpack(signal)
        if name ~= "WINCH" then
          local s <close> = caller:start(command.probe "wait")
          s:expect("^ready\n$")
          s:signal(name)
          assert.equal(128 + number, s:wait())
          assert.equal("", s.stderr)
        end
      end
    end)

    it("is TERM: what does not end of it is killed after the stop timeout", function()
      for _, init in ipairs { "--init", "--no-init" } do
        local s <close> = caller:start(init == "--init" and "--quiet" or init, "--stop-timeout",
          "0.2", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        s:expect("^ready\n$")
        s:signal("TERM")
        assert.equal(137, s:wait(), init)
        assert.equal("", s.stderr)
      end
    end)

    it("is TERM: the program has the whole stop timeout to end", function()
      local s <close> = caller:start("--stop-timeout", "60", "sh", "-c",
        "trap 'echo ending; read word; exit 6' TERM; echo ready; while :; do sleep 0.05; done")
      s:expect("^ready\n$")
      s:signal("TERM")
      s:expect("^ending\n$")
      s:signal("TERM") -- a second one does not begin again, nor end it
      s:eof()
      assert.equal(6, s:wait())
    end)

    it("ends the launcher as the program chose to end on it", function()
      local s <close> = caller:start("sh", "-c",
        "trap 'echo bye; exit 5' TERM; sleep 1000 & echo ready; wait")
      s:expect("^ready\n$")
      s:signal("TERM")
      assert.equal(5, s:wait())
      assert.equal("bye\n", s.stdout)
    end)

    it("is not lost at any moment of the start", function()
      local finish, reached, n = false, 0, 1
      while not finish do
        local s <close> = caller:start_words { command.program "at", n, "15", support.lua,
          "run.lua", "-q", command.probe "wait" }
        -- Before the launcher listens it dies of the signal itself; later its program does.
        assert.equal(143, s:wait(), "after call " .. n)
        finish = s.stderr:find("^poll") ~= nil
        assert.truthy(finish or s.stderr == ("call %d\n"):format(n), s.stderr)
        reached, n = reached + 1, n + 9
      end
      assert.truthy(reached > 20)
    end)
  end)
end

describe("a signal from inside to pid 1", function()
  it("reaches the program #userns", function()
    local s <close> = command.user:start("sh", "-c",
      "trap 'echo got; exit 3' USR1; kill -USR1 1; sleep 1000 & wait")
    assert.equal(3, s:wait())
    assert.equal("got\n", s.stdout)
  end)
end)

describe("a signal to a program that is stopped #userns", function()
  it("ends it when it goes on", function()
    local s <close> = command.user:start("sh", "-c", "echo ready; kill -STOP $$; echo on")
    s:expect("^ready\n$")
    local init = command.children(s.pid)[1]
    local program = command.children(init)[1]
    command.await("it stops", function()
      return command.status(program, "State"):find("^T")
    end)
    s:signal("TERM")
    command.await("the signal is there", function()
      return command.status(program, "ShdPnd") == "0000000000004000"
    end)
    assert(sys.kill(program, "CONT"))
    assert.equal(143, s:wait())
  end)
end)
