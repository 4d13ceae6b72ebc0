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

describe("network.join #root", function()
  it("makes a namespace where the one that was begun cannot be had", function()
    local here, there, up = support.child(function()
      local here = sys.readlink("/proc/thread-self/ns/net")
      local c = { network_namespace = true, network_made = { join = function()
        return nil, "unshare network: No space left on device", sys.errno.ENOSPC
      end } }
      assert(network.join(c))
      assert(network.child(c))
      return here, sys.readlink("/proc/thread-self/ns/net"),
        sys.read_file("/proc/self/net/fib_trie"):find("127.0.0.1", 1, true) ~= nil
    end)
    assert.not_equal(here, there)
    assert.is_true(up)
  end)
end)

describe("network.ahead #root", function()
  -- One container of a program that has begun with a namespace, and whether it is that one.
  local function taken(options, way)
    return support.script(([[
      local network = require "container.linux.network"
      require("container.engine.start").way = %q
      local joined = "no"
      local prepare = network.prepare
      network.prepare = function(c)
        local ok, message = prepare(c)
        joined = c.network_made and "yes" or "no"
        return ok, message
      end
      network.ahead = sys.network_ahead()
      local result = assert(container.run { "sh", "-c",
        "grep -c 127.0.0.1 /proc/net/fib_trie >/dev/null", pids = "max", %s })
      io.write(result.status, " ", joined, " ")
      result = assert(container.run { "true", pids = "max", %s })
      print(result.status, joined)
    ]]):format(way or "shared", options, options)).stdout
  end

  it("gives the next container its namespace, and that one alone", function()
    assert.equal("0 yes 0\tno\n", taken "")
  end)

  it("gives none to a container whose child does not share the program's memory", function()
    assert.equal("0 no 0\tno\n", taken("", "copy"))
  end)

  it("gives none to a container that has the host's network", function()
    assert.equal("0 no 0\tno\n", taken "network = 'host'")
  end)

  it("gives none to a container that has a user namespace #idmap", function()
    assert.equal("0 no 0\tno\n", taken "users = 'auto'")
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
