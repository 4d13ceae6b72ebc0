local errors = require "container.error"
local files = require "container.engine.files"
local sys = require "container.sys"
local sync = require "container.engine.sync"
local support = require "spec.support"
local cleanup = require "container.engine.cleanup"

local E <const> = sys.errno

local function replace(name, fn)
  local original = sys[name]
  sys[name] = fn
  return setmetatable({}, { __close = function() sys[name] = original end })
end

-- A container, as far as these functions ask, and the stack that closes its lines.
local function prepared()
  local stack = cleanup.new()
  local c = { undo = stack, config = { process = { args = { "prog" } } } }
  assert(sync.prepare(c))
  return c, stack
end

describe("errors.new", function()
  it("prints as one sentence, of its step and its message", function()
    local err = errors.new("rootfs", "open /nope: No such file or directory", E.ENOENT)
    assert.equal("rootfs: open /nope: No such file or directory", tostring(err))
    assert.same({ "rootfs", "/nope", E.ENOENT, "open /nope: No such file or directory" },
      { err.step, err.subject, err.errno, err.message })
  end)

  it("takes the subject out of a message of the C module", function()
    local function subject(message)
      return errors.new("step", message).subject
    end
    assert.equal("/a b: c", subject("open /a b: c: No such file or directory"))
    assert.equal("/proc/self/uid_map", subject("write /proc/self/uid_map: Operation not permitted"))
    assert.equal("F_DUPFD_CLOEXEC", subject("fcntl F_DUPFD_CLOEXEC: Too many open files"))
    assert.equal("", subject("pipe: Too many open files"))
    assert.equal("", subject(""))
  end)

  it("keeps a subject that is given", function()
    assert.equal("pids", errors.new("spec", "mkdir a: b", nil, "pids").subject)
  end)

  it("has a type with a name", function()
    assert.equal("container.error", getmetatable(errors.new("a", "b")).__name)
  end)
end)

describe("errors.plain", function()
  it("is one line that does nothing to a terminal", function()
    assert.equal("a b", errors.plain("a b"))
    assert.equal("a\\x0ab\\x1b[2J\\x7f\u{e9}", errors.plain("a\nb\27[2J\127\u{e9}"))
  end)

  it("is the beginning and the end of what is long", function()
    local text = ("a"):rep(1000) .. ("b"):rep(1000)
    assert.equal(("a"):rep(200) .. "..." .. ("b"):rep(200), errors.plain(text))
    assert.equal("aaaaa...bbbbb", errors.plain(text, 5))
    assert.equal(("x"):rep(600), errors.plain(("x"):rep(600)))
    assert.equal(#errors.plain(text), #errors.plain(errors.plain(text)))
  end)

  it("cuts no character in two", function()
    for shift = 0, 3 do
      local text = errors.plain(("x"):rep(shift) .. ("\u{20ac}"):rep(1000))
      assert.is_truthy(utf8.len(text))
    end
  end)
end)

describe("errors.refusal", function()
  it("tells what is long in short, but what it is about and what a hook says whole", function()
    local path = "/" .. ("x"):rep(5000)
    local err = errors.refusal("rootfs", ("open %s: File name too long"):format(path), 36)
    assert.matches("^rootfs: open /x+%.%.%.x+: File name too long$", tostring(err))
    assert.same({ 36, 403 }, { err.errno, #err.message })
    err = errors.refusal("hooks", path .. "\nstack traceback:\n")
    assert.equal(path .. "\nstack traceback:\n", err.message)
  end)
end)

describe("channel.prepare", function()
  it("opens two lines, and has the undo close their four ends", function()
    local c, stack = prepared()
    for _, name in ipairs { "reader", "writer", "line", "init" } do
      assert.is_number(c.channel[name]:fileno(), name)
    end
    assert.equal(1, sys.write(c.channel.writer, "a"))
    assert.equal("a", sys.read(c.channel.reader))
    assert.equal(1, sys.write(c.channel.init, "b"))
    assert.equal("b", sys.read(c.channel.line))
    stack:run()
    for _, name in ipairs { "reader", "writer", "line", "init" } do
      assert.is_nil(c.channel[name]:fileno())
    end
  end)

  for _, call in ipairs { "pipe", "socketpair" } do
    it("answers the refusal of " .. call .. ", and the undo has what was opened", function()
      local stack = cleanup.new()
      do
        local _ <close> = replace(call, function()
          return nil, call .. ": Too many open files", 24
        end)
        support.refused(call .. ": Too many open files", 24, sync.prepare { undo = stack })
      end
      stack:run()
    end)
  end
end)

describe("channel.child", function()
  it("leaves the standard streams and three fds, in the order that init expects", function()
    local path = support.tmpdir() .. "/said"
    local pid = assert(sys.clone({}, function()
      local c = prepared()
      c.image = assert(sys.memfd("an-image", "x"))
      assert(files.child(c))
      local list = {}
      for fd = 3, 20 do
        local target = sys.readlink("/proc/self/fd/" .. fd)
        list[#list + 1] = target and target:gsub("%d+", "N")
      end
      local file <close> = assert(sys.open(path, "wronly,creat"))
      sys.write(file, table.concat(list, " "))
    end))
    assert.same({ "exit", 0 }, { support.wait(pid) })
    assert.equal("pipe:[N] socket:[N] /memfd:an-image (deleted)", sys.read_file(path))
  end)
end)

describe("channel.wait", function()
  -- What the parent hears when the child says this and is gone.
  local function heard(bytes)
    local c, stack = prepared()
    local _ <close> = stack
    sys.write(c.channel.writer, bytes)
    assert.is_true(sync.parent(c))
    return sync.wait(c)
  end

  local function init_says(errno, step, program)
    local c, stack = prepared()
    local _ <close> = stack
    c.config.process.args[1] = program
    sys.write(c.channel.writer, string.pack("<i4zz", errno, step, ""))
    sync.parent(c)
    return sync.wait(c)
  end

  it("hears end of file without a word as success", function()
    assert.is_nil(heard(""))
  end)

  it("hears what sync.report says", function()
    local c, stack = prepared()
    local _ <close> = stack
    sync.report(c, "hostname", "sethostname box: Operation not permitted", 1)
    sync.parent(c)
    local err = sync.wait(c)
    assert.equal("hostname: sethostname box: Operation not permitted", tostring(err))
    assert.same({ "hostname", "box", 1 }, { err.step, err.subject, err.errno })
  end)

  it("hears a failure without a number", function()
    local c, stack = prepared()
    local _ <close> = stack
    sync.report(c, "child", "file.lua:1: attempt to index a nil value")
    sync.parent(c)
    local err = sync.wait(c)
    assert.equal("child: file.lua:1: attempt to index a nil value", tostring(err))
    assert.is_nil(err.errno)
  end)

  it("hears a message that comes in pieces", function()
    local c, stack = prepared()
    local _ <close> = stack
    local text = ("x"):rep(10000)
    sync.report(c, "hooks", text, 5)
    sync.parent(c)
    assert.equal(text, sync.wait(c).message)
  end)

  it("hears a message that no pipe could hold, told without a reader", function()
    for step, size in pairs { mount = 403, hooks = 32768 } do
      local c, stack = prepared()
      local _ <close> = stack
      sys.nonblock(c.channel.writer) -- else it would wait here
      sync.report(c, step, ("x"):rep(1 << 20), 5)
      sync.parent(c)
      local err = sync.wait(c)
      assert.same({ step, size, 5 }, { err.step, #err.message, err.errno })
    end
  end)

  it("closes the channel", function()
    local c, stack = prepared()
    local _ <close> = stack
    sync.parent(c)
    sync.wait(c)
    assert.is_nil(c.channel.reader:fileno())
    assert.is_nil(c.channel.writer:fileno())
  end)

  it("finds the words that init has not", function()
    local err = init_says(E.ENOENT, "exec", "nosuch")
    assert.equal("exec: nosuch: not found in PATH", tostring(err))
    assert.same({ "exec", "nosuch", E.ENOENT }, { err.step, err.subject, err.errno })
    assert.equal("exec: /no/such: No such file or directory",
      tostring(init_says(E.ENOENT, "exec", "/no/such")))
    assert.equal("exec: /etc: Permission denied", tostring(init_says(E.EACCES, "exec", "/etc")))
  end)

  it("says what a fork takes that the limit refused", function()
    local err = init_says(E.EAGAIN, "fork", "true")
    assert.matches("^fork: true: Resource temporarily unavailable %(init and the program are two",
      tostring(err))
    assert.same({ "fork", "true", E.EAGAIN }, { err.step, err.subject, err.errno })
  end)
end)

describe("channel.answer", function()
  local function answer(bytes)
    local c, stack = prepared()
    local _ <close> = stack
    sys.write(c.channel.init, bytes)
    sync.parent(c)
    return table.pack(sync.answer(c)), c
  end

  it("is the exit status that init saw", function()
    for _, status in ipairs { 0, 7, 255 } do
      local used = { user = 1.5, system = 0.25, memory = 2048 }
      assert.same({ "exit", status, used, n = 3 },
        (answer(string.pack("<i8i8i8i8", status << 8, 1500000, 250000, 2))))
    end
  end)

  it("is the signal that init saw, also one that dumped core", function()
    local used = { user = 0.0, system = 0.0, memory = 0 }
    assert.same({ "signal", 15, used, n = 3 }, (answer(string.pack("<i8i8i8i8", 15, 0, 0, 0))))
    assert.same({ "signal", 11, used, n = 3 },
      (answer(string.pack("<i8i8i8i8", 11 | 0x80, 0, 0, 0))))
  end)

  it("is the error for which init left", function()
    local used = { user = 0.0, system = 0.0, memory = 0 }
    assert.same({ "failed", 38, used, n = 3 }, (answer(string.pack("<i8i8i8i8", -38, 0, 0, 0))))
  end)

  it("is nil when there was no init to say anything, or it was killed", function()
    assert.same({ n = 1 }, (answer("")))
    assert.same({ n = 1 }, (answer("\0\0")))
  end)

  it("is nil when somebody else said what no wait can", function()
    for _, status in ipairs { 0x41, 0x7f, -1, math.mininteger | 0x50 } do
      assert.same({ n = 1 }, (answer(string.pack("<i8i8i8i8", status, -1, 0, math.maxinteger))))
    end
    local good = string.pack("<i8i8i8i8", 0, 0, 0, 0)
    assert.same({ n = 1 }, (answer(good .. good)))
  end)

  it("does not wait for what the other end never says", function()
    local c, stack = prepared()
    local _ <close> = stack
    local copy <close> = assert(sys.dup(c.channel.init))
    sync.parent(c)
    local read = sys.read
    local _ <close> = replace("read", function(fd)
      assert.is_truthy(sys.ppoll({ fd }, 0)[1], "it waits")
      return read(fd)
    end)
    assert.is_number(copy:fileno())
    assert.same({ n = 1 }, table.pack(sync.answer(c)))
    assert.is_nil(c.channel.line:fileno())
  end)

  it("closes the line", function()
    local _, c = answer("")
    assert.is_nil(c.channel.line:fileno())
  end)
end)

describe("what a child says that is an enemy's", function()
  local function heard(seconds, ...)
    local c, stack = prepared()
    local _ <close> = stack
    sys.nonblock(c.channel.writer)
    for _, bytes in ipairs { ... } do
      sys.write(c.channel.writer, bytes)
    end
    local held <close> = seconds and assert(sys.dup(c.channel.writer)) or nil
    assert.is_true(sync.parent(c))
    local err = sync.wait(c, seconds)
    assert.is_nil(c.channel.reader:fileno())
    return { err.step, err.errno }, held
  end

  it("has its form", function()
    local good = string.pack("<i4zz", 1, "mount", "text")
    for _, bytes in ipairs { ".", "abc", "\1\0\0\0mount", good:sub(1, -2), good .. "x",
        good .. good, string.pack("<i4zz", 1, "", "text"),
        string.pack("<i4zz", 1, "A\27[2J", "") } do
      assert.same({ "channel", E.EBADMSG }, (heard(nil, bytes)))
    end
  end)

  it("is short", function()
    assert.same({ "channel", E.EMSGSIZE }, (heard(nil, ("x"):rep(1 << 16))))
  end)

  it("is complete in time", function()
    assert.same({ "channel", E.ETIMEDOUT }, (heard(0.05)))
    assert.same({ "channel", E.ETIMEDOUT }, (heard(0.05, "\1\0\0\0mou")))
  end)

  it("is told without the bytes that end it", function()
    local c, stack = prepared()
    local _ <close> = stack
    sync.report(c, "mount", "a\0b", 5)
    sync.parent(c)
    assert.matches("a.*b", sync.wait(c).message)
  end)
end)

describe("a child that cannot be told to go on", function()
  it("is told of as an error of the start", function()
    for name, fn in pairs { userns = sync.parent, start_barrier = sync.open_barrier } do
      local c, stack = prepared()
      local _ <close> = stack
      c[name] = true
      assert(sys.shutdown(c.channel.line))
      local _ <close> = replace("write", function()
        return nil, "write: Operation not permitted", E.EPERM
      end)
      assert.same({ n = 3, nil, "write: Operation not permitted", E.EPERM }, table.pack(fn(c)))
    end
  end)
end)
