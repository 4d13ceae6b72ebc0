-- The name of the machine that the container believes to be. uts_namespaces(7)

local sys = require "container.sys"

local uts = {}

--- The first right that the container's root has in its own namespaces: where it is refused, it is
-- by a filter that an outer container has.
function uts.child(ctx)
  local config, ok, message, errno = ctx.config, true, nil, nil
  if config.hostname then
    ok, message, errno = sys.sethostname(config.hostname)
  end
  if ok and config.domainname then
    ok, message, errno = sys.setdomainname(config.domainname)
  end
  if errno == sys.errno.EPERM then
    message = message .. "; a filter of system calls around the caller forbids it, as that of an "
      .. "outer container (podman, docker: --security-opt seccomp=unconfined)"
  end
  return ok, message, errno
end

return uts
