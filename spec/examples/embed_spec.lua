-- The example that embeds a container in a program.

local command = require "spec.fixtures.command"
local support = require "spec.support"

local FIRST <const> = "I am box, process 2\nI wrote to /etc/hostname\n\z
  it ended by exit with status 7\n"
local SECOND <const> = "a second one runs: true\nit ended by signal TERM\n"

describe("examples/embed.lua", function()
  it("says how both of its containers ended #root", function()
    local result = support.run(support.lua .. " examples/embed.lua")
    assert.equal("", result.stderr)
    assert.equal(FIRST .. SECOND, result.stdout)
    assert.equal(0, result.status)
  end)

  it("runs from any directory, in a root that it is given #root", function()
    local root = command.root:rootfs()
    local result = support.run(("here=$PWD; cd / && %s $here/examples/embed.lua %s"):format(
      support.lua, root))
    assert.equal("", result.stderr)
    assert.equal(FIRST .. SECOND, result.stdout)
    assert.equal(0, result.status)
    assert.equal("changed\n", support.run("cat " .. root .. "/etc/hostname").stdout)
  end)

  it("says why there is no container, and ends with 1 #root", function()
    local result = support.run(support.lua .. " examples/embed.lua /no/such/root")
    assert.equal("no container: rootfs: open /no/such/root: No such file or directory\n",
      result.stdout)
    assert.equal("", result.stderr)
    assert.equal(1, result.status)
  end)
end)
