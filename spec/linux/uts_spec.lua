local sys = require "container.sys"
local uts = require "container.linux.uts"
local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

describe("hostname.child #root", function()
  it("names the machine as the configuration does", function()
    assert.equal("box", support.child(function()
      assert(uts.child { config = { hostname = "box" } })
      return sys.gethostname()
    end, { "uts" }))
  end)

  it("answers the kernel's refusal", function()
    local name = ("x"):rep(65)
    support.refused("sethostname " .. name .. ": Invalid argument", "EINVAL",
      support.child(function()
        return uts.child { config = { hostname = name } }
      end, { "uts" }))
  end)
end)

describe("a container's host name #root", function()
  it("is container, and that asked for", function()
    assert.equal("container\n", support.run(BOX .. "uname -n").stdout)
    assert.equal("box\n", support.run(BOX .. "--hostname box uname -n").stdout)
  end)

  it("leaves the host's as it is", function()
    local before = sys.gethostname()
    support.run(BOX .. "--hostname box true")
    assert.equal(before, sys.gethostname())
  end)
end)

describe("a container's host name", function()
  it("is what an ordinary user asks for, too #userns", function()
    assert.equal("box\n", support.as_user(BOX .. "--hostname box uname -n").stdout)
  end)
end)
