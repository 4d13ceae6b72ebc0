-- The option rlimits: limits of a process, by docker's names, which become OCI's process.rlimits.
-- setrlimit(2)

local check = require "container.check"
local sys = require "container.sys"

local rlimits = {}

-- Those whose number is one of bytes, so that it can be said as "10M".
local BYTES <const> = {
  as = true, core = true, data = true, fsize = true, memlock = true, msgqueue = true, rss = true,
  stack = true,
}

-- RLIM_INFINITY, as Lua has an unsigned number of 64 bits.
local UNLIMITED <const> = -1

-- The kernel's own bound of open files, which no limit may be above.
local NR_OPEN <const> = "/proc/sys/fs/nr_open"

local function unlimited(name)
  return name == "nofile" and math.tointeger(tonumber(sys.read_file(NR_OPEN) or "")) or UNLIMITED
end

local function number(field, name, value)
  if value == "unlimited" or value == "-1" or value == UNLIMITED then
    return unlimited(name)
  elseif type(value) == "string" then
    local bytes = check.bytes(value)
    value = bytes and (value:find("^%d+$") or BYTES[name]) and bytes or value
  end
  local whole = check.integer(value)
  return check.expect(whole and whole >= 0, field,
    BYTES[name] and "a number of bytes such as 10485760 or \"10M\", or \"unlimited\""
      or "a whole number or \"unlimited\"", value) and whole
end

--- A soft and a hard limit: one value for both, "SOFT:HARD" as docker has it, or a table.
local function pair(field, name, value)
  local soft, hard = value, value
  if type(value) == "table" then
    check.plain(field, value)
    for key in next, value do
      check.expect(key == "soft" or key == "hard", field, "soft and hard", key)
    end
    soft, hard = rawget(value, "soft"), rawget(value, "hard")
    soft, hard = soft == nil and hard or soft, hard == nil and soft or hard
  elseif type(value) == "string" and value:find(":", 1, true) then
    soft, hard = value:match("^([^:]*):([^:]*)$")
  end
  soft, hard = number(field, name, soft), number(field, name, hard)
  if math.ult(hard, soft) then
    check.refuse(field, "the soft limit is above the hard one", sys.errno.EINVAL)
  end
  return soft, hard
end

--- Reads the option: by name as docker has them, into OCI's process.rlimits.
function rlimits.read(ctx, value)
  local known, list = {}, {}
  for _, name in ipairs(sys.rlimit_names()) do
    known[name] = true
  end
  for name, one in next, check.plain("rlimits", value) do
    check.expect(known[name], "rlimits", "the name of a limit such as cpu or nofile", name)
    local soft, hard = pair("rlimits." .. name, name, one)
    list[#list + 1] = { type = "RLIMIT_" .. name:upper(), soft = soft, hard = hard }
    if name == "cpu" then
      -- 0 is a second for the kernel.
      ctx.cpu_limit = hard ~= UNLIMITED and math.max(hard, 1) or nil
    end
  end
  table.sort(list, function(a, b) return a.type < b.type end)
  ctx.config.process.rlimits = list
end

return rlimits
