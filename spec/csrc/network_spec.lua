local sys = require "container.sys"
local support = require "spec.support"

local NETWORK <const> = { "network" }

-- The kernel's own table of addresses: an interface's are in it while it is up.
local function has_loopback()
  return sys.read_file("/proc/self/net/fib_trie"):find("127.0.0.1", 1, true) ~= nil
end

describe("sys.interface_up", function()
  it("brings lo up in this network namespace #root", function()
    local before, after = support.child(function()
      local before = has_loopback()
      assert(sys.interface_up("lo"))
      return before, has_loopback()
    end, NETWORK)
    assert.is_false(before)
    assert.is_true(after)
  end)

  it("brings up what is up already #root", function()
    assert.is_true(support.child(function()
      assert(sys.interface_up("lo"))
      return sys.interface_up("lo")
    end, NETWORK))
  end)

  it("is refused an interface that is not there #root", function()
    support.refused("ioctl SIOCSIFFLAGS nope: No such device", "ENODEV",
      support.child(function()
        return sys.interface_up("nope")
      end, NETWORK))
  end)

  it("is refused to an ordinary user", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").interface_up("lo"))']])
    assert.equal("nil\tioctl SIOCSIFFLAGS lo: Operation not permitted\t1\n", result.stdout)
  end)

  it("raises for a name that no interface can have", function()
    support.raises("name too long", sys.interface_up, ("x"):rep(16))
    support.raises("string expected, got number", sys.interface_up, 1)
    support.raises("string contains a NUL byte", sys.interface_up, "lo\0")
  end)

  it("takes a name of 15 bytes", function()
    local name = ("x"):rep(15)
    local ok, message = sys.interface_up(name)
    assert.is_nil(ok)
    assert.matches("^ioctl SIOCSIFFLAGS x+: ", message)
  end)
end)

describe("sys.network_ahead", function()
  local function namespace()
    return sys.readlink("/proc/thread-self/ns/net")
  end

  -- Where a thread that is over is on its way out.
  local function threads()
    local tries = 0
    while #sys.list("/proc/self/task") > 1 and tries < 100 * support.patience do
      sys.ppoll({}, 0.01)
      tries = tries + 1
    end
    return #sys.list("/proc/self/task")
  end

  it("makes a network namespace with lo up, and leaves the caller in its own #root", function()
    local here, now, there, up = support.child(function()
      local here = namespace()
      local maker = assert(sys.network_ahead())
      assert(maker:wait())
      local now = namespace()
      assert(maker:join())
      return here, now, namespace(), has_loopback()
    end)
    assert.equal(here, now)
    assert.not_equal(here, there)
    assert.is_true(up)
  end)

  it("is joined by a child that shares the caller's memory, which waits for it #root", function()
    local maker = assert(sys.network_ahead())
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone_vm({ "pid" }, function()
      assert(maker:join())
      sys.write(writer, namespace())
      sys._exit(0)
    end))
    assert.same({ "exit", 0 }, { sys.wait(pid) })
    local joined = sys.read(reader)
    assert.not_equal(namespace(), joined)
    assert.equal(joined, support.child(function()
      for _, name in ipairs(sys.list("/proc/self/fd")) do
        if sys.readlink("/proc/self/fd/" .. name) == joined then
          return joined
        end
      end
      return "no file of the caller's is of it"
    end))
    maker:close()
    reader:close()
    writer:close()
  end)

  it("is looked at without a wait #root", function()
    local maker = assert(sys.network_ahead())
    local looked = maker:wait(true)
    assert.is_boolean(looked)
    assert.is_true(maker:wait())
    assert.is_true(maker:wait(true))
    maker:close()
  end)

  it("is there until it is closed #root", function()
    local maker = assert(sys.network_ahead())
    assert(maker:wait())
    assert.is_true(maker:close())
    assert.is_true(maker:close())
    support.refused("network_ahead: No such process", "ESRCH", maker:wait())
    support.refused("network_ahead: No such process", "ESRCH", maker:join())
  end)

  it("leaves no thread and no fd when it is closed, and none when it is collected #root", function()
    for _ = 1, 50 do
      assert(assert(sys.network_ahead()):wait())
      assert(sys.network_ahead()):close()
    end
    collectgarbage()
    assert.equal(1, threads())
  end)

  it("has no number of a standard stream #root", function()
    assert.is_true(support.child(function()
      for fd = 0, 2 do
        assert(sys.close(fd))
      end
      local maker = assert(sys.network_ahead())
      assert(maker:wait())
      for fd = 0, 2 do
        if sys.stat("/proc/self/fd/" .. fd) then
          return false
        end
      end
      return maker:join()
    end))
  end)

  it("is found where /proc is that of another PID namespace, and nothing else is #root", function()
    -- In it the process has another number, and what has its number there has other files.
    local result = support.run(("unshare --pid --fork --mount-proc sh -c %s %s"):format(
      support.quote([[
        for n in 4 5 6 7 8 9; do eval "exec $n</proc/self/ns/net"; done
        unshare --pid --fork "$0" -e '
          local sys = require "container.sys"
          for fd = 4, 9 do sys.close(fd) end
          local here = sys.readlink("/proc/thread-self/ns/net")
          assert(sys.getpid() == 1 and sys.readlink("/proc/self") ~= "1")
          assert(assert(sys.network_ahead()):join())
          print(sys.readlink("/proc/thread-self/ns/net") ~= here)']]), support.lua))
    assert.equal("true\n", result.stdout, result.stderr)
  end)

  it("is no thread for libc: a copy of the program is made by one clone #root", function()
    local maker = assert(sys.network_ahead())
    local parent = support.child(function()
      return sys.getppid()
    end)
    assert.equal(sys.getpid(), parent)
    maker:close()
  end)

  it("is not a copy's of the process that asked for it #root", function()
    local maker = assert(sys.network_ahead())
    assert.equal("network_ahead: No such process", support.child(function()
      local _, message = maker:join()
      maker:close()
      return message
    end))
    assert(maker:wait())
    maker:close()
  end)

  it("lets no signal into its thread #root", function()
    -- Were one delivered there, Lua's handler would run in it.
    local before = sys.sigprocmask("block", {})
    local blocked = support.child(function()
      local maker = assert(sys.network_ahead())
      local own, masks = tostring(sys.getpid()), {}
      for _, id in ipairs(sys.list("/proc/self/task") or {}) do
        local status = id ~= own and sys.read_file(("/proc/self/task/%s/status"):format(id))
        masks[#masks + 1] = status and status:match("SigBlk:%s*(%x+)")
      end
      maker:close()
      return masks[1] or "it was over"
    end)
    assert.truthy(blocked == "it was over" or blocked:find("^f+[0-9a-f]+$"), blocked)
    assert.equal(before, sys.sigprocmask("block", {}))
  end)

  it("is refused to an ordinary user, who learns it by waiting", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").network_ahead():wait())']])
    assert.equal("nil\tunshare network: Operation not permitted\t1\n", result.stdout)
  end)
end)
