local leaf = require "container.linux.cgroup.leaf"

describe("leaf.kill", function()
  for version = 1, 2 do
    it("does nothing where its cgroup is gone, in version " .. version, function()
      assert.has_no.errors(function()
        leaf.kill { leaf = { path = "/proc/nowhere", version = version } }
      end)
    end)
  end
end)
