-- The names of version 2, and how everything in a cgroup of it is ended.
-- Kernel documents, admin-guide/cgroup-v2

local sys = require "container.sys"
local v1 = require "container.linux.cgroup.v1"

local v2 = {
  files = { pids = "pids.max", join = "cgroup.procs" },
}

-- Where a launcher moves itself to, whose own cgroup has to give controllers to others.
local LEAF <const> = "lua-container.launcher"

--- Whether a child of the caller can be moved to a cgroup made in `place`: that takes the right to
-- write to cgroup.procs there too, which an incomplete delegation does not give.
function v2.may_join(place)
  local procs <close>, message, errno = sys.open(place .. "/cgroup.procs", "wronly")
  return procs and true, message, errno
end

--- Kills everything at once, also what forks meanwhile, since 5.14; before it, one by one.
function v2.kill(path)
  if not sys.write_file(path .. "/cgroup.kill", "1") then
    v1.kill(path)
  end
end

local function max(value)
  return value and (value == -1 and "max" or tostring(value))
end

local function add_cpu(add, cpu)
  add("cpuset", "cpuset_cpus", "cpuset.cpus", cpu.cpus)
  add("cpuset", "cpuset_mems", "cpuset.mems", cpu.mems)
  add("cpu", "cpus", "cpu.max", (cpu.quota or cpu.period)
    and ("%s %d"):format(max(cpu.quota or -1), cpu.period or 100000))
  add("cpu", "cpu.burst", "cpu.max.burst", cpu.burst)
  -- From 2..262144 to 1..10000.
  add("cpu", "cpu_weight", "cpu.weight", cpu.shares
    and 1 + (math.max(cpu.shares, 2) - 2) * 9999 // 262142)
  add("cpu", "cpu.idle", "cpu.idle", cpu.idle)
end

--- @bool[opt] literal what is not said is not set
local function add_memory(add, memory, literal)
  add("memory", "memory", "memory.max", max(memory.limit))
  local swap = memory.swap
  if swap and swap ~= -1 then
    swap = swap - math.max(memory.limit or 0, 0) -- there it is counted with memory, here alone
  end
  add("memory", "memory_swap", "memory.swap.max", max(swap))
  add("memory", "memory_reservation", "memory.low", memory.reservation)
  -- When there is no more, all of the container ends, and not some process of it.
  add("memory", "memory", "memory.oom.group",
    not literal and (memory.limit or -1) ~= -1 and 1)
end

--- The limits that this version does not have. They have no file.
local function add_foreign(add, resources)
  local memory, cpu, network = resources.memory or {}, resources.cpu or {}, resources.network or {}
  add("memory", "memory.kernelTCP", nil, memory.kernelTCP)
  add("memory", "memory.swappiness", nil, memory.swappiness)
  add("memory", "memory.disableOOMKiller", nil, memory.disableOOMKiller)
  add("cpu", "cpu.realtimePeriod", nil, cpu.realtimePeriod)
  add("cpu", "cpu.realtimeRuntime", nil, cpu.realtimeRuntime)
  add("net_cls", "network.classID", nil, network.classID)
  add("net_prio", "network.priorities", nil, (network.priorities or {})[1] and "")
end

local function add_io(list, add, io)
  -- Where that scheduler is not, the kernel's own model of costs may be.
  local function instead(value, from)
    for i = from, #list do
      list[i].instead = { controller = "io", option = list[i].option, file = "io.weight",
        value = value(list[i]) }
    end
  end
  local function converted(weight)
    return 1 + (math.tointeger(weight) - 10) * 9999 // 990
  end
  local first = #list + 1
  add("io", "io_weight", "io.bfq.weight", io.weight)
  instead(function(entry) return tostring(converted(entry.value)) end, first)
  first = #list + 1
  v1.weights(io, add, "io.bfq.weight")
  instead(function(entry)
    local device, weight = entry.value:match("^(%S+) (%d+)$")
    return ("%s %d"):format(device, converted(weight))
  end, first)
  for _, rate in ipairs(v1.RATES) do
    for _, entry in ipairs(io[rate.oci] or {}) do
      add("io", "io", "io.max",
        ("%d:%d %s=%s"):format(entry.major, entry.minor, rate.v2, max(entry.rate)))
    end
  end
end

--- What there is to write for OCI's resources, by the formulas for version 2 that runc and crun
-- share.
-- @tparam table resources
-- @bool[opt] literal as of `v1.list`
-- @treturn table as of `v1.list`, of which one may have `instead`, the same for a kernel without
-- that file; and one without a file is what this version does not have
function v2.settings(resources, literal)
  local list, add = v1.list(literal)
  add_cpu(add, resources.cpu or {})
  add_memory(add, resources.memory or {}, literal)
  add_io(list, add, resources.blockIO or {})
  for _, page in ipairs(resources.hugepageLimits or {}) do
    add("hugetlb", "hugepages", ("hugetlb.%s.max"):format(page.pageSize), page.limit)
  end
  add("pids", "pids", "pids.max", resources.pids and max(resources.pids.limit))
  v1.rdma(add, resources.rdma)
  add_foreign(add, resources)
  local keys = {}
  for key in pairs(resources.unified or {}) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    add(key:match("^[^.]+"), "unified", key, resources.unified[key])
    list[#list].unified = true
  end
  return list
end

--- The caller is in the way where its own cgroup has to give controllers to others: "no internal
-- processes". It is moved into a leaf of it, for good: when no other process is there; or with all
-- that are there, when that cgroup is the top of all that can be seen, as in a container of
-- docker's.
-- @tparam table controllers names
-- @treturn bool whether it is worth another look; or nil, message, errno
function v2.make_room(controllers)
  local own = sys.cgroup_directory()
  local has = own and sys.read_file(own .. "/cgroup.controllers") or ""
  for _, name in ipairs(controllers) do
    if not (" " .. has:gsub("\n", " ")):find(" " .. name .. " ", 1, true) then
      return false
    end
  end
  local top = (sys.read_file("/proc/self/cgroup") or ""):find("0::/\n", 1, true)
  for _ = 1, 10 do -- a process that forks meanwhile has a child there
    local others = {}
    for pid in (sys.read_file(own .. "/cgroup.procs") or ""):gmatch("%d+") do
      others[#others + 1] = pid
    end
    if #others == 0 then
      return true
    elseif not top and (#others > 1 or others[1] ~= tostring(sys.getpid())) then
      return nil, ("cgroup %s: other processes than the launcher are in it; start it in one of its "
        .. "own, as systemd-run --scope -p Delegate=yes does"):format(own), sys.errno.EBUSY
    end
    local leaf = own .. "/" .. LEAF
    local ok, message, errno = sys.mkdir(leaf)
    if not ok and errno ~= sys.errno.EEXIST then
      return nil, message, errno
    end
    for _, pid in ipairs(others) do
      ok, message, errno = sys.write_file(leaf .. "/cgroup.procs", pid)
      if not ok and errno ~= sys.errno.ESRCH then
        sys.rmdir(leaf) -- when it is empty
        return nil, message, errno
      end
    end
  end
  return false
end

return v2
