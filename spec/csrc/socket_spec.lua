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
