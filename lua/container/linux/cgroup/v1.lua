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

--- Begins a list of settings.
-- @treturn table array of { controller, option, file, value }
-- @treturn func adds one to it, if there is a value
function v1.list()
  local list = {}
  return list, function(controller, option, file, value)
    if value then
      list[#list + 1] = { controller = controller, option = option, file = file,
        value = tostring(value) }
    end
  end
end

--- What there is to write for OCI's resources, by the names of version 2 for controllers.
-- @treturn table as of `list`
function v1.settings(resources)
  local list, add = v1.list()
  local memory, cpu, io = resources.memory or {}, resources.cpu or {}, resources.blockIO or {}
  add("cpuset", "cpuset_cpus", "cpuset.cpus", cpu.cpus)
  add("cpuset", "cpuset_mems", "cpuset.mems", cpu.mems)
  add("cpu", "cpus", "cpu.cfs_period_us", cpu.quota and cpu.period)
  add("cpu", "cpus", "cpu.cfs_quota_us", cpu.quota)
  add("cpu", "cpu_weight", "cpu.shares", cpu.shares)
  add("memory", "memory", "memory.limit_in_bytes", memory.limit)
  add("memory", "memory_swap", "memory.memsw.limit_in_bytes", memory.swap)
  add("memory", "memory_reservation", "memory.soft_limit_in_bytes", memory.reservation)
  add("io", "io_weight", "blkio.bfq.weight", io.weight) -- since 5.0 no other scheduler has one
  for _, rate in ipairs(v1.RATES) do
    for _, entry in ipairs(io[rate.oci] or {}) do
      add("io", "io", rate.file, ("%d:%d %d"):format(entry.major, entry.minor, entry.rate))
    end
  end
  for _, page in ipairs(resources.hugepageLimits or {}) do
    add("hugetlb", "hugepages", ("hugetlb.%s.limit_in_bytes"):format(page.pageSize), page.limit)
  end
  add("pids", "pids", "pids.max", resources.pids
    and (resources.pids.limit == -1 and "max" or resources.pids.limit))
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
