-- A stream that is "pipe": as a file of Lua's, but that errors are values.

local sys = require "container.sys"
local contained = require "spec.fixtures.contained"
local support = require "spec.support"

local DEADLINE <const> = contained.DEADLINE

setup(function()
  contained.run { "true" } -- the image of init stays open
end)

-- What `fn` does with a container whose streams are pipes; they are closed after it.
local function with(script, options, fn, how)
  options[1], options[2], options[3] = "sh", "-c", script
  local c <close> = contained.spawn(options, how)
  local stdin <close>, stdout, stderr = c.stdin, c.stdout, c.stderr
  local _ <close> = stdout
  local _ <close> = stderr
  fn(c, stdin)
end

local function both(script, fn)
  with(script, { stdin = "pipe", stdout = "pipe" }, fn)
end

local function refused(message, errno, result, err)
  assert.is_nil(result)
  assert.equal(message, tostring(err))
  assert.equal(sys.errno[errno], err.errno)
end

describe("a stream to read #root", function()
  it("is read by lines, without or with their ends", function()
    both("printf 'one\\n\\ntwo\\0x\\nlast'", function(c)
      assert.equal("one", c.stdout:read())
      assert.equal("", c.stdout:read("l"))
      assert.equal("two\0x\n", c.stdout:read("L"))
      assert.equal("last", c.stdout:read("L"))
      assert.same({ n = 1 }, table.pack(c.stdout:read("L")))
      assert.same({ n = 1 }, table.pack(c.stdout:read()))
    end)
  end)

  it("is read by number of bytes, and to the end", function()
    both("printf 'abcdef\\nghi'", function(c)
      assert.equal("", c.stdout:read(0))
      assert.equal("abcd", c.stdout:read(4))
      assert.equal("ef", c.stdout:read())
      assert.equal("ghi", c.stdout:read("a"))
      assert.equal("", c.stdout:read("a"))
      assert.is_nil(c.stdout:read(1))
    end)
    both("printf abc", function(c)
      assert.equal("abc", c.stdout:read(100))
      assert.is_nil(c.stdout:read(100))
    end)
  end)

  it("ends when all in the container have closed it, and not with the first", function()
    both("exec 3<&0; { read x <&3; echo last; } & exec >&-; exec sleep 1000", function(c)
      assert.is_falsy(sys.ppoll({ c.stdout:fd() }, 0.05)[1])
      c.stdin:write("\n")
      assert.equal("last\n", c.stdout:read("a"))
      assert.is_false(c:poll())
    end)
    for _, init in ipairs { true, false } do
      with("echo one; exec >&-; exec sleep 1000", { stdout = "pipe", init = init }, function(c)
        assert.equal("one\n", c.stdout:read("a"))
        assert.is_false(c:poll())
      end)
    end
  end)

  it("has its lines in a for", function()
    both("echo a; echo b; printf c", function(c)
      local lines = {}
      for line in c.stdout:lines() do
        lines[#lines + 1] = line
      end
      assert.same({ "a", "b", "c" }, lines)
    end)
    both("echo a; printf b", function(c)
      local lines = {}
      for line in c.stdout:lines("L") do
        lines[#lines + 1] = line
      end
      assert.same({ "a\n", "b" }, lines)
    end)
  end)

  it("gives what is there now", function()
    both("echo one; read x; echo two; read x; printf three", function(c)
      assert.equal("one\n", c.stdout:readsome())
      c.stdin:write("\n")
      assert.equal("t", c.stdout:readsome(1))
      assert.equal("wo\n", c.stdout:readsome())
      c.stdin:write("\n")
      assert.equal("three", c.stdout:readsome(100))
      assert.is_nil(c.stdout:readsome())
    end)
  end)

  it("is binary and can be long, by either way to make a child", function()
    for _, how in ipairs(contained.MODES) do
      with("cat /bin/busybox", { stdout = "pipe" }, function(c)
        local text = c.stdout:read("a")
        assert.is_true(text == sys.read_file(support.busybox_rootfs() .. "/bin/busybox"))
      end, how)
    end
  end)

  it("can be read after the end, and after the object was closed", function()
    both("echo text; exit 4", function(c)
      assert.equal(4, c:wait(DEADLINE).status)
      assert.equal("text", c.stdout:read())
      assert.is_nil(c.stdout:read())
    end)
    both("echo text; exec sleep 1000", function(c)
      assert.equal("te", c.stdout:read(2))
      c:close()
      assert.equal("xt\n", c.stdout:read("a"))
    end)
  end)

  it("refuses a format that there is not, and anything once it is closed", function()
    both("echo x", function(c)
      for _, format in ipairs { "n", "*l", -1, 1.5, {} } do
        refused("stdout: expected \"l\", \"L\", \"a\" or a number of bytes to read", "EINVAL",
          c.stdout:read(format))
      end
      c.stdout:close()
      c.stdout:close()
      refused("stdout: the stream is closed", "EBADF", c.stdout:read())
      refused("stdout: the stream is closed", "EBADF", c.stdout:readsome())
      support.raises("stdout: the stream is closed", c.stdout:lines())
    end)
  end)

  it("kills the writer by SIGPIPE when it is closed", function()
    both("yes; exit 9", function(c)
      c.stdout:read(10)
      c.stdout:close()
      assert.is_true(assert(c:wait(DEADLINE)).status ~= 0)
    end)
  end)

  it("goes on while the others flood: they are read meanwhile", function()
    local seen = 0
    with("head -c 8388608 /dev/zero >&2; echo through; head -c 8388608 /dev/zero >&2; echo done",
      { stdout = "pipe", stderr = "capture" }, function(c)
        assert.equal("through", c.stdout:read())
        assert.equal("done", c.stdout:read())
        assert.equal(16 << 20, c:wait(DEADLINE).stderr_size)
      end)
    with("head -c 8388608 /dev/zero >&2; echo through; exit 3", { stdout = "pipe",
      stderr = function(piece) seen = seen + #piece end }, function(c)
        assert.equal("through\n", c.stdout:read("a"))
        assert.equal(3, c:wait(DEADLINE).status)
        assert.equal(8 << 20, seen)
      end)
  end)

  it("does not hold up the time limit, whether the program is silent or floods", function()
    for _, script in ipairs { "exec sleep 1000", "yes" } do
      with(script, { stdout = "pipe", timeout = 0.2 }, function(c)
        local finish = sys.clock_gettime() + DEADLINE
        repeat
          local piece = c.stdout:readsome()
        until not piece or sys.clock_gettime() > finish
        assert.equal("timeout", c:wait(DEADLINE).reason)
      end)
    end
  end)

  it("ends where a function closes the container meanwhile", function()
    local c
    c = contained.spawn { "sh", "-c", "echo x >&2; exec sleep 1000", stdout = "pipe",
      stderr = function() c:close() end }
    assert.is_nil(c.stdout:read())
    c.stdout:close()
  end)

  it("ends where a function closes the stream meanwhile", function()
    local c
    c = contained.spawn { "sh", "-c", "echo x >&2; exec sleep 1000", stdout = "pipe",
      stderr = function() c.stdout:close() end }
    assert.is_nil(c.stdout:read())
    c:close()
  end)

  it("ends where a function reads it while its program ends", function()
    local c, got
    c = contained.spawn { "sh", "-c", "echo x >&2; echo some", stdout = "pipe",
      stderr = function() got = c.stdout:read("a") end }
    assert.equal(0, assert(c:wait(DEADLINE)).status)
    assert.equal("some\n", got)
    c.stdout:close()
  end)
end)

describe("what a stream reads has a limit #root: it", function()
  it("is 1 MiB for a line, or what the caller says, and what came can be read otherwise", function()
    with("head -c 1048576 /dev/zero; echo; head -c 1048577 /dev/zero; echo; echo last",
      { stdout = "pipe" }, function(c)
        assert.equal(1 << 20, #c.stdout:read())
        for _, format in ipairs { "l", "L" } do
          refused("stdout: a line has more than 1048576 bytes", "E2BIG", c.stdout:read(format))
        end
        assert.equal("\0\0", c.stdout:read(2))
        assert.equal(1048575, #c.stdout:read())
        assert.equal("last\n", c.stdout:read("L", 4))
      end)
    both("echo 12345; echo 1234", function(c)
      refused("stdout: a line has more than 4 bytes", "E2BIG", c.stdout:read("l", 4))
      support.raises("stdout: a line has more than 4 bytes", c.stdout:lines("L", 4))
      assert.equal("12345", c.stdout:read("l", 5))
      assert.equal("1234\n", c.stdout:lines("L", 4.0)())
      for _, limit in ipairs { -1, 1.5, "x", {} } do
        refused("stdout: expected a number of bytes as the limit", "EINVAL",
          c.stdout:read("l", limit))
      end
    end)
  end)

  it("is output_limit for everything, 16 MiB, or what the caller says", function()
    with("head -c 16777216 /dev/zero", { stdout = "pipe" }, function(c)
      assert.equal(16 << 20, #c.stdout:read("a"))
    end)
    with("head -c 16777217 /dev/zero", { stdout = "pipe" }, function(c)
      refused("stdout: what came has more than 16777216 bytes", "E2BIG", c.stdout:read("a"))
      assert.equal((16 << 20) + 1, #c.stdout:read("a", 17 << 20))
    end)
    with("echo 1234", { stdout = "pipe", output_limit = 4 }, function(c)
      refused("stdout: what came has more than 4 bytes", "E2BIG", c.stdout:read("a"))
      assert.equal("1234", c.stdout:readsome(4))
      assert.equal("\n", c.stdout:read("a"))
    end)
    with("tty >/dev/null && echo 1234", { tty = true, output_limit = 4 }, function(c)
      refused("tty: what came has more than 4 bytes", "E2BIG", c.tty:read("a"))
    end)
  end)

  it("holds against an endless line, within the caller's memory and the time limit", function()
    local result = support.script([[
      collectgarbage "generational"
      for _, format in ipairs { "l", "L", "a" } do
        local c <close> = assert(container.spawn { "cat", "/dev/zero", pids = "max",
          stdout = "pipe", timeout = 0.5, stop_timeout = 0.1 })
        local ok, err = c.stdout:read(format, 1 << 20)
        print(ok, err, c:wait(20).reason)
      end
      local peak = sys.read_file("/proc/self/status"):match("VmHWM:%s*(%d+)")
      print(tonumber(peak) < 65536 or peak)]])
    assert.same({ ("nil\tstdout: a line has more than 1048576 bytes\ttimeout\n"):rep(2)
      .. "nil\tstdout: what came has more than 1048576 bytes\ttimeout\ntrue\n", "" },
      { result.stdout, result.stderr })
  end)
end)

describe("the time limit holds #root", function()
  it("while lines are read that have come already", function()
    with("yes", { stdout = "pipe", timeout = 0.2, stop_timeout = 0.1 }, function(c)
      local finish, read = sys.clock_gettime() + DEADLINE, 0
      for line in c.stdout:lines() do
        read = read + 1
        assert.equal("y", line)
        sys.ppoll({}, 0.001)
        if not c:due_in() or sys.clock_gettime() > finish then
          break
        end
      end
      assert.equal("timeout", c:wait(DEADLINE).reason)
      -- A piece of 64 KiB has more lines.
      assert.is_true(read < 32768, read)
    end)
  end)

  it("while a function reads, which is called by who waits", function()
    local c, got
    c = contained.spawn { "sh", "-c", "echo x >&2; exec sleep 1000", stdout = "pipe",
      timeout = 0.2, stop_timeout = 0.1, stderr = function() got = c.stdout:read("a") end }
    assert.equal("timeout", c:wait(DEADLINE).reason)
    assert.equal("", got)
    c.stdout:close()
  end)
end)

describe("a stream to write #root", function()
  it("takes strings and numbers, one after another, and gives itself", function()
    both("cat", function(c, stdin)
      assert.equal(stdin, stdin:write("a", 1, 2.5, "", "\0\n"))
      assert.equal(stdin, stdin:write())
      stdin:close()
      assert.equal("a12.5\0\n", c.stdout:read("a"))
    end)
  end)

  it("is seen to end when it is closed", function()
    both("cat >/dev/null; exit 7", function(c, stdin)
      stdin:close()
      assert.equal(7, c:wait(DEADLINE).status)
    end)
  end)

  it("refuses what is no text, and anything once it is closed", function()
    both("cat", function(_, stdin)
      refused("stdin: expected a string to write, got a table", "EINVAL", stdin:write("a", {}))
      refused("stdin: expected a string to write, got a nil", "EINVAL", stdin:write(nil))
      stdin:close()
      refused("stdin: the stream is closed", "EBADF", stdin:write("x"))
    end)
  end)

  it("writes more than a pipe holds while the answer is captured", function()
    local text = ("0123456789abcdef"):rep(1 << 19)
    with("cat", { stdin = "pipe", stdout = "capture" }, function(c, stdin)
      assert.equal(stdin, stdin:write(text))
      stdin:close()
      assert.is_true(c:wait(DEADLINE).stdout == text)
    end)
  end)

  it("answers EPIPE when the program has closed it, or has gone", function()
    for _, init in ipairs { true, false } do
      with("exec <&-; echo closed; exec sleep 1000", { stdin = "pipe", stdout = "pipe",
        init = init }, function(c, stdin)
          assert.equal("closed", c.stdout:read())
          refused("stdin: write: Broken pipe", "EPIPE", stdin:write("x"))
        end)
    end
    both("exit 5", function(c, stdin)
      assert.equal(5, c:wait(DEADLINE).status)
      refused("stdin: write: Broken pipe", "EPIPE", stdin:write(("x"):rep(1 << 20)))
    end)
    both("exec sleep 0.1", function(_, stdin)
      refused("stdin: write: Broken pipe", "EPIPE", stdin:write(("x"):rep(1 << 20)))
    end)
  end)

  it("does not end the host program by SIGPIPE, whatever that does with it", function()
    for _, trap in ipairs { "", "trap '' PIPE; " } do
      local result = support.run(trap .. "exec " .. support.lua .. " -e " .. support.quote([[
        local container = require "container"
        local sys = require "container.sys"
        local c = assert(container.spawn { "true", stdin = "pipe", pids = "max" })
        c:wait(10)
        local ok, err = c.stdin:write(("x"):rep(1 << 17))
        print(ok, err)]]))
      assert.same({ 0, "nil\tstdin: write: Broken pipe\n" }, { result.status, result.stdout })
    end
  end)

  it("does not wait for ever for a program that is stopped by its time", function()
    with("exec sleep 1000", { stdin = "pipe", timeout = 0.1 }, function(c, stdin)
      refused("stdin: write: Broken pipe", "EPIPE", stdin:write(("x"):rep(1 << 20)))
      assert.equal("timeout", c:wait(DEADLINE).reason)
    end)
  end)
end)

describe("a stream #root", function()
  it("has an fd for an event loop, prints, and is closed by its scope", function()
    local stream
    do
      local c <close> = contained.spawn { "echo", "x", stdout = "pipe" }
      local out <close> = c.stdout
      stream = out
      assert.same({ true }, sys.ppoll({ out:fd() }, DEADLINE))
      assert.equal("container.stream (stdout)", tostring(out))
    end
    assert.is_nil(stream:fd():fileno())
  end)

  it("carries a conversation", function()
    both("while read line; do echo \"you said $line\"; done; exit 2", function(c, stdin)
      for i = 1, 100 do
        assert(stdin:write("line ", i, "\n"))
        assert.equal("you said line " .. i, c.stdout:read())
      end
      stdin:close()
      assert.is_nil(c.stdout:read())
      assert.equal(2, c:wait(DEADLINE).status)
    end)
  end)

  it("is there for all three at once", function()
    with("read x; echo out $x; echo err $x >&2", { stdin = "pipe", stdout = "pipe",
      stderr = "pipe" }, function(c, stdin)
        stdin:write("1\n")
        assert.equal("err 1", c.stderr:read())
        assert.equal("out 1", c.stdout:read())
      end)
  end)

  it("is closed when it is collected", function()
    local before = #sys.list("/proc/self/fd")
    contained.spawn { "cat", stdin = "pipe", stdout = "pipe" }:close()
    collectgarbage()
    collectgarbage()
    assert.equal(before, #sys.list("/proc/self/fd"))
  end)
end)

describe("a stream whose number an event loop has #root", function()
  it("does not wait to read: a piece, false when there is nothing, nil at the end", function()
    both("read a; echo \"$a\"; read b", function(c, stdin)
      local number = c.stdout:fileno()
      assert.equal(c.stdout:fd():fileno(), number)
      assert.same({ false, n = 1 }, table.pack(c.stdout:readsome()))
      assert(stdin:write "one\n")
      assert.is_true(sys.ppoll({ number }, DEADLINE)[1])
      assert.equal("on", c.stdout:readsome(2))
      assert.equal("e\n", c.stdout:readsome())
      assert.is_false(c.stdout:readsome())
      assert(stdin:write "two\n")
      assert.is_true(sys.ppoll({ number }, DEADLINE)[1])
      assert.same({ n = 1 }, table.pack(c.stdout:readsome()))
      assert.equal(number, c.stdout:fileno())
      assert.equal("exit", c:wait(DEADLINE).reason)
      assert.equal(number, c.stdout:fileno())
      assert.same({ n = 1 }, table.pack(c.stdout:readsome()))
      c.stdout:close()
      refused("stdout: the stream is closed", "EBADF", c.stdout:fileno())
    end)
  end)

  it("does not wait to write: it tells how much the pipe took", function()
    both("read a; exec wc -c", function(c, stdin)
      local number = assert(stdin:fileno())
      local data = ("x"):rep(300000)
      local ok, first = stdin:write("go\n", data)
      assert.is_false(ok)
      assert.is_true(first >= 4096 and first < 300003)
      local left = data:sub(first - 3 + 1)
      while left ~= "" do
        local _, ready = sys.ppoll({}, DEADLINE, { number })
        assert.is_true(ready[1])
        local size
        ok, size = stdin:write(left)
        left = left:sub(size + 1)
      end
      assert.equal(stdin, ok)
      stdin:close()
      assert.matches("^%s*300000\n$", c.stdout:read "a")
    end)
  end)

  it("tells how much was written also where it waits", function()
    both("cat >/dev/null", function(_, stdin)
      local stream, size = stdin:write("ab", 12, ("y"):rep(200000))
      assert.equal(stdin, stream)
      assert.equal(200004, size)
    end)
  end)
end)
