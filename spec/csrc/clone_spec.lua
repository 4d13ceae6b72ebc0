local command = require "spec.fixtures.command"
local sys = require "container.sys"
local support = require "spec.support"

-- The names of OCI, and what /proc/PID/ns calls them.
local links = {
  cgroup = "cgroup", ipc = "ipc", mount = "mnt", network = "net", pid = "pid", time = "time",
  user = "user", uts = "uts",
}

local function links_now()
  local found = {}
  for name, link in pairs(links) do
    found[name] = assert(sys.readlink("/proc/self/ns/" .. link))
  end
  return found
end

describe("sys.clone", function()
  it("makes a child that needs no lock of another thread of the program", function()
    support.needs("native", "addresses")
    -- One of ten copies had to wait for ever.
    local result = support.run(("LD_PRELOAD=%s MALLOC_ARENA_MAX=1 %s -e %s"):format(
      command.program "threads", support.lua, support.quote [[
        local sys = require "container.sys"
        assert(sys.stat("/proc/self/task").nlink == 4)
        for i = 1, 60 do
          local pid = assert(sys.clone({}, function()
            local kept = {}
            for j = 1, 200 do
              kept[j] = ("x"):rep(2000 + j)
            end
            return sys.stat("/proc/self/task").nlink
          end))
          local pidfd <close> = assert(sys.pidfd_open(pid))
          if not sys.ppoll({ pidfd }, 5)[1] then
            sys.kill(pid, "KILL")
          end
          local how, number = sys.wait(pid)
          assert(how == "exit" and number == 3, how .. " " .. number)
        end
        print("done", sys.read_file("/proc/thread-self/children"))]]))
    assert.same({ status = 0, stdout = "done\t\n", stderr = "" }, result)
  end)

  it("runs the function in a child and answers the child's pid", function()
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      local stat = sys.read_file("/proc/self/stat")
      sys.write(writer, stat:match("^%d+ %(.*%) %a %d+"))
    end))
    writer:close()
    local child, parent = support.drain(reader):match("^(%d+) .* (%d+)$")
    reader:close()
    assert.same({ "exit", 0 }, { support.wait(pid) })
    assert.equal(tostring(pid), child)
    assert.equal(tostring(sys.getpid()), parent)
  end)

  it("gives the child a copy: what it changes is not seen here", function()
    local value = 1
    support.wait(assert(sys.clone({}, function()
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
    { "calls _exit", "sys._exit(3)", 3, "^$" },
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
      print(sys.wait(pid))]]

    it("ends only the child, with its status, when the function " .. name, function()
      local result = support.script(program:format(
        ("local pid = sys.clone({}, function() %s end)"):format(body)))
      assert.equal(("buffered\nexit\t%d\nclosed\nfinalized\n"):format(status), result.stdout)
      assert.matches(words, result.stderr)
      assert.equal(0, result.status)
    end)

    it("does so from within a coroutine when the function " .. name, function()
      local result = support.script(program:format(([[
        local pid = coroutine.wrap(function()
          local inner <close> = setmetatable({}, { __close = function() print("inner") end })
          return (sys.clone({}, function() %s end))
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
        sys.wait(sys.clone({}, function() io.write("child") %s end))]]):format(way))
      assert.equal("child", result.stdout)
    end
  end)

  -- Nothing can keep that from closing what the parent holds, in the child too.
  it("ends with its status when an os.exit kept from before closes the state", function()
    assert.equal("exit\t3\n", support.script([[
      local exit = os.exit
      print(sys.wait(sys.clone({}, function() exit(3, true) end)))]]).stdout)
  end)

  it("leaves the parent's garbage to the parent", function()
    local result = support.script([[
      local parent = sys.getpid()
      local garbage = { __gc = function()
        io.write(sys.getpid() == parent and "parent\n" or "child\n")
      end }
      collectgarbage() -- so that none is near
      setmetatable({}, garbage)
      sys.wait(sys.clone({}, function()
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
      return sys.getpid(), sys.getppid(), same
    end, { "pid", "uts", "mount", "ipc", "network", "cgroup", "user", "time" })
    assert.same({ 1, 0, "" }, { pid, parent, same })
  end)

  it("takes comma words #root", function()
    local here = links_now()
    local pid = assert(sys.clone("uts,ipc", function()
      local there = links_now()
      return (there.uts ~= here.uts and 1 or 0) + (there.ipc ~= here.ipc and 2 or 0)
    end))
    assert.same({ "exit", 3 }, { support.wait(pid) })
  end)

  it("is refused namespaces without privilege, naming them", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      print(sys.clone({ "uts", "ipc" }, function() end))']])
    assert.equal("nil\tclone uts,ipc: Operation not permitted\t1\n", result.stdout)
  end)

  it("is refused more namespaces than user.max_uts_namespaces #root", function()
    support.refused("clone uts: No space left on device", "ENOSPC", support.child(function()
      assert(sys.write_file("/proc/sys/user/max_uts_namespaces", "0"))
      return sys.clone("uts", function() end)
    end, { "user" }))
  end)

  it("gives an ordinary user a user namespace and what is in it #userns", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      sys.wait(sys.clone("user,uts", function()
        print(sys.sethostname("box"), sys.gethostname())
      end))']])
    assert.equal("true\tbox\n", result.stdout)
  end)

  it("raises for a namespace it does not know, naming it", function()
    support.raises("unknown namespace 'utz'", sys.clone, { "uts", "utz" }, print)
    support.raises("unknown namespace 'net'", sys.clone, "net", print)
  end)

  it("raises for what are no names of namespaces", function()
    support.raises("names of namespaces expected", sys.clone, { "uts", 5 }, print)
    support.raises("array expected, got the key pid", sys.clone, { pid = true }, print)
    support.raises("array expected, got the key pid", sys.clone, { "uts", pid = true }, print)
    support.raises("array expected, got the key boolean", sys.clone, { [true] = "uts" }, print)
    support.raises("the array has a hole", sys.clone, { [3] = "uts" }, print)
    support.raises("string expected, got number", sys.clone, 5, print)
    support.raises("string expected, got no value", sys.clone)
    support.raises("NUL byte", sys.clone, "uts\0", print)
  end)

  it("raises for what is no function", function()
    support.raises("function expected, got no value", sys.clone, {})
    support.raises("function expected, got table", sys.clone, {},
      setmetatable({}, { __call = print }))
  end)
end)

describe("sys.clone_vm", function()
  it("runs the function in a child and answers the child's pid", function()
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone_vm({}, function()
      sys.write(writer, ("%d %d"):format(sys.getpid(), sys.getppid()))
      sys._exit(7)
    end))
    writer:close()
    assert.equal(("%d %d"):format(pid, sys.getpid()), support.drain(reader))
    reader:close()
    assert.same({ "exit", 7 }, { support.wait(pid) })
  end)

  it("shares the memory: what the child changes is seen here", function()
    support.needs("native")
    local value = {}
    support.wait(assert(sys.clone_vm({}, function()
      for i = 1, 1000 do
        value[i] = "changed " .. i
      end
      sys._exit(0)
    end)))
    assert.equal(1000, #value)
    assert.equal("changed 1000", value[1000])
  end)

  it("goes on when the child has executed a program, and while that runs", function()
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone_vm({}, function()
      sys.close_others { reader }
      sys.exec { "sh", "-c", "read x <&3; exit 8" }
      sys._exit(1)
    end))
    assert.same({ "running" }, { sys.wait(pid, "nohang") })
    sys.write(writer, "go\n")
    assert.same({ "exit", 8 }, { support.wait(pid) })
    reader:close()
    writer:close()
  end)

  it("ends the child with 125 when the function returns, raises or yields", function()
    for _, fn in ipairs { function() end, error, coroutine.yield } do
      assert.same({ "exit", 125 }, { support.wait(assert(sys.clone_vm({}, fn))) })
    end
  end)

  it("makes the namespaces #root", function()
    local here, reader, writer = links_now(), assert(sys.pipe())
    local pid = assert(sys.clone_vm({ "uts", "pid", "network" }, function()
      local there, changed = links_now(), {}
      for name, link in pairs(there) do
        changed[#changed + 1] = link ~= here[name] and name or nil
      end
      table.sort(changed)
      sys.write(writer, table.concat(changed, " ") .. " " .. sys.getpid())
      sys._exit(0)
    end))
    writer:close()
    assert.equal("network pid uts 1", support.drain(reader))
    reader:close()
    support.wait(pid)
  end)

  it("leaves open here what the child closes, and closes nothing for what it opened", function()
    support.needs("native")
    local fd <close> = assert(sys.open("/"))
    local own
    local pid = assert(sys.clone_vm({}, function()
      fd:close()
      local inner <close> = sys.open("/")
      own = sys.open("/")
      sys._exit(inner and 0 or 1)
    end))
    assert.same({ "exit", 0 }, { support.wait(pid) })
    assert.equal("directory", sys.stat(fd).type)
    -- A number that was the child's may be ours by now.
    local mine <close> = assert(sys.open("/proc"))
    assert.is_true(own:close())
    assert.equal("directory", sys.stat(mine).type)
    assert.equal("directory", sys.stat(fd).type)
  end)

  it("leaves the collector as it was, and does not let it run in the child", function()
    local result = support.script([[
      local parent = sys.getpid()
      local garbage = { __gc = function()
        io.write(sys.getpid() == parent and "parent\n" or "child\n")
      end }
      local function child()
        sys.wait(sys.clone_vm({}, function()
          for i = 1, 1000000 do
            local _ = { i }
          end
          sys._exit(0)
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
      local parent = sys.getpid()
      debug.sethook(function()
        if sys.getpid() ~= parent then
          sys._exit(3)
        end
      end, "crl", 1)
      print(sys.wait(sys.clone_vm({}, function()
        sys._exit(0)
      end)))]])
    assert.equal("exit\t0\n", result.stdout)
  end)

  it("leaves the caller dumpable when the child has changed its ids #root", function()
    -- A process without CAP_SYS_PTRACE sees where a process of its own user runs from if that is
    -- dumpable, and has no capability more.
    local before, after = support.child(function()
      local pid = sys.getpid()
      local function visible()
        local child = sys.clone({}, function()
          return sys.readlink("/proc/" .. pid .. "/exe") and 7 or 0
        end)
        return select(2, sys.wait(child)) == 7
      end
      assert(sys.capset { "setuid" })
      -- Giving them up has cleared it; a program that is executed has it again.
      local before = visible()
      sys.wait(sys.clone_vm({}, function()
        sys.setuid(54321)
        sys._exit(0)
      end))
      return before, visible()
    end)
    assert.equal(before, after)
  end)

  it("is refused namespaces without privilege, naming them", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      print(sys.clone_vm({ "uts", "ipc" }, function() end))
      print(collectgarbage("isrunning"))']])
    assert.equal("nil\tclone uts,ipc: Operation not permitted\t1\ntrue\n", result.stdout)
  end)

  it("raises as clone does, and for a time namespace", function()
    support.raises("a time namespace takes a copy", sys.clone_vm, { "uts", "time" }, print)
    support.raises("unknown namespace 'utz'", sys.clone_vm, "utz", print)
    support.raises("function expected, got no value", sys.clone_vm, {})
    assert.is_true(collectgarbage("isrunning"))
  end)
end)

describe("sys.clone_sibling", function()
  it("makes a child of the caller's parent, which waits for it", function()
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      local sibling = assert(sys.clone_sibling(function()
        return 7
      end))
      sys.write(writer, tostring(sibling))
    end))
    assert.same({ "exit", 0 }, { support.wait(pid) })
    local sibling = math.tointeger(sys.read(reader))
    reader:close()
    writer:close()
    assert.not_equal(pid, sibling)
    assert.same({ "exit", 7 }, { support.wait(sibling) })
  end)

  it("is refused to pid 1 of a PID namespace #root", function()
    support.refused("clone: Invalid argument", "EINVAL", support.child(function()
      return sys.clone_sibling(function() end)
    end, { "pid" }))
  end)

  it("takes a function", function()
    support.raises("function expected", sys.clone_sibling)
  end)
end)
