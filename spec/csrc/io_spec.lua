local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- A new file with contents, and its path.
local function file(contents)
  local path = support.tmpdir() .. "/file"
  local fd <close> = assert(sys.open(path, "wronly,creat"))
  assert(sys.write(fd, contents))
  return path
end

describe("sys.read", function()
  it("reads what is there, no more than is asked for", function()
    local fd <close> = assert(sys.open(file(("x"):rep(5000))))
    assert.equal("", sys.read(fd, 0))
    assert.equal("xx", sys.read(fd, 2))
    assert.equal(4096, #sys.read(fd))
    assert.equal(902, #sys.read(fd, 1 << 16))
    assert.equal("", sys.read(fd))
  end)

  it("takes the number of an fd", function()
    local fd <close> = assert(sys.open(file("contents")))
    assert.equal("contents", sys.read(fd:fileno()))
  end)

  it("is refused a directory, and a number that is not open", function()
    local fd <close> = assert(sys.open("/"))
    support.refused("read: Is a directory", 21, sys.read(fd))
    support.refused("read: Bad file descriptor", 9, sys.read(100000))
  end)

  it("raises for what is no fd and no size", function()
    local closed = io.tmpfile()
    closed:close()
    support.raises("file is closed", sys.read, closed)
    support.raises("container.fd expected, got table", sys.read, {})
    support.raises("container.fd expected, got no value", sys.read)
    support.raises("number out of range", sys.read, -1)
    support.raises("number out of range", sys.read, 1 << 31)
    support.raises("number out of range", sys.read, 0, -1)
    support.raises("number out of range", sys.read, 0, (1 << 30) + 1)
  end)
end)

describe("sys.write", function()
  it("answers how much a pipe took", function()
    support.child(function()
      local reader <close>, writer = assert(sys.pipe())
      -- A pipe that does not block takes what it has room for.
      local again <close> = assert(sys.open("/proc/self/fd/" .. writer:fileno(),
        "wronly,nonblock"))
      local n = sys.write(again, ("x"):rep(1 << 20))
      assert.is_true(n > 0 and n < 1 << 20)
      support.refused("write: Resource temporarily unavailable", "EAGAIN",
        sys.write(again, "x"))
      assert.equal(n, #sys.read(reader, 1 << 20))
    end)
  end)

  it("is refused where nobody reads", function()
    support.refused("write: Broken pipe", 32, support.child(function()
      sys.sigprocmask("block", { "PIPE" })
      local reader, writer = assert(sys.pipe())
      reader:close()
      return sys.write(writer, "x")
    end))
  end)

  it("raises for what is no fd and no string", function()
    support.raises("container.fd expected", sys.write, "x", "x")
    support.raises("string expected, got no value", sys.write, 1)
    support.raises("string expected, got table", sys.write, 1, {})
  end)
end)

describe("sys.ppoll", function()
  it("answers which can be read, and which have come to their end", function()
    local a, a_end = assert(sys.pipe())
    local b, b_end = assert(sys.pipe())
    local c, c_end = assert(sys.pipe())
    sys.write(a_end, "x")
    b_end:close()
    assert.same({ true, true }, sys.ppoll({ a, b, c }))
    assert.same({ [2] = true, [3] = true }, sys.ppoll({ c, a, b }, 10))
    for _, fd in ipairs { a, a_end, b, c, c_end } do
      fd:close()
    end
  end)

  it("answers nothing when the time is up", function()
    local reader, writer = assert(sys.pipe())
    assert.same({}, sys.ppoll({ reader }, 0))
    assert.same({}, sys.ppoll({ reader }, 0.001))
    assert.same({}, sys.ppoll({}, 0))
    reader:close()
    writer:close()
  end)

  it("waits no less than it is told", function()
    local function now()
      return tonumber(sys.read_file("/proc/uptime"):match("^%S+"))
    end
    local before = now()
    sys.ppoll({}, 0.05)
    assert.is_true(now() - before >= 0.03) -- proc counts hundredths
  end)

  it("takes numbers of fds", function()
    local reader, writer = assert(sys.pipe())
    writer:close()
    assert.same({ true }, sys.ppoll({ reader:fileno() }))
    reader:close()
  end)

  it("raises for what is no array of fds and no time", function()
    support.raises("table expected", sys.ppoll, 0)
    support.raises("[2]: open fd expected, got string", sys.ppoll, { 0, "0" }, 0)
    support.raises("[1]: open fd expected, got number", sys.ppoll, { -1 }, 0)
    support.raises("[1]: open fd expected, got number", sys.ppoll, { 1 << 31 }, 0)
    support.raises("[1]: open fd expected, got number", sys.ppoll, { 1.5 }, 0)
    support.raises("number out of range", sys.ppoll, {}, -1)
    support.raises("number out of range", sys.ppoll, {}, 0 / 0)
    support.raises("number expected", sys.ppoll, {}, "soon")
  end)

  it("names the argument in which a wrong fd stands", function()
    support.raises("bad argument #1", sys.ppoll, { "0" }, 0)
    support.raises("bad argument #1", sys.close_others, { "0" })
  end)
end)

describe("sys.flock", function()
  it("keeps a second open file out, until the first is closed", function()
    local path = file("")
    local first <close> = assert(sys.open(path))
    local second <close> = assert(sys.open(path))
    assert.is_true(sys.flock(first))
    support.refused("flock: Resource temporarily unavailable", "EAGAIN",
      sys.flock(second, "ex,nb"))
    assert.matches("FLOCK  ADVISORY  WRITE", sys.read_file("/proc/locks"))
    first:close()
    assert.is_true(sys.flock(second, "ex,nb"))
  end)

  it("shares with sh, and lets go with un", function()
    local path = file("")
    local first <close> = assert(sys.open(path))
    local second <close> = assert(sys.open(path))
    assert.is_true(sys.flock(first, "sh"))
    assert.is_true(sys.flock(second, "sh,nb"))
    assert.is_nil(sys.flock(second, "ex,nb"))
    assert.is_true(sys.flock(first, "un"))
    assert.is_true(sys.flock(second, "ex,nb"))
  end)

  it("is held by the open file, so by every process that has it", function()
    local path = file("")
    local first = assert(sys.open(path))
    local reader, writer = assert(sys.pipe())
    assert.is_true(sys.flock(first))
    local pid = assert(sys.clone({}, function()
      writer:close()
      sys.read(reader)
    end))
    first:close()
    local second <close> = assert(sys.open(path))
    assert.is_nil(sys.flock(second, "ex,nb"))
    reader:close()
    writer:close()
    support.wait(pid)
    assert.is_true(sys.flock(second, "ex,nb"))
  end)

  it("raises for what is no fd, and for a flag it does not know, naming it", function()
    support.raises("container.fd expected", sys.flock, "/")
    support.raises("unknown lock flag 'exclusive'", sys.flock, 0, "exclusive")
  end)
end)

describe("sys.send_fd and receive_fd", function()
  it("hand an open file over, which is the same one", function()
    local from, to = assert(sys.socketpair())
    local _ <close> = from
    local _ <close> = to
    local fd <close> = assert(sys.open(file("contents")))
    assert.is_true(sys.send_fd(from, fd))
    assert.equal("cont", sys.read(fd, 4))
    local got <close> = assert(sys.receive_fd(to))
    assert.are_not.equal(fd:fileno(), got:fileno())
    assert.equal("ents", sys.read(got))
    assert.matches("flags:%s+%d*2%d%d%d%d%d%d\n", -- O_CLOEXEC
      sys.read_file("/proc/self/fdinfo/" .. got:fileno()))
  end)

  it("leave what else comes over the socket", function()
    local from, to = assert(sys.socketpair())
    local _ <close> = from
    local _ <close> = to
    sys.send_fd(from, from)
    sys.write(from, "more")
    assert(sys.receive_fd(to)):close()
    assert.equal("more", sys.read(to))
  end)

  it("take one open file, and leave none behind that came with it", function()
    local from, to = assert(sys.socketpair())
    local _ <close> = from
    local _ <close> = to
    local hand = command.program "hand"
    local pid = assert(sys.clone({}, function()
      assert(sys.close_others { from })
      sys.exec { hand, "both", "3" }
    end))
    assert.same({ "exit", 0 }, { support.wait(pid) })
    local before = #sys.list("/proc/self/fd")
    assert(sys.receive_fd(to)):close()
    assert.equal(before, #sys.list("/proc/self/fd"))
  end)

  it("are refused what is no socket and no open file, and what brings no file", function()
    local from, to = assert(sys.socketpair())
    local _ <close> = from
    local _ <close> = to
    local fd <close> = assert(sys.open("/dev/null"))
    support.refused("sendmsg: Socket operation on non-socket", 88, sys.send_fd(fd, fd))
    support.refused("recvmsg: Socket operation on non-socket", 88, sys.receive_fd(fd))
    support.refused("sendmsg: Bad file descriptor", 9, sys.send_fd(from, 100000))
    sys.write(from, "x")
    support.refused("recvmsg: Bad message", 74, sys.receive_fd(to))
    from:close()
    support.refused("recvmsg: Bad message", 74, sys.receive_fd(to))
    support.refused("sendmsg: Broken pipe", 32, sys.send_fd(to, 0)) -- and no SIGPIPE
  end)

  it("raise for what is no fd", function()
    support.raises("container.fd expected", sys.send_fd, {}, 0)
    support.raises("container.fd expected", sys.send_fd, 0, "x")
    support.raises("container.fd expected", sys.receive_fd)
  end)
end)

describe("sys.ppoll of writers", function()
  it("answers which can be written", function()
    local reader, writer = sys.pipe()
    local _ <close> = reader
    local _ <close> = writer
    local can_read, can_write = sys.ppoll({ reader }, 10, { writer })
    assert.same({ {}, { true } }, { can_read, can_write })
    sys.nonblock(writer)
    while sys.write(writer, ("x"):rep(65536)) do end
    can_read, can_write = sys.ppoll({ reader }, 10, { writer })
    assert.same({ { true }, {} }, { can_read, can_write })
  end)

  it("answers that nobody reads any more", function()
    local reader, writer <close> = sys.pipe()
    reader:close()
    local can_read, can_write = sys.ppoll({}, 10, { writer })
    assert.same({ {}, { true } }, { can_read, can_write })
  end)
end)

describe("sys.write", function()
  it("begins at a byte of the string", function()
    local reader, writer = sys.pipe()
    local _ <close> = reader
    local _ <close> = writer
    assert.equal(3, sys.write(writer, "abcdef", 4))
    assert.equal(0, sys.write(writer, "abcdef", 7))
    assert.equal("def", sys.read(reader))
    support.raises("number out of range", sys.write, writer, "abc", 5)
  end)

  it("raises no SIGPIPE, and takes none away that was there", function()
    local reader, writer <close> = sys.pipe()
    reader:close()
    support.refused("write: Broken pipe", "EPIPE", sys.write(writer, "x"))
    local pending = support.child(function()
      sys.sigprocmask("block", { "PIPE" })
      sys.kill(sys.getpid(), "PIPE")
      sys.write(writer, "x")
      return sys.read_file("/proc/self/status"):match("ShdPnd:%s*(%x+)")
    end)
    assert.equal(1 << 12, tonumber(pending, 16))
  end)
end)

describe("sys.nonblock", function()
  it("has a read and a write answer EAGAIN", function()
    local reader, writer = sys.pipe()
    local _ <close> = reader
    local _ <close> = writer
    assert.is_true(sys.nonblock(reader))
    support.refused("read: Resource temporarily unavailable", "EAGAIN", sys.read(reader))
    support.refused("fcntl F_SETFL: Bad file descriptor", "EBADF", sys.nonblock(100000))
  end)
end)

describe("sys.shutdown", function()
  it("ends one direction", function()
    local a, b = sys.socketpair()
    local _ <close> = a
    local _ <close> = b
    assert.is_true(sys.shutdown(a))
    assert.equal("", sys.read(b))
    sys.write(b, "back")
    assert.equal("back", sys.read(a))
  end)
end)
