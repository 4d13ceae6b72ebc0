-- What this runtime knows, whether this machine has it or not.
-- OCI runtime specification, features and features-linux

local api = require "container.api"
local mount_options = require "container.fs.mount_options"
local sys = require "container.sys"

local features = { ARRAYS = { potentiallyUnsafeConfigAnnotations = true } }

local function sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

--- Lists it.
-- @treturn table
function features.list()
  return {
    ociVersionMin = "1.0.0", ociVersionMax = "1.2.0",
    hooks = { "prestart", "createRuntime", "createContainer", "startContainer", "poststart",
      "poststop" },
    mountOptions = sorted(mount_options.names()),
    annotations = { ["io.github.lua-container.version"] = api._VERSION:match("%S+$") },
    potentiallyUnsafeConfigAnnotations = {},
    linux = {
      namespaces = { "cgroup", "ipc", "mount", "network", "pid", "user", "uts" },
      capabilities = sys.capability_names(),
      cgroup = { v1 = true, v2 = true, systemd = false, systemdUser = false, rdma = false },
      seccomp = {
        enabled = true,
        actions = { "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
          "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE",
          "SCMP_ACT_TRAP" },
        operators = { "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
          "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ" },
        archs = { sys.seccomp_arch() },
        knownFlags = { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
          "SECCOMP_FILTER_FLAG_TSYNC" },
        supportedFlags = { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
          "SECCOMP_FILTER_FLAG_TSYNC" },
      },
      apparmor = { enabled = false }, selinux = { enabled = false },
      intelRdt = { enabled = false },
      mountExtensions = { idmap = { enabled = false } },
    },
  }
end

return features
