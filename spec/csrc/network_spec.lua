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

  it("makes a network namespace with lo up, and leaves the caller in its own #root", function()
    local here, now, there, up = support.child(function()
      local here = namespace()
      local fd <close> = assert(assert(container.network_ahead()):take())
      local now = namespace()
      assert(container.setns(fd, "network"))
      return here, now, namespace(), has_loopback()
    end)
    assert.equal(here, now)
    assert.not_equal(here, there)
    assert.is_true(up)
  end)

  it("gives it once #root", function()
    local maker = assert(container.network_ahead())
    assert(maker:take()):close()
    support.refused("network_ahead: No such process", "ESRCH", maker:take())
  end)

  it("leaves no thread and no fd when it is taken, and none when it is not #root", function()
    for _ = 1, 50 do
      local maker = assert(container.network_ahead())
      assert(maker:take()):close()
      assert(container.network_ahead())
    end
    collectgarbage()
    -- The last may still be on its way out.
    local tries = 0
    while #container.list("/proc/self/task") > 1 and tries < 100 * support.patience do
      container.ppoll({}, 0.01)
      tries = tries + 1
    end
    assert.equal(1, #container.list("/proc/self/task"))
  end)

  it("is no thread for libc: a copy of the program is made by one clone #root", function()
    local maker <const> = assert(container.network_ahead())
    local parent = support.child(function()
      return container.getppid()
    end)
    assert.equal(container.getpid(), parent)
    assert(maker:take()):close()
  end)

  it("is the process's that asked for it #root", function()
    local maker = assert(container.network_ahead())
    assert.equal("network_ahead: No such process", support.child(function()
      return select(2, maker:take())
    end))
    assert(maker:take()):close()
  end)

  it("lets no signal into its thread #root", function()
    -- Were one delivered there, Lua's handler would run in it.
    local before = container.sigprocmask("block", {})
    local blocked = support.child(function()
      local maker <const> = assert(container.network_ahead())
      local own, masks = tostring(container.getpid()), {}
      for _, id in ipairs(container.list("/proc/self/task") or {}) do
        local status = id ~= own and container.read_file(("/proc/self/task/%s/status"):format(id))
        masks[#masks + 1] = status and status:match("SigBlk:%s*(%x+)")
      end
      assert(maker:take()):close()
      return masks[1] or "it was over"
    end)
    assert.truthy(blocked == "it was over" or blocked:find("^f+[0-9a-f]+$"), blocked)
    assert.equal(before, container.sigprocmask("block", {}))
  end)

  it("is refused to an ordinary user when it is taken", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container").network_ahead():take())']])
    assert.equal("nil\tunshare network: Operation not permitted\t1\n", result.stdout)
  end)
end)
