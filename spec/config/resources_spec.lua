-- The options that limit, as OCI's linux.resources.

local spec = require "container.config.spec"
local support = require "spec.support"

local function resources(options)
  options[1] = "true"
  local c = assert(spec.read(options))
  return c.config.linux.resources, c
end

local function refuses(message, options)
  options[1] = "true"
  local c, err = spec.read(options)
  assert.is_nil(c, message)
  assert.equal("spec: " .. message, tostring(err))
end

describe("the options that limit", function()
  it("are not there when they are not asked for", function()
    local found, c = resources {}
    assert.same({ pids = { limit = 20 } }, found)
    assert.is_nil(c.resource)
  end)

  it("take memory in bytes, and as docker writes them", function()
    for given, bytes in pairs { [4096] = 4096, ["4096"] = 4096, ["1b"] = 1, ["512K"] = 512 << 10,
      ["64m"] = 64 << 20, ["64MB"] = 64 << 20, ["1GiB"] = 1 << 30, ["2T"] = 2 << 40 } do
      assert.same({ limit = bytes, swap = 2 * bytes }, resources({ memory = given }).memory)
    end
    assert.same({ limit = -1, swap = -1 }, resources({ memory = "max" }).memory)
  end)

  it("take swap together with memory", function()
    assert.same({ limit = 1 << 20, swap = 1 << 20, reservation = 4096 }, resources({
      memory = "1M", memory_swap = "1M", memory_reservation = 4096 }).memory)
    assert.same({ limit = 1 << 20, swap = -1 },
      resources({ memory = "1M", memory_swap = "max" }).memory)
  end)

  it("take processors as a quota of time", function()
    assert.same({ quota = 50000, period = 100000 }, resources({ cpus = 0.5 }).cpu)
    assert.same({ quota = 200000, period = 100000 }, resources({ cpus = 2 }).cpu)
    assert.same({ shares = 512, cpus = "0-2,7", mems = "0" },
      resources({ cpu_weight = 512, cpuset_cpus = "0-2,7", cpuset_mems = "0" }).cpu)
  end)

  it("take what is of a disk, of pages, of version 2 alone, and of the process", function()
    local found, c = resources { io_weight = 500, hugepages = { ["2MB"] = "4M", ["1GB"] = 0 },
      unified = { ["memory.high"] = 4096, ["cpu.max.burst"] = "10" }, oom_score_adj = 300 }
    assert.same({ weight = 500 }, found.blockIO)
    assert.same({ { pageSize = "1GB", limit = 0 }, { pageSize = "2MB", limit = 4 << 20 } },
      found.hugepageLimits)
    assert.same({ ["memory.high"] = "4096", ["cpu.max.burst"] = "10" }, found.unified)
    assert.equal(300, c.config.process.oomScoreAdj)
  end)

  it("are refused when they are no such thing", function()
    local bytes = "expected a number of bytes, such as \"64M\""
    for shown, value in pairs { ["0"] = 0, ["-2"] = -2, ["1.5"] = 1.5, ["\"1x\""] = "1x",
      ["\"\""] = "", ["\"64 M\""] = "64 M", ["\"9999999999G\""] = "9999999999G" } do
      refuses(("memory: %s, got %s"):format(bytes, shown), { memory = value })
    end
    refuses("memory: " .. bytes .. " or \"max\", got true", { memory = true })
    refuses("cpus: expected a number of processors, from 0.01, got 0", { cpus = 0 })
    refuses("cpus: expected a number of processors, from 0.01, got \"1\"", { cpus = "1" })
    refuses("cpu_weight: expected an integer from 2 to 262144, where 1024 is as much as others \z
      have, got 1", { cpu_weight = 1 })
    for _, list in ipairs { "", "0-", "-1", "2-1", "0,,1", "a", "0 1", "123456" } do
      refuses(("cpuset_cpus: expected a list such as 0-2,7, got %q"):format(list),
        { cpuset_cpus = list })
    end
    refuses("io_weight: expected an integer from 10 to 1000, got 1001", { io_weight = 1001 })
    refuses("hugepages: expected sizes of pages as the kernel writes them, such as \"2MB\", \z
      got \"2M\"", { hugepages = { ["2M"] = 1 } })
    refuses("oom_score_adj: expected an integer from -1000 to 1000, got 1001",
      { oom_score_adj = 1001 })
    refuses("stats: expected true or false, got 1", { stats = 1 })
  end)

  it("are refused when they contradict each other", function()
    refuses("memory_swap: memory and swap together are limited, and memory is not",
      { memory_swap = "1G" })
    refuses("memory_swap: memory and swap together are less than memory",
      { memory = "2M", memory_swap = "1M" })
    refuses("memory_reservation: more than memory", { memory = 4096, memory_reservation = 4097 })
  end)

  it("refuse files that are no controller's, and would undo what the container is", function()
    for _, key in ipairs { "cgroup.freeze", "cgroup.procs", "memory", "../x", "memory./x", 1 } do
      refuses(("unified: expected files of a controller, such as memory.high, got %s"):format(
        math.type(key) and key or ("%q"):format(key)), { unified = { [key] = "1" } })
    end
    refuses("unified[\"memory.high\"]: expected a string or an integer, got true",
      { unified = { ["memory.high"] = true } })
  end)

  it("refuse what is no disk, and rates that are none", function()
    refuses("io[\"/dev/nosuch\"].read_bps: stat /dev/nosuch: No such file or directory",
      { io = { ["/dev/nosuch"] = { read_bps = 1 } } })
    refuses("io[\"/dev/null\"].read_bps: /dev/null is no block device",
      { io = { ["/dev/null"] = { read_bps = 1 } } })
    refuses("io[\"/dev/null\"]: expected read_bps, write_bps, read_iops or write_iops, got \"x\"",
      { io = { ["/dev/null"] = { x = 1 } } })
  end)
end)

describe("the command line", function()
  local function say(words)
    return support.run(support.lua .. " run.lua -q " .. words .. " true")
  end

  it("names its own option where one is refused", function()
    for words, sentence in pairs {
      ["-m 1x"] = "--memory: expected a number of bytes, such as \"64M\", got \"1x\"",
      ["--cpus half"] = "--cpus: expected a number of processors, from 0.01, got \"half\"",
      ["--device-write-bps /dev/nosuch:1M"] =
        "--device-write-bps: stat /dev/nosuch: No such file or directory",
      ["--device-read-iops /dev/nosuch:1"] =
        "--device-read-iops: stat /dev/nosuch: No such file or directory",
      ["--cgroup-conf cgroup.freeze=1"] = "--cgroup-conf: expected files of a controller, such as \z
        memory.high, got \"cgroup.freeze\"",
    } do
      assert.same({ status = 125, stdout = "", stderr = "lua-container: " .. sentence .. "\n" },
        say(words))
    end
  end)
end)
