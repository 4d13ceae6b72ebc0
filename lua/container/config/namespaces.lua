-- The option `namespaces`: those of the host, of a process or of another container in the place of
-- the container's own. namespaces(7)

local check = require "container.check"

local refuse, expect, text, plain = check.refuse, check.expect, check.text, check.plain

local namespaces = {}

-- Which can be chosen, with their names in /proc/PID/ns.
local KINDS <const> = { ipc = "ipc", pid = "pid", uts = "uts", time = "time" }

-- Why others cannot.
local ELSEWHERE <const> = {
  network = "is the option network", net = "is the option network", user = "is the option userns",
  mount = "is always the container's own", cgroup = "is always the container's own",
}

local EXPECTED <const> = "\"private\", \"host\", a pid, a path or \"container:NAME\""

--- What one entry asks for: a namespace of the container's own; nothing; a path; or a name.
local function read_one(ctx, kind, value)
  local field = "namespaces." .. kind
  local pid = check.integer(value) or type(value) == "string" and value:find("^%d+$")
    and math.tointeger(tonumber(value))
  if pid then
    expect(pid > 0 and pid <= 0x7fffffff, field, EXPECTED, value)
    return { path = ("/proc/%d/ns/%s"):format(pid, KINDS[kind]) }
  end
  text(field, value, EXPECTED)
  local name = value:match("^container:(.+)$")
  if name then
    ctx.neighbours = true
    return { path = value, neighbour = check.name(field, name), file = KINDS[kind] }
  elseif value:sub(1, 1) == "/" then
    return { path = value }
  end
  expect(value == "host" or value == "private", field, EXPECTED, value)
  expect(value == "private" or kind ~= "time", field, EXPECTED:gsub(" \"host\",", ""), value)
  return value == "private" and {} or { host = true }
end

function namespaces.read(ctx, value)
  ctx.namespaces_given = {}
  for kind, wanted in next, plain("namespaces", value) do
    if ELSEWHERE[kind] then
      refuse("namespaces", ("%s %s"):format(kind, ELSEWHERE[kind]))
    end
    expect(KINDS[kind], "namespaces", "ipc, pid, time or uts", kind)
    ctx.namespaces_given[kind] = read_one(ctx, kind, wanted)
  end
end

--- Without a UTS namespace of its own, the container has the names of that one.
local function drop_names(ctx, hostname_given)
  if hostname_given or ctx.config.domainname then
    refuse("namespaces.uts", "does not go with hostname and domainname: the names would be "
      .. "changed for all that are in it")
  end
  local env = ctx.config.process.env
  for i = #env, 1, -1 do
    if env[i] == "HOSTNAME=" .. ctx.config.hostname then
      table.remove(env, i)
    end
  end
  ctx.config.hostname = nil
end

--- When all options are read.
-- @tparam Context ctx
-- @bool hostname_given
function namespaces.finish(ctx, hostname_given)
  local linux, given = ctx.config.linux, ctx.namespaces_given
  if not given then
    return
  end
  local kept, there = {}, {}
  for _, entry in ipairs(linux.namespaces) do
    local wanted = given[entry.type] or {}
    if not wanted.host then
      entry.path = wanted.path or entry.path
      entry.neighbour, entry.file = wanted.neighbour, wanted.file
      kept[#kept + 1], there[entry.type] = entry, entry
    end
  end
  if given.time and not there.time then
    kept[#kept + 1] = { type = "time", path = given.time.path }
  elseif given.time and given.time.path then
    refuse("time_offsets", "do not go with a time namespace that is there")
  end
  linux.namespaces = kept
  if not there.uts or there.uts.path then
    drop_names(ctx, hostname_given)
  end
  if not there.pid or there.pid.path then
    -- An init ends all of a PID namespace that is its own.
    ctx.init = false
  end
end

return namespaces
