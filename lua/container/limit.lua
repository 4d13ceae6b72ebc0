-- Limits that a process carries itself. setrlimit(2)

local container = require "container"

local limit = {}

local function lower(name, value)
  local ok, message, errno = container.setrlimit(name, value)
  if not ok and errno == container.errno.EPERM then
    -- The hard limit that the caller has is the lower one, and holds.
    return true
  end
  return ok, message, errno
end

--- No core file; and the number of processes, where no cgroup holds it. In a user namespace of its
-- own that is counted for the namespace alone since 5.14, and a hard limit cannot be raised in it.
function limit.child(c)
  local ok, message, errno = lower("core", 0)
  if not ok or not c.nproc then
    return ok, message, errno
  end
  return lower("nproc", c.nproc)
end

return limit
