local children = require "spec.fixtures.children"
local container = require "container"
local support = require "spec.support"

local hold, gone = children.hold, children.gone

describe("container.exec", function()
  it("replaces the program and hands over every argument as it is", function()
    local result = support.script([[
      print(container.getpid())
      container.exec { "sh", "-c", 'echo $$; printf "[%s]" "$0" "$@"', "a b", "", "*", "\n" }]])
    local before, after, rest = result.stdout:match("^(%d+)\n(%d+)\n(.*)$")
    assert.equal(before, after)
    assert.equal("[a b][][*][\n]", rest)
  end)

  it("says first what is still in a buffer", function()
    assert.equal("first\nsecond\n", support.script([[
      io.stdout:setvbuf("full")
      io.write("first\n")
      container.exec { "echo", "second" }]]).stdout)
  end)

  it("searches PATH for a name without a slash, in order", function()
    local first, second = support.tmpdir(), support.tmpdir()
    for _, path in ipairs { first, second } do
      support.run(("printf '#!/bin/sh\necho %s\n' >%s/prog; chmod +x %s/prog"):format(
        path, path, path))
    end
    local function printed(directories)
      return support.run(("PATH=%s $(command -v %s) -e 'print(require(%q).exec { %q })'"):format(
        directories .. ":/bin:/usr/bin", support.lua, "container", "prog")).stdout
    end
    assert.equal(first .. "\n", printed(first .. ":" .. second))
    support.run("chmod -x " .. first .. "/prog")
    assert.equal(second .. "\n", printed(first .. ":" .. second))
    assert.equal("nil\texec prog: Permission denied\t13\n", printed(first))
    assert.equal("nil\texec prog: No such file or directory\t2\n", printed("/nope"))
  end)

  it("hands over the environment that is given, whole and nothing else", function()
    assert.equal("A=1\nB=two words\n", support.script([[
      container.exec({ "env" }, { "A=1", "B=two words" })]]).stdout)
    assert.equal("", support.script("container.exec({ 'env' }, {})").stdout)
  end)

  it("hands over its own environment if none is given", function()
    local result = support.run(("A=inherited %s -e 'require(%q).exec { %q }'"):format(
      support.lua, "container", "env"))
    assert.matches("\nA=inherited\n", "\n" .. result.stdout)
  end)

  it("executes a file of another name than the first argument's", function()
    assert.equal("called a\n", support.script([[
      container.exec({ "called", "-c", "echo $0 $1", "called", "a" }, {}, "/bin/sh")]]).stdout)
    support.refused("exec /nope: No such file or directory", "ENOENT", support.child(function()
      return container.exec({ "sh" }, {}, "/nope")
    end))
    support.raises("string expected", container.exec, { "true" }, {}, {})
  end)

  it("takes 100000 arguments", function()
    assert.equal("100000\n", support.script([[
      local argv = { "sh", "-c", "echo $#", "sh" }
      for i = 1, 100000 do
        argv[#argv + 1] = "x"
      end
      print(container.exec(argv))]]).stdout)
  end)

  it("is refused more than the kernel takes", function()
    support.needs("native")
    support.refused("exec true: Argument list too long", 7, support.child(function()
      return container.exec { "true", ("x"):rep(1 << 20) }
    end))
  end)

  it("is refused a program that is not there, or cannot be executed", function()
    local refused = {
      { "/nope", "No such file or directory", "ENOENT" },
      { "", "No such file or directory", "ENOENT" },
      { "/etc", "Permission denied", "EACCES" },
      { "/etc/passwd/x", "Not a directory", "ENOTDIR" },
    }
    for _, case in ipairs(refused) do
      local program, reason, errno = table.unpack(case)
      support.refused(program == "" and "exec: " .. reason or ("exec %s: %s"):format(
        program, reason), errno, support.child(function()
          return container.exec { program }
        end))
    end
  end)

  it("raises for what is no vector of strings, saying which", function()
    support.raises("table expected", container.exec)
    support.raises("table expected, got string", container.exec, "true")
    support.raises("no program", container.exec, {})
    support.raises("[2]: string expected, got number", container.exec, { "true", 5 })
    support.raises("NUL byte", container.exec, { "true", "a\0b" })
    support.raises("table expected, got string", container.exec, { "true" }, "A=1")
    support.raises("[1]: string expected, got boolean", container.exec, { "true" }, { true })
  end)
end)

describe("container.fexecve", function()
  it("runs the program in an fd, with its arguments and environment", function()
    support.needs("execveat")
    assert.equal("A=1\n", support.script([[
      local path = io.popen("command -v env"):read("l")
      print(container.fexecve(container.open(path), { "env" }, { "A=1" }))]]).stdout)
  end)

  it("is refused what is no program", function()
    support.needs("execveat")
    local fd <close> = assert(container.open("/etc/passwd"))
    support.refused("execveat x: Permission denied", "EACCES", support.child(function()
      return container.fexecve(fd, { "x" })
    end))
  end)

  it("raises for what is no fd and no vector", function()
    support.raises("container.fd expected", container.fexecve, "/bin/true", { "true" })
    support.raises("table expected", container.fexecve, 0)
    support.raises("no program", container.fexecve, 0, {})
    support.raises("table expected", container.fexecve, 0, { "true" }, 5)
  end)
end)

describe("container.wait", function()
  it("answers an exit status", function()
    for _, status in ipairs { 0, 1, 255 } do
      local pid = assert(container.clone({}, function()
        return status
      end))
      assert.same({ "exit", status }, { container.wait(pid) })
    end
  end)

  it("answers the signal that ended a child", function()
    for signal, number in pairs { KILL = 9, TERM = 15 } do
      local pid = assert(container.clone({}, function()
        container.kill(container.getpid(), signal)
      end))
      assert.same({ "signal", number }, { container.wait(pid) })
    end
  end)

  it("does not wait with nohang", function()
    local pid
    do
      local child <close> = hold({})
      pid = child.pid
      assert.same({ "running" }, { container.wait(pid, "nohang") })
    end
    assert.is_nil(container.wait(pid, "nohang"))
  end)

  it("waits for the child of a pidfd", function()
    support.needs("pidfd")
    local pid = assert(container.clone({}, function()
      return 7
    end))
    local pidfd <close> = assert(container.pidfd_open(pid))
    assert.same({ "exit", 7 }, { container.wait(pidfd) })
  end)

  it("is refused what is no child, or no more", function()
    support.refused("wait 1: No child processes", "ECHILD", container.wait(1))
    local pid = gone()
    support.refused(("wait %d: No child processes"):format(pid), "ECHILD", container.wait(pid))
    local fd <close> = assert(container.open("/"))
    support.refused(("wait %s: Bad file descriptor"):format(fd), 9, container.wait(fd))
  end)

  it("raises for what is no child, and for a flag it does not know, naming it", function()
    support.raises("number out of range", container.wait, 0)
    support.raises("number out of range", container.wait, -1)
    support.raises("number out of range", container.wait, 1 << 31)
    support.raises("container.fd expected", container.wait)
    support.raises("container.fd expected", container.wait, "1")
    support.raises("unknown wait flag 'hang'", container.wait, 1, "hang")
  end)
end)

describe("container.kill", function()
  it("takes a signal by name, with and without SIG, or by number", function()
    for _, signal in ipairs { "USR1", "SIGUSR1", 10 } do
      local pid = assert(container.clone({}, function()
        container.kill(container.getpid(), signal)
      end))
      assert.same({ "signal", 10 }, { container.wait(pid) })
    end
  end)

  it("only asks whether a process is there with 0", function()
    local pid
    do
      local child <close> = hold({})
      pid = child.pid
      assert.is_true(container.kill(pid, 0))
    end
    support.refused(("kill %d: No such process"):format(pid), "ESRCH", container.kill(pid, 0))
  end)

  it("is refused another's process", function()
    local result = support.as_user(support.lua .. [[ -e 'print(require("container").kill(1, 0))']])
    assert.equal("nil\tkill 1: Operation not permitted\t1\n", result.stdout)
  end)

  it("raises for what could be more than one process", function()
    support.raises("number out of range", container.kill, 0, 0)
    support.raises("number out of range", container.kill, -1, 0)
    support.raises("number out of range", container.kill, 1 << 32, 0)
    support.raises("number expected", container.kill, nil, 0)
  end)

  it("raises for a signal it does not know, naming it", function()
    local pid = container.getpid()
    support.raises("'TREM'", container.kill, pid, "TREM")
    support.raises("'term'", container.kill, pid, "term")
    support.raises("number out of range", container.kill, pid, 65)
    support.raises("number out of range", container.kill, pid, -1)
    support.raises("string expected", container.kill, pid)
    support.raises("string expected", container.kill, pid, 1.5)
  end)
end)

describe("container.pidfd_open", function()
  it("answers an fd that can be read when the process has ended", function()
    support.needs("pidfd")
    local pidfd
    do
      local child <close> = hold({})
      pidfd = assert(container.pidfd_open(child.pid))
      assert.is_nil(container.ppoll({ pidfd }, 0)[1])
    end
    assert.is_true(container.ppoll({ pidfd }, 0)[1])
    pidfd:close()
  end)

  it("is refused a process that is not there, naming it", function()
    support.needs("pidfd")
    local pid = gone()
    support.refused(("pidfd_open %d: No such process"):format(pid), "ESRCH",
      container.pidfd_open(pid))
  end)

  it("raises for what is no pid", function()
    support.raises("number out of range", container.pidfd_open, 0)
    support.raises("number expected", container.pidfd_open)
  end)
end)

describe("container.pidfd_send_signal", function()
  it("sends a signal to the process of the fd", function()
    support.needs("pidfd")
    local pid = assert(container.clone({}, function()
      container.ppoll({}, 60)
    end))
    local pidfd <close> = assert(container.pidfd_open(pid))
    assert.is_true(container.pidfd_send_signal(pidfd, "TERM"))
    assert.same({ "signal", 15 }, { support.wait(pid) })
    support.refused("pidfd_send_signal: No such process", "ESRCH",
      container.pidfd_send_signal(pidfd, 0))
  end)

  it("is refused what is no pidfd", function()
    support.needs("pidfd")
    local fd <close> = assert(container.open("/"))
    support.refused("pidfd_send_signal: Bad file descriptor", 9,
      container.pidfd_send_signal(fd, 0))
  end)

  it("raises for what is no fd", function()
    support.raises("container.fd expected", container.pidfd_send_signal, "1", 0)
    support.raises("number out of range", container.pidfd_send_signal, -1, 0)
  end)
end)

describe("container.killpg", function()
  it("sends a signal to all of a group, and to nobody else", function()
    local reader, writer = assert(container.pipe())
    local pid = assert(container.clone({}, function()
      container.setsid()
      local other = container.clone({}, function()
        container.write(writer, ".")
        container.ppoll({}, 100)
      end)
      container.wait(other)
    end))
    writer:close()
    assert.equal(".", container.read(reader))
    assert.is_true(container.killpg(pid, "KILL"))
    assert.same({ "signal", 9 }, { support.wait(pid) })
    assert.equal("", support.drain(reader)) -- nobody holds the other end
    reader:close()
    support.refused("killpg 2147483647: No such process", "ESRCH",
      container.killpg(2147483647, "KILL"))
  end)

  it("raises for what is no group, and for a signal it does not know", function()
    support.raises("out of range", container.killpg, 1, "KILL")
    support.raises("out of range", container.killpg, -5, "KILL")
    support.raises("'TREM'", container.killpg, 5, "TREM")
  end)
end)

describe("container.set_environment", function()
  it("leaves these variables and no other", function()
    local home, a, b, count = support.child(function()
      assert(container.set_environment { "A=1=2", "B=", "=x", "C" })
      local pipe <close> = assert(io.popen("exec /usr/bin/env | grep -v '^[PO_]' | sort"))
      return os.getenv("HOME") == nil, os.getenv("A"), os.getenv("B"), pipe:read("a")
    end)
    assert.same({ true, "1=2", "", "A=1=2\nB=\n" }, { home, a, b, count })
  end)

  it("takes an array of strings", function()
    support.raises("table expected", container.set_environment, "A=1")
    support.raises("string expected", container.set_environment, { 1 })
    support.raises("NUL", container.set_environment, { "A=\0" })
  end)
end)

describe("container._exit", function()
  it("ends the process at once, and nothing is flushed", function()
    local result = support.script([[
      io.stdout:setvbuf("full")
      io.write("lost")
      container._exit(4)]])
    assert.equal("", result.stdout)
    assert.equal(4, result.status)
  end)

  it("ends it with 0 without a number", function()
    assert.equal(0, support.script("container._exit()").status)
  end)

  it("raises for a status that no process can have", function()
    for _, status in ipairs { "256", "1 << 32", "{}", "1.5" } do
      assert.equal("false\n", support.script(
        ("print((pcall(container._exit, %s)))"):format(status)).stdout)
    end
  end)
end)

describe("container.getpid and getppid", function()
  it("answer what proc says", function()
    local pid, parent = container.read_file("/proc/self/stat"):match("^(%d+) %(.*%) %a (%d+)")
    assert.equal(pid, tostring(container.getpid()))
    assert.equal(parent, tostring(container.getppid()))
  end)

  it("answer 1 and 0 in a new pid namespace #root", function()
    assert.same({ 1, 0 }, { support.child(function()
      return container.getpid(), container.getppid()
    end, { "pid" }) })
  end)
end)

describe("container.getpgrp", function()
  it("answers what proc says", function()
    assert.equal(container.read_file("/proc/self/stat"):match("%) %S+ %S+ (%d+)"),
      tostring(container.getpgrp()))
  end)
end)

describe("container.setsid", function()
  it("makes a session and a group of the caller's own, without a terminal", function()
    local pid, session, group, stat = support.child(function()
      return container.getpid(), container.setsid(), container.getpgrp(),
        container.read_file("/proc/self/stat"):match("%) %S+ %S+ (%S+ %S+ %S+)")
    end)
    assert.equal(pid, session)
    assert.equal(pid, group)
    assert.equal(("%d %d 0"):format(pid, pid), stat)
  end)

  it("is refused to the leader of a group", function()
    support.refused("setsid: Operation not permitted", "EPERM", support.child(function()
      container.setsid()
      return container.setsid()
    end))
  end)
end)
