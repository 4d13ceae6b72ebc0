-- Limits that a process carries itself. setrlimit(2)

local sys = require "container.sys"

local rlimits = {}

local NOT_HIGHER <const> = "; more than the caller's own hard limit takes CAP_SYS_RESOURCE"

local function lower(name, value)
  local ok, message, errno = sys.setrlimit(name, value)
  if not ok and errno == sys.errno.EPERM then
    -- The hard limit that the caller has is the lower one, and holds.
    return true
  end
  return ok, message, errno
end

--- Which process is killed first when the machine has no memory left. Of this process alone, also
-- while it shares its memory with the launcher. proc_pid_oom_score_adj(5)
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
  if not given.RLIMIT_CORE and not ctx.bundle then
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
-- of the host, which may be the caller also where its own number is another: a map of
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
