-- The launcher's terminal goes away under a container that has one of its own: a window is closed,
-- a connection is lost.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- In a terminal, but not the leader of its session, so that the kernel tells it nothing of the end
-- of the terminal; its status is left in a file.
local UNTOLD <const> = "trap : HUP; words=$1; shift; \"$@\"; echo $? >$words"

-- Says when it is ready, and how often it got HUP, in files of the volume.
local SAVES <const> = "trap 'echo hup >>/hv/hups; sleep 0.3; echo saved >/hv/saved; exit 7' HUP; \z
  stty -echo; echo ready; while :; do sleep 0.1; done"

for _, way in ipairs {
  { name = "run.lua as root #root", caller = command.root, words = { support.lua, "run.lua" } },
  { name = "the command in one file #root", caller = command.root, words = { "./lua-container" } },
  { name = "run.lua as an ordinary user #userns", caller = command.user,
    words = { support.lua, "run.lua" } },
} do
  -- A container on a terminal, and the directory that it has as /hv.
  local function start(script, told, ...)
    local place = way.caller:directory()
    local words = { command.program "pty" }
    if not told then
      table.move({ "sh", "-c", UNTOLD, "sh", place .. "/status" }, 1, 5, 2, words)
    end
    table.move(way.words, 1, #way.words, #words + 1, words)
    for _, word in ipairs { "-q", "--stop-timeout=20", "-v", place .. ":/hv", ... } do
      words[#words + 1] = word
    end
    table.move({ "sh", "-c", script }, 1, 3, #words + 1, words)
    local s = way.caller:start_words(words)
    s.terminal = true
    s:expect("ready\n")
    return s, place, command.children(s.pid)[1]
  end

  local function content(path)
    return sys.read_file(path) or ""
  end

  local function status(place)
    return command.await("the launcher ends", function()
      local text = content(place .. "/status")
      return text ~= "" and text
    end)
  end

  local function gone(pid)
    local pidfd <close> = sys.pidfd_open(pid)
    assert.is_true(not pidfd or sys.ppoll({ pidfd }, 10 * support.patience)[1] == true)
  end

  describe("a hang-up of the launcher's terminal, by " .. way.name, function()
    it("reaches the program once, which has time to end, with a status of its own", function()
      local s <close>, place = start(SAVES)
      s:signal("KILL") -- the terminal's other side
      assert.equal("7\n", status(place))
      assert.equal("hup\n", content(place .. "/hups"))
      assert.equal("saved\n", content(place .. "/saved"))
    end)

    it("reaches it once where the launcher is sent HUP, too", function()
      local s <close>, place, launcher = start(SAVES, true)
      s:signal("KILL")
      gone(launcher)
      assert.equal("hup\n", content(place .. "/hups"))
      assert.equal("saved\n", content(place .. "/saved"))
    end)

    it("reaches it where it has no init", function()
      local s <close>, place = start(SAVES, false, "--no-init")
      s:signal("KILL")
      assert.equal("7\n", status(place))
      assert.equal("hup\n", content(place .. "/hups"))
    end)

    it("ends a program that does not know HUP with 129, and what reads sees its end", function()
      local s <close>, place = start("echo ready; sleep 1000")
      s:signal("KILL")
      assert.equal("129\n", status(place))
      local t <close>, other = start("trap '' HUP; stty -echo; echo ready; cat; \z
        echo read >/hv/read; exit 3")
      t:signal("KILL")
      assert.equal("3\n", status(other))
      assert.equal("read\n", content(other .. "/read"))
    end)

    it("is followed by the end of all after the stop timeout, and not before", function()
      local s <close>, place = start("trap '' HUP TERM; stty -echo; echo ready; \z
        while :; do sleep 0.1; done", false, "--stop-timeout=1.5")
      local since = sys.clock_gettime()
      s:signal("KILL")
      assert.equal("137\n", status(place))
      assert.is_true(sys.clock_gettime() - since >= 1.5)
    end)

    it("is seen by a launcher that writes to it, and one that is resized and resumed", function()
      local s <close>, place = start("trap 'exit 5' HUP; stty -echo; echo ready; \z
        while echo text; do :; done; exit 5")
      s:expect("text\n")
      s:signal("KILL")
      assert.equal("5\n", status(place))
      local t <close>, other, shell = start("trap '' HUP; stty -echo; echo ready; \z
        while :; do sleep 0.1; done", false, "--stop-timeout=0.5")
      local launcher = command.children(shell)[1]
      assert(sys.kill(launcher, "STOP"))
      t:signal("KILL")
      for _, signal in ipairs { "WINCH", "HUP", "CONT" } do
        assert(sys.kill(launcher, signal))
      end
      assert.equal("137\n", status(other))
    end)
  end)
end
