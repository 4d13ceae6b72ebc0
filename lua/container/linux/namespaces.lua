-- Which namespaces a container gets, and in which of them the child is born. namespaces(7)

local caller = require "container.linux.caller"
local sys = require "container.sys"

local namespaces = {}

-- What stops an ordinary user from having a user namespace is a setting of the host; the man
-- page and the distributions name them.
local HINT <const> = "; user namespaces may be switched off here: see "
  .. "kernel.unprivileged_userns_clone, user.max_user_namespaces and "
  .. "kernel.apparmor_restrict_unprivileged_userns; from a chroot the kernel makes none"

--- The namespaces to clone into. The cgroup namespace is not among them: its root is the cgroup
-- that the process is in when it is made, so the child makes it after it has joined its own.
function namespaces.prepare(ctx)
  local names = {}
  for _, entry in ipairs(ctx.config.linux.namespaces) do
    if entry.type == "user" then
      ctx.user_namespace = true
    elseif entry.type == "network" then
      ctx.network_namespace = true
    end
    if entry.type == "cgroup" then
      ctx.cgroup_namespace = true
    else
      names[#names + 1] = entry.type
    end
  end
  ctx.namespaces = names
  return true
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
