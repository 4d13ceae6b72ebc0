-- The steps of the process that joins a running container. It has a copy of the caller's memory:
-- one that shares it must not be where a process of the container could reach it.

local cgroup = require "container.linux.cgroup"
local files = require "container.engine.files"
local sys = require "container.sys"

local join = {}

-- What the container's pidfd is called in the children: the first behind the channel and the image.
local TARGET <const> = 6

--- Keeps the container's pidfd, and closes all other files of the caller.
function join.keep(ctx)
  local more = { ctx.target.pidfd }
  ctx.handed = files.FIRST + 1
  table.move(ctx.kept or {}, 1, #(ctx.kept or {}), 2, more)
  return files.keep(ctx, more)
end

--- No process in the container can look into this one; a change of ids may undo that.
function join.hide()
  return sys.make_undumpable("exec")
end

--- Joins the container's cgroups.
function join.cgroup(ctx)
  return cgroup.join(ctx.target)
end

--- Enters all its namespaces.
function join.enter(ctx)
  local names = table.move(ctx.target.namespaces, 1, #ctx.target.namespaces, 1, {})
  for _, entry in ipairs(ctx.target.joins or {}) do
    names[#names + 1] = entry.type
  end
  names[#names + 1] = ctx.target.cgroup_namespace and "cgroup" or nil
  -- By an owner, for a number would be a pid.
  local pidfd <close>, message, errno = sys.dup(TARGET)
  sys.close(TARGET)
  if not pidfd then
    return nil, message, errno
  end
  return sys.setns(pidfd, names)
end

return join
