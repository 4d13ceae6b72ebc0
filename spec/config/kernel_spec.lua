local api = require "container.api"
local bundles = require "spec.fixtures.bundle"
local spec = require "container.config.spec"
local support = require "spec.support"
local sys = require "container.sys"

local function refusal(options)
  options[1] = "true"
  local ctx, err = spec.read(options)
  assert(not ctx, "it was taken")
  return (tostring(err):gsub("^spec: ", ""))
end

-- What a command prints in a container with these options.
local function output(script, options)
  options[1], options[2], options[3] = "sh", "-c", script
  options.stdout, options.stderr, options.pids = "capture", "capture", "max"
  local result, err = api.run(options)
  return result and result.stdout .. result.stderr or tostring(err)
end

describe("options about the kernel are refused", function()
  local CASES <const> = {
    { "sysctl[\"vm.swappiness\"]: is no setting of a namespace, so it would be the host's",
      { sysctl = { ["vm.swappiness"] = 1 } } },
    { "sysctl[\"net.a\"]: expected a string or an integer, got true",
      { sysctl = { ["net.a"] = true } } },
    { "sysctl[\"net.ipv4.ip_forward\"]: is the host's, for the container has no network namespace "
      .. "of its own", { sysctl = { ["net/ipv4/ip_forward"] = 1 }, network = "host" } },
    { "domainname: expected a name of 1 to 64 bytes, got \"\"", { domainname = "" } },
    { "umask: expected octal digits such as \"022\", got \"999\"", { umask = "999" } },
    { "umask: expected octal digits such as \"022\", got 512", { umask = 512 } },
    { "additional_groups[1]: expected NAME or an id below 4294967295, got \"4294967295\"",
      { additional_groups = { 4294967295 } } },
    { "additional_groups[1]: expected NAME or an id below 4294967295, got \"a:b\"",
      { additional_groups = { "a:b" } } },
    { "annotations[\"a\"]: expected a string, got 1", { annotations = { a = 1 } } },
    { "time_offsets: expected monotonic or boottime, got \"realtime\"",
      { time_offsets = { realtime = 1 } } },
    { "time_offsets.monotonic: expected a number of seconds, got \"soon\"",
      { time_offsets = { monotonic = "soon" } } },
    { "scheduler: expected other, batch, idle, fifo:PRIORITY or rr:PRIORITY, got \"fifo\"",
      { scheduler = "fifo" } },
    { "scheduler: expected other, batch, idle, fifo:PRIORITY or rr:PRIORITY, got \"rr:100\"",
      { scheduler = "rr:100" } },
    { "io_priority: expected rt:N, be:N or idle, with N from 0 to 7, got \"be:8\"",
      { io_priority = "be:8" } },
    { "personality: expected \"linux\" or \"linux32\", got \"bsd\"", { personality = "bsd" } },
  }
  for _, case in ipairs(CASES) do
    it(case[1], function()
      assert.equal(case[1], refusal(case[2]))
    end)
  end
end)

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

describe("a container #root", function()
  it("has its own settings, names and clocks", function()
    assert.equal("a.b\n1\n77\n0\n", output([[cat /proc/sys/kernel/domainname \
      /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmni \
      /proc/sys/net/ipv4/ip_unprivileged_port_start]], { domainname = "a.b",
      sysctl = { ["net.ipv4.ip_forward"] = 1, ["kernel/msgmni"] = "77" } }))
    assert.equal("monotonic -2 500000000 boottime 7 0\n", output(
      "echo $(cat /proc/self/timens_offsets)",
      { time_offsets = { monotonic = -1.5, boottime = "7" } }))
  end)

  it("is not started with a setting that the kernel does not take", function()
    assert.matches("^sysctl: net%.ipv4%.ip_forward: ", output("true",
      { sysctl = { ["net.ipv4.ip_forward"] = "often" } }))
    assert.matches("^sysctl: net%.no%.such: No such file", output("true",
      { sysctl = { ["net.no.such"] = "1" } }))
  end)

  it("has its groups, umask and schedule", function()
    assert.equal("5 7 1234\n0027\n", output(
      "echo $(grep Groups /proc/self/status | cut -f 2); umask",
      { additional_groups = { "tty", 7, "1234" }, umask = "027" }))
    local machine = sys.uname().machine == "x86_64" and "i686" or "armv8l"
    assert.equal(("3 %s\n"):format(machine), output(
      "echo $(cut -d ' ' -f 41 /proc/$$/stat) $(uname -m)",
      { scheduler = "batch", io_priority = "idle", personality = "linux32" }))
    assert.equal("user: group no-such: not in the container's /etc/group", output("true",
      { additional_groups = { "no-such" } }))
  end)

  it("tells its hooks of its annotations", function()
    local seen
    api.run { "true", annotations = { ["a.b"] = "c" }, hooks = { prestart = { function(state)
      seen = state.annotations["a.b"]
    end } } }
    assert.equal("c", seen)
  end)
end)

describe("volumes #root", function()
  it("show what the host mounts later, or pass on what the container mounts", function()
    local rootfs = bundles.directory() .. "/rootfs"
    assert.same({ "late\n", "early\n", true }, { support.child(function()
      assert(sys.mount(nil, "/", nil, "rprivate"))
      assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
      assert(sys.mount(nil, "/mnt", nil, "shared"))
      assert(os.execute("mkdir /mnt/a && echo early > /mnt/a/f"))
      local function seen(words)
        local c <close> = assert(api.spawn { "sh", "-c", "read x; cat /v/a/f", stdin = "pipe",
          stdout = "capture", pids = "max", volumes = { "/mnt:/v:" .. words } })
        assert(sys.mount("tmpfs", "/mnt/a", "tmpfs"))
        assert(os.execute("echo late > /mnt/a/f"))
        c.stdin:write("go\n")
        local text = c:wait(20).stdout
        assert(sys.umount("/mnt/a"))
        return text
      end
      local late, early = seen "rslave", seen "rprivate"
      local result = api.run { "sh", "-c", "mount -t tmpfs none /v/a", pids = "max",
        rootfs = rootfs, privileged = true,
        volumes = { "/mnt:/v:rshared" } }
      local passed = sys.read_file("/proc/self/mountinfo"):find(" /mnt/a ", 1, true) ~= nil
      sys.umount("/mnt/a")
      return late, early, result.status == 0 and passed
    end, { "mount" }) })
    assert.matches("^mount: a volume that is shared takes a root of the container's own",
      output("true", { volumes = { "/tmp:/v:rshared" } }))
  end)
end)
