local api = require "container.api"
local bundle = require "container.config.bundle"
local bundles = require "spec.fixtures.bundle"
local sys = require "container.sys"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local function with(resources)
  return function(c)
    c.linux.resources = resources
  end
end

-- What is written for resources, in one version: lines of path, file and value.
local function written(version, resources)
  local asked = assert(bundle.read(bundles.config("true", with(resources)), "/b"))
  local lines = {}
  for _, setting in ipairs(version.settings(asked.config.linux.resources, true)) do
    lines[#lines + 1] = ("%s %s %s"):format(setting.option:gsub("^linux%.resources%.", ""),
      setting.file or "-", setting.value)
  end
  return table.concat(lines, "\n")
end

local EVERYTHING <const> = {
  memory = { limit = 1 << 26, swap = 1 << 27, reservation = 1 << 25, swappiness = 0, kernel = 5,
    disableOOMKiller = true, useHierarchy = true, checkBeforeUpdate = true },
  cpu = { shares = 1024, quota = 50000, period = 100000, burst = 10, idle = 1, cpus = "0",
    mems = "0", realtimeRuntime = 5, realtimePeriod = 6 },
  pids = { limit = 50 },
  blockIO = { weight = 500, weightDevice = { { major = 8, minor = 0, weight = 10 } },
    throttleReadBpsDevice = { { major = 8, minor = 0, rate = 7 } } },
  hugepageLimits = { { pageSize = "2MB", limit = 4096 } },
  network = { classID = 1048577, priorities = { { name = "lo", priority = 3 } } },
  rdma = { mlx5_1 = { hcaHandles = 3, hcaObjects = 4 } },
  unified = { ["memory.high"] = "99" },
}

describe("resources of a bundle", function()
  it("are all written in version 1, but for the files of version 2", function()
    assert.equal([[
cpu.cpus cpuset.cpus 0
cpu.mems cpuset.mems 0
cpu.realtimePeriod cpu.rt_period_us 6
cpu.realtimeRuntime cpu.rt_runtime_us 5
cpu.quota cpu.cfs_period_us 100000
cpu.quota cpu.cfs_quota_us 50000
cpu.burst cpu.cfs_burst_us 10
cpu.shares cpu.shares 1024
cpu.idle cpu.idle 1
memory.limit memory.limit_in_bytes 67108864
memory.swap memory.memsw.limit_in_bytes 134217728
memory.reservation memory.soft_limit_in_bytes 33554432
memory.swappiness memory.swappiness 0
memory.disableOOMKiller memory.oom_control 1
blockIO.weight blkio.bfq.weight 500
blockIO.weightDevice[0] blkio.bfq.weight_device 8:0 10
io blkio.throttle.read_bps_device 8:0 7
hugepageLimits hugetlb.2MB.limit_in_bytes 4096
network.classID net_cls.classid 1048577
network.priorities[0] net_prio.ifpriomap lo 3
pids.limit pids.max 50
rdma[mlx5_1] rdma.max mlx5_1 hca_handle=3 hca_object=4]], written(v1, EVERYTHING))
  end)

  it("are written in version 2, and without a file where it has none", function()
    assert.equal([[
cpu.cpus cpuset.cpus 0
cpu.mems cpuset.mems 0
cpu.quota cpu.max 50000 100000
cpu.burst cpu.max.burst 10
cpu.shares cpu.weight 39
cpu.idle cpu.idle 1
memory.limit memory.max 67108864
memory.swap memory.swap.max 67108864
memory.reservation memory.low 33554432
blockIO.weight io.bfq.weight 500
blockIO.weightDevice[0] io.bfq.weight 8:0 10
io io.max 8:0 rbps=7
hugepageLimits hugetlb.2MB.max 4096
pids.limit pids.max 50
rdma[mlx5_1] rdma.max mlx5_1 hca_handle=3 hca_object=4
memory.swappiness - 0
memory.disableOOMKiller - true
cpu.realtimePeriod - 6
cpu.realtimeRuntime - 5
network.classID - 1048577
network.priorities - ]] .. "\nunified memory.high 99", written(v2, EVERYTHING))
  end)

  it("have a period alone, and are nothing where they are 0", function()
    assert.equal("cpu.quota cpu.max max 50000", written(v2, { cpu = { period = 50000 } }))
    assert.equal("", written(v2, { cpu = { shares = 0, quota = 0, period = 0, cpus = "" },
      memory = { limit = 0, swap = 0, reservation = 0, disableOOMKiller = false },
      blockIO = { weight = 0 }, network = { priorities = {} } }))
    assert.equal("pids.limit pids.max max", written(v2, { pids = { limit = 0 } }))
  end)

  local REFUSED <const> = {
    { "blockIO.leafWeight: no kernel since Linux 5.0 has it", { blockIO = { leafWeight = 10 } } },
    { "blockIO.weight: expected an integer from 10 to 1000, got 5", { blockIO = { weight = 5 } } },
    { "memory.swappiness: expected an integer from 0 to 100, got 101",
      { memory = { swappiness = 101 } } },
    { "hugepageLimits[0].pageSize: expected a size such as 2MB, got \"../x\"",
      { hugepageLimits = { { pageSize = "../x", limit = 1 } } } },
    { "unified[\"../x\"]: expected the name of a file of a controller, got \"../x\"",
      { unified = { ["../x"] = "1" } } },
    { "cpu.idle: expected an integer from 0 to 1, got 2", { cpu = { idle = 2 } } },
    { "network.priorities[0].priority: is missing",
      { network = { priorities = { { name = "a" } } } } },
  }
  for _, case in ipairs(REFUSED) do
    it("are refused: " .. case[1], function()
      assert.equal("config: linux.resources." .. case[1], bundles.refusal(with(case[2])))
    end)
  end
end)

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

describe("resources of a bundle #root #cgroup1", function()
  -- The file of a running bundle's cgroup.
  local function file(c, controller, name)
    local place = sys.cgroup_place(controller)
    local own = sys.read_file(("/proc/%d/cgroup"):format(c.pid))
    for list, path in own:gmatch(":([^:]*):([^\n]*)") do
      if ("," .. list .. ","):find("," .. controller .. ",", 1, true) then
        local text = sys.read_file(("%s/%s/%s"):format(place, path:match("[^/]*$"), name))
        return (text:gsub("\n", " "):gsub(" $", ""))
      end
    end
  end

  it("hold", function()
    local c <close> = assert(bundles.spawn("sleep 60", with {
      memory = { limit = 1 << 26, swappiness = 7, reservation = 1 << 25, disableOOMKiller = true },
      cpu = { shares = 512, quota = 50000, period = 100000, burst = 1000 }, pids = { limit = 33 },
    }))
    assert.equal("67108864", file(c, "memory", "memory.limit_in_bytes"))
    assert.equal("33554432", file(c, "memory", "memory.soft_limit_in_bytes"))
    assert.equal("7", file(c, "memory", "memory.swappiness"))
    assert.matches("oom_kill_disable 1", file(c, "memory", "memory.oom_control"))
    assert.equal("512", file(c, "cpu", "cpu.shares"))
    assert.equal("50000", file(c, "cpu", "cpu.cfs_quota_us"))
    assert.equal("1000", file(c, "cpu", "cpu.cfs_burst_us"))
    assert.equal("33", file(c, "pids", "pids.max"))
    c:kill()
  end)

  it("are refused by their path where the kernel has no such controller", function()
    if sys.cgroup_place("net_cls") then
      return
    end
    local refusal = bundles.failure("true", with { network = { classID = 1 } })
    assert.matches("^cgroup: linux%.resources%.network%.classID: cgroup controller net_cls: ",
      refusal)
  end)
end)

describe("devices of a bundle #root", function()
  local function kmsg(rules)
    return function(c)
      c.linux.devices = { { type = "c", path = "/dev/x", major = 10, minor = 229,
        fileMode = tonumber("666", 8) } }
      c.linux.resources = { devices = rules }
    end
  end

  -- What the device cgroup does not allow is "not permitted", also where the kernel has no driver.
  local TRY <const> = "try() { case $(eval \"exec 3$1/dev/x\" 2>&1) in *permitted*) ;; "
    .. "*) echo $2;; esac; }; try '<' read; try '>' write; : </dev/null && echo null"

  it("can be opened as the rules say, of which the last that speaks of one decides", function()
    local all = { allow = false, access = "rwm" }
    local function rule(allow, access)
      return { allow = allow, type = "c", major = 10, minor = 229, access = access }
    end
    assert.equal("null\n", (bundles.output(TRY, kmsg { all })))
    assert.equal("read\nnull\n", (bundles.output(TRY, kmsg { all, rule(true, "r") })))
    assert.equal("write\nnull\n", (bundles.output(TRY,
      kmsg { all, rule(true, "rw"), rule(false, "r") })))
    assert.equal("read\nwrite\nnull\n", (bundles.output(TRY, kmsg { { allow = true } })))
  end)
end)
