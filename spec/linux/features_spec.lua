-- What container.features() says, compared with what other eyes see.

local container = require "container"
local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local SECTIONS <const> = { "cgroup", "kernel", "landlock", "mounts", "namespaces", "networks",
  "reasons", "seccomp", "syscalls", "user" }

local function keys(value)
  local list = {}
  for name in pairs(value) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

--- All that is false has a reason, and what has a reason is false or not there.
local function is_reasoned(found)
  local reasons = {}
  for path, reason in pairs(found.reasons) do
    assert.matches("%S", reason)
    reasons[path] = true
  end
  for section, content in pairs(found) do
    for name, value in pairs(section ~= "reasons" and content or {}) do
      local path = section .. "." .. name
      assert.equal(value == false and path ~= "user.noNewPrivileges", reasons[path] or false, path)
      reasons[path] = nil
    end
  end
  for path in pairs(reasons) do
    local controller = path:match("^cgroup%.controllers%.(%l+)$")
    assert.is_string(controller, path)
    assert.is_nil(found.cgroup.controllers[controller])
  end
end

describe("container.features #root", function()
  local found

  setup(function()
    found = container.features()
  end)

  it("has its sections, and a reason for whatever is false", function()
    assert.same(SECTIONS, keys(found))
    is_reasoned(found)
  end)

  it("says which kernel, and who asks", function()
    assert.equal(support.run("uname -r").stdout, found.kernel.release .. "\n")
    assert.equal(support.run("uname -m").stdout, found.kernel.architecture .. "\n")
    assert.equal(support.run("id -u").stdout, found.user.uid .. "\n")
    assert.equal(#keys(sys.capget()), #found.user.capabilities)
    assert.equal(support.run("command -v newuidmap").status == 0, found.user.newuidmap)
  end)

  it("has the namespaces that unshare can make", function()
    for name, ok in pairs(found.namespaces) do
      local option = name == "network" and "net" or name
      local fork = name == "time" and " --fork" or ""
      assert.equal(ok, support.run(("unshare --%s%s true"):format(option, fork)).status == 0, name)
    end
    assert.same({ "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts" },
      keys(found.namespaces))
  end)

  it("has an overlay where mount can make one", function()
    local path = support.tmpdir()
    assert.equal(found.mounts.overlay, support.run(([[unshare --mount sh -c 'cd %s &&
      mount -t tmpfs x . && mkdir u w m && mount -t overlay x m -o \z
      lowerdir=/,upperdir=%s/u,workdir=%s/w']]):format(path, path, path)).status == 0)
  end)

  it("has no idmapped mount without what makes one", function()
    assert.is_boolean(found.mounts.idmap)
    for _, call in ipairs { "open_tree", "mount_setattr" } do
      local result = support.run(("%s %s -- %s run.lua --features"):format(
        command.program "without", call, support.lua))
      assert.matches("\"idmap\": false", result.stdout)
      assert.matches(("\"mounts.idmap\": \"%s[^\"]*: Function not implemented\""):format(call),
        result.stdout)
    end
  end)

  it("names cgroups in which one can be made", function()
    for name, place in pairs(found.cgroup.controllers) do
      assert.matches("^/", place.path)
      assert.is_true(place.version == 1 or place.version == 2)
      assert.equal("directory", sys.stat(place.path).type, name)
      if name == "pids" then
        assert.same({ sys.cgroup_place("pids") }, { place.path, place.version })
      end
    end
  end)

  it("leaves no cgroup, no process, no mount and no switch of version 2 as it was not", function()
    local function look()
      return support.run([[find /sys/fs/cgroup -name cgroup.subtree_control -exec grep -H . {} +
        find /sys/fs/cgroup -name 'lua-container-features*'; ls -l /proc/$PPID/ns]]).stdout
    end
    container.features()
    local before, state = look(), support.snapshot()
    container.features()
    support.assert_same(state)
    assert.equal(before:gsub("lua%S+", ""):gsub("%S+ %-> ", ""),
      (look():gsub("lua%S+", ""):gsub("%S+ %-> ", "")))
  end)

  it("agrees with the kernel about landlock and seccomp", function()
    assert.equal(sys.landlock_abi() or 0, found.landlock.abi)
    assert.same({ sys.seccomp_arch() }, found.seccomp.archs)
    assert.is_true(found.seccomp.enabled)
  end)

  it("has outgoing connections by name where ip can make the route", function()
    assert.equal(found.networks.allow, support.run("unshare --net sh -c \z
      'ip link set lo up && ip route add local 198.18.0.0/15 dev lo'").status == 0)
  end)

  it("says which networks there are, and why another one is not there", function()
    for _, name in ipairs { "publish", "cni", "pasta" } do
      assert.equal(found.networks[name], found.reasons["networks." .. name] == nil)
    end
    assert.equal(found.namespaces.network, found.networks.publish)
    local result = support.run("PATH=/nowhere NETCONFPATH=/nowhere " .. "$(command -v "
      .. support.lua .. ") run.lua --features")
    assert.is_truthy(result.stdout:find("\"networks.pasta\": \"not in PATH", 1, true),
      result.stdout)
    assert.is_truthy(result.stdout:find("\"networks.cni\": \"", 1, true), result.stdout)
  end)

  it("has no system call that is not there", function()
    for _, call in ipairs { "mount_setattr", "openat2", "landlock_create_ruleset", "seccomp" } do
      local result = support.run(("%s %s -- %s -e 'local found = require \"container\".features() \z
        print(found.syscalls.%s, found.reasons[\"syscalls.%s\"], found.landlock.abi, \z
        found.seccomp.enabled)'"):format(command.program "without", call, support.lua, call, call))
      assert.equal(("false\t%s: Function not implemented\t%d\t%s\n"):format(call,
        call:find("landlock") and 0 or found.landlock.abi, call ~= "seccomp"), result.stdout)
    end
  end)
end)

for _, caller in ipairs(command.callers) do
  describe("--features of " .. caller.name, function()
    it("is JSON of the same", function()
      local there, cjson = pcall(require, "cjson") -- is no part of what is looked at
      if not there then
        return pending("needs lua-cjson")
      end
      local result = caller:run("--features")
      assert.equal("", result.stderr)
      assert.equal(0, result.status)
      local found = cjson.decode(result.stdout)
      assert.same(SECTIONS, keys(found))
      is_reasoned(found)
      assert.equal(caller:shell("id -u").stdout, ("%d\n"):format(found.user.uid))
      assert.matches("\"capabilities\": %[", result.stdout)
      assert.is_true(found.namespaces.user and found.namespaces.mount)
      assert.equal(not caller.ordinary, found.mounts.overlay)
      assert.is_false(caller.ordinary and found.mounts.idmap or false)
    end)

    it("tells the truth in a container, where all of that is refused", function()
      local result = caller:run("-q", "--volume=.:/mnt:ro", "--workdir=/mnt", support.lua,
        "run.lua", "--features")
      assert.same({ 0, "" }, { result.status, result.stderr })
      for _, name in ipairs { "namespaces.mount", "namespaces.user", "mounts.overlay",
        "syscalls.open_tree", "syscalls.mount_setattr" } do
        assert.matches("\"" .. name .. "\": \"[^\"]*Operation not permitted\"", result.stdout)
      end
      assert.matches("\"noNewPrivileges\": true", result.stdout)
      assert.matches("\"controllers\": {}", result.stdout)
    end)
  end)
end
