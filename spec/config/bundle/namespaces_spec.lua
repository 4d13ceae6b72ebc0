local api = require "container.api"
local bundles = require "spec.fixtures.bundle"
local support = require "spec.support"
local sys = require "container.sys"

local output, refusal = bundles.output, bundles.refusal

local ALL <const> = { "pid", "network", "ipc", "uts", "mount", "cgroup" }

-- Has a bundle these namespaces; one behind a path is joined.
local function only(...)
  local list = {}
  for i, entry in ipairs { ... } do
    list[i] = type(entry) == "table" and entry or { type = entry }
  end
  return function(c)
    c.linux.namespaces, c.hostname = list, nil
  end
end

local LOOK <const> = "for n in cgroup ipc mnt net pid uts user; do "
  .. "readlink /proc/self/ns/$n; done"

-- The names of the namespaces that two lists of LOOK have in common.
local function common(one, other)
  local there, list = {}, {}
  for name in one:gmatch("%S+") do
    there[name] = true
  end
  for name in other:gmatch("%S+") do
    list[#list + 1] = there[name] and name:match("^%a+") or nil
  end
  return table.concat(list, " ")
end

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

describe("namespaces of a bundle are refused", function()
  local CASES <const> = {
    { "linux.namespaces: expected one of the type mount, got nil", only("pid", "network") },
    { "linux.namespaces[1].path: not supported: the mounts of those that are in it would change",
      only("pid", { type = "mount", path = "/proc/1/ns/mnt" }) },
    { "linux.namespaces[0].path: expected an absolute path, got \"a\"",
      only({ type = "pid", path = "a" }, "mount") },
    { "domainname: takes a uts namespace in linux.namespaces", function(c)
      only("mount")(c)
      c.domainname = "a"
    end },
    { "linux.timeOffsets: takes a new time namespace in linux.namespaces",
      function(c) c.linux.timeOffsets = { monotonic = { secs = 5 } } end },
    { "linux.sysctl[\"net.ipv4.ip_forward\"]: takes a namespace of the type network in "
      .. "linux.namespaces", function(c)
      only("mount")(c)
      c.linux.sysctl = { ["net.ipv4.ip_forward"] = "1" }
    end },
    { "linux.sysctl[\"kernel/hostname\"]: is the field hostname of the configuration",
      function(c) c.linux.sysctl = { ["kernel/hostname"] = "a" } end },
    { "linux.sysctl[\"kernel.domainname\"]: is the field domainname of the configuration",
      function(c) c.domainname, c.linux.sysctl = "a", { ["kernel.domainname"] = "b" } end },
    { "linux.sysctl[\"vm.swappiness\"]: is no setting of a namespace, so it would be the host's",
      function(c) c.linux.sysctl = { ["vm.swappiness"] = "1" } end },
  }
  for _, case in ipairs(CASES) do
    it(case[1], function()
      assert.equal("config: " .. case[1], refusal(case[2]))
    end)
  end
end)

describe("namespaces of a bundle #root", function()
  it("are those that it has, and the others the caller's", function()
    local host = support.run(LOOK).stdout
    assert.equal("", common(host, (output(LOOK, only(table.unpack(ALL)))):gsub("user%S+", "")))
    assert.equal("cgroup ipc net pid uts user", common(host, (output(LOOK, only("mount")))))
    assert.equal("cgroup ipc net user", common(host, (output(LOOK, only("mount", "uts", "pid")))))
  end)

  it("are joined by their paths", function()
    local before = support.run(LOOK).stdout
    local all = only(table.unpack(ALL))
    local c <close> = assert(bundles.spawn(LOOK .. "; sleep 60", function(config)
      all(config)
      config.hostname = "first"
    end, nil, { stream = { limit = 1 << 20, stdin = { how = "null" }, stdout = { how = "pipe" },
      stderr = { how = "capture" } } }))
    local text = ""
    repeat
      text = text .. assert(c.stdout:read("L"))
    until text:find("user%S+\n")
    local list = { "mount" }
    for kind, name in pairs { pid = "pid", network = "net", ipc = "ipc", uts = "uts",
      cgroup = "cgroup" } do
      list[#list + 1] = { type = kind, path = ("/proc/%d/ns/%s"):format(c.pid, name) }
    end
    local seen = output("hostname; echo $$; " .. LOOK, only(table.unpack(list)))
    assert.equal("cgroup ipc net pid uts user", common(text, seen))
    assert.equal("first", seen:match("^[^\n]*"))
    assert.is_true(tonumber(seen:match("\n(%d+)\n")) > 1)
    c:kill()
    assert.equal(before, support.run(LOOK).stdout)
  end)

  it("of users are joined first, and the new ones are owned by it", function()
    local directory = bundles.directory()
    assert(os.execute("chown -R 100000:100000 " .. directory .. "/rootfs"))
    local map = { { containerID = 0, hostID = 100000, size = 65536 } }
    local c <close> = assert(bundles.spawn("sleep 60", function(config)
      config.linux.namespaces[6] = { type = "user" }
      config.linux.uidMappings, config.linux.gidMappings = map, map
    end, directory))
    local path = ("/proc/%d/ns/"):format(c.pid)
    assert.equal("0 100000 65536\n0 0\nshared\nok\n", (output([[
      echo $(cat /proc/self/uid_map); stat -c '%u %g' /bin; hostname
      hostname new && echo ok]], function(config)
        config.process.capabilities.bounding = { "CAP_SYS_ADMIN" }
        config.process.capabilities.effective = { "CAP_SYS_ADMIN" }
        config.process.capabilities.permitted = { "CAP_SYS_ADMIN" }
        only("mount", "pid", "uts", { type = "user", path = path .. "user" },
          { type = "network", path = path .. "net" })(config)
        config.hostname = "shared"
      end, directory)))
    c:kill()
  end)

  it("that cannot be joined are named", function()
    assert.equal("namespace: open /nope: No such file or directory",
      bundles.failure("true", only("mount", { type = "ipc", path = "/nope" })))
    assert.equal("namespace: ipc /proc/self/ns/net: Invalid argument; it is no namespace of this "
      .. "type, or one that has no way back",
      bundles.failure("true", only("mount", { type = "ipc", path = "/proc/self/ns/net" })))
  end)

  it("of the caller's own are left as they are", function()
    local host = support.run(LOOK).stdout
    assert.equal("cgroup ipc net pid uts user", common(host, (output(LOOK, only("mount",
      { type = "user", path = "/proc/self/ns/user" }, { type = "pid", path = "/proc/self/ns/pid" },
      { type = "network", path = "/proc/self/ns/net" })))))
  end)

  it("of time have their offsets, for the program itself and an init", function()
    for _, init in ipairs { true, false } do
      assert.equal("monotonic 1000 5\nboottime -3 0\n", (output(
        "while read a b c; do echo $a $b $c; done < /proc/self/timens_offsets", function(c)
          c.linux.namespaces[6] = { type = "time" }
          c.linux.timeOffsets = { monotonic = { secs = 1000, nanosecs = 5 },
            boottime = { secs = -3 } }
        end, nil, { init = init })))
    end
  end)

  it("of hosts have their names and settings", function()
    assert.equal("a.b\n1\n99\n", (output([[
      cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmni]],
      function(c)
        c.domainname = "a.b"
        c.linux.sysctl = { ["net/ipv4/ip_forward"] = "1", ["kernel.msgmni"] = "99" }
      end)))
  end)
end)

-- A user and a group that are not in use.
local ORDINARY <const> = 54321

describe("a bundle of an ordinary user #root #userns", function()
  it("has a user namespace with the own id, which it maps itself", function()
    local directory = bundles.directory()
    assert(os.execute(("chown -R %d:%d %s/rootfs"):format(ORDINARY, ORDINARY, directory)))
    assert.equal("0 54321 1 0\n", (support.child(function()
      assert(sys.setgroups {} and sys.setgid(ORDINARY) and sys.setuid(ORDINARY))
      assert(sys.dumpable(true)) -- which a change of ids undoes
      return (output("echo $(cat /proc/self/uid_map) $(id -u)", function(c)
        local map = { { containerID = 0, hostID = ORDINARY, size = 1 } }
        only("pid", "mount", "ipc", "uts", "user")(c)
        c.linux.uidMappings, c.linux.gidMappings = map, map
        c.mounts[3].options = { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" }
      end, directory))
    end)))
  end)
end)
