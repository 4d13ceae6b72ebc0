local children = require "spec.fixtures.children"
local sys = require "container.sys"
local support = require "spec.support"

local hold, gone = children.hold, children.gone

describe("sys.wait", function()
  it("answers an exit status", function()
    for _, status in ipairs { 0, 1, 255 } do
      local pid = assert(sys.clone({}, function()
        return status
      end))
      assert.same({ "exit", status }, { sys.wait(pid) })
    end
  end)

  it("answers the signal that ended a child", function()
    for signal, number in pairs { KILL = 9, TERM = 15 } do
      local pid = assert(sys.clone({}, function()
        sys.kill(sys.getpid(), signal)
      end))
      assert.same({ "signal", number }, { sys.wait(pid) })
    end
  end)

  it("does not wait with nohang", function()
    local pid
    do
      local child <close> = hold({})
      pid = child.pid
      assert.same({ "running" }, { sys.wait(pid, "nohang") })
    end
    assert.is_nil(sys.wait(pid, "nohang"))
  end)

  it("waits for the child of a pidfd", function()
    support.needs("pidfd")
    local pid = assert(sys.clone({}, function()
      return 7
    end))
    local pidfd <close> = assert(sys.pidfd_open(pid))
    assert.same({ "exit", 7 }, { sys.wait(pidfd) })
  end)

  it("is refused what is no child, or no more", function()
    support.refused("wait 1: No child processes", "ECHILD", sys.wait(1))
    local pid = gone()
    support.refused(("wait %d: No child processes"):format(pid), "ECHILD", sys.wait(pid))
    local fd <close> = assert(sys.open("/"))
    support.refused(("wait %s: Bad file descriptor"):format(fd), 9, sys.wait(fd))
  end)

  it("raises for what is no child, and for a flag it does not know, naming it", function()
    support.raises("number out of range", sys.wait, 0)
    support.raises("number out of range", sys.wait, -1)
    support.raises("number out of range", sys.wait, 1 << 31)
    support.raises("container.fd expected", sys.wait)
    support.raises("container.fd expected", sys.wait, "1")
    support.raises("unknown wait flag 'hang'", sys.wait, 1, "hang")
  end)
end)

describe("sys.kill", function()
  it("takes a signal by name, with and without SIG, or by number", function()
    for _, signal in ipairs { "USR1", "SIGUSR1", 10 } do
      local pid = assert(sys.clone({}, function()
        sys.kill(sys.getpid(), signal)
      end))
      assert.same({ "signal", 10 }, { sys.wait(pid) })
    end
  end)

  it("only asks whether a process is there with 0", function()
    local pid
    do
      local child <close> = hold({})
      pid = child.pid
      assert.is_true(sys.kill(pid, 0))
    end
    support.refused(("kill %d: No such process"):format(pid), "ESRCH", sys.kill(pid, 0))
  end)

  it("is refused another's process", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").kill(1, 0))']])
    assert.equal("nil\tkill 1: Operation not permitted\t1\n", result.stdout)
  end)

  it("raises for what could be more than one process", function()
    support.raises("number out of range", sys.kill, 0, 0)
    support.raises("number out of range", sys.kill, -1, 0)
    support.raises("number out of range", sys.kill, 1 << 32, 0)
    support.raises("number expected", sys.kill, nil, 0)
  end)

  it("raises for a signal it does not know, naming it", function()
    local pid = sys.getpid()
    support.raises("'TREM'", sys.kill, pid, "TREM")
    support.raises("'term'", sys.kill, pid, "term")
    support.raises("number out of range", sys.kill, pid, 65)
    support.raises("number out of range", sys.kill, pid, -1)
    support.raises("string expected", sys.kill, pid)
    support.raises("string expected", sys.kill, pid, 1.5)
  end)
end)

describe("sys.pidfd_open", function()
  it("answers an fd that can be read when the process has ended", function()
    support.needs("pidfd")
    local pidfd
    do
      local child <close> = hold({})
      pidfd = assert(sys.pidfd_open(child.pid))
      assert.is_nil(sys.ppoll({ pidfd }, 0)[1])
    end
    assert.is_true(sys.ppoll({ pidfd }, 0)[1])
    pidfd:close()
  end)

  it("is refused a process that is not there, naming it", function()
    support.needs("pidfd")
    local pid = gone()
    support.refused(("pidfd_open %d: No such process"):format(pid), "ESRCH",
      sys.pidfd_open(pid))
  end)

  it("raises for what is no pid", function()
    support.raises("number out of range", sys.pidfd_open, 0)
    support.raises("number expected", sys.pidfd_open)
  end)
end)

describe("sys.pidfd_send_signal", function()
  it("sends a signal to the process of the fd", function()
    support.needs("pidfd")
    local pid = assert(sys.clone({}, function()
      sys.ppoll({}, 60)
    end))
    local pidfd <close> = assert(sys.pidfd_open(pid))
    assert.is_true(sys.pidfd_send_signal(pidfd, "TERM"))
    assert.same({ "signal", 15 }, { support.wait(pid) })
    support.refused("pidfd_send_signal: No such process", "ESRCH",
      sys.pidfd_send_signal(pidfd, 0))
  end)

  it("is refused what is no pidfd", function()
    support.needs("pidfd")
    local fd <close> = assert(sys.open("/"))
    support.refused("pidfd_send_signal: Bad file descriptor", 9,
      sys.pidfd_send_signal(fd, 0))
  end)

  it("raises for what is no fd", function()
    support.raises("container.fd expected", sys.pidfd_send_signal, "1", 0)
    support.raises("number out of range", sys.pidfd_send_signal, -1, 0)
  end)
end)

describe("sys.killpg", function()
  it("sends a signal to all of a group, and to nobody else", function()
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      sys.setsid()
      local other = sys.clone({}, function()
        sys.write(writer, ".")
        sys.ppoll({}, 100)
      end)
      sys.wait(other)
    end))
    writer:close()
    assert.equal(".", sys.read(reader))
    assert.is_true(sys.killpg(pid, "KILL"))
    assert.same({ "signal", 9 }, { support.wait(pid) })
    assert.equal("", support.drain(reader)) -- no process holds the other end
    reader:close()
    support.refused("killpg 2147483647: No such process", "ESRCH",
      sys.killpg(2147483647, "KILL"))
  end)

  it("raises for what is no group, and for a signal it does not know", function()
    support.raises("out of range", sys.killpg, 1, "KILL")
    support.raises("out of range", sys.killpg, -5, "KILL")
    support.raises("'TREM'", sys.killpg, 5, "TREM")
  end)
end)

describe("sys.getpid and getppid", function()
  it("answer what proc says", function()
    local pid, parent = sys.read_file("/proc/self/stat"):match("^(%d+) %(.*%) %a (%d+)")
    assert.equal(pid, tostring(sys.getpid()))
    assert.equal(parent, tostring(sys.getppid()))
  end)

  it("answer 1 and 0 in a new pid namespace #root", function()
    assert.same({ 1, 0 }, { support.child(function()
      return sys.getpid(), sys.getppid()
    end, { "pid" }) })
  end)
end)

describe("sys.getpgrp", function()
  it("answers what proc says", function()
    assert.equal(sys.read_file("/proc/self/stat"):match("%) %S+ %S+ (%d+)"),
      tostring(sys.getpgrp()))
  end)
end)

describe("sys.setsid", function()
  it("makes a session and a group of the caller's own, without a terminal", function()
    local pid, session, group, stat = support.child(function()
      return sys.getpid(), sys.setsid(), sys.getpgrp(),
        sys.read_file("/proc/self/stat"):match("%) %S+ %S+ (%S+ %S+ %S+)")
    end)
    assert.equal(pid, session)
    assert.equal(pid, group)
    assert.equal(("%d %d 0"):format(pid, pid), stat)
  end)

  it("is refused to the leader of a group", function()
    support.refused("setsid: Operation not permitted", "EPERM", support.child(function()
      sys.setsid()
      return sys.setsid()
    end))
  end)
end)
