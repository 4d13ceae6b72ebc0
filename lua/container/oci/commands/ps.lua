-- `ps`: the processes of a container.

local container = require "container.oci.container"
local errors = require "container.error"
local state = require "container.oci.state"
local sys = require "container.sys"

local DEFAULT <const> = { "-ef" }

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The lines of ps(1) about these processes, with its heading.
local function lines_of(words, wanted)
  local command = "ps"
  for _, word in ipairs(words) do
    command = command .. " " .. quoted(word)
  end
  local pipe <close> = errors.try(io.popen(command))
  local text = pipe:read("a")
  local heading, rest = text:match("^([^\n]*)\n(.*)$")
  local column, at = nil, 0
  for word in (heading or ""):gmatch("%S+") do
    at = at + 1
    column = word == "PID" and at or column
  end
  if not column then
    errors.try(nil, "ps: its output has no column PID", sys.errno.EINVAL)
  end
  local list = { heading }
  for line in rest:gmatch("[^\n]+") do
    at = 0
    for word in line:gmatch("%S+") do
      at = at + 1
      if at == column and wanted[word] then
        list[#list + 1] = line
      end
    end
  end
  return table.concat(list, "\n")
end

return {
  arguments = "ID [PS OPTIONS]",
  help = "List the processes of a container.",
  program = true,
  options = {
    { "--format", "-f", value = "table|json", field = "format",
      help = "json: their numbers alone." },
  },
  run = function(asked, global)
    if not asked[1] then
      errors.try(nil, "\"ps\" requires an ID", sys.errno.EINVAL)
    end
    local home = state.open(global.root, asked[1])
    local list = {}
    for _, entry in ipairs(home.about.cgroups) do
      list = #list > 0 and list or container.inside(entry.path)
    end
    if #list == 0 and state.lives(home.about) then
      list[1] = math.tointeger(home.about.pid)
    end
    table.sort(list)
    if asked.format == "json" then
      io.stdout:write("[", table.concat(list, ","), "]\n")
      return 0
    end
    local wanted = {}
    for _, pid in ipairs(list) do
      wanted[tostring(pid)] = true
    end
    local words = table.move(asked, 2, #asked, 1, {})
    io.stdout:write(lines_of(words[1] and words or DEFAULT, wanted), "\n")
    return 0
  end,
}
