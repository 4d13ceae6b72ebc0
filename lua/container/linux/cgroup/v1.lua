-- The names of version 1, and how everything in a cgroup of it is ended.
-- Kernel documents, admin-guide/cgroup-v1

local sys = require "container.sys"

local v1 = {
  files = {
    pids = "pids.max",
    -- A thread that moves itself alone, by "0", is let through at once. A move of a whole
    -- process waits until no process of the machine forks or exits, which can take 20 ms; and the
    -- child has one thread.
    join = "tasks",
  },
}

-- What the kernel calls a controller here, by its name in version 2, where that is another.
v1.names = { io = "blkio" }

-- Limits of a device: OCI's name, that of version 2, and the file here.
v1.RATES = {
  { oci = "throttleReadBpsDevice", v2 = "rbps", file = "blkio.throttle.read_bps_device" },
  { oci = "throttleWriteBpsDevice", v2 = "wbps", file = "blkio.throttle.write_bps_device" },
  { oci = "throttleReadIOPSDevice", v2 = "riops", file = "blkio.throttle.read_iops_device" },
  { oci = "throttleWriteIOPSDevice", v2 = "wiops", file = "blkio.throttle.write_iops_device" },
}

--- Whether a child of the caller can be moved to a cgroup made in `place`: its maker owns it.
function v1.may_join()
  return true
end

--- Kills each process of a cgroup. One that is not in the caller's PID namespace reads as 0, and
-- one that is frozen dies when it is not any more.
function v1.kill(path)
  for pid in (sys.read_file(path .. "/cgroup.procs") or ""):gmatch("%d+") do
    if pid ~= "0" then
      sys.kill(math.tointeger(pid), "KILL")
    end
  end
  sys.write_file(path .. "/freezer.state", "THAWED") -- of that hierarchy alone
end

--- All controllers of the hierarchy that these are in, as the kernel wants them for a mount of it.
function v1.hierarchy(controllers)
  local name = next(controllers)
  name = v1.names[name] or name
  if name == "pids" then
    return name -- which is with no other anywhere, and no start has to ask
  end
  for list in (sys.read_file("/proc/self/cgroup") or ""):gmatch("%d+:([^:\n]*):") do
    if ("," .. list .. ","):find("," .. name .. ",", 1, true) then
      return list
    end
  end
  return name
end

-- The path of each setting in OCI's resources, where that is not the name that it has here.
local PATHS <const> = {
  cpuset_cpus = "cpu.cpus", cpuset_mems = "cpu.mems", cpus = "cpu.quota", cpu_weight = "cpu.shares",
  memory = "memory.limit", memory_swap = "memory.swap", memory_reservation = "memory.reservation",
  io_weight = "blockIO.weight", hugepages = "hugepageLimits", pids = "pids.limit",
}

--- Begins a list of settings.
-- @bool[opt] literal they are of a bundle, and are called by their paths in its config.json
-- @treturn table array of { controller, option, file, value }
-- @treturn func adds one to it, if there is a value: controller, option, file, value
function v1.list(literal)
  local list = {}
  return list, function(controller, option, file, value)
    if value then
      option = literal and "linux.resources." .. (PATHS[option] or option) or option
      list[#list + 1] = { controller = controller, option = option, file = file,
        value = tostring(value) }
    end
  end
end

--- A weight for one disk at a time, in words that both versions share.
function v1.weights(io, add, file)
  for i, entry in ipairs(io.weightDevice or {}) do
    add("io", ("blockIO.weightDevice[%d]"):format(i - 1), file, entry.weight
      and ("%d:%d %d"):format(entry.major, entry.minor, entry.weight))
  end
end

local function add_cpu(add, cpu)
  add("cpuset", "cpuset_cpus", "cpuset.cpus", cpu.cpus)
  add("cpuset", "cpuset_mems", "cpuset.mems", cpu.mems)
  add("cpu", "cpu.realtimePeriod", "cpu.rt_period_us", cpu.realtimePeriod)
  add("cpu", "cpu.realtimeRuntime", "cpu.rt_runtime_us", cpu.realtimeRuntime)
  add("cpu", "cpus", "cpu.cfs_period_us", cpu.period)
  add("cpu", "cpus", "cpu.cfs_quota_us", cpu.quota)
  add("cpu", "cpu.burst", "cpu.cfs_burst_us", cpu.burst)
  add("cpu", "cpu_weight", "cpu.shares", cpu.shares)
  add("cpu", "cpu.idle", "cpu.idle", cpu.idle)
end

local function add_memory(add, memory)
  add("memory", "memory", "memory.limit_in_bytes", memory.limit)
  add("memory", "memory_swap", "memory.memsw.limit_in_bytes", memory.swap)
  add("memory", "memory_reservation", "memory.soft_limit_in_bytes", memory.reservation)
  add("memory", "memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes", memory.kernelTCP)
  add("memory", "memory.swappiness", "memory.swappiness", memory.swappiness)
  add("memory", "memory.disableOOMKiller", "memory.oom_control", memory.disableOOMKiller and 1)
end

local function add_others(add, resources)
  for _, page in ipairs(resources.hugepageLimits or {}) do
    add("hugetlb", "hugepages", ("hugetlb.%s.limit_in_bytes"):format(page.pageSize), page.limit)
  end
  local network = resources.network or {}
  add("net_cls", "network.classID", "net_cls.classid", network.classID)
  for i, entry in ipairs(network.priorities or {}) do
    add("net_prio", ("network.priorities[%d]"):format(i - 1), "net_prio.ifpriomap",
      ("%s %d"):format(entry.name, entry.priority))
  end
  add("pids", "pids", "pids.max", resources.pids
    and (resources.pids.limit == -1 and "max" or resources.pids.limit))
end

--- Handles and objects of devices for remote memory, the same in both versions.
function v1.rdma(add, rdma)
  local devices = {}
  for device in pairs(rdma or {}) do
    devices[#devices + 1] = device
  end
  table.sort(devices)
  for _, device in ipairs(devices) do
    local limit, words = rdma[device], { device }
    words[#words + 1] = limit.hcaHandles and "hca_handle=" .. limit.hcaHandles or nil
    words[#words + 1] = limit.hcaObjects and "hca_object=" .. limit.hcaObjects or nil
    add("rdma", ("rdma[%s]"):format(device), "rdma.max", table.concat(words, " "))
  end
end

--- What there is to write for OCI's resources, by the names of version 2 for controllers.
-- @tparam table resources
-- @bool[opt] literal as of `list`
-- @treturn table as of `list`
function v1.settings(resources, literal)
  local list, add = v1.list(literal)
  local io = resources.blockIO or {}
  add_cpu(add, resources.cpu or {})
  add_memory(add, resources.memory or {})
  add("io", "io_weight", "blkio.bfq.weight", io.weight) -- since 5.0 no other scheduler has one
  v1.weights(io, add, "blkio.bfq.weight_device")
  for _, rate in ipairs(v1.RATES) do
    for _, entry in ipairs(io[rate.oci] or {}) do
      add("io", "io", rate.file, ("%d:%d %d"):format(entry.major, entry.minor, entry.rate))
    end
  end
  add_others(add, resources)
  v1.rdma(add, resources.rdma)
  return list
end

--- A cgroup of cpuset takes no process before it has processors and memory: it begins with those of
-- the one above.
function v1.init_cpuset(path, place)
  for _, file in ipairs { "cpuset.cpus", "cpuset.mems" } do
    local above, message, errno = sys.read_file(place .. "/" .. file)
    if not above then
      return nil, message, errno
    end
    if above == "\n" then
      above = sys.read_file(place .. "/" .. file:gsub("%.", ".effective_")) or above
    end
    local ok
    ok, message, errno = sys.write_file(path .. "/" .. file, above)
    if not ok then
      return nil, message, errno
    end
  end
  return true
end

return v1
