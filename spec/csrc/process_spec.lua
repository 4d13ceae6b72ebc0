local container = require "container"
local support = require "spec.support"

-- The names of OCI, and what /proc/PID/ns calls them.
local links = {
  cgroup = "cgroup", ipc = "ipc", mount = "mnt", network = "net", pid = "pid", time = "time",
  user = "user", uts = "uts",
}

local function links_now()
  local found = {}
  for name, link in pairs(links) do
    found[name] = assert(container.readlink("/proc/self/ns/" .. link))
  end
  return found
end

-- A child in namespaces of its own that stays until this goes out of scope.
local function hold(namespaces, fn)
  local ready, say = assert(container.pipe())
  local listen, go = assert(container.pipe())
  local pid = assert(container.clone(namespaces, function()
    container.pdeathsig("KILL")
    go:close()
    if fn then
      fn()
    end
    container.write(say, ".")
    container.read(listen)
  end))
  say:close()
  listen:close()
  assert(container.read(ready) == ".")
  ready:close()
  return setmetatable({ pid = pid }, {
    __close = function()
      go:close()
      support.wait(pid)
    end,
  })
end

-- The number of a process that is no more.
local function gone()
  local pid = assert(container.clone({}, function() end))
  assert(container.wait(pid))
  return pid
end

describe("container.clone", function()
  it("runs the function in a child and answers the child's pid", function()
    local reader, writer = assert(container.pipe())
    local pid = assert(container.clone({}, function()
      local stat = container.read_file("/proc/self/stat")
      container.write(writer, stat:match("^%d+ %(.*%) %a %d+"))
    end))
    writer:close()
    local child, parent = support.drain(reader):match("^(%d+) .* (%d+)$")
    reader:close()
    assert.same({ "exit", 0 }, { support.wait(pid) })
    assert.equal(tostring(pid), child)
    assert.equal(tostring(container.getpid()), parent)
  end)

  it("gives the child a copy: what it changes is not seen here", function()
    local value = 1
    support.wait(assert(container.clone({}, function()
      value = 2
    end)))
    assert.equal(1, value)
  end)

  -- What the function does; the status; what the child says on standard error.
  local ends = {
    { "returns nothing", "", 0, "^$" },
    { "returns an integer", "return 7", 7, "^$" },
    { "returns true", "return true", 0, "^$" },
    { "returns nil and a message", "return nil, 'no such luck'", 1,
      "^container.clone: no such luck\n$" },
    { "raises a string", "error('bad luck')", 1,
      "^container.clone: .*bad luck\nstack traceback:\n" },
    { "raises a table", "error({})", 1, "^container.clone: table: 0x" },
    { "raises nil", "error()", 1, "^container.clone: nil" },
    { "calls os.exit", "os.exit()", 0, "^$" },
    { "calls os.exit with a number", "os.exit(3)", 3, "^$" },
    { "calls os.exit with true", "os.exit(true)", 0, "^$" },
    { "calls os.exit with false", "os.exit(false)", 1, "^$" },
    { "calls os.exit and asks to close the state", "os.exit(3, true)", 3, "^$" },
    { "calls an os.exit kept from before", "exit(3)", 3, "^$" },
    { "calls os.exit with no number", "os.exit({})", 1, "number expected" },
    { "calls os.exit in a coroutine", "coroutine.wrap(function() os.exit(3) end)()", 3, "^$" },
    { "calls os.exit in a protected call", "pcall(os.exit, 3)", 3, "^$" },
    { "yields", "coroutine.yield()", 1, "attempt to yield" },
    { "calls _exit", "container._exit(3)", 3, "^$" },
  }

  for _, case in ipairs(ends) do
    local name, body, status, words = table.unpack(case)
    -- The child must neither run on into the parent's program, nor say again what the parent had
    -- in a buffer, nor run what the parent holds back for its own end.
    local program = [[
      local exit = os.exit
      io.stdout:setvbuf("full")
      local closed <close> = setmetatable({}, { __close = function() print("closed") end })
      finalized = setmetatable({}, { __gc = function() print("finalized") end })
      print("buffered")
      %s
      print(container.wait(pid))]]

    it("ends only the child, with its status, when the function " .. name, function()
      local result = support.script(program:format(
        ("local pid = container.clone({}, function() %s end)"):format(body)))
      assert.equal(("buffered\nexit\t%d\nclosed\nfinalized\n"):format(status), result.stdout)
      assert.matches(words, result.stderr)
      assert.equal(0, result.status)
    end)

    it("does so from within a coroutine when the function " .. name, function()
      local result = support.script(program:format(([[
        local pid = coroutine.wrap(function()
          local inner <close> = setmetatable({}, { __close = function() print("inner") end })
          return (container.clone({}, function() %s end))
        end)()]]):format(body)))
      assert.equal(("buffered\ninner\nexit\t%d\nclosed\nfinalized\n"):format(status),
        result.stdout)
      assert.matches(words, result.stderr)
    end)
  end

  it("flushes what the child wrote, however it ended but by _exit", function()
    for _, way in ipairs { "", "os.exit(0)", "os.exit(0, true)", "exit(0)", "error()" } do
      local result = support.script(([[
        local exit = os.exit
        io.stdout:setvbuf("full")
        container.wait(container.clone({}, function() io.write("child") %s end))]]):format(way))
      assert.equal("child", result.stdout)
    end
  end)

  -- Nothing can keep that from closing what the parent holds, in the child too.
  it("ends with its status when an os.exit kept from before closes the state", function()
    assert.equal("exit\t3\n", support.script([[
      local exit = os.exit
      print(container.wait(container.clone({}, function() exit(3, true) end)))]]).stdout)
  end)

  it("leaves the parent's garbage to the parent", function()
    local result = support.script([[
      local parent = container.getpid()
      local garbage = { __gc = function()
        io.write(container.getpid() == parent and "parent\n" or "child\n")
      end }
      collectgarbage() -- so that none is near
      setmetatable({}, garbage)
      container.wait(container.clone({}, function()
        for i = 1, 1000000 do
          local _ = { i }
        end
      end))]])
    assert.equal("parent\n", result.stdout)
  end)

  for name in pairs(links) do
    it("makes a new " .. name .. " namespace and no other #root", function()
      support.needs(name == "time" and "clone3" or nil)
      local here = links_now()
      local there = load("return {" .. support.child(function()
        local text = ""
        for key, link in pairs(links_now()) do
          text = text .. ("%s = %q,"):format(key, link)
        end
        return text
      end, { name }) .. "}")()
      for key, link in pairs(here) do
        if key == name then
          assert.not_equal(link, there[key])
        else
          assert.equal(link, there[key])
        end
      end
    end)
  end

  it("makes all eight at once, and the child is pid 1 without a parent #root", function()
    support.needs("clone3")
    local here = links_now()
    local pid, parent, same = support.child(function()
      local same = ""
      for name, link in pairs(links_now()) do
        same = same .. (link == here[name] and name or "")
      end
      return container.getpid(), container.getppid(), same
    end, { "pid", "uts", "mount", "ipc", "network", "cgroup", "user", "time" })
    assert.same({ 1, 0, "" }, { pid, parent, same })
  end)

  it("takes comma words #root", function()
    local here = links_now()
    local pid = assert(container.clone("uts,ipc", function()
      local there = links_now()
      return (there.uts ~= here.uts and 1 or 0) + (there.ipc ~= here.ipc and 2 or 0)
    end))
    assert.same({ "exit", 3 }, { support.wait(pid) })
  end)

  it("is refused namespaces without privilege, naming them", function()
    local result = support.as_user(support.lua .. [[ -e 'local container = require "container"
      print(container.clone({ "uts", "ipc" }, function() end))']])
    assert.equal("nil\tclone uts,ipc: Operation not permitted\t1\n", result.stdout)
  end)

  it("is refused more namespaces than user.max_uts_namespaces #root", function()
    support.refused("clone uts: No space left on device", "ENOSPC", support.child(function()
      assert(container.write_file("/proc/sys/user/max_uts_namespaces", "0"))
      return container.clone("uts", function() end)
    end, { "user" }))
  end)

  it("gives an ordinary user a user namespace and what is in it #userns", function()
    local result = support.as_user(support.lua .. [[ -e 'local container = require "container"
      container.wait(container.clone("user,uts", function()
        print(container.sethostname("box"), container.gethostname())
      end))']])
    assert.equal("true\tbox\n", result.stdout)
  end)

  it("raises for a namespace it does not know, naming it", function()
    support.raises("unknown namespace 'utz'", container.clone, { "uts", "utz" }, print)
    support.raises("unknown namespace 'net'", container.clone, "net", print)
  end)

  it("raises for what are no names of namespaces", function()
    support.raises("names of namespaces expected", container.clone, { "uts", 5 }, print)
    support.raises("string expected, got number", container.clone, 5, print)
    support.raises("string expected, got no value", container.clone)
    support.raises("NUL byte", container.clone, "uts\0", print)
  end)

  it("raises for what is no function", function()
    support.raises("function expected, got no value", container.clone, {})
    support.raises("function expected, got table", container.clone, {},
      setmetatable({}, { __call = print }))
  end)
end)

describe("container.clone_vm", function()
  it("runs the function in a child and answers the child's pid", function()
    local reader, writer = assert(container.pipe())
    local pid = assert(container.clone_vm({}, function()
      container.write(writer, ("%d %d"):format(container.getpid(), container.getppid()))
      container._exit(7)
    end))
    writer:close()
    assert.equal(("%d %d"):format(pid, container.getpid()), support.drain(reader))
    reader:close()
    assert.same({ "exit", 7 }, { support.wait(pid) })
  end)

  it("shares the memory: what the child changes is seen here", function()
    support.needs("native")
    local value = {}
    support.wait(assert(container.clone_vm({}, function()
      for i = 1, 1000 do
        value[i] = "changed " .. i
      end
      container._exit(0)
    end)))
    assert.equal(1000, #value)
    assert.equal("changed 1000", value[1000])
  end)

  it("goes on when the child has executed a program, and while that runs", function()
    local reader, writer = assert(container.pipe())
    local pid = assert(container.clone_vm({}, function()
      container.close_others { reader }
      container.exec { "sh", "-c", "read x <&3; exit 8" }
      container._exit(1)
    end))
    assert.same({ "running" }, { container.wait(pid, "nohang") })
    container.write(writer, "go\n")
    assert.same({ "exit", 8 }, { support.wait(pid) })
    reader:close()
    writer:close()
  end)

  it("ends the child with 125 when the function returns, raises or yields", function()
    for _, fn in ipairs { function() end, error, coroutine.yield } do
      assert.same({ "exit", 125 }, { support.wait(assert(container.clone_vm({}, fn))) })
    end
  end)

  it("makes the namespaces #root", function()
    local here, reader, writer = links_now(), assert(container.pipe())
    local pid = assert(container.clone_vm({ "uts", "pid", "network" }, function()
      local there, changed = links_now(), {}
      for name, link in pairs(there) do
        changed[#changed + 1] = link ~= here[name] and name or nil
      end
      table.sort(changed)
      container.write(writer, table.concat(changed, " ") .. " " .. container.getpid())
      container._exit(0)
    end))
    writer:close()
    assert.equal("network pid uts 1", support.drain(reader))
    reader:close()
    support.wait(pid)
  end)

  it("leaves open here what the child closes, and closes nothing for what it opened", function()
    support.needs("native")
    local fd <close> = assert(container.open("/"))
    local own
    local pid = assert(container.clone_vm({}, function()
      fd:close()
      local inner <close> = container.open("/")
      own = container.open("/")
      container._exit(inner and 0 or 1)
    end))
    assert.same({ "exit", 0 }, { support.wait(pid) })
    assert.equal("directory", container.stat(fd).type)
    -- A number that was the child's may be ours by now.
    local mine <close> = assert(container.open("/proc"))
    assert.is_true(own:close())
    assert.equal("directory", container.stat(mine).type)
    assert.equal("directory", container.stat(fd).type)
  end)

  it("leaves the collector as it was, and does not let it run in the child", function()
    local result = support.script([[
      local parent = container.getpid()
      local garbage = { __gc = function()
        io.write(container.getpid() == parent and "parent\n" or "child\n")
      end }
      local function child()
        container.wait(container.clone_vm({}, function()
          for i = 1, 1000000 do
            local _ = { i }
          end
          container._exit(0)
        end))
        return collectgarbage("isrunning")
      end
      collectgarbage()
      setmetatable({}, garbage)
      print(child())
      collectgarbage("stop")
      print(child())]])
    assert.equal("true\nfalse\nparent\n", result.stdout)
  end)

  it("runs no hook of the caller in the child", function()
    local result = support.script([[
      local parent = container.getpid()
      debug.sethook(function()
        if container.getpid() ~= parent then
          container._exit(3)
        end
      end, "crl", 1)
      print(container.wait(container.clone_vm({}, function()
        container._exit(0)
      end)))]])
    assert.equal("exit\t0\n", result.stdout)
  end)

  it("leaves the caller dumpable when the child has changed its ids #root", function()
    -- A process without CAP_SYS_PTRACE sees where a process of its own user runs from if that is
    -- dumpable, and has no capability more.
    local before, after = support.child(function()
      local pid = container.getpid()
      local function visible()
        local child = container.clone({}, function()
          return container.readlink("/proc/" .. pid .. "/exe") and 7 or 0
        end)
        return select(2, container.wait(child)) == 7
      end
      assert(container.capset { "setuid" })
      -- Giving them up has cleared it; a program that is executed has it again.
      local before = visible()
      container.wait(container.clone_vm({}, function()
        container.setuid(54321)
        container._exit(0)
      end))
      return before, visible()
    end)
    assert.equal(before, after)
  end)

  it("is refused namespaces without privilege, naming them", function()
    local result = support.as_user(support.lua .. [[ -e 'local container = require "container"
      print(container.clone_vm({ "uts", "ipc" }, function() end))
      print(collectgarbage("isrunning"))']])
    assert.equal("nil\tclone uts,ipc: Operation not permitted\t1\ntrue\n", result.stdout)
  end)

  it("raises as clone does, and for a time namespace", function()
    support.raises("a time namespace takes a copy", container.clone_vm, { "uts", "time" }, print)
    support.raises("unknown namespace 'utz'", container.clone_vm, "utz", print)
    support.raises("function expected, got no value", container.clone_vm, {})
    assert.is_true(collectgarbage("isrunning"))
  end)
end)

describe("container.unshare", function()
  it("moves the caller into a new namespace #root", function()
    local before, after = support.child(function()
      local before = container.readlink("/proc/self/ns/uts")
      assert(container.unshare({ "uts", "ipc" }))
      return before, container.readlink("/proc/self/ns/uts")
    end)
    assert.not_equal(before, after)
  end)

  it("moves the caller's next child into a new pid namespace, not the caller #root", function()
    local before, after, child = support.child(function()
      local before = container.getpid()
      assert(container.unshare("pid"))
      local pid = assert(container.clone({}, function()
        return container.getpid()
      end))
      return before, container.getpid(), select(2, container.wait(pid))
    end)
    assert.equal(before, after)
    assert.equal(1, child)
  end)

  it("makes a time namespace whose clocks can be set until somebody is in it #root", function()
    local away, late = support.child(function()
      assert(container.unshare("time"))
      assert(container.write_file("/proc/self/timens_offsets", "boottime 1000000000 0"))
      local pid = assert(container.clone({}, function()
        local uptime = tonumber(container.read_file("/proc/uptime"):match("^%d+"))
        return uptime > 1000000000 and 7 or 0
      end))
      local _, status = container.wait(pid)
      return status, select(3, container.write_file("/proc/self/timens_offsets", "boottime 1 0"))
    end)
    assert.equal(7, away)
    assert.equal(container.errno.EACCES, late)
  end)

  it("is refused without privilege", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container").unshare("mount,uts"))']])
    assert.equal("nil\tunshare mount,uts: Operation not permitted\t1\n", result.stdout)
  end)

  it("raises as clone does", function()
    support.raises("unknown namespace 'utz'", container.unshare, "utz")
    support.raises("names of namespaces expected", container.unshare, { true })
    support.raises("string expected, got no value", container.unshare)
  end)
end)

describe("container.setns #root", function()
  local function named()
    assert(container.sethostname("held"))
  end

  it("joins the namespaces of a pid", function()
    support.needs("pidfd")
    local other <close> = hold({ "uts", "ipc" }, named)
    local name, same = support.child(function()
      assert(container.setns(other.pid, { "uts", "ipc" }))
      return container.gethostname(), container.readlink("/proc/self/ns/ipc")
        == container.readlink("/proc/" .. other.pid .. "/ns/ipc")
    end)
    assert.equal("held", name)
    assert.is_true(same)
  end)

  it("joins only those that are named", function()
    support.needs("pidfd")
    local other <close> = hold({ "uts", "ipc" }, named)
    assert.not_equal("held", support.child(function()
      assert(container.setns(other.pid, "ipc"))
      return container.gethostname()
    end))
  end)

  it("joins the namespace at a path", function()
    local other <close> = hold({ "uts" }, named)
    assert.equal("held", support.child(function()
      assert(container.setns("/proc/" .. other.pid .. "/ns/uts", "uts"))
      return container.gethostname()
    end))
  end)

  it("joins the namespace of an fd, which it leaves open", function()
    local other <close> = hold({ "uts" }, named)
    local fd <close> = assert(container.open("/proc/" .. other.pid .. "/ns/uts"))
    assert.equal("held", support.child(function()
      assert(container.setns(fd, "uts"))
      return container.gethostname()
    end))
    assert.is_truthy(container.stat(fd))
  end)

  it("joins the namespaces of a pidfd", function()
    support.needs("pidfd")
    local other <close> = hold({ "uts" }, named)
    local fd <close> = assert(container.pidfd_open(other.pid))
    assert.equal("held", support.child(function()
      assert(container.setns(fd, "uts"))
      return container.gethostname()
    end))
  end)

  it("is refused a namespace of another kind", function()
    support.refused("setns /proc/self/ns/net: Invalid argument", "EINVAL",
      container.setns("/proc/self/ns/net", "uts"))
    local fd <close> = assert(container.open("/proc/self/ns/net"))
    support.refused("setns uts: Invalid argument", "EINVAL", container.setns(fd, "uts"))
  end)

  it("is refused a path that is not there", function()
    support.refused("open /nope: No such file or directory", "ENOENT",
      container.setns("/nope", "uts"))
  end)

  it("is refused a process that is not there", function()
    support.needs("pidfd")
    local pid = gone()
    support.refused(("pidfd_open %d: No such process"):format(pid), "ESRCH",
      container.setns(pid, "uts"))
  end)
end)

describe("container.setns", function()
  it("raises for what is no place", function()
    local closed = container.open("/")
    closed:close()
    support.raises("fd is closed", container.setns, closed, "uts")
    support.raises("number out of range", container.setns, 0, "uts")
    support.raises("number out of range", container.setns, 1 << 31, "uts")
    support.raises("container.fd expected", container.setns, {}, "uts")
    support.raises("container.fd expected", container.setns, 1.5, "uts")
    support.raises("NUL byte", container.setns, "/\0", "uts")
    support.raises("unknown namespace 'utz'", container.setns, "/", "utz")
  end)
end)

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
      assert.is_nil(container.poll({ pidfd }, 0)[1])
    end
    assert.is_true(container.poll({ pidfd }, 0)[1])
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
      container.poll({}, 60)
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

describe("container.pdeathsig", function()
  -- Whether a process that asked for `first`, and then for `second`, outlives the one that made it
  -- by long enough to notice.
  local function outlives(first, second)
    local reader, writer = assert(container.pipe())
    local pid = assert(container.clone({}, function()
      local middle = container.getpid()
      local listen, say = container.pipe()
      container.clone({}, function()
        assert(container.pdeathsig(first))
        assert(not second or container.pdeathsig(second))
        container.write(say, ".")
        repeat
          container.poll({}, 0.001)
        until container.getppid() ~= middle
        container.write(writer, "alive")
      end)
      container.read(listen)
    end))
    writer:close()
    local said = support.drain(reader)
    reader:close()
    support.wait(pid)
    return said == "alive"
  end

  it("ends a process with the one that made it", function()
    assert.is_false(outlives("KILL"))
    assert.is_false(outlives("TERM"))
  end)

  it("is taken back with 0", function()
    assert.is_true(outlives("KILL", 0))
  end)

  it("raises for a signal it does not know", function()
    support.raises("'TREM'", container.pdeathsig, "TREM")
    support.raises("string expected", container.pdeathsig)
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
