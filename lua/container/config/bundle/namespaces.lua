-- The namespaces of a bundle, and what takes one: linux.namespaces, hostname, domainname,
-- linux.sysctl and linux.timeOffsets. namespaces(7); OCI runtime specification, config-linux

local check = require "container.check"
local sysctl = require "container.linux.sysctl"

local refuse, expect = check.refuse, check.expect

local namespaces = {}

local function read_sysctl(config, own)
  for name in pairs(config.linux.sysctl or {}) do
    local field = ("linux.sysctl[%s]"):format(check.shown(name))
    local plain = name:gsub("/", ".")
    if plain == "kernel.hostname" or plain == "kernel.domainname" and config.domainname then
      refuse(field, ("is the field %s of the configuration"):format(plain:match("%a+$")))
    end
    local kind = sysctl.namespace(name)
    if not kind or ("/" .. name .. "/"):find("/../", 1, true) then
      refuse(field, "is no setting of a namespace, so it would be the host's")
    elseif not own[kind] then
      refuse(field, ("takes a namespace of the type %s in linux.namespaces"):format(kind))
    end
  end
end

--- What needs a namespace is refused without one: it would be the host's that changes.
local function read_needs(config, own)
  for _, name in ipairs { "hostname", "domainname" } do
    if config[name] and not own.uts then
      refuse(name, "takes a uts namespace in linux.namespaces")
    end
  end
  local linux = config.linux
  if linux.timeOffsets and not (own.time and not own.time.path) then
    refuse("linux.timeOffsets", "takes a new time namespace in linux.namespaces")
  end
  read_sysctl(config, own)
  if next(linux.netDevices or {}) and not own.network then
    refuse("linux.netDevices", "takes a network namespace in linux.namespaces")
  end
end

-- The kernel's IFNAMSIZ, with the NUL.
local INTERFACE_MAX <const> = 15

--- Interfaces of the host's, by the names that they have and are to have.
local function read_devices(ctx)
  for name, device in pairs(ctx.config.linux.netDevices or {}) do
    local field = ("linux.netDevices[%s]"):format(check.shown(name))
    for _, one in ipairs { name, device.name or name } do
      expect(#one <= INTERFACE_MAX and one:find("^[^/%s:]+$") and one ~= "." and one ~= "..", field,
        "names of interfaces", one)
    end
    ctx.net_devices = true
  end
end

--- Reads them.
-- @tparam Context ctx
-- @treturn table entries by type
function namespaces.read(ctx)
  local config, own = ctx.config, {}
  for i, entry in ipairs(config.linux.namespaces) do
    local field = ("linux.namespaces[%d]"):format(i - 1)
    if own[entry.type] then
      refuse(field, ("%s is there twice"):format(entry.type))
    elseif entry.path then
      expect(entry.path:sub(1, 1) == "/", field .. ".path", "an absolute path", entry.path)
    end
    own[entry.type] = entry
    if entry.path and entry.type == "mount" then
      refuse(field .. ".path", "not supported: the mounts of those that are in it would change")
    end
  end
  -- Its mounts would be the host's.
  expect(own.mount, "linux.namespaces", "one of the type mount", nil)
  read_needs(config, own)
  read_devices(ctx)
  return own
end

return namespaces
