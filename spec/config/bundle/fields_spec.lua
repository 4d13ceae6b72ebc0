local bundle = require "container.config.bundle"
local bundles = require "spec.fixtures.bundle"

-- A configuration in which every field of the specification stands once.
local function everything()
  return bundles.config("true", function(c)
    local function map()
      return { { containerID = 0, hostID = 0, size = 1 } }
    end
    local function hook()
      return { { path = "/bin/true", args = { "true" }, env = { "A=b" }, timeout = 1 } }
    end
    local function rate()
      return { { major = 8, minor = 0, rate = 1 } }
    end
    c.domainname, c.annotations = "d", { a = "b" }
    local p, linux = c.process, c.linux
    p.terminal, p.consoleSize, p.noNewPrivileges = true, { height = 5, width = 5 }, true
    p.user = { uid = 0, gid = 0, umask = 18, additionalGids = { 0 } }
    p.rlimits = { { type = "RLIMIT_NOFILE", soft = 10, hard = 10 } }
    p.oomScoreAdj, p.apparmorProfile, p.selinuxLabel = 0, "", ""
    p.scheduler = { policy = "SCHED_OTHER", nice = 0, priority = 0, runtime = 0, deadline = 0,
      period = 0, flags = { "SCHED_FLAG_RECLAIM" } }
    p.ioPriority = { class = "IOPRIO_CLASS_BE", priority = 4 }
    p.execCPUAffinity = { initial = "0", final = "0" }
    for _, set in ipairs { "bounding", "effective", "permitted", "inheritable", "ambient" } do
      p.capabilities[set] = { "CAP_CHOWN" }
    end
    c.mounts[5] = { destination = "/v", source = "/tmp", type = "bind", options = { "rbind" },
      uidMappings = map(), gidMappings = map() }
    c.hooks = { prestart = hook(), createRuntime = hook(), createContainer = hook(),
      startContainer = hook(), poststart = hook(), poststop = hook() }
    linux.namespaces[6], linux.namespaces[7] = { type = "user" }, { type = "time" }
    linux.uidMappings, linux.gidMappings = map(), map()
    linux.timeOffsets = { monotonic = { secs = 1, nanosecs = 1 }, boottime = { secs = 1 } }
    linux.devices = { { type = "c", path = "/dev/x", major = 1, minor = 3, fileMode = 438, uid = 0,
      gid = 0 } }
    linux.cgroupsPath, linux.rootfsPropagation, linux.mountLabel = "/a", "rslave", ""
    linux.sysctl, linux.maskedPaths = { ["net.a"] = "1" }, { "/proc/keys" }
    linux.readonlyPaths = { "/proc/sys" }
    linux.personality = { domain = "LINUX", flags = {} }
    linux.memoryPolicy = { mode = "MPOL_BIND", nodes = "0", flags = { "MPOL_F_STATIC_NODES" } }
    linux.intelRdt = { closID = "a", l3CacheSchema = "L3:0=f", memBwSchema = "MB:0=5",
      schemata = { "L2:0=1" }, enableMonitoring = true }
    linux.seccomp = { defaultAction = "SCMP_ACT_ALLOW", defaultErrnoRet = 1,
      architectures = { "SCMP_ARCH_X86_64" }, flags = { "SECCOMP_FILTER_FLAG_LOG" },
      listenerPath = "/x", listenerMetadata = "m", syscalls = { { names = { "kill" },
        action = "SCMP_ACT_ERRNO", errnoRet = 1, args = { { index = 0, value = 1, valueTwo = 2,
          op = "SCMP_CMP_EQ" } } } } }
    linux.resources = {
      devices = { { allow = false, type = "a", major = -1, minor = -1, access = "rwm" } },
      memory = { limit = 1, reservation = 1, swap = 1, kernel = 1, kernelTCP = 1, swappiness = 1,
        disableOOMKiller = false, useHierarchy = true, checkBeforeUpdate = true },
      cpu = { shares = 2, quota = 1, burst = 1, period = 1, realtimeRuntime = 1,
        realtimePeriod = 1, cpus = "0", mems = "0", idle = 0 },
      blockIO = { weight = 10, weightDevice = { { major = 8, minor = 0,
        weight = 10 } }, throttleReadBpsDevice = rate(), throttleWriteBpsDevice = rate(),
        throttleReadIOPSDevice = rate(), throttleWriteIOPSDevice = rate() },
      hugepageLimits = { { pageSize = "2MB", limit = 1 } }, pids = { limit = 5 },
      network = { classID = 1, priorities = { { name = "lo", priority = 1 } } },
      rdma = { a = { hcaHandles = 1, hcaObjects = 1 } }, unified = { ["memory.high"] = "1" },
    }
  end)
end

local WRONG <const> = { true, 5.5, -7, 1e300, "no such", "", "\0", { 1 }, { a = "b" }, { {} } }

--- Calls `fn(path, set)` for each value in a configuration.
local function each(value, path, fn)
  for key, content in pairs(value) do
    local here = math.type(key) == "integer" and ("%s[%d]"):format(path, key - 1)
      or path == "" and key or ("%s.%s"):format(path, key)
    fn(here, function(new) value[key] = new end, content)
    if type(content) == "table" then
      each(content, here, fn)
    end
  end
end

describe("every field of config.json", function()
  it("is taken as the specification has it", function()
    assert(bundle.read(everything(), "/b"))
  end)

  it("is refused by a path that leads to it where it is of the wrong type", function()
    local config, tried = everything(), 0
    each(config, "", function(path, set, content)
      for _, wrong in ipairs(WRONG) do
        if type(wrong) ~= type(content) then
          set(wrong)
          local asked, err = bundle.read(config, "/b")
          local field = not asked and err.subject or ""
          -- A map has names of its own, and what is missing is named beneath what should have it.
          local plain = field:gsub("%[\"[^\"]*\"%]", function(name)
            return "." .. name:sub(3, -3)
          end)
          assert.equal(path, plain:sub(1, #path),
            ("%s = %s: %s"):format(path, tostring(wrong), tostring(err)))
          assert.equal("config", err.step)
          tried = tried + 1
        end
      end
      set(content)
    end)
    assert.is_true(tried > 1000)
  end)

  it("is missed or refused, and never raises", function()
    local config = everything()
    each(config, "", function(_, set, content)
      set(nil)
      local asked, err = bundle.read(config, "/b")
      assert.is_truthy(asked or err.step == "config")
      set(content)
    end)
  end)
end)
