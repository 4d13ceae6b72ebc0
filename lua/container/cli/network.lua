-- lua-container network list: the networks of CNI that this machine has.

local errors = require "container.error"
local report = require "container.report"
local search = require "container.search"

local network = {}

local FAILED <const> = 125

local function say(message)
  report.write(("lua-container: %s\n"):format(errors.plain(message)))
  return FAILED
end

--- A line for a network, or for a file that cannot be used.
local function line(cni, one)
  if one.message then
    return ("%-16s  %s\n"):format("-", errors.plain(("%s: %s"):format(one.file, one.message)))
  end
  local kinds = {}
  for i, plugin in ipairs(one.plugins) do
    kinds[i] = plugin.type
  end
  local lacks = cni.lacks(one)
  return ("%-16s  %-28s  %s%s\n"):format(one.name, table.concat(kinds, ","),
    errors.plain(one.file), lacks and "; " .. errors.plain(lacks) or "")
end

--- Runs the command.
-- @tparam table words behind "network"
-- @treturn int the exit status
function network.main(words)
  if words[1] ~= "list" or words[2] then
    return say("network: expected list, as in lua-container network list; a program of that name "
      .. "runs as lua-container -- network")
  end
  local cni, message = search.load "container.linux.cni"
  if not cni then
    return say(message)
  end
  local lines = { ("%-16s  %-28s  %s\n"):format("NAME", "PLUGINS", "FILE") }
  for _, one in ipairs(cni.list()) do
    lines[#lines + 1] = line(cni, one)
  end
  return io.stdout:write(table.concat(lines)) and io.stdout:flush() and 0 or FAILED
end

return network
