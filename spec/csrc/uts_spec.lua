local sys = require "container.sys"
local support = require "spec.support"

local UTS <const> = { "uts" }

describe("sys.sethostname #root", function()
  it("renames this UTS namespace and no other", function()
    local before = sys.gethostname()
    local name, other = support.child(function()
      assert(sys.sethostname("box"))
      return sys.gethostname(), sys.read_file("/proc/sys/kernel/hostname")
    end, UTS)
    assert.equal("box", name)
    assert.equal("box\n", other)
    assert.equal(before, sys.gethostname())
  end)

  it("takes 64 bytes, and none", function()
    local longest = ("x"):rep(64)
    local long, empty = support.child(function()
      assert(sys.sethostname(longest))
      local name = sys.gethostname()
      assert(sys.sethostname(""))
      return name, sys.gethostname()
    end, UTS)
    assert.equal(longest, long)
    assert.equal("", empty)
  end)

  it("refuses 65 bytes", function()
    local name = ("x"):rep(65)
    support.refused("sethostname " .. name .. ": Invalid argument", "EINVAL",
      support.child(function()
        return sys.sethostname(name)
      end, UTS))
  end)
end)

describe("sys.sethostname", function()
  it("is refused to an ordinary user", function()
    local result = support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").sethostname("box"))']])
    assert.equal("nil\tsethostname box: Operation not permitted\t1\n", result.stdout)
  end)

  it("raises for what is no string or has a NUL byte", function()
    support.raises("string expected, got no value", sys.sethostname)
    support.raises("string expected, got number", sys.sethostname, 5)
    support.raises("string contains a NUL byte", sys.sethostname, "a\0b")
  end)
end)

describe("sys.uname", function()
  it("answers what uname(1) prints", function()
    local u = sys.uname()
    assert.equal(("%s %s %s %s\n"):format(u.sysname, u.release, u.version, u.machine),
      support.run("echo \"$(uname -s) $(uname -r) $(uname -v) $(uname -m)\"").stdout)
    assert.equal(sys.gethostname(), u.nodename)
    assert.equal(sys.read_file("/proc/sys/kernel/hostname"), u.nodename .. "\n")
  end)
end)
