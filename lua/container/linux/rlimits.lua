-- Limits that a process carries itself. setrlimit(2)

local sys = require "container.sys"
local check = require "container.check"

local rlimits = {}

-- Those whose number is one of bytes, so that it can be said as "10M".
local BYTES <const> = {
  as = true, core = true, data = true, fsize = true, memlock = true, msgqueue = true, rss = true,
  stack = true,
}
local UNITS <const> = { [""] = 1, b = 1, k = 1 << 10, m = 1 << 20, g = 1 << 30 }

-- RLIM_INFINITY, as Lua has an unsigned number of 64 bits.
local UNLIMITED <const> = -1

-- The kernel's own bound of open files, which nobody's limit may be above.
local NR_OPEN <const> = "/proc/sys/fs/nr_open"

local function unlimited(name)
  return name == "nofile" and math.tointeger(tonumber(sys.read_file(NR_OPEN) or "")) or UNLIMITED
end

local function number(field, name, value)
  if value == "unlimited" or value == "-1" or value == UNLIMITED then
    return unlimited(name)
  elseif type(value) == "string" then
    local digits, unit = value:match("^(%d+)(%a?)$")
    local factor = unit and UNITS[unit:lower()]
    value = factor and (unit == "" or BYTES[name]) and #digits < 16
      and math.tointeger(digits) * factor or value
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

local NOT_HIGHER <const> = "; more than the caller's own hard limit takes CAP_SYS_RESOURCE"

local function lower(name, value)
  local ok, message, errno = sys.setrlimit(name, value)
  if not ok and errno == sys.errno.EPERM then
    -- The hard limit that the caller has is the lower one, and holds.
    return true
  end
  return ok, message, errno
end

--- Who is killed first when the machine has no memory left. Of this process alone, also while it
-- shares its memory with the launcher. proc_pid_oom_score_adj(5)
function rlimits.score(ctx)
  local value = ctx.config.process.oomScoreAdj
  if not value then
    return true
  end
  local ok, message, errno = sys.write_file("/proc/self/oom_score_adj", tostring(value))
  if errno == sys.errno.EACCES then
    message = message .. "; a lower one takes CAP_SYS_RESOURCE"
  end
  return ok, message and "oom_score_adj: " .. message, errno
end

--- What was asked for, which has to be set as it was asked for; no core file, unless one was; and
-- the number of processes, where no cgroup holds it. In a user namespace of its own that is counted
-- for the namespace alone since 5.14, and a hard limit cannot be raised in it.
function rlimits.child(ctx)
  local given = {}
  for _, one in ipairs(ctx.config.process.rlimits or {}) do
    local ok, message, errno =
      sys.setrlimit(one.type:sub(#"RLIMIT_" + 1):lower(), one.soft, one.hard)
    if not ok then
      return nil, message .. (errno == sys.errno.EPERM and NOT_HIGHER or ""), errno
    end
    given[one.type] = true
  end
  local ok, message, errno = true, nil, nil
  if not given.RLIMIT_CORE then
    ok, message, errno = lower("core", 0)
  end
  if ok and ctx.nproc then
    ok, message, errno = lower("nproc", ctx.nproc)
  end
  if not ok then
    return nil, message, errno
  end
  return true
end

--- Looks whether the number of processes is limited, where no cgroup does it. It is not for user 0
-- of the host, who may be the caller also where its own number is another: a map of
-- user_namespaces(7) tells of the namespace above only. A fork that is refused takes no number.
function rlimits.holds(ctx)
  if not ctx.nproc then
    return true
  end
  local text, message, errno = sys.read_file("/proc/self/limits")
  local hard = text and math.tointeger(text:match("Max processes +%d+ +(%d+)"))
  local ok = hard
  if ok then
    ok, message, errno = sys.setrlimit("nproc", 0, hard)
  end
  if not ok then
    return nil, message, errno
  end
  local pid, why, code = sys.clone({}, function() end)
  if pid then
    return nil, "without a cgroup of the caller's own the limit of processes cannot hold, for the "
      .. "caller is user 0 of the host; pids = \"max\" asks for none", sys.errno.EPERM
  elseif code ~= sys.errno.EAGAIN then
    return nil, why, code
  end
  return sys.setrlimit("nproc", hard)
end

return rlimits
