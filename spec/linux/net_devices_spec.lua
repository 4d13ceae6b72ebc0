local api = require "container.api"
local bundles = require "spec.fixtures.bundle"
local support = require "spec.support"

local refusal, failure, output = bundles.refusal, bundles.failure, bundles.output

local function with(devices, more)
  return function(c)
    c.linux.netDevices = devices
    if more then
      more(c)
    end
  end
end

-- The first container makes the image of init, which stays open for those to come; and the root of
-- the bundles, which a child of the specs is to find.
setup(function()
  api.run { "true" }
end)

describe("linux.netDevices is refused", function()
  it("without a network namespace, and for what is no name", function()
    assert.equal("config: linux.netDevices: takes a network namespace in linux.namespaces",
      refusal(with({ eth0 = {} }, function(c) table.remove(c.linux.namespaces, 5) end)))
    assert.equal("config: linux.netDevices[\"eth0\"]: expected names of interfaces, got \"a/b\"",
      refusal(with { eth0 = { name = "a/b" } }))
    assert.equal("config: linux.netDevices[\"a b\"]: expected names of interfaces, got \"a b\"",
      refusal(with { ["a b"] = {} }))
  end)
end)

describe("linux.netDevices #root", function()
  -- What `fn` gives in a network namespace with a pair of interfaces.
  local function inside(fn)
    output("true")
    return support.child(function()
      assert(os.execute("ip link add one type veth peer name two && "
        .. "ip addr add 192.0.2.7/24 brd 192.0.2.255 dev one && "
        .. "ip addr add 2001:db8::7/64 dev one nodad && ip link set one up && ip link set two up"))
      return fn()
    end, { "network" })
  end

  local SHOW <const> = "ip -o addr show dev %s | sed 's/.*inet/inet/'"

  it("are moved with their lasting addresses, renamed, and up", function()
    local text, there = inside(function()
      return (output(SHOW:format "new" .. "; ip -o link show new | grep -c '[<,]UP[,>]'",
        with { one = { name = "new" } })), os.execute("ip link show one >/dev/null 2>&1")
    end)
    assert.matches("inet 192.0.2.7/24 brd 192.0.2.255 scope global", text, 1, true)
    assert.matches("inet6 2001:db8::7/64 scope global", text, 1, true)
    assert.matches("\n1\n$", text)
    assert.is_falsy(there)
  end)

  it("have a name that the kernel chooses, and the same in a namespace of users", function()
    assert.matches("inet 192.0.2.7/24", (inside(function()
      return (output(SHOW:format "eth0", with { one = { name = "eth%d" } }))
    end)), 1, true)
    local directory = bundles.directory()
    assert(os.execute("chown -R 100000:100000 " .. directory .. "/rootfs"))
    assert.matches("inet 192.0.2.7/24", (inside(function()
      return (output(SHOW:format "one", with({ one = {} }, function(c)
        local map = { { containerID = 0, hostID = 100000, size = 65536 } }
        c.linux.namespaces[6] = { type = "user" }
        c.linux.uidMappings, c.linux.gidMappings = map, map
      end), directory))
    end)), 1, true)
  end)

  it("that are not there, or have a name that is taken, stop the start", function()
    assert.equal("network: linux.netDevices[nope]: No such device", (inside(function()
      return failure("true", with { nope = {} })
    end)))
    assert.equal("network: linux.netDevices[one]: File exists", (inside(function()
      return failure("true", with { one = { name = "lo" } })
    end)))
  end)
end)
