local sys = require "container.sys"
local network = require "container.linux.network"
local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "
local LIST <const> = BOX .. "sh -c 'tail -n +3 /proc/net/dev; cat /proc/net/fib_trie'"

describe("network.child #root", function()
  it("brings the loopback interface up", function()
    local before, after = support.child(function()
      local before = sys.read_file("/proc/self/net/fib_trie")
      assert(network.child { network_namespace = true })
      return before, sys.read_file("/proc/self/net/fib_trie")
    end, { "network" })
    assert.is_nil(before:find("127.0.0.1", 1, true))
    assert.is_truthy(after:find("127.0.0.1", 1, true))
  end)
end)

describe("a container's network", function()
  local function only_loopback(result)
    assert.equal(0, result.status, result.stderr)
    local interfaces = {}
    for name in result.stdout:gmatch("([^%s:]+):%s+%d") do
      interfaces[#interfaces + 1] = name
    end
    assert.is_truthy(result.stdout:find("127.0.0.1", 1, true))
    return interfaces
  end

  it("has a loopback interface that is up #root", function()
    assert.equal("lo", only_loopback(support.run(LIST))[1])
  end)

  it("has a loopback interface that is up, an ordinary user's too #userns", function()
    assert.equal("lo", only_loopback(support.as_user(LIST))[1])
  end)

  it("has no route out #root", function()
    assert.equal("", support.run(BOX .. "tail -n +2 /proc/net/route").stdout)
  end)
end)
