-- The fields of config.json that Linux has, with their types. OCI runtime specification, config and
-- config-linux

local kinds = require "container.config.bundle.kinds"

local text, flag, path, optional = kinds.text, kinds.flag, kinds.path, kinds.optional_text
local integer, list, map, object = kinds.integer, kinds.list, kinds.map, kinds.object
local one_of, unsupported = kinds.one_of, kinds.unsupported

local texts <const> = list(text)
local number <const> = integer()
local natural <const> = integer(0)
local id <const> = integer(0, 0xfffffffe)
local device_number <const> = integer(0, 0xffffffff)

local capabilities <const> = object {
  bounding = texts, effective = texts, permitted = texts, inheritable = texts, ambient = texts,
}

local POLICIES <const> =
  "SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH SCHED_ISO SCHED_IDLE SCHED_DEADLINE"

local SCHEDULER_FLAGS <const> = "SCHED_FLAG_RESET_ON_FORK SCHED_FLAG_RECLAIM SCHED_FLAG_DL_OVERRUN "
  .. "SCHED_FLAG_KEEP_POLICY SCHED_FLAG_KEEP_PARAMS SCHED_FLAG_UTIL_CLAMP_MIN "
  .. "SCHED_FLAG_UTIL_CLAMP_MAX"

local process <const> = object({
  args = texts, env = texts, cwd = path, terminal = flag,
  consoleSize = object { height = integer(0, 0xffff), width = integer(0, 0xffff) },
  user = object {
    uid = id, gid = id, umask = integer(0, 0x1ff), additionalGids = list(id),
  },
  capabilities = capabilities,
  rlimits = list(object({ type = text, soft = number, hard = number }, "type soft hard")),
  noNewPrivileges = flag,
  oomScoreAdj = integer(-1000, 1000),
  apparmorProfile = optional, selinuxLabel = optional,
  scheduler = object({
    policy = one_of(POLICIES), nice = integer(-20, 19), priority = integer(0, 99),
    flags = list(one_of(SCHEDULER_FLAGS)), runtime = natural, deadline = natural, period = natural,
  }, "policy"),
  ioPriority = object({
    class = one_of "IOPRIO_CLASS_RT IOPRIO_CLASS_BE IOPRIO_CLASS_IDLE", priority = integer(0, 7),
  }, "class"),
  execCPUAffinity = object { initial = optional, final = optional },
}, "cwd")

local mappings <const> = list(object({
  containerID = device_number, hostID = device_number, size = integer(1, 0xffffffff),
}, "containerID hostID size"))

local mounts <const> = list(object({
  destination = text, type = text, source = text, options = texts,
  uidMappings = mappings, gidMappings = mappings,
}, "destination"))

local hook <const> = list(object({
  path = path, args = texts, env = texts, timeout = integer(1),
}, "path"))

local rates <const> = list(object({
  major = device_number, minor = device_number, rate = natural,
}, "major minor rate"))

local weight <const> = integer(0, 1000)

local LEAF <const> = "no kernel since Linux 5.0 has it"

local resources <const> = object {
  devices = list(object({
    allow = flag, type = one_of "a b c", major = integer(-1, 0xffffffff),
    minor = integer(-1, 0xffffffff), access = text,
  }, "allow")),
  memory = object {
    limit = number, reservation = number, swap = number, kernel = number, kernelTCP = number,
    swappiness = integer(0, 100), disableOOMKiller = flag, useHierarchy = flag,
    checkBeforeUpdate = flag,
  },
  cpu = object {
    shares = natural, quota = number, period = natural, cpus = optional, mems = optional,
    burst = natural, idle = integer(0, 1), realtimeRuntime = number, realtimePeriod = natural,
  },
  blockIO = object {
    weight = weight, leafWeight = unsupported(LEAF),
    weightDevice = list(object({
      major = device_number, minor = device_number, weight = weight, leafWeight = unsupported(LEAF),
    }, "major minor")),
    throttleReadBpsDevice = rates, throttleWriteBpsDevice = rates,
    throttleReadIOPSDevice = rates, throttleWriteIOPSDevice = rates,
  },
  hugepageLimits = list(object({ pageSize = text, limit = natural }, "pageSize limit")),
  network = object {
    classID = device_number,
    priorities = list(object({ name = text, priority = natural }, "name priority")),
  },
  rdma = map(object { hcaHandles = device_number, hcaObjects = device_number }),
  pids = object { limit = number },
  unified = map(text),
}

local seccomp <const> = object({
  defaultAction = text, defaultErrnoRet = natural, architectures = texts, flags = texts,
  listenerPath = optional, listenerMetadata = optional,
  syscalls = list(object({
    names = texts, action = text, errnoRet = natural,
    args = list(object({ index = natural, value = number, valueTwo = number, op = text },
      "index value op")),
  }, "names action")),
}, "defaultAction")

local offset <const> = object { secs = number, nanosecs = integer(0, 999999999) }

local MEMORY_MODES <const> = "MPOL_DEFAULT MPOL_BIND MPOL_INTERLEAVE MPOL_WEIGHTED_INTERLEAVE "
  .. "MPOL_PREFERRED MPOL_PREFERRED_MANY MPOL_LOCAL"

local PROPAGATIONS <const> =
  "private rprivate slave rslave shared rshared unbindable runbindable"

local line <const> = kinds.line

local intel_rdt <const> = object {
  closID = optional, l3CacheSchema = line, memBwSchema = line, schemata = list(line),
  enableMonitoring = flag, enableCMT = flag, enableMBM = flag,
}

local linux <const> = object {
  namespaces = list(object({
    type = one_of "pid network ipc uts mount cgroup user time", path = optional,
  }, "type")),
  uidMappings = mappings, gidMappings = mappings,
  devices = list(object({
    type = one_of "c b u p", path = path, major = device_number, minor = device_number,
    fileMode = integer(0, 0xffff), uid = id, gid = id,
  }, "type path")),
  resources = resources, cgroupsPath = optional, seccomp = seccomp, sysctl = map(text),
  rootfsPropagation = kinds.optional_of(PROPAGATIONS),
  maskedPaths = list(path), readonlyPaths = list(path),
  mountLabel = optional, intelRdt = intel_rdt,
  personality = object({ domain = one_of "LINUX LINUX32", flags = list(one_of "") }, "domain"),
  timeOffsets = object { monotonic = offset, boottime = offset },
  memoryPolicy = object({
    mode = one_of(MEMORY_MODES), nodes = optional,
    flags = list(one_of "MPOL_F_NUMA_BALANCING MPOL_F_RELATIVE_NODES MPOL_F_STATIC_NODES"),
  }, "mode"),
  netDevices = map(object { name = optional }),
}

--- The whole of it.
return object({
  ociVersion = text,
  root = object({ path = text, readonly = flag }, "path"),
  process = process,
  hostname = optional, domainname = optional,
  mounts = mounts,
  hooks = object {
    prestart = hook, createRuntime = hook, createContainer = hook, startContainer = hook,
    poststart = hook, poststop = hook,
  },
  annotations = map(text),
  linux = linux,
}, "ociVersion")
