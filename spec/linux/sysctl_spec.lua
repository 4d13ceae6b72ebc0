local sysctl = require "container.linux.sysctl"
local support = require "spec.support"

local RUN <const> = support.lua .. " run.lua -q --pids-limit max "
local PORTS <const> = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
local PINGS <const> = "/proc/sys/net/ipv4/ping_group_range"

-- Uses port 80, and shows what is set.
local SERVE <const> = "busybox nc -l -p 80 -e echo served & "
  .. "until busybox nc 127.0.0.1 80 </dev/null; do :; done 2>/dev/null; cat " .. PORTS .. " "
  .. PINGS

describe("in its own network namespace", function()
  it("another user may use port 80 and send echo requests #root", function()
    local result = support.run(RUN .. "-u 1000:1000 sh -c " .. support.quote(SERVE))
    assert.same({ 0, "served\n0\n0\t2147483647\n", "" },
      { result.status, result.stdout, result.stderr })
  end)

  it("the groups are those of its user namespace #root #idmap", function()
    local result = support.run(RUN .. "--userns auto -u 1000:1000 sh -c " .. support.quote(SERVE))
    assert.same({ 0, "served\n0\n0\t65535\n", "" },
      { result.status, result.stdout, result.stderr })
  end)

  it("an ordinary user's root may do so, too #userns", function()
    local result = support.as_user(RUN .. "cat " .. PORTS .. " " .. PINGS)
    assert.equal("0\n0\t0\n", result.stdout)
  end)
end)

describe("in the host's network namespace #root", function()
  it("nothing changes", function()
    local command = "cat " .. PORTS .. " " .. PINGS
    local before = support.run(command).stdout
    assert.equal(before, support.run(RUN .. "--network host " .. command).stdout)
    assert.equal(before, support.run(command).stdout)
  end)
end)

describe("sysctl.network", function()
  it("begins at the lowest group on the host and ends at the highest", function()
    local function range(...)
      return sysctl.network({ ... })["net.ipv4.ping_group_range"]
    end
    local own, given = { containerID = 0, hostID = 1000, size = 1 },
      { containerID = 1, hostID = 100000, size = 65536 }
    assert.equal("0 65536", range(own, given))
    own.hostID = 500000
    assert.equal("1 0", range(own, given))
    assert.equal("0 65535", range { containerID = 0, size = 65536 })
  end)
end)
