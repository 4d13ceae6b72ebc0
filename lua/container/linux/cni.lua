-- Networks by CNI: the chain of plugins of a network is run for a network namespace, to attach it,
-- to check it, and to detach it again. CNI specification 1.0, "Execution protocol"

local config = require "container.linux.cni.config"
local errors = require "container.error"
local json = require "container.json"
local program = require "container.linux.program"
local sys = require "container.sys"

local cni = { list = config.list, find = config.find, lacks = config.lacks }

-- The interface in the container.
local INTERFACE <const> = "eth0"

-- Seconds that a plugin may take: one that asks a server for an address waits for it.
local TIMEOUT <const> = 60

local SAID_MAX <const> = 300

--- The members that a plugin gets beside those of its file. Of two members with one name the last
-- one counts.
local function input(one, attached)
  local text = one.text:match("^(.*)}%s*$")
  local more = { ("\"name\":\"%s\",\"cniVersion\":\"%s\""):format(attached.name, attached.version) }
  if attached.result then
    more[#more + 1] = "\"prevResult\":" .. attached.result
  end
  if one.capabilities.portMappings and attached.ports[1] then
    more[#more + 1] = "\"runtimeConfig\":{\"portMappings\":" .. json.encode(attached.ports) .. "}"
  end
  return ("%s,%s}"):format(text, table.concat(more, ","))
end

--- What a plugin said went wrong.
local function complaint(one, command, said)
  local found = json.decode(said.stdout)
  local why = type(found) == "table" and found.msg
  if type(why) == "string" and type(found.details) == "string" and found.details ~= "" then
    why = why .. ": " .. found.details
  end
  why = why or said.stderr:match("([^\n]+)%s*$") or said.stdout:match("([^\n]+)%s*$")
    or ("%s %s"):format(said.how, said.value)
  return ("%s %s: %s"):format(one.type, command, errors.plain(why, SAID_MAX))
end

--- Runs one plugin.
-- @treturn string what it says; or nil, message
local function run(one, command, attached)
  local said, message, errno = program.run {
    path = one.path, args = { one.path }, input = input(one, attached), timeout = TIMEOUT,
    env = { "CNI_COMMAND=" .. command, "CNI_CONTAINERID=" .. attached.id,
      "CNI_NETNS=" .. attached.namespace, "CNI_IFNAME=" .. INTERFACE,
      "CNI_PATH=" .. config.plugin_path(),
      "PATH=" .. (os.getenv("PATH") or "/usr/sbin:/usr/bin:/sbin:/bin") },
  }
  if not said then
    return nil, ("%s %s: %s"):format(one.type, command, message), errno
  elseif said.how ~= "exit" or said.value ~= 0 then
    return nil, complaint(one, command, said), sys.errno.EIO
  end
  return said.stdout
end

--- Runs the chain for ADD.
-- @tparam table network of `find`
-- @tparam table attached id, name, version, namespace (path), ports; gets `result`, a text
-- @return true; or nil, message, errno
function cni.add(network, attached)
  for _, one in ipairs(network.plugins) do
    local text, message, errno = run(one, "ADD", attached)
    if not text then
      return nil, message, errno
    end
    local ok = type(json.decode(text)) == "table"
    if not ok then
      return nil, ("%s ADD: what it says is no JSON"):format(one.type), sys.errno.EBADMSG
    end
    attached.result = text:match("^%s*(.-)%s*$")
  end
  return true
end

--- Runs it for CHECK.
-- @return true; or nil, message, errno
function cni.check(network, attached)
  if not network.checks or network.version < "0.4.0" then
    return true
  end
  for _, one in ipairs(network.plugins) do
    local text, message, errno = run(one, "CHECK", attached)
    if not text then
      return nil, message, errno
    end
  end
  return true
end

--- Runs it backwards for DEL. One that fails does not stop the others.
-- @return true; or nil, message, errno of the first
function cni.delete(network, attached)
  local message, errno
  for i = #network.plugins, 1, -1 do
    local text, why, number = run(network.plugins[i], "DEL", attached)
    if not text and not message then
      message, errno = why, number
    end
  end
  return not message or nil, message, errno
end

--- What the result says to a container: its addresses, and where names are asked for.
-- @string text
-- @treturn table { addresses, nameservers, search, options }, arrays of texts
function cni.read_result(text)
  local found = json.decode(text)
  local function strings(list)
    local all = {}
    for i, value in ipairs(type(list) == "table" and list or {}) do
      all[i] = type(value) == "string" and value:match("^[^\n]*") or nil
    end
    return all
  end
  local dns, addresses = type(found.dns) == "table" and found.dns or {}, {}
  for _, ip in ipairs(type(found.ips) == "table" and found.ips or {}) do
    addresses[#addresses + 1] = type(ip.address) == "string" and ip.address:match("^[%x.:]+") or nil
  end
  return { addresses = addresses, nameservers = strings(dns.nameservers),
    search = strings(dns.search), options = strings(dns.options) }
end

return cni
