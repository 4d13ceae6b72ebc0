-- What a limited container can use, and what becomes of a process that wants more: alike on either
-- version of cgroups.

local sys = require "container.sys"
local api = require "container.api"
local object = require "container.runtime.container"
local support = require "spec.support"

local _, version = sys.cgroup_place("pids")

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

-- The directories of cgroups below those that the caller is in.
local function tree()
  local found = {}
  for line in sys.read_file("/proc/self/cgroup"):gmatch("[^\n]+") do
    local controller = line:match("^%d+:([%w_]*)")
    local directory = controller
      and sys.cgroup_directory(controller ~= "" and controller or nil)
    for _, name in ipairs(directory and sys.list(directory) or {}) do
      local path = directory .. "/" .. name
      found[path] = sys.stat(path).type == "directory" or nil
    end
  end
  return found
end

-- Has programs of a shell hold so many MiB, which are the first that the kernel kills for want of
-- memory, however slow the machine is in ending one of them.
local function hog(mebibytes)
  return ("(echo 1000 >/proc/self/oom_score_adj; head -c %dM /dev/zero | tail -c %dM | wc -c)")
    :format(mebibytes, mebibytes)
end

describe("memory #cgroup", function()
  it("ends a container that wants more, while its neighbour lives", function()
    support.needs "memory"
    local neighbour <close> = assert(api.spawn { "sleep", "1000", memory = "32M" })
    local result = assert(api.run { "sh", "-c", hog(64) .. " >/dev/null 2>&1; exit 9",
      memory = "16M" })
    if version == 2 then
      assert.equal("KILL", result.signal) -- all of it
    else
      assert.equal(9, result.status) -- the process that wanted more
    end
    assert.equal("running", sys.wait(neighbour.pid, "nohang"))
  end)

  it("lets a container have what it may", function()
    support.needs "memory"
    local result = assert(api.run { "sh", "-c", hog(8) .. " >/dev/null", memory = "64M" })
    assert.equal(0, result.status)
  end)

  it("too small for a container to come up leaves a large host program alone", function()
    support.needs "memory"
    local result = support.script([[
      local ballast = ("x"):rep(200 << 20)
      local result, err = container.run { "true", memory = "256K" }
      print(result and result.signal or tostring(err):match("^cgroup: memory: ") or tostring(err))
      assert(container.run { "true", memory = "64M" })
      print(#ballast)
    ]])
    assert.equal(0, result.status, result.stderr)
    assert.truthy(result.stdout == "KILL\n209715200\n"
      or result.stdout == "cgroup: memory: \n209715200\n", result.stdout)
  end)

  it("is refused by its name where no hierarchy has the controller #root", function()
    local message, subject = support.child(function()
      for _, mount in ipairs(require("container.fs.path").mounts()) do
        if mount.type:find("^cgroup") then
          sys.umount(mount.target, "detach")
        end
      end
      local _, err = api.run { "true", memory = "1G", pids = "max" }
      return tostring(err), err.subject
    end, { "mount" })
    assert.equal("cgroup: memory: cgroup controller memory: /proc/self/mountinfo and \z
      /proc/self/cgroup show no cgroup, from the caller's own upwards, that can give it to a \z
      child, so memory cannot hold", message)
    assert.equal("memory", subject)
  end)
end)

describe("cpus #cgroup", function()
  -- The part of one processor that a container had in so many seconds, and its counters.
  local function share(text, seconds)
    local c <close> = assert(api.spawn { "sh", "-c", text, cpus = 0.5, stats = true })
    local start, before = sys.clock_gettime(), assert(c:stats()).cpu
    sys.ppoll({}, seconds)
    local after = assert(c:stats()).cpu
    return (after.usage - before.usage) / (sys.clock_gettime() - start), after
  end

  it("of a half give a half", function()
    support.needs "cpu"
    local used, cpu
    for _ = 1, 3 do
      used, cpu = share("while :; do :; done", 2)
      if used >= 0.45 then
        break
      end
    end
    assert.truthy(used <= 0.55, used)
    -- A machine that others keep busy gives less than it may: then it was not always held back.
    assert.truthy(used >= 0.45 or cpu.throttled_periods < cpu.periods - 2, used)
  end)

  it("hold for all of a container together", function()
    support.needs "cpu"
    local used = share("for i in 1 2 3; do while :; do :; done & done; wait", 2)
    assert.truthy(used <= 0.55, used)
  end)

  it("are those of the set, for all of it", function()
    support.needs "cpuset"
    local result = support.run(support.lua .. " run.lua -q --cpuset-cpus 0 --cpuset-mems 0 sh -c "
      .. "'grep Cpus_allowed_list /proc/self/status; grep Mems_allowed_list /proc/1/status'")
    assert.equal("Cpus_allowed_list:\t0\nMems_allowed_list:\t0\n", result.stdout, result.stderr)
  end)
end)

describe("limits #cgroup", function()
  it("leave the same cgroups after a hundred containers", function()
    support.needs "memory"
    assert(api.run { "true", memory = "64M", cpus = 1, stats = true })
    local before = tree()
    for _ = 1, 100 do
      assert(api.run { "true", memory = "64M", cpus = 1, stats = true })
    end
    assert.same(before, tree())
  end)

  it("leave nothing of the first when the second is refused", function()
    support.needs("memory", "cpuset")
    local before = tree()
    local result, err = api.run { "true", memory = "64M", cpuset_cpus = "9999" }
    assert.is_nil(result)
    assert.equal("cpuset_cpus", err.subject)
    assert.equal("cgroup", err.step)
    assert.same(before, tree())
  end)

  it("leave none after a killed launcher and the next run", function()
    support.needs "memory"
    assert(api.run { "true" })
    local before = tree()
    local result = support.script([[
      local c = assert(container.spawn { "sleep", "1000", memory = "64M", cpus = 1, stats = true })
      print(c.pid)
      io.stdout:flush()
      sys.kill(sys.getpid(), "KILL")
    ]])
    local pid <close> = sys.pidfd_open(tonumber(result.stdout))
    assert(not pid or sys.ppoll({ pid }, 10)[1])
    assert(api.run { "true" })
    assert.same(before, tree())
  end)

  it("are all shown to the container, and nothing else", function()
    support.needs "memory"
    local result = support.run(support.lua .. " run.lua -q -m 64M sh -c "
      .. "'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; "
      .. "find /sys/fs/cgroup -mindepth 1 -name \"lua-container*\"; "
      .. "{ echo 1 >/sys/fs/cgroup/memory.max || echo 1 >/sys/fs/cgroup/memory/tasks; } 2>&1 "
      .. "| grep -o Read-only.*'")
    assert.matches("^67108864\nRead%-only", result.stdout)
  end)

  it("are in one cgroup, in which the child is born #cgroup2", function()
    local cgroup = require "container.linux.cgroup"
    local original, joined = sys.write_file, 0
    sys.write_file = function(path, ...)
      joined = joined + (path:find("cgroup%.procs$") and 1 or 0)
      return original(path, ...)
    end
    local c <close> = api.spawn { "sleep", "1000", memory = "64M" }
    sys.write_file = original
    assert(c)
    assert.equal(0, joined)
    assert.truthy(cgroup.birthplace(object.of(c).state))
    assert.matches("0::/[^\n]*lua%-container%-",
      sys.read_file("/proc/" .. c.pid .. "/cgroup"))
  end)
end)

describe("a limit that an ordinary user has no cgroup for #root #userns", function()
  it("is refused by its name, and nothing is done instead", function()
    local result = support.as_user(support.lua .. " run.lua -q --memory 64M true")
    assert.equal(125, result.status)
    assert.matches("^lua%-container: %-%-memory: cgroup controller memory: .*\n$", result.stderr)
  end)
end)

describe("the devices of a container #cgroup #root", function()
  -- One that does nothing when it is opened.
  local DEVICE <const> = "/dev/cpu_dma_latency"

  local function box(options, text)
    if not sys.stat(DEVICE) then
      pending("support.needs " .. DEVICE)
    end
    support.needs "devices"
    local words = { "sh", "-c", text, stdout = "capture", stderr = "stdout" }
    for name, value in pairs(options) do
      words[name] = value
    end
    return assert(api.run(words)).stdout
  end

  local OPEN <const> = "(exec 3<%s) && echo read; (exec 3>%s) && echo written; true"

  it("can be opened where they are asked for, and as they are", function()
    local try = OPEN:format(DEVICE, DEVICE)
    assert.equal("read\nwritten\n", box({ devices = { DEVICE } }, try))
    assert.matches("^read\n.*not permitted", box({ devices = { DEVICE .. ":r" } }, try))
    assert.matches("^.*not permitted.*\nwritten\n$", box({ devices = { DEVICE .. ":w" } }, try))
    assert.equal("read\nwritten\n", box({ devices = { DEVICE .. ":/dev/a/b" } },
      OPEN:format("/dev/a/b", "/dev/a/b")))
  end)

  it("cannot be opened where they were only made", function()
    local said = box({ devices = { DEVICE .. ":/dev/x:m" } },
      "[ -c /dev/x ] && echo made; " .. OPEN:format("/dev/x", "/dev/x"))
    assert.matches("^made\n.*not permitted.*not permitted", said)
  end)

  it("cannot be made by who may make nodes, but for those that all have", function()
    local said = box({ cap_add = { "MKNOD" }, seccomp = false },
      "mknod /tmp/m c 1 1; mknod /tmp/b b 7 0; "
      .. "mknod /tmp/n c 1 3 && echo made; echo >/dev/null && head -c 1 /dev/zero | wc -c")
    assert.matches("^[^\n]*not permitted\n[^\n]*not permitted\nmade\n1\n$", said)
  end)

  it("are all there with privileges", function()
    assert.equal("read\nwritten\n", box({ privileged = true, devices = { DEVICE } },
      OPEN:format(DEVICE, DEVICE)))
  end)

  it("need no rules where nobody asks, for nobody could make a node", function()
    local c = assert(require("container.config.spec").read { "true" })
    assert.is_nil(c.config.linux.resources.devices)
  end)
end)

describe("the devices of an ordinary user's container #userns", function()
  it("are bound, where that user may open them", function()
    local result = support.as_user(support.lua .. " run.lua -q --device /dev/null:/dev/x sh -c "
      .. "'echo >/dev/x && echo written'")
    assert.equal("written\n", result.stdout)
    result = support.as_user(support.lua .. " run.lua -q --device /dev/null:/dev/x:r true")
    assert.equal("lua-container: --device: without the host's root the access to a \z
      device cannot be limited: expected rw or rwm\n", result.stderr)
  end)
end)

describe("oom_score_adj", function()
  it("is the container's", function()
    local result = support.run(support.lua .. " run.lua -q --oom-score-adj 700 "
      .. "sh -c 'cat /proc/self/oom_score_adj /proc/1/oom_score_adj'")
    assert.equal("700\n700\n", result.stdout)
  end)
end)
