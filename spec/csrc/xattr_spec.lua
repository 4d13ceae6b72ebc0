local sys = require "container.sys"
local support = require "spec.support"

describe("sys.setxattr", function()
  it("sets an attribute of a file, of which it says nothing in its text #root", function()
    local shown = support.child(function()
      assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
      for _, name in ipairs { "lower", "upper", "work", "top" } do
        assert(sys.mkdir("/mnt/" .. name))
      end
      assert(sys.mkdir("/mnt/lower/d"))
      assert(sys.mkdir("/mnt/lower/d/hidden"))
      assert(sys.mkdir("/mnt/upper/d"))
      assert(sys.mkdir("/mnt/upper/d/own"))
      assert(sys.setxattr("/mnt/upper/d", "trusted.overlay.opaque", "y"))
      assert(sys.mount("overlay", "/mnt/top", "overlay", nil,
        "lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work"))
      return table.concat(sys.list("/mnt/top/d"), " ")
    end, { "mount" })
    assert.equal("own", shown)
  end)

  it("answers what the kernel says", function()
    support.refused("lsetxattr /no/such: No such file or directory", "ENOENT",
      sys.setxattr("/no/such", "user.a", "b"))
    support.refused("lsetxattr /proc/self: Operation not supported", "EOPNOTSUPP",
      sys.setxattr("/proc/self", "nonsense.a", "b"))
  end)

  it("raises for what is no string", function()
    support.raises("bad argument #1", sys.setxattr, {}, "user.a", "b")
    support.raises("bad argument #2", sys.setxattr, "/", nil, "b")
    support.raises("bad argument #3", sys.setxattr, "/", "user.a", {})
  end)
end)
