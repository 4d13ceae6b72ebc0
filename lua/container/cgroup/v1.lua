-- The names of version 1, and how everything in a cgroup of it is ended.
-- Kernel documents, admin-guide/cgroup-v1

local container = require "container"

local v1 = {
  files = {
    pids = "pids.max",
    -- A thread that moves itself alone, by "0", is let through at once. Whoever moves a whole
    -- process waits until no process of the machine forks or exits, which can take 20 ms; and the
    -- child has one thread.
    join = "tasks",
  },
}

--- Whether a child of the caller can be moved to a cgroup made in `place`: who made it owns it.
function v1.may_join()
  return true
end

--- Kills each process of a cgroup. One that is not in the caller's PID namespace reads as 0.
function v1.kill(path)
  for pid in (container.read_file(path .. "/cgroup.procs") or ""):gmatch("%d+") do
    if pid ~= "0" then
      container.kill(math.tointeger(pid), "KILL")
    end
  end
end

return v1
