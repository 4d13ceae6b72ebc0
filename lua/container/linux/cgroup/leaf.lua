-- The cgroup of an exec process, below the one that limits the container's processes. By it all
-- that comes from the process is ended, also what has left its session and its parents. It has no
-- limit of its own. It goes with the process, or with the container where something is left in it.
-- Without one, linux/process_tree.lua finds the processes as far as that can be. cgroups(7)

local cgroup = require "container.linux.cgroup"
local directory = require "container.linux.cgroup.directory"
local processes = require "container.linux.cgroup.processes"
local stats = require "container.linux.cgroup.stats"
local sys = require "container.sys"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local leaf = {}

local VERSIONS <const> = { v1, v2 }

-- How often a cgroup of version 1 is read again for what is born meanwhile.
local PASSES <const> = 50

local count = 0

--- Removes it; what it has counted is the container's.
local function remove(home, path)
  local refused = stats.refused { path = path }
  if sys.rmdir(path) then
    home.refused = (home.refused or 0) + (refused or 0)
  end
end

--- Runs in the parent, before the clone. Where none can be made, there is none.
-- @tparam Context ctx of an exec process
function leaf.prepare(ctx)
  local home = not ctx.outlives and cgroup.home(ctx.target, "pids")
  if home then
    count = count + 1
    local path = ("%s/%s%d"):format(home.path, directory.LEAF, count)
    if sys.mkdir(path) then
      ctx.leaf = { path = path, version = home.version }
      ctx.undo:push(remove, home, path)
    end
  end
  return true
end

--- Runs in the process that joins the container, by a path of the host's.
function leaf.join(ctx)
  local own = ctx.leaf
  return sys.write_file(own.path .. "/" .. VERSIONS[own.version].files.join, "0")
end

--- Kills all that is in it. In version 1, and before Linux 5.14, everything is stopped first, until
-- nothing new is born.
-- @tparam Context ctx
function leaf.kill(ctx)
  local path, known = ctx.leaf.path, {}
  if ctx.leaf.version == 2 and sys.write_file(path .. "/cgroup.kill", "1") then
    return
  end
  for _ = 1, PASSES do
    local new = false
    for _, pid in ipairs(processes.inside(path) or {}) do
      if not known[pid] then
        new, known[pid] = true, true
        sys.kill(pid, "STOP")
      end
    end
    if not new then
      break
    end
  end
  v1.kill(path)
end

return leaf
