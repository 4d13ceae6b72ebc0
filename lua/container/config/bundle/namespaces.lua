-- The namespaces of a bundle, and what takes one: linux.namespaces, hostname, domainname,
-- linux.sysctl and linux.timeOffsets. namespaces(7); OCI runtime specification, config-linux

local check = require "container.check"

local refuse, expect = check.refuse, check.expect

local namespaces = {}

-- Settings of the kernel by the namespace whose own they are, in the order of their separators.
local SYSCTL <const> = {
  { "^net%.", "network" }, { "^fs%.mqueue%.", "ipc" }, { "^kernel%.msg", "ipc" },
  { "^kernel%.sem$", "ipc" }, { "^kernel%.sem_next_id$", "ipc" }, { "^kernel%.shm", "ipc" },
  { "^kernel%.auto_msgmni$", "ipc" }, { "^kernel%.hostname$", "uts" },
  { "^kernel%.domainname$", "uts" },
}

--- The namespace that a setting is of; nil for one of the whole machine.
-- @string name as sysctl(8) has it, with dots or with slashes
-- @treturn string|nil
function namespaces.of_sysctl(name)
  if name:match("[./]") == "/" then
    name = name:gsub("[./]", { ["."] = "/", ["/"] = "." })
  end
  for _, pair in ipairs(SYSCTL) do
    if name:find(pair[1]) then
      return pair[2]
    end
  end
end

local function read_sysctl(sysctl, own)
  for name in pairs(sysctl or {}) do
    local field = ("linux.sysctl[%s]"):format(check.shown(name))
    local kind = namespaces.of_sysctl(name)
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
  read_sysctl(linux.sysctl, own)
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
  return own
end

return namespaces
