-- The networks that an administrator has described for CNI: the files of /etc/cni/net.d, and the
-- plugins that they name. CNI specification 1.0, "Network configuration format"

local json = require "container.json"
local program = require "container.linux.program"
local sys = require "container.sys"

local config = {}

local DIRECTORY <const>, PLUGINS <const> = "/etc/cni/net.d", "/usr/lib/cni:/opt/cni/bin"
local SIZE_MAX <const> = 1 << 20

-- The versions whose results have one form.
local VERSIONS <const> = { ["0.3.0"] = true, ["0.3.1"] = true, ["0.4.0"] = true, ["1.0.0"] = true,
  ["1.1.0"] = true }

--- Where the files are, by the environment variable that cnitool has for it.
function config.directory()
  return os.getenv("NETCONFPATH") or DIRECTORY
end

--- Where the plugins are.
-- @treturn string directories with a colon between them
function config.plugin_path()
  return os.getenv("CNI_PATH") or PLUGINS
end

--- What a plugin's part of a file says that a launcher has to know.
local function plugin(text)
  local found, null = json.decode(text)
  local kind = found and found.type
  if type(kind) ~= "string" or not kind:find("^[%w_.-]+$") then
    return nil, "a plugin has no type"
  end
  local capabilities = found.capabilities
  return { type = kind, text = text, checks = found.disableCheck ~= true,
    capabilities = capabilities ~= null and capabilities or {} }
end

--- Reads the text of a file.
-- @bool single whether it has one plugin, as files of the older form have
-- @treturn table network; or nil and a message
local function read(text, single)
  local found, message = json.decode(text)
  if type(found) ~= "table" then
    return nil, message
  end
  local name, version = found.name, found.cniVersion or "0.2.0"
  if type(name) ~= "string" or not name:find("^%w[%w_.-]*$") then
    return nil, "it has no name, or one with other characters than letters, digits, _, . and -"
  elseif not VERSIONS[version] then
    return nil, ("its cniVersion is %s, and 0.3.0 to 1.1.0 are understood"):format(version)
  end
  local network = { name = name, version = version, plugins = {},
    checks = found.disableCheck ~= true }
  local parts = single and { text } or json.members(json.members(text).plugins or "[]")
  for i, part in ipairs(parts) do
    network.plugins[i], message = plugin(part)
    if not network.plugins[i] then
      return nil, message
    end
  end
  if not network.plugins[1] then
    return nil, "it has no plugins"
  end
  return network
end

--- All networks, in the order of their files; of two with one name the first.
-- @treturn table array of { name, version, plugins, file }, or of { file, message } for a file that
-- cannot be used
function config.list()
  local directory, list, known = config.directory(), {}, {}
  local names = sys.list(directory) or {}
  table.sort(names)
  for _, name in ipairs(names) do
    local kind = name:match("%.(%l+)$")
    if kind == "conflist" or kind == "conf" or kind == "json" then
      local file = directory .. "/" .. name
      local st = sys.stat(file)
      local text = st and st.type == "file" and st.size <= SIZE_MAX and sys.read_file(file)
      local network, message
      if text then
        network, message = read(text, kind ~= "conflist")
      end
      network = network or { message = message or "it cannot be read" }
      network.file = file
      if not (network.name and known[network.name]) then
        known[network.name or file] = true
        list[#list + 1] = network
      end
    end
  end
  return list
end

--- Finds the network of a name, with the place of each plugin.
-- @string name
-- @treturn table; or nil and a message
function config.find(name)
  local names, broken = {}, nil
  for _, network in ipairs(config.list()) do
    if network.name == name then
      local lacks = config.lacks(network)
      return not lacks and network or nil, lacks
    end
    names[#names + 1] = network.name
    broken = broken or network.message and ("%s: %s"):format(network.file, network.message)
  end
  return nil, ("no file of %s describes a network %s%s"):format(config.directory(), name,
    names[1] and ("; there are " .. table.concat(names, ", ")) or broken and "; " .. broken or "")
end

--- Finds the plugins of a network.
-- @treturn string|nil which is missing
function config.lacks(network)
  for _, one in ipairs(network.plugins) do
    one.path = program.find(one.type, config.plugin_path())
    if not one.path then
      return ("the plugin %s of the network %s is not in %s; Debian's package "
        .. "containernetworking-plugins has those of the CNI project"):format(one.type,
        network.name, config.plugin_path())
    end
  end
  return nil
end

return config
