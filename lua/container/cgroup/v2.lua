-- The names of version 2, and how everything in a cgroup of it is ended.
-- Kernel documents, admin-guide/cgroup-v2

local container = require "container"
local v1 = require "container.cgroup.v1"

local v2 = {
  files = { pids = "pids.max", join = "cgroup.procs" },
}

--- Whether a child of the caller can be moved to a cgroup made in `place`: that takes the right to
-- write to cgroup.procs there too, which an incomplete delegation does not give.
function v2.may_join(place)
  local procs <close>, message, errno = container.open(place .. "/cgroup.procs", "wronly")
  return procs and true, message, errno
end

--- Kills everything at once, also what forks meanwhile, since 5.14; before it, one by one.
function v2.kill(path)
  if not container.write_file(path .. "/cgroup.kill", "1") then
    v1.kill(path)
  end
end

return v2
