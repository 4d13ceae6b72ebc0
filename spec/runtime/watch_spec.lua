-- One fd of an object, which can be read while poll has something to do: a loop that watches it
-- alone, and calls poll when it can be read, gets every result.

local sys = require "container.sys"
local contained = require "spec.fixtures.contained"
local support = require "spec.support"

local spawn = contained.spawn
local DEADLINE <const> = contained.DEADLINE

local function script(text, options)
  options = options or {}
  options[1], options[2], options[3] = "sh", "-c", text
  return spawn(options)
end

--- The loop of a program that knows only the number. Fails where nothing comes for a while, and
-- where more turns are taken than there is to do.
local function drive(c, most)
  local number, turns = assert(c:fileno()), 0
  local result, err
  repeat
    assert.is_true(sys.ppoll({ number }, DEADLINE)[1])
    turns = turns + 1
    assert.is_true(turns <= (most or 1000))
    result, err = c:poll()
    assert.equal(number, c:fileno())
  until result ~= false
  return result, err
end

local function fds()
  local _, count = support.run("ls /proc/" .. sys.getpid() .. "/fd").stdout:gsub("\n", "")
  return count
end

setup(function()
  contained.run { "true" } -- the image of init stays open
end)

describe("the fd of an object #root", function()
  it("cannot be read while nothing happens, and is the same all along", function()
    local c <close> = spawn { "sleep", "1000", timeout = 1000 }
    local number = c:fileno()
    assert.is_true(math.type(number) == "integer" and number > 2)
    assert.is_nil(sys.ppoll({ number }, 0.1)[1])
    assert.is_false(c:poll())
    assert.equal(number, c:fileno())
    assert.equal(number, c:fd():fileno())
    assert.is_nil(sys.ppoll({ number }, 0)[1])
  end)

  it("can be read at the end, also after poll and wait, until close", function()
    local c <close> = spawn { "sh", "-c", "exit 3" }
    local number = c:fileno()
    assert.equal(3, drive(c, 2).status)
    assert.is_true(sys.ppoll({ number }, 0)[1])
    assert.equal(3, c:wait().status)
    assert.is_true(sys.ppoll({ number }, 0)[1])
    c:close()
    local none, err = c:fileno()
    assert.is_nil(none)
    assert.equal("fd: the container is closed", tostring(err))
    assert.equal(sys.errno.EBADF, err.errno)
    assert.is_nil((c:fd()))
  end)

  it("is there for one that has ended already", function()
    local c <close> = spawn { "true" }
    assert(c:wait(DEADLINE))
    assert.equal(0, drive(c, 1).status)
  end)

  it("is enough for much more captured output than a pipe holds", function()
    local c <close> = script("head -c 1000000 /dev/zero; head -c 300000 /dev/zero >&2",
      { stdout = "capture", stderr = "capture" })
    local result = drive(c)
    assert.same({ 1000000, 300000, "exit" },
      { result.stdout_size, result.stderr_size, result.reason })
  end)

  it("is enough for functions that take and give", function()
    local got, left = 0, 40
    local c <close> = spawn { "cat", stdout = function(piece) got = got + #piece end,
      stdin = function()
        left = left - 1
        return left >= 0 and ("x"):rep(10000) or nil
      end }
    assert.equal("exit", drive(c).reason)
    assert.equal(400000, got)
  end)

  it("does not wake a loop for a stream that is closed and nothing else", function()
    local c <close> = script("exec >&- 2>&-; exec sleep 1000", { stdout = "capture" })
    local number = c:fileno()
    assert.is_true(sys.ppoll({ number }, DEADLINE)[1])
    assert.is_false(c:poll())
    assert.is_nil(sys.ppoll({ number }, 0.1)[1])
  end)

  it("can be read when the time limit comes, and when the time to end is up", function()
    local c <close> = script("trap '' TERM; while :; do sleep 0.1; done",
      { timeout = 0.3, stop_timeout = 0.2 })
    local result = drive(c, 10)
    assert.same({ "timeout", "KILL" }, { result.reason, result.signal })
  end)

  it("stands for the programs of exec, before and after", function()
    local c <close> = spawn { "sleep", "1000" }
    local function program()
      return assert(c:exec { "sh", "-c", "head -c 200000 /dev/zero; exit 4", stdout = "capture" })
    end
    local before <close> = program()
    local number = c:fileno()
    local after <close> = program()
    local mine = after:fileno()
    assert.is_true(mine ~= number)
    local ended, turns = {}, 0
    while not (ended[1] and ended[2]) do
      assert.is_true(sys.ppoll({ number }, DEADLINE)[1])
      turns = turns + 1
      assert.is_true(turns < 200)
      assert.is_false(c:poll())
      ended[1], ended[2] = ended[1] or before:poll(), ended[2] or after:poll()
    end
    assert.same({ 4, 200000, 4, 200000 }, { ended[1].status, ended[1].stdout_size,
      ended[2].status, ended[2].stdout_size })
    assert.is_nil(sys.ppoll({ number }, 0.05)[1])
    assert.is_true(sys.ppoll({ mine }, 0)[1])
    assert.equal(mine, after:fileno())
  end)

  it("is enough for a program of exec alone", function()
    local c <close> = spawn { "sleep", "1000" }
    local program <close> = assert(c:exec { "sh", "-c",
      "head -c 200000 /dev/zero; trap '' TERM; while :; do sleep 0.1; done", stdout = "capture",
      timeout = 0.5, stop_timeout = 0.2 })
    local result = drive(program)
    assert.same({ "timeout", 200000 }, { result.reason, result.stdout_size })
  end)

  it("leaves nothing open", function()
    -- What a finalizer lets go of is collected by the next round, and so on.
    local function collect()
      for _ = 1, 5 do
        collectgarbage()
      end
    end
    local function round()
      local c <close> = spawn { "sleep", "1000", stdout = "capture" }
      c:fileno()
      local program <close> = assert(c:exec { "true" })
      drive(program)
      local other = assert(c:exec { "sleep", "1000" })
      other:fileno()
      c:kill "KILL"
      drive(c)
      local d <close> = spawn { "sleep", "1000" }
      d:fileno()
    end
    round()
    collect()
    local before = fds()
    for _ = 1, 3 do
      round()
    end
    collect()
    assert.equal(before, fds())
  end)

  it("may be closed by a function that poll calls", function()
    local c
    c = spawn { "echo", "x", stdout = function() c:close() end }
    local number = c:fileno()
    assert.is_true(sys.ppoll({ number }, DEADLINE)[1])
    local result, err = c:poll()
    assert.is_nil(result)
    assert.equal("wait: the container was closed", tostring(err))
    assert.is_nil((c:fileno()))
  end)

  it("of a terminal does not wait either, and is valid after the container's end", function()
    local c <close> = spawn { "sh", "-c", "read x; echo got $x; exit 5", tty = true }
    local number, text = c.tty:fileno(), ""
    assert.is_false(c.tty:readsome())
    assert(c.tty:write "hello\n")
    local piece
    repeat
      assert.is_true(sys.ppoll({ number }, DEADLINE)[1])
      piece = c.tty:readsome()
      text = text .. (piece or "")
    until piece == nil
    assert.matches("got hello\r\n$", text)
    assert.equal(5, drive(c).status)
    assert.equal(number, c.tty:fileno())
    c:close()
    assert.is_nil((c.tty:fileno()))
  end)

  it("is refused where there are no more fds, and given later", function()
    local result = support.script [[
      local c <close> = assert(container.spawn { "sleep", "1000" })
      assert(sys.setrlimit("nofile", 64, 64))
      local list = {}
      repeat
        local file = io.open("/dev/null")
        list[#list + 1] = file
      until not file
      local _, err = c:fileno()
      print(err.step, err.errno == 24)
      list = nil
      collectgarbage()
      print(math.type(c:fileno()))]]
    assert.equal("", result.stderr)
    assert.equal("fd\ttrue\ninteger\n", result.stdout)
  end)

  it("is refused in a copy of the process", function()
    local c <close> = spawn { "sleep", "1000" }
    local pid = assert(sys.clone({}, function()
      local _, err = c:fileno()
      sys._exit(err and err.errno == sys.errno.ECHILD and 7 or 1)
    end))
    assert.same({ "exit", 7 }, { sys.wait(pid) })
  end)
end)
