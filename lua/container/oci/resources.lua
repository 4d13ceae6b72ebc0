-- linux.resources for a container that runs: what `update` is given, by a file or by options.

local check = require "container.check"
local errors = require "container.error"
local fields = require "container.config.bundle.fields"
local sys = require "container.sys"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local try = errors.try

local resources = {}

-- The options of numbers, and their places.
local NUMBERS <const> = {
  { "--blkio-weight", "blockIO", "weight" },
  { "--cpu-period", "cpu", "period" },
  { "--cpu-quota", "cpu", "quota" },
  { "--cpu-share", "cpu", "shares" },
  { "--memory", "memory", "limit" },
  { "--memory-reservation", "memory", "reservation" },
  { "--memory-swap", "memory", "swap" },
  { "--pids-limit", "pids", "limit" },
}
local WORDS <const> = {
  { "--cpuset-cpus", "cpu", "cpus" },
  { "--cpuset-mems", "cpu", "mems" },
}

resources.OPTIONS = {
  { "--resources", "-r", value = "FILE", field = "resources",
    help = "linux.resources as JSON; - is standard input." },
}
for _, list in ipairs { NUMBERS, WORDS } do
  for _, entry in ipairs(list) do
    resources.OPTIONS[#resources.OPTIONS + 1] = { entry[1], value = "VALUE", field = entry[1],
      help = ("linux.resources.%s.%s"):format(entry[2], entry[3]) }
  end
end

--- linux.resources out of options.
-- @tparam table asked
-- @treturn table
function resources.of_options(asked)
  local found = {}
  for _, list in ipairs { NUMBERS, WORDS } do
    for _, entry in ipairs(list) do
      local value = asked[entry[1]]
      if value and list == NUMBERS then
        value = math.tointeger(tonumber(value))
        if not value then
          try(nil, ("%s: expected a number, got %s"):format(entry[1], asked[entry[1]]),
            sys.errno.EINVAL)
        end
      end
      if value then
        found[entry[2]] = found[entry[2]] or {}
        found[entry[2]][entry[3]] = value
      end
    end
  end
  return found
end

--- Reads the values, by the types that config.json has for them.
local function checked(wanted)
  local read, refusal = check.run(function()
    return fields("", { ociVersion = "1.0.2", linux = { resources = wanted } })
  end)
  if not read then
    try(nil, ("%s: %s"):format(refusal.field, refusal.message), refusal.errno or sys.errno.EINVAL)
  end
  local found = read.linux.resources or {}
  found.devices = nil -- of a container that runs they stay
  -- Clients write 0 for what is not to change; and no limit of processes as 0 or less.
  for _, entry in ipairs(NUMBERS) do
    local part = found[entry[2]]
    if part and part[entry[3]] == 0 and entry[2] ~= "pids" then
      part[entry[3]] = nil
    end
  end
  if found.pids then
    found.pids = found.pids.limit and { limit = found.pids.limit > 0 and found.pids.limit or -1 }
  end
  return found
end

--- What is in a file now, to be written back.
local function present(path)
  local text = sys.read_file(path)
  return text and text:gsub("\n$", "") or nil
end

--- Has the limits hold: all of them, or none.
-- @tparam Context ctx with its cgroups
-- @tparam table wanted linux.resources
-- @tparam table cgroup linux/cgroup.lua
function resources.apply(ctx, wanted, cgroup)
  local found = checked(wanted)
  local lists, before = { v1.settings(found, true), v2.settings(found, true) }, {}
  for version, list in ipairs(lists) do
    for _, setting in ipairs(list) do
      local entry = cgroup.home(ctx, setting.controller)
      if not entry then
        try(nil, ("cgroup controller %s: the container has none"):format(setting.controller),
          sys.errno.ENOENT)
      elseif entry.version == version then
        entry.settings[#entry.settings + 1] = setting
      end
    end
  end
  for _, entry in ipairs(ctx.cgroup) do
    local ok, message, errno = cgroup.write(entry, entry.settings, nil, function(_, setting)
      local path = entry.path .. "/" .. setting.file
      before[#before + 1] = { path = path, value = present(path) }
    end)
    if not ok then
      for i = #before, 1, -1 do
        sys.write_file(before[i].path, before[i].value or "")
      end
      try(nil, message, errno)
    end
  end
end

return resources
