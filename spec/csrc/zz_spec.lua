local support = require "spec.support"
local container = require "container"
describe("x #root", function()
  it("runs", function() assert.equal("Lua 5.4", _VERSION) end)
  it("c1 #cgroup1", function() end)
  it("c2 #cgroup2", function() end)
  it("u #userns", function()  print(support.as_user("id; ls").stdout) end)
  it("leaks", function() KEEP = container.open("/") end)
  it("child fail", function()  support.child(function() assert.equal(1, 2) end) end)
  it("child", function()  assert.same({nil, "x", 3}, {support.child(function() return nil, "x", 3 end)}) end)
  it("fs", function()  print(support.busybox_rootfs()); os.execute("ls "..support.busybox_rootfs() .. "/bin | wc -l") end)
  it("clone3", function() support.needs("clone3", "execveat", "mount_setattr", "openat2", "pidfd", "nonesuch") end)
end)
