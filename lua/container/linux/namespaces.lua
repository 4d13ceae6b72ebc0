-- Which namespaces a container gets, and in which of them the child is born. namespaces(7)

local caller = require "container.linux.caller"
local errors = require "container.error"
local sys = require "container.sys"

local try <const> = errors.try

local namespaces = {}

-- What stops an ordinary user from having a user namespace is a setting of the host; the man
-- page and the distributions name them.
local HINT <const> = "; user namespaces may be switched off here: see "
  .. "kernel.unprivileged_userns_clone, user.max_user_namespaces and "
  .. "kernel.apparmor_restrict_unprivileged_userns; from a chroot the kernel makes none"

-- What a namespace is called in /proc/PID/ns, where that is not the name that it has here.
local FILES <const> = { mount = "mnt", network = "net", pid = "pid_for_children",
  time = "time_for_children" }

-- From which Linux on an exec moves a process into the time namespace of its children.
local TIME_MAJOR <const>, TIME_MINOR <const> = 6, 1

--- Whether a file is the namespace that this process is in.
local function is_own(fd, kind)
  local own, other = sys.stat("/proc/self/ns/" .. (FILES[kind] or kind)), sys.stat(fd)
  return own and other and own.dev == other.dev and own.ino == other.ino
end

--- The namespaces to clone into, and those that are there and are joined before. The cgroup
-- namespace is not among them: its root is the cgroup that the process is in when it is made, so
-- the child makes it after it has joined its own. The time namespace gets its offsets before a
-- process is in it.
function namespaces.prepare(ctx)
  local names, joins = {}, {}
  ctx.shares_pids = true
  for _, entry in ipairs(ctx.config.linux.namespaces) do
    local kind = entry.type
    if kind == "user" then
      ctx.user_namespace = true
    end
    if entry.path then
      joins[#joins + 1] = { type = kind, path = entry.path, about = entry.about }
    elseif kind == "cgroup" then
      ctx.cgroup_namespace = true
    elseif kind == "time" then
      ctx.time_namespace = true
    else
      ctx.network_namespace = ctx.network_namespace or kind == "network"
      names[#names + 1] = kind
      ctx.shares_pids = ctx.shares_pids and kind ~= "pid"
    end
  end
  ctx.namespaces, ctx.joins = names, joins[1] and joins or false
  local major, minor = sys.uname().release:match("^(%d+)%.(%d+)")
  major, minor = tonumber(major) or 0, tonumber(minor) or 0
  if ctx.time_namespace and (major < TIME_MAJOR or major == TIME_MAJOR and minor < TIME_MINOR) then
    return nil, "a time namespace takes Linux 6.1", sys.errno.EINVAL, "linux.namespaces"
  end
  return true
end

--- Opens all that are to be joined, but for those that this process is in.
local function open_all(ctx)
  local list = {}
  for _, entry in ipairs(ctx.joins) do
    local fd = try(sys.open(entry.path, "rdonly,nonblock"))
    if is_own(fd, entry.type) then
      fd:close()
    else
      list[#list + 1] = { type = entry.type, path = entry.about or entry.path, fd = fd }
    end
  end
  return list
end

local NO_WAY <const> = "; it is no namespace of this type, or one that has no way back"

--- Joins the namespaces that are there, in the process between: each with the rights that it has
-- before it is in the user namespace, or else with those that it has there.
function namespaces.join(ctx)
  local list, again = open_all(ctx), {}
  for _, entry in ipairs(list) do
    if entry.type == "user" or not sys.setns(entry.fd, entry.type) then
      table.insert(again, entry.type == "user" and 1 or #again + 1, entry)
    end
  end
  for _, entry in ipairs(again) do
    local ok, message, errno = sys.setns(entry.fd, entry.type)
    if not ok then
      return nil, ("%s %s: %s%s"):format(entry.type, entry.path, message:match("[^:]*$"):sub(2),
        errno == sys.errno.EINVAL and NO_WAY or ""), errno
    end
  end
  for _, entry in ipairs(list) do
    entry.fd:close()
  end
  return true
end

--- Makes the time namespace, and says how far its clocks are from the host's, while no process is
-- in it: the exec of init is the first. time_namespaces(7)
function namespaces.time(ctx)
  try(sys.unshare("time"))
  local lines = {}
  for clock, offset in pairs(ctx.config.linux.timeOffsets or {}) do
    lines[#lines + 1] = ("%s %d %d\n"):format(clock, offset.secs or 0, offset.nanosecs or 0)
  end
  if not lines[1] then
    return true
  end
  return sys.write_file("/proc/self/timens_offsets", table.concat(lines))
end

--- Takes hold of the child by a pidfd, which means it and never another of its number.
function namespaces.parent(ctx, pid)
  local pidfd, message, errno = sys.pidfd_open(pid)
  if not pidfd then
    return nil, message, errno
  end
  ctx.undo:push(pidfd.close, pidfd)
  -- Where nothing can be sent by it, the container could not be ended later.
  local ok
  ok, message, errno = sys.pidfd_send_signal(pidfd, 0)
  ctx.pidfd = ok and pidfd
  return ok, message, errno
end

--- Says what a refusal of clone may come from.
function namespaces.explain(ctx, message, errno)
  local e = sys.errno
  if ctx.user_namespace and errno == e.EPERM and caller.in_directory() then
    return message .. "; the caller is in a chroot, from which the kernel makes no user namespace"
  elseif ctx.user_namespace and (errno == e.EPERM or errno == e.ENOSPC or errno == e.EUSERS) then
    return message .. HINT
  elseif errno == e.EPERM then
    return message .. "; it takes CAP_SYS_ADMIN, which root has not in every container"
  end
  return message
end

return namespaces
