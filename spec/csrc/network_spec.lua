local container = require "container"
local support = require "spec.support"

local NETWORK <const> = { "network" }

-- The kernel's own table of addresses: an interface's are in it while it is up.
local function has_loopback()
  return container.read_file("/proc/self/net/fib_trie"):find("127.0.0.1", 1, true) ~= nil
end

describe("container.interface_up", function()
  it("brings lo up in this network namespace #root", function()
    local before, after = support.child(function()
      local before = has_loopback()
      assert(container.interface_up("lo"))
      return before, has_loopback()
    end, NETWORK)
    assert.is_false(before)
    assert.is_true(after)
  end)

  it("brings up what is up already #root", function()
    assert.is_true(support.child(function()
      assert(container.interface_up("lo"))
      return container.interface_up("lo")
    end, NETWORK))
  end)

  it("is refused an interface that is not there #root", function()
    support.refused("ioctl SIOCSIFFLAGS nope: No such device", "ENODEV",
      support.child(function()
        return container.interface_up("nope")
      end, NETWORK))
  end)

  it("is refused to an ordinary user", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container").interface_up("lo"))']])
    assert.equal("nil\tioctl SIOCSIFFLAGS lo: Operation not permitted\t1\n", result.stdout)
  end)

  it("raises for a name that no interface can have", function()
    support.raises("name too long", container.interface_up, ("x"):rep(16))
    support.raises("string expected, got number", container.interface_up, 1)
    support.raises("string contains a NUL byte", container.interface_up, "lo\0")
  end)

  it("takes a name of 15 bytes", function()
    local name = ("x"):rep(15)
    local ok, message = container.interface_up(name)
    assert.is_nil(ok)
    assert.matches("^ioctl SIOCSIFFLAGS x+: ", message)
  end)
end)

describe("container.network_ahead", function()
  local function namespace()
    return container.readlink("/proc/thread-self/ns/net")
  end

  -- Where a thread that is over is on its way out.
  local function threads()
    local tries = 0
    while #container.list("/proc/self/task") > 1 and tries < 100 * support.patience do
      container.ppoll({}, 0.01)
      tries = tries + 1
    end
    return #container.list("/proc/self/task")
  end

  it("makes a network namespace with lo up, and leaves the caller in its own #root", function()
    local here, now, there, up = support.child(function()
      local here = namespace()
      local maker = assert(container.network_ahead())
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
    local maker = assert(container.network_ahead())
    local reader, writer = assert(container.pipe())
    local pid = assert(container.clone_vm({ "pid" }, function()
      assert(maker:join())
      container.write(writer, namespace())
      container._exit(0)
    end))
    assert.same({ "exit", 0 }, { container.wait(pid) })
    local joined = container.read(reader)
    assert.not_equal(namespace(), joined)
    assert.equal(joined, support.child(function()
      for _, name in ipairs(container.list("/proc/self/fd")) do
        if container.readlink("/proc/self/fd/" .. name) == joined then
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
    local maker = assert(container.network_ahead())
    local looked = maker:wait(true)
    assert.is_boolean(looked)
    assert.is_true(maker:wait())
    assert.is_true(maker:wait(true))
    maker:close()
  end)

  it("is there until it is closed #root", function()
    local maker = assert(container.network_ahead())
    assert(maker:wait())
    assert.is_true(maker:close())
    assert.is_true(maker:close())
    support.refused("network_ahead: No such process", "ESRCH", maker:wait())
    support.refused("network_ahead: No such process", "ESRCH", maker:join())
  end)

  it("leaves no thread and no fd when it is closed, and none when it is collected #root", function()
    for _ = 1, 50 do
      assert(assert(container.network_ahead()):wait())
      assert(container.network_ahead()):close()
    end
    collectgarbage()
    assert.equal(1, threads())
  end)

  it("has no number of a standard stream #root", function()
    assert.is_true(support.child(function()
      for fd = 0, 2 do
        assert(container.close(fd))
      end
      local maker = assert(container.network_ahead())
      assert(maker:wait())
      for fd = 0, 2 do
        if container.stat("/proc/self/fd/" .. fd) then
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
          local container = require "container"
          for fd = 4, 9 do container.close(fd) end
          local here = container.readlink("/proc/thread-self/ns/net")
          assert(container.getpid() == 1 and container.readlink("/proc/self") ~= "1")
          assert(assert(container.network_ahead()):join())
          print(container.readlink("/proc/thread-self/ns/net") ~= here)']]), support.lua))
    assert.equal("true\n", result.stdout, result.stderr)
  end)

  it("is no thread for libc: a copy of the program is made by one clone #root", function()
    local maker = assert(container.network_ahead())
    local parent = support.child(function()
      return container.getppid()
    end)
    assert.equal(container.getpid(), parent)
    maker:close()
  end)

  it("is not a copy's of the process that asked for it #root", function()
    local maker = assert(container.network_ahead())
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
    local before = container.sigprocmask("block", {})
    local blocked = support.child(function()
      local maker = assert(container.network_ahead())
      local own, masks = tostring(container.getpid()), {}
      for _, id in ipairs(container.list("/proc/self/task") or {}) do
        local status = id ~= own and container.read_file(("/proc/self/task/%s/status"):format(id))
        masks[#masks + 1] = status and status:match("SigBlk:%s*(%x+)")
      end
      maker:close()
      return masks[1] or "it was over"
    end)
    assert.truthy(blocked == "it was over" or blocked:find("^f+[0-9a-f]+$"), blocked)
    assert.equal(before, container.sigprocmask("block", {}))
  end)

  it("is refused to an ordinary user, who learns it by waiting", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container").network_ahead():wait())']])
    assert.equal("nil\tunshare network: Operation not permitted\t1\n", result.stdout)
  end)
end)
