-- Each option that limits, and what the kernel has of it then: the same options on either version
-- of cgroups, and for an ordinary user with a cgroup of one's own. How they hold, the others ask.

local cgroup = require "container.linux.cgroup"
local places = require "container.linux.cgroup.places"
local sys = require "container.sys"
local api = require "container.api"
local object = require "container.runtime.container"
local support = require "spec.support"

local _, version = sys.cgroup_place("pids")
local MEBIBYTE <const> = 1 << 20

setup(function()
  api.run { "true" }
end)

-- Options, their controller, and what files of version 1 and of version 2 say then.
local CASES <const> = {
  { { pids = 7 }, "pids", { ["pids.max"] = "7" }, { ["pids.max"] = "7" } },
  { { memory = "64M" }, "memory", { ["memory.limit_in_bytes"] = tostring(64 * MEBIBYTE) },
    { ["memory.max"] = tostring(64 * MEBIBYTE), ["memory.oom.group"] = "1" } },
  { { memory = "64M", memory_swap = "80M" }, "memory",
    { ["memory.memsw.limit_in_bytes"] = tostring(80 * MEBIBYTE) },
    { ["memory.swap.max"] = tostring(16 * MEBIBYTE) } },
  { { memory_reservation = "8M" }, "memory",
    { ["memory.soft_limit_in_bytes"] = tostring(8 * MEBIBYTE) },
    { ["memory.low"] = tostring(8 * MEBIBYTE) } },
  { { cpus = 0.5 }, "cpu", { ["cpu.cfs_quota_us"] = "50000", ["cpu.cfs_period_us"] = "100000" },
    { ["cpu.max"] = "50000 100000" } },
  { { cpu_weight = 512 }, "cpu", { ["cpu.shares"] = "512" }, { ["cpu.weight"] = "20" } },
  { { cpuset_cpus = "0", cpuset_mems = "0" }, "cpuset",
    { ["cpuset.cpus"] = "0", ["cpuset.mems"] = "0" },
    { ["cpuset.cpus"] = "0", ["cpuset.mems"] = "0" } },
  { { io_weight = 500 }, "io", { ["blkio.bfq.weight"] = "500" },
    { ["io.bfq.weight"] = "default 500", ["io.weight"] = "default 4950" } },
  { { hugepages = { ["2MB"] = "4M" } }, "hugetlb",
    { ["hugetlb.2MB.limit_in_bytes"] = tostring(4 * MEBIBYTE) },
    { ["hugetlb.2MB.max"] = tostring(4 * MEBIBYTE) } },
  { { unified = { ["memory.high"] = 8 * MEBIBYTE, ["memory.min"] = "4096" } }, "memory", {},
    { ["memory.high"] = tostring(8 * MEBIBYTE), ["memory.min"] = "4096" } },
}

local function name_of(options)
  local names = {}
  for name in pairs(options) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " and ")
end

-- Where there is no controller, or it has not the file: by the name of the option, the controller
-- and the place.
local function refused(err, options, controller)
  local name = err.subject
  assert.truthy(options[name] ~= nil, tostring(err))
  assert.equal("cgroup", err.step)
  assert.matches("^cgroup: " .. name .. ": ", tostring(err))
  local named = name == "unified" and "its controller is in version 1 here: /"
    or "controller " .. controller .. ": .*/"
  assert.matches(named, tostring(err))
end

describe("the option #cgroup", function()
  for _, case in ipairs(CASES) do
    local options, controller, of_version = case[1], case[2], { case[3], case[4] }
    local names = name_of(options)

    it(names .. " is what the kernel has then, or is refused by its name", function()
      local words = { "sleep", "1000" }
      for name, value in pairs(options) do
        words[name] = value
      end
      local _, at = places.find(controller)
      local c <close>, err = api.spawn(words)
      if not c then
        refused(err, options, controller)
        if options.unified and at == 1 then
          return -- as it has to be
        end
        return pending("needs what this kernel or user has not: " .. tostring(err))
      end
      local home = cgroup.home(object.of(c).state, controller)
      assert.equal(at, home.version)
      local seen = 0
      for file, value in pairs(of_version[at]) do
        local text = sys.read_file(home.path .. "/" .. file)
        seen = seen + (text and 1 or 0)
        -- Of the two weights of a disk in version 2 the second is for kernels without the first.
        if text and not (file == "io.weight" and sys.stat(home.path .. "/io.bfq.weight")) then
          assert.equal(value, text:match("[^\n]*"), file)
        end
      end
      assert.truthy(seen > 0, names)
    end)
  end
end)

describe("the options of the command #cgroup", function()
  it("are those of the library", function()
    support.needs("memory", "cpu")
    local result = support.run(support.lua .. " run.lua -q --pids-limit 9 -m 64M --memory-swap 64M "
      .. "--memory-reservation 8M --cpus 0.5 --cpu-shares 512 --oom-score-adj 300 sh -c "
      .. support.quote("cd /sys/fs/cgroup; cat $(find . -name pids.max) 2>/dev/null; "
      .. "cat memory.max memory.swap.max memory.low cpu.max cpu.weight "
      .. "memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes "
      .. "memory/memory.soft_limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.shares 2>/dev/null; "
      .. "cat /proc/self/oom_score_adj"))
    assert.equal(version == 2 and "9\n67108864\n0\n8388608\n50000 100000\n20\n300\n"
      or "9\n67108864\n67108864\n8388608\n50000\n512\n300\n", result.stdout, result.stderr)
  end)
end)

describe("a tmpfs #root", function()
  local SCRIPT <const> = "cp /bin/true /x && /x/true; echo $?; stat -c '%a %u %g' /x; touch /y/f"

  it("has docker's options, said in a text or in a mapping", function()
    for _, given in ipairs { { "/x:exec,mode=0750,uid=3,gid=4,size=4M", "/y:ro" },
      { ["/x"] = "exec,mode=0750,uid=3,gid=4,size=4M", ["/y"] = "ro" } } do
      local result = assert(api.run { "sh", "-c", SCRIPT, tmpfs = given, stdout = "capture",
        stderr = "capture" })
      assert.equal("0\n750 3 4\n", result.stdout)
      assert.matches("Read%-only file system", result.stderr)
    end
  end)

  it("runs nothing unless that is asked for", function()
    local result = assert(api.run { "sh", "-c", "cp /bin/true /x/t && /x/t; echo $?",
      tmpfs = { "/x" }, stdout = "capture", stderr = "null" })
    assert.equal("126\n", result.stdout)
  end)
end)

describe("a mapping of volumes #root", function()
  it("is mounted as the text is", function()
    local result = assert(api.run { "sh", "-c", "ls /b/passwd; touch /b/x",
      volumes = { ["/etc"] = { bind = "/b", mode = "ro" } }, stdout = "capture",
      stderr = "capture" })
    assert.equal("/b/passwd\n", result.stdout)
    assert.matches("Read%-only file system", result.stderr)
  end)
end)

describe("capabilities by a name instead of an entry #root", function()
  it("are refused in a second program, too", function()
    local c <close> = assert(api.spawn { "sleep", "30" })
    local program, err = c:exec { "true", cap_drop = { ALL = true } }
    assert.is_nil(program)
    assert.equal("spec: cap_drop: expected an array, got the key \"ALL\"", tostring(err))
    local value
    value, err = api.call({ cap_drop = { ALL = true } }, print)
    assert.is_nil(value)
    assert.equal("spec: cap_drop: expected an array, got the key \"ALL\"", tostring(err))
  end)
end)
