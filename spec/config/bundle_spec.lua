local api = require "container.api"
local bundle = require "container.config.bundle"
local bundles = require "spec.fixtures.bundle"
local json = require "container.json"
local support = require "spec.support"

local refusal, output = bundles.refusal, bundles.output

-- The config.json that `runc spec` writes, but for a terminal and the root being writable.
local RUNC <const> = [[
{ "ociVersion": "1.0.2-dev",
  "process": { "terminal": false, "user": { "uid": 0, "gid": 0 },
    "args": [ "sh", "-c", "id -u; hostname" ],
    "env": [ "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "GR\u00dc\u00dfE=\ud83d\ude00" ],
    "cwd": "/",
    "capabilities": { "bounding": [ "CAP_AUDIT_WRITE", "CAP_KILL" ],
      "effective": [ "CAP_AUDIT_WRITE", "CAP_KILL" ],
      "permitted": [ "CAP_AUDIT_WRITE", "CAP_KILL" ],
      "ambient": [ "CAP_AUDIT_WRITE", "CAP_KILL" ] },
    "rlimits": [ { "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 } ],
    "noNewPrivileges": true },
  "root": { "path": "rootfs", "readonly": false },
  "hostname": "runc",
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
      "options": [ "nosuid", "strictatime", "mode=755", "size=65536k" ] },
    { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
      "options": [ "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" ] },
    { "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
      "options": [ "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" ] },
    { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
      "options": [ "nosuid", "noexec", "nodev" ] },
    { "destination": "/sys", "type": "sysfs", "source": "sysfs",
      "options": [ "nosuid", "noexec", "nodev", "ro" ] },
    { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
      "options": [ "nosuid", "noexec", "nodev", "relatime", "ro" ] } ],
  "linux": { "resources": { "devices": [ { "allow": false, "access": "rwm" } ] },
    "namespaces": [ { "type": "pid" }, { "type": "network" }, { "type": "ipc" },
      { "type": "uts" }, { "type": "mount" } ],
    "maskedPaths": [ "/proc/acpi", "/proc/kcore", "/proc/keys", "/sys/firmware" ],
    "readonlyPaths": [ "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys" ] } }
]]

describe("bundle.read", function()
  it("takes what runc writes, with every string unharmed", function()
    local asked = assert(bundle.read(assert(json.decode(RUNC)), "/b"))
    assert.equal("/b/rootfs", asked.config.root.path)
    assert.equal("GR\u{dc}\u{df}E=\u{1f600}", asked.config.process.env[3])
    assert.equal("integer", math.type(asked.config.process.rlimits[1].hard))
  end)

  it("does not change what it is given", function()
    local given = bundles.config("true")
    local before = json.encode(given)
    assert(bundle.read(given, "/b"))
    assert.equal(before, json.encode(given))
  end)

  it("ignores fields that the specification does not have, and null", function()
    local asked = assert(bundle.read(bundles.config("true", function(c)
      c.fruit, c.process.colour, c.linux.resources.pids = "apple", { "red" }, io.stdout
    end), "/b"))
    assert.is_nil(asked.config.fruit)
    assert.is_nil(asked.config.process.colour)
  end)
end)

-- What is refused, by what is changed in a configuration that is good.
local REFUSED <const> = {
  { "ociVersion: is missing", function(c) c.ociVersion = nil end },
  { "ociVersion: 2.0.0 is not of the versions 1", function(c) c.ociVersion = "2.0.0" end },
  { "ociVersion: expected a version such as \"1.0.2\", got \"new\"",
    function(c) c.ociVersion = "new" end },
  { "root: is missing", function(c) c.root = nil end },
  { "root.path: expected a string, got 5", function(c) c.root.path = 5 end },
  { "process: is missing", function(c) c.process = nil end },
  { "process: expected an object, got a table", function(c) c.process = { "a" } end },
  { "process.args: is missing or empty", function(c) c.process.args = {} end },
  { "process.args[1]: expected a string, got true", function(c) c.process.args[2] = true end },
  { "process.args[0]: contains a NUL byte", function(c) c.process.args[1] = "a\0" end },
  { "process.env[1]: expected NAME=value, got \"TERM\"",
    function(c) c.process.env[2] = "TERM" end },
  { "process.cwd: expected an absolute path, got \"tmp\"", function(c) c.process.cwd = "tmp" end },
  { "process.user.uid: expected an integer from 0 to 4294967294, got -1",
    function(c) c.process.user.uid = -1 end },
  { "process.user.additionalGids: expected an array, got \"5\"",
    function(c) c.process.user.additionalGids = "5" end },
  { "process.rlimits[0].type: expected a limit such as RLIMIT_NOFILE, got \"RLIMIT_X\"",
    function(c) c.process.rlimits = { { type = "RLIMIT_X", soft = 1, hard = 1 } } end },
  { "process.rlimits[1]: RLIMIT_CPU is there twice", function(c)
    local one = { type = "RLIMIT_CPU", soft = 1, hard = 1 }
    c.process.rlimits = { one, one }
  end },
  { "process.rlimits[0]: the soft limit is above the hard one",
    function(c) c.process.rlimits = { { type = "RLIMIT_CPU", soft = 2, hard = 1 } } end },
  { "mounts[0].destination: is missing", function(c) c.mounts[1].destination = nil end },
  { "mounts[0].destination: goes up by ..", function(c) c.mounts[1].destination = "/a/../b" end },
  { "mounts[3].type: is missing", function(c) c.mounts[4].type = nil end },
  { "mounts[3].source: is missing",
    function(c) c.mounts[4] = { destination = "/a", type = "bind" } end },
  { "mounts[3].options: expected an array, got \"ro\"",
    function(c) c.mounts[4].options = "ro" end },
  { "linux.namespaces[0].type: expected one of pid network ipc uts mount cgroup user time, got "
    .. "\"net\"", function(c) c.linux.namespaces[1].type = "net" end },
  { "linux.namespaces[1]: pid is there twice",
    function(c) c.linux.namespaces[2].type = "pid" end },
  { "linux.namespaces: expected one of the type mount, got nil",
    function(c) table.remove(c.linux.namespaces, 4) end },
  { "hostname: takes a uts namespace in linux.namespaces",
    function(c) table.remove(c.linux.namespaces, 3) end },
  { "linux.uidMappings: takes a user namespace in linux.namespaces", function(c)
    c.linux.uidMappings = { { containerID = 0, hostID = 1, size = 1 } }
  end },
  { "linux.uidMappings: is missing: the user namespace has no ids",
    function(c) c.linux.namespaces[6] = { type = "user" } end },
  { "linux.devices[0].minor: is missing",
    function(c) c.linux.devices = { { type = "c", path = "/dev/a", major = 1 } } end },
  { "linux.sysctl[\"a.b\"]: expected a string, got 1",
    function(c) c.linux.sysctl = { ["a.b"] = 1 } end },
  { "linux.seccomp.syscalls[0].action: is missing", function(c)
    c.linux.seccomp = { defaultAction = "SCMP_ACT_ALLOW", syscalls = { { names = { "x" } } } }
  end },
  { "hooks.prestart[0].path: expected an absolute path, got \"a\"",
    function(c) c.hooks = { prestart = { { path = "a" } } } end },
  { "linux.resources.pids.limit: expected an integer, got 1.5",
    function(c) c.linux.resources.pids = { limit = 1.5 } end },
}

describe("bundle.read refuses", function()
  for _, case in ipairs(REFUSED) do
    it(case[1], function()
      assert.equal("config: " .. case[1], refusal(case[2]))
    end)
  end
end)

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

describe("a bundle #root", function()
  it("runs as config.json says", function()
    assert.equal("0 0\nbox\n0022\n/bin:/sbin /\n1\n", (output(
      "echo $(id -u) $(id -g); hostname; umask; echo $PATH $HOME; echo $$")))
  end)

  it("of runc's own configuration runs", function()
    local directory = bundles.directory()
    assert.equal("0\nrunc\n", (output("", function(c)
      for name in pairs(c) do
        c[name] = nil
      end
      for name, value in pairs(assert(json.decode(RUNC))) do
        c[name] = value
      end
    end, directory)))
  end)

  it("has the user, all its groups and its umask", function()
    local groups = {}
    for i = 1, 100 do
      groups[i] = 1000 + i
    end
    assert.equal("5 6 " .. table.concat(groups, " ") .. "\n0077\n", (output(
      "echo $(id -u) $(id -g) $(grep Groups /proc/self/status | cut -f 2); umask", function(c)
        c.process.user = { uid = 5, gid = 6, umask = tonumber("077", 8), additionalGids = groups }
      end)))
  end)

  it("has the home that its passwd says", function()
    local directory = bundles.directory()
    local passwd <close> = assert(io.open(directory .. "/rootfs/etc/passwd", "w"))
    passwd:write("daemon:x:5:5::/var/daemon:/bin/sh\n")
    passwd:flush()
    assert.equal("/var/daemon\n", (output("echo $HOME", function(c)
      c.process.user.uid = 5
    end, directory)))
  end)

  it("has a /dev with the default devices and those of the configuration", function()
    assert.equal("character special file 1 3 640 7 8\nfifo 0 0 600 0 0\n1\n", (output([[
      stat -c '%F %t %T %a %u %g' /dev/deep/x /tmp/pipe
      ls /dev | grep -c -x full]], function(c)
      c.linux.devices = {
        { path = "/dev/deep/x", type = "c", major = 1, minor = 3, fileMode = tonumber("640", 8),
          uid = 7, gid = 8 },
        { path = "/tmp/pipe", type = "p", fileMode = tonumber("600", 8) },
      }
    end)))
  end)

  it("has ranges of ids, and a root that is its owner's there", function()
    local directory = bundles.directory()
    assert(os.execute("chown -R 100000:100000 " .. directory .. "/rootfs"))
    assert.equal("0 100000 65536\n0 0\n0\n", (output(
      "echo $(cat /proc/self/uid_map); stat -c '%u %g' /bin; id -u", function(c)
        local map = { { containerID = 0, hostID = 100000, size = 65536 } }
        c.linux.namespaces[6] = { type = "user" }
        c.linux.uidMappings, c.linux.gidMappings = map, map
      end, directory)))
  end)

  it("keeps its limit of core files and its cgroup namespace", function()
    assert.equal("same\n", (output("echo same", function(c)
      c.linux.namespaces[6] = { type = "cgroup" }
    end)))
    local own = support.run("ulimit -c").stdout
    assert.equal(own, (output("ulimit -c")))
  end)
end)
