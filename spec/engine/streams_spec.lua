-- Where the standard streams of a container come from and go to.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local contained = require "spec.fixtures.contained"
local support = require "spec.support"

local run, shell, spawn = contained.run, contained.shell, contained.spawn
local DEADLINE <const> = contained.DEADLINE

-- Every byte there is, with NULs, and of no even length.
local BINARY <const> = (function()
  local bytes = {}
  for i = 0, 255 do
    bytes[i + 1] = string.char(i)
  end
  return table.concat(bytes):rep(1025) .. "\0"
end)()

setup(function()
  run { "true" } -- the image of init stays open
end)

local function refuses(message, errno, options)
  options[1] = "true"
  local err = contained.refusal(options)
  assert.equal("spec: " .. message, tostring(err))
  assert.equal(sys.errno[errno] or errno, err.errno)
end

describe("the streams' options", function()
  it("are refused what they do not take, by their names", function()
    for shown, value in pairs { ["true"] = true, ["-1"] = -1, ["1.5"] = 1.5 } do
      refuses("stdin: expected \"inherit\", \"null\", \"pipe\", its content, a function, \z
        a file or an fd, got " .. shown, nil, { stdin = value })
    end
    for _, name in ipairs { "stdout", "stderr" } do
      for shown, value in pairs { ["1.5"] = 1.5, ["\"text\""] = "text", ["a table"] = {},
        ["a thread"] = coroutine.create(print) } do
        refuses(name .. ": expected \"inherit\", \"null\", \"capture\", \"pipe\", a function, a \z
          file or an fd, got " .. shown, nil, { [name] = value })
      end
    end
    refuses("stdout: expected \"inherit\", \"null\", \"capture\", \"pipe\", a function, a file or \z
      an fd, got \"stdout\"", nil, { stdout = "stdout" })
    refuses("stdin: expected a table with one string, got a table", nil, { stdin = {} })
    refuses("stdin[1]: expected a string, got 1", nil, { stdin = { 1 } })
    refuses("output_limit: expected a number of bytes, got -1", nil, { output_limit = -1 })
    refuses("output_limit: expected a number of bytes, got \"1M\"", nil, { output_limit = "1M" })
  end)

  it("are refused files that are closed", function()
    local file = assert(io.open("/dev/null"))
    file:close()
    refuses("stdin: is closed", "EBADF", { stdin = file })
    local fd = assert(sys.open("/dev/null"))
    fd:close()
    refuses("stdout: is closed", "EBADF", { stdout = fd })
    refuses("stderr: stat: Bad file descriptor", "EBADF", { stderr = 1000000 })
  end)

  it("are refused a directory, which would be a way out of the root", function()
    local file <close> = assert(io.open("/"))
    refuses("stdin: is a directory", "EISDIR", { stdin = file })
    local fd <close> = assert(sys.open("/", "directory"))
    refuses("stdout: is a directory", "EISDIR", { stdout = fd })
    local path <close> = assert(sys.open("/etc", "path"))
    refuses("stderr: is a directory", "EISDIR", { stderr = path })
  end)
end)

describe("standard input #root", function()
  it("is a string, with every byte", function()
    for _, how in ipairs(contained.MODES) do
      local result = run({ "cat", stdin = BINARY, stdout = "capture" }, how)
      assert.is_true(result.stdout == BINARY)
    end
    assert.equal("", run({ "cat", stdin = "", stdout = "capture" }).stdout)
  end)

  it("is a word's letters where the word is in a table", function()
    for _, word in ipairs { "null", "pipe", "inherit", "" } do
      assert.equal(word, run({ "cat", stdin = { word }, stdout = "capture" }).stdout)
    end
  end)

  it("is empty by \"null\", and nothing of the host's", function()
    assert.equal("/dev/null\n", shell("cat; readlink /proc/self/fd/0",
      { stdin = "null", stdout = "capture" }).stdout)
  end)

  it("is the caller's, unless said otherwise", function()
    for _, option in ipairs { "nil", "\"inherit\"" } do
      local result = support.run(("echo from outside | %s -e %s"):format(support.lua,
        support.quote(([[
          local container = require "container"
          local sys = require "container.sys"
          local result = assert(container.run { "cat", pids = "max", stdin = %s })
          print(result.status)]]):format(option))))
      assert.equal("from outside\n0\n", result.stdout)
    end
  end)

  it("is what a function gives until it gives nil", function()
    local pieces = { "one ", "", BINARY, "", "two" }
    local at = 0
    local result = run { "cat", stdout = "capture", stdin = function()
      at = at + 1
      return pieces[at]
    end }
    assert.is_true(result.stdout == table.concat(pieces))
    assert.equal(#pieces + 1, at)
  end)

  it("asks a function for no more than somebody reads", function()
    local given = 0
    local result = run { "head", "-c", "5", stdout = "capture", stdin = function()
      given = given + 1
      return ("x"):rep(1 << 16)
    end }
    assert.equal("xxxxx", result.stdout)
    assert.is_true(given < 20)
  end)

  it("from a function that always has nothing yet does not hold up the time", function()
    local result = run { "cat", timeout = 0.1, stdin = function() return "" end }
    assert.equal("timeout", result.reason)
  end)

  it("is a file of Lua's from where that stands, which stays open", function()
    local path = support.tmpdir() .. "/file"
    local file <close> = assert(io.open(path, "w+"))
    file:write("one\ntwo\n")
    file:seek("set", 0)
    file:setvbuf("no")
    assert.equal("one\ntwo\n", run({ "cat", stdin = file, stdout = "capture" }).stdout)
    assert.equal("file", io.type(file))
    file:seek("set", 4)
    assert.equal("two\n", run({ "cat", stdin = file, stdout = "capture" }).stdout)
  end)

  it("is the reading end of another program's pipe", function()
    local file <close> = assert(io.popen("echo from another"))
    assert.equal("from another\n", run({ "cat", stdin = file, stdout = "capture" }).stdout)
  end)
end)

describe("standard output and error #root", function()
  it("are captured, each by itself, with every byte", function()
    for _, how in ipairs(contained.MODES) do
      for _, init in ipairs { true, false } do
        local result = shell("cat; printf 'e\\0r' >&2; exit 3",
          { stdin = BINARY, stdout = "capture", stderr = "capture", init = init }, how)
        assert.is_true(result.stdout == BINARY)
        assert.same({ #BINARY, "e\0r", 3, 3 },
          { result.stdout_size, result.stderr, result.stderr_size, result.status })
      end
    end
  end)

  it("are not in the result unless captured", function()
    local result = shell("echo x; echo y >&2", { stdout = "null", stderr = "null" })
    assert.same({}, { result.stdout, result.stdout_size, result.stderr, result.stderr_size })
    local nothing = shell(":", { stdout = "capture" })
    assert.same({ "", 0 }, { nothing.stdout, nothing.stdout_size })
  end)

  it("are null, which is the container's own", function()
    local result = shell("readlink /proc/self/fd/2; echo x >&2",
      { stdout = "capture", stderr = "null" })
    assert.equal("/dev/null\n", result.stdout)
  end)

  it("are one stream in the order of writing", function()
    for _, how in ipairs(contained.MODES) do
      local result = shell("for i in 1 2 3; do echo out $i; echo err $i >&2; done",
        { stdout = "capture", stderr = "stdout" }, how)
      assert.equal("out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n", result.stdout)
      assert.is_nil(result.stderr)
    end
  end)

  it("are both null where standard error is to be what a null output is", function()
    local result = shell("echo x; echo y >&2; exit 5", { stdout = "null", stderr = "stdout" })
    assert.same({ reason = "exit", status = 5 }, support.ending(result))
  end)

  it("go to functions, in pieces, up to the end", function()
    local out, err = {}, {}
    local result = shell("cat; echo error >&2", { stdin = BINARY,
      stdout = function(piece) out[#out + 1] = piece end,
      stderr = function(piece) err[#err + 1] = piece end })
    assert.equal(0, result.status)
    assert.is_true(table.concat(out) == BINARY)
    assert.equal("error\n", table.concat(err))
    assert.is_nil(result.stdout)
  end)

  it("go to a file of Lua's, an fd, a sys.fd", function()
    local path = support.tmpdir() .. "/"
    local file <close> = assert(io.open(path .. "lua", "w"))
    local fd <close> = assert(sys.open(path .. "fd", "wronly,creat"))
    assert.equal(0, shell("echo out; echo err >&2", { stdout = file, stderr = fd }).status)
    assert.equal("out\n", sys.read_file(path .. "lua"))
    assert.equal("err\n", sys.read_file(path .. "fd"))
    assert.equal(0, shell("echo more", { stdout = fd:fileno() }).status)
    assert.equal("err\nmore\n", sys.read_file(path .. "fd"))
    file:write("and the caller's\n")
    file:close()
    assert.equal("out\nand the caller's\n", sys.read_file(path .. "lua"))
  end)

  it("end with a write error where the file is only for reading", function()
    local file <close> = assert(io.open("/dev/null"))
    assert.are_not.equal(0, shell("echo x", { stdout = file, stderr = "null" }).status)
  end)

  it("can be each other's of the caller's", function()
    local result = support.script([[
      assert(container.run { "sh", "-c", "echo out; echo err >&2", pids = "max",
        stdout = 2, stderr = 1 })]])
    assert.same({ "err\n", "out\n" }, { result.stdout, result.stderr })
  end)

  it("are right in a host program that has closed its own", function()
    local path = support.tmpdir() .. "/said"
    support.run(support.lua .. " -e " .. support.quote(([[
      local container = require "container"
      local sys = require "container.sys"
      for _, mode in ipairs { "fork", "vfork" } do
        require("container.engine.spawn").mode = mode
        local result = assert(container.run { "sh", "-c", "cat; echo err >&2", pids = "max",
          stdin = "in ", stdout = "capture", stderr = "capture" })
        local file = assert(sys.open(%q, "wronly,creat,append"))
        sys.write(file, result.stdout .. result.stderr)
        result = assert(container.run { "sh", "-c", "echo x; echo y >&2; exit 3", pids = "max",
          stderr = "stdout" })
        sys.write(file, result.status .. "\n")
      end]]):format(path)) .. " <&- >&- 2>&-")
    assert.equal("in err\n3\nin err\n3\n", sys.read_file(path))
  end)
end)

describe("output_limit #root", function()
  local function flood(limit)
    return shell("head -c 100000 /dev/zero; head -c 70000 /dev/zero >&2; exit 6",
      { stdout = "capture", stderr = "capture", output_limit = limit })
  end

  it("keeps so many bytes of each stream, and reads and counts the rest", function()
    for _, limit in ipairs { 0, 1, 65536, 69999, 70000, 70001, 100000, 1 << 40 } do
      local result = flood(limit)
      assert.same({ math.min(limit, 100000), math.min(limit, 70000), 100000, 70000, 6 },
        { #result.stdout, #result.stderr, result.stdout_size, result.stderr_size, result.status })
    end
  end)

  it("is 16 MiB when it is left out", function()
    local result = shell("head -c 17825792 /dev/zero", { stdout = "capture" })
    assert.same({ 16 << 20, 17 << 20 }, { #result.stdout, result.stdout_size })
  end)

  it("holds against a flood, whose memory is not the host's", function()
    local result = support.script(([[
      collectgarbage "generational"
      local c <close> = assert(container.spawn { "sh", "-c", "cat /dev/zero", pids = "max",
        stdout = "capture", output_limit = 1000, timeout = %f, stop_timeout = 0.1 })
      local result = assert(c:wait(20))
      local peak = sys.read_file("/proc/self/status"):match("VmHWM:%%s*(%%d+)")
      print(result.reason, #result.stdout, result.stdout_size > 1 << 24, tonumber(peak) < 32768)]])
      :format(0.5 * support.patience))
    assert.same({ "timeout\t1000\ttrue\ttrue\n", "" }, { result.stdout, result.stderr })
  end)
end)

describe("64 MiB on all three streams at once #root", function()
  local PIECE <const>, TOTAL <const> = ("0123456789abcdef"):rep(4096), 64 << 20

  it("flow without a deadlock, from a function, into a capture and a function", function()
    local given, got = 0, 0
    local result = shell("head -c 67108864 /dev/zero >&2 & cat; wait", {
      stdin = function()
        if given < TOTAL then
          given = given + #PIECE
          return PIECE
        end
      end,
      stdout = "capture", output_limit = TOTAL,
      stderr = function(piece) got = got + #piece end,
    })
    assert.same({ TOTAL, TOTAL, TOTAL }, { result.stdout_size, #result.stdout, got })
    assert.is_true(result.stdout == PIECE:rep(TOTAL // #PIECE))
  end)

  it("come from a string, too", function()
    local text = PIECE:rep(TOTAL // #PIECE)
    local result = shell("cat; cat /proc/self/fd/0 >/dev/null; exit 2",
      { stdin = text, stdout = "capture", output_limit = TOTAL })
    assert.is_true(result.stdout == text)
  end)
end)

describe("the streams of a program that has ended #root", function()
  it("do not hold up the wait where a child in the background has them", function()
    for _, init in ipairs { true, false } do
      local c <close> = spawn { "sh", "-c", "sleep 1000 & echo done; exit 4",
        stdout = "capture", stderr = "capture", init = init }
      local result = assert(c:wait(DEADLINE))
      assert.same({ 4, "done\n" }, { result.status, result.stdout })
    end
  end)

  it("may have been closed by it long before its end", function()
    local c <close> = spawn { "sh", "-c", "exec <&- >&- 2>&-; (sleep 0.4; exit 9) & wait $!",
      stdin = function() return "x" end, stdout = "capture", stderr = "capture" }
    local result = assert(c:wait(DEADLINE))
    assert.same({ 9, "", "" }, { result.status, result.stdout, result.stderr })
    assert.is_true(result.wall >= 0.1)
  end)

  it("are done with though it forked twice and closed them", function()
    local result = shell("(sleep 1000 <&- >&- 2>&- &) ; (setsid sleep 1000 &); exit 3",
      { stdout = "capture", stderr = "capture" })
    assert.same({ reason = "exit", status = 3 }, support.ending(result))
  end)

  -- Runs a program that hands its standard output to a process outside, over a socket on a volume,
  -- which holds it until `fn` is done.
  local function with_a_copy_outside(what, stdout, fn)
    local hand, path = command.program "hand", support.tmpdir()
    local inside, outside = assert(sys.pipe())
    local hears, says = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      sys.pdeathsig("KILL")
      sys.dup2(inside, 0)
      sys.dup2(says, 1)
      sys.exec { hand, what, path .. "/socket" }
    end))
    inside:close()
    says:close()
    local held <close> = outside
    local heard <close> = hears
    assert.equal("ready\n", sys.read(heard))
    do
      local c <close> = spawn { "sh", "-c", "echo before; /tmp/hand give /tmp/v/socket && exit 7",
        stdout = stdout, volumes = { hand .. ":/tmp/hand:ro", path .. ":/tmp/v" } }
      fn(c)
    end
    assert.equal("held\n", sys.read(heard))
    held:close()
    assert.same({ "exit", 0 }, { support.wait(pid) })
  end

  it("do not hold up the wait where a copy of one got out of the container", function()
    with_a_copy_outside("take", "capture", function(c)
      local result = assert(c:wait(DEADLINE))
      assert.same({ 7, "before\n" }, { result.status, result.stdout })
    end)
  end)

  it("do not hold up the wait though somebody outside writes to one for ever", function()
    with_a_copy_outside("flood", "capture", function(c)
      local result = assert(c:wait(DEADLINE))
      assert.same({ 7, "before\n" }, { result.status, result.stdout:sub(1, 7) })
    end)
  end)

  it("do not hold up the reader of one either", function()
    with_a_copy_outside("take", "pipe", function(c)
      assert.equal("before\n", c.stdout:read("a"))
      assert.equal(7, assert(c:wait(DEADLINE)).status)
      assert.is_nil(c.stdout:read("l"))
      c.stdout:close()
    end)
  end)
end)
