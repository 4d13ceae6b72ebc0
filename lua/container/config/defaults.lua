-- What a container is unless an option says otherwise: OCI's config.json of it.

local capabilities = require "container.linux.capabilities"
local options = require "container.config.options"
local masks = require "container.fs.masks"
local sysctl = require "container.linux.sysctl"

local PATH <const> = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

-- One for all containers: an option that changes it makes another table.
local CAPABILITIES <const> = {
  bounding = capabilities.DEFAULT, effective = capabilities.DEFAULT,
  permitted = capabilities.DEFAULT,
  inheritable = {}, ambient = {},
}

local NAMESPACES <const> = { "mount", "uts", "pid", "ipc", "network", "cgroup" }

-- "Default Filesystems" of config-linux, with the options that runc's own default has.
local function default_mounts()
  return {
    { destination = "/proc", type = "proc", source = "proc",
      options = { "nosuid", "nodev", "noexec" } },
    { destination = "/dev", type = "tmpfs", source = "tmpfs",
      options = { "nosuid", "noexec", "strictatime", "mode=755", "size=65536k" } },
    { destination = "/dev/pts", type = "devpts", source = "devpts",
      options = { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" } },
    { destination = "/dev/shm", type = "tmpfs", source = "shm",
      options = { "nosuid", "nodev", "noexec", "mode=1777", "size=65536k" } },
    { destination = "/dev/mqueue", type = "mqueue", source = "mqueue",
      options = { "nosuid", "nodev", "noexec" } },
    { destination = "/sys", type = "sysfs", source = "sysfs",
      options = { "nosuid", "nodev", "noexec", "ro" } },
    { destination = "/sys/fs/cgroup", type = "cgroup", source = "cgroup",
      options = { "nosuid", "nodev", "noexec", "relatime", "ro" } },
  }
end

--- A new one, which the options then change.
return function()
  local namespaces = {}
  for i, name in ipairs(NAMESPACES) do
    namespaces[i] = { type = name }
  end
  return {
    config = {
      ociVersion = "1.0.2",
      process = {
        args = {},
        env = { PATH, "HOME=/root" },
        cwd = "/",
        user = { uid = 0, gid = 0 },
        noNewPrivileges = true,
        capabilities = CAPABILITIES,
      },
      root = { path = "/", readonly = false },
      mounts = default_mounts(),
      linux = {
        namespaces = namespaces,
        resources = { pids = { limit = options.entries.pids.default } },
        sysctl = sysctl.NETWORK,
        maskedPaths = masks.MASKED,
        readonlyPaths = masks.READONLY,
      },
    },
    asked_capabilities = {},
    volumes = {}, -- those of the mounts that a person asked for
    volume_fields = {}, -- and where in the options each was
    init = true,
    stop_timeout = options.entries.stop_timeout.default,
    announce = false,
  }
end
