-- A terminal of the container's own, as the library gives it: its options, and the master's side.

local container = require "container"
local sys = require "container.sys"
local spec = require "container.config.spec"
local support = require "spec.support"

local DEADLINE <const> = 10 * support.patience

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  container.run { "true" }
end)

local function refuses(message, tty)
  local c, err = spec.read { "true", tty = tty }
  assert.is_nil(c)
  assert.equal("spec: " .. message, tostring(err))
end

-- Reads from a terminal until `pattern` has come; all that came.
local function expect(c, pattern)
  local text = ""
  while not text:find(pattern) do
    assert(sys.ppoll({ c.tty:fd() }, DEADLINE)[1], text)
    text = text .. assert(c.tty:readsome(), text)
  end
  return text
end

-- What is shown by a program that ends.
local function shown(options)
  local c <close> = assert(container.spawn(options))
  local text = assert(c.tty:read("a"))
  return text, c:wait(DEADLINE).status
end

describe("the option tty", function()
  it("is of container.spawn, for what runs to its end could show nothing", function()
    local result, err = container.run { "true", tty = true }
    assert.is_nil(result)
    assert.equal("spec: tty: takes container.spawn, which gives its other side", tostring(err))
    assert.equal("tty", err.subject)
  end)

  it("is refused what is neither a switch, \"auto\" nor a size", function()
    refuses("tty: expected true, false, \"auto\" or a table, got 1", 1)
    refuses("tty: expected true, false, \"auto\" or a table, got \"yes\"", "yes")
    refuses("tty.height: expected an integer from 1 to 65535, got nil", {})
    refuses("tty.height: expected an integer from 1 to 65535, got 0", { height = 0, width = 1 })
    refuses("tty.width: expected an integer from 1 to 65535, got 65536",
      { height = 1, width = 65536 })
    refuses("tty.width: expected an integer from 1 to 65535, got \"80\"",
      { height = 1, width = "80" })
    refuses("tty: expected height or width, got \"rows\"", { rows = 24 })
    refuses("tty: expected a plain table, got one with a metatable", setmetatable({}, {}))
  end)

  it("is in OCI's form afterwards", function()
    local process = assert(spec.read { "true", tty = { height = 24, width = 80 } }).config.process
    assert.is_true(process.terminal)
    assert.same({ height = 24, width = 80 }, process.consoleSize)
    process = assert(spec.read { "true", tty = false }).config.process
    assert.is_nil(process.terminal)
    assert.is_nil(process.consoleSize)
  end)

  it("is none by \"auto\" where standard input is no terminal", function()
    assert.equal("false\tnil\n", support.script([[
      local c = require("container.config.spec").read { "true", tty = "auto" }
      print(c.config.process.terminal, c.terminal)]]).stdout)
  end)
end)

describe("a container with a tty #userns", function()
  it("has it as its streams, of the size that was asked for", function()
    for _, init in ipairs { true, false } do
      local text, status = shown { "sh", "-c", "tty; tty <&2; tty <&1; stty size; exit 3",
        tty = { height = 11, width = 222 }, init = init }
      assert.equal("/dev/pts/0\r\n/dev/pts/0\r\n/dev/pts/0\r\n11 222\r\n", text)
      assert.equal(3, status)
    end
  end)

  it("is written to and read from by its master", function()
    local c <close> = assert(container.spawn { "sh", "-c", "stty -echo; echo ready; read x; \z
      echo got $x; exit 5", tty = true })
    expect(c, "ready\r\n$")
    assert.equal(c.tty, c.tty:write("text", "\n"))
    assert.equal("got text\r", c.tty:read())
    assert.is_nil(c.tty:read())
    assert.equal(5, c:wait(DEADLINE).status)
  end)

  it("is read by lines, also after its end", function()
    local c <close> = assert(container.spawn { "sh", "-c", "stty -onlcr; seq 3", tty = true })
    assert.equal(0, c:wait(DEADLINE).status)
    local lines = {}
    for line in c.tty:lines() do
      lines[#lines + 1] = line
    end
    assert.same({ "1", "2", "3" }, lines)
  end)

  it("takes more than its buffer holds", function()
    local c <close> = assert(container.spawn { "sh", "-c",
      "stty raw -echo; echo ready; head -c 300000 | cksum", tty = true })
    expect(c, "ready")
    local text = ("0123456789"):rep(30000)
    assert(c.tty:write(text))
    local path = support.tmpdir() .. "/text"
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    expect(c, (support.run("cksum <" .. path).stdout:match("^%d+ %d+")))
    assert.equal(0, c:wait(DEADLINE).status)
  end)

  it("takes no more when it is full and its container has ended", function()
    local c <close> = assert(container.spawn { "sh", "-c", "stty raw -echo; echo ready; read x",
      tty = true })
    expect(c, "ready")
    local ok, err = c.tty:write(("0123456789\n"):rep(30000))
    assert.is_nil(ok)
    assert.equal("tty: write: Broken pipe", tostring(err))
    assert.equal(0, c:wait(DEADLINE).status)
  end)

  it("leaves a stream that an option decides on", function()
    local c <close> = assert(container.spawn { "sh", "-c", "tty; tty <&1; tty <&2; echo out; \z
      echo err >&2", tty = true, stdin = "null", stdout = "capture" })
    assert.equal("err\r\n", c.tty:read("a"))
    local result = assert(c:wait(DEADLINE))
    assert.equal("not a tty\nnot a tty\n/dev/pts/0\nout\n", result.stdout)
  end)

  it("has the end of a time limit", function()
    local c <close> = assert(container.spawn { "sleep", "60", tty = true, timeout = 0.1 })
    assert.equal("timeout", c:wait(DEADLINE).reason)
  end)

  it("has it as its standard error where that is to go where the output goes", function()
    assert.equal("/dev/pts/0\r\n", (shown { "sh", "-c", "tty <&2", tty = true,
      stderr = "stdout" }))
  end)

  it("is told of a new size", function()
    local c <close> = assert(container.spawn { "sh", "-c", "trap 'stty size; exit 0' WINCH; \z
      echo ready; while :; do sleep 60 & wait; done", tty = true })
    expect(c, "ready")
    assert.is_true(c.tty:resize(33, 44))
    expect(c, "33 44")
    assert.equal(0, c:wait(DEADLINE).status)
    for _, wrong in ipairs { { 0, 1 }, { 1, 65536 }, { "1", 1 }, { 1 }, {} } do
      local ok, err = c.tty:resize(wrong[1], wrong[2])
      assert.is_nil(ok)
      assert.equal("tty: expected a height and a width from 1 to 65535", tostring(err))
    end
    c.tty:close()
    local ok, err = c.tty:resize(1, 1)
    assert.is_nil(ok)
    assert.equal("tty: the stream is closed", tostring(err))
    assert.equal(sys.errno.EBADF, err.errno)
  end)

  it("gets the hang-up when the master is closed", function()
    local c <close> = assert(container.spawn { "sh", "-c", "trap 'exit 7' HUP; echo ready; \z
      while :; do sleep 60 & wait; done", tty = true })
    expect(c, "ready")
    c.tty:close()
    assert(sys.ppoll({ c:fd() }, DEADLINE)[1])
    assert.equal(7, c:wait().status)
  end)

  it("can close it and open it again: it has not ended meanwhile", function()
    local c <close> = assert(container.spawn { "sh", "-c", "exec 3<&0 <&- >&- 2>&-; \z
      read x <&3; echo again >/dev/tty; exec sleep 60", tty = true, stdin = "pipe" })
    assert.is_falsy(sys.ppoll({ c.tty:fd() }, 0.1)[1])
    c.stdin:write("\n")
    assert.equal("again\r\n", c.tty:read("L"))
  end)

  it("leaves the caller's streams, session and fds as they are", function()
    local function state()
      local links = {}
      for _, fd in ipairs(sys.list("/proc/self/fd")) do
        links[#links + 1] = fd .. (sys.readlink("/proc/self/fd/" .. fd) or "")
      end
      table.sort(links)
      return table.concat(links, "\n"):gsub("/proc/%d+/fd", ""),
        sys.read_file("/proc/self/stat"):match("%) %S+ %S+ (%S+ %S+ %S+)")
    end
    local before = { state() }
    do
      local c <close> = assert(container.spawn { "cat", tty = true })
      assert.is_string(c.pid and "runs")
    end
    collectgarbage()
    assert.same(before, { state() })
  end)

  it("has no tty to show where the program is not found", function()
    local c, err = container.spawn { "/nope", tty = true }
    assert.is_nil(c)
    assert.equal("exec", err.step)
    assert.equal(sys.errno.ENOENT, err.errno)
  end)
end)

describe("a container without a tty #userns", function()
  it("is in a session of its own all the same, without a terminal", function()
    for _, init in ipairs { true, false } do
      local c <close> = assert(container.spawn { "sleep", "60", init = init })
      assert.is_nil(c.tty)
      local group, session, terminal = sys.read_file(("/proc/%d/stat"):format(c.pid))
        :match("%) %S+ %S+ (%S+) (%S+) (%S+)")
      assert.same({ tostring(c.pid), tostring(c.pid), "0" }, { group, session, terminal })
      c:kill("KILL")
      c:wait()
    end
  end)
end)

describe("many containers with a tty #userns", function()
  it("have each one of its own, also started from the memory of a large program", function()
    assert.equal("/dev/pts/0\r\n/dev/pts/0\r\n", support.script([[
      local ballast = ("x"):rep(64 << 20) -- so that the child shares the memory
      for _ = 1, 2 do
        local c = assert(container.spawn { "tty", tty = true })
        io.write(c.tty:read("L"))
        assert(c:wait(10).status == 0 and #ballast > 0)
      end]]).stdout)
  end)
end)
