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
