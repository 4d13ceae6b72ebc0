-- The processes of a container that runs: which they are, and how all of them join a cgroup more.

local cgroup = require "container.linux.cgroup"
local sys = require "container.sys"
local directory = require "container.linux.cgroup.directory"

local processes = {}

local function numbers(text)
  local list = {}
  for pid in (text or ""):gmatch("%d+") do
    list[#list + 1] = pid ~= "0" and math.tointeger(pid) or nil
  end
  return list
end

--- Adds a process and all that come from it. An orphan of a container is a child of its pid 1.
function processes.descend(pid, list)
  list[#list + 1] = pid
  local tasks = ("/proc/%d/task"):format(pid)
  for _, thread in ipairs(sys.list(tasks) or {}) do
    for _, child in ipairs(numbers(sys.read_file(tasks .. "/" .. thread .. "/children"))) do
      processes.descend(child, list)
    end
  end
end

--- Remembers an exec process of a container: it is a child of the caller and not of pid 1.
-- @tparam Context ctx of the container
-- @tparam Context exec of the exec process, with its pidfd
function processes.joined(ctx, exec)
  ctx.execs[exec] = true
end

--- Forgets an exec process, before its pidfd is closed.
function processes.left(ctx, exec)
  ctx.execs[exec] = nil
end

--- Whether the number of an exec process is its own still: it has not been waited for.
local function is_there(exec)
  local ok, _, errno = sys.pidfd_send_signal(exec.pidfd, 0)
  return ok or errno ~= sys.errno.ESRCH
end

--- The processes in one cgroup, without those of the cgroups below.
-- @treturn table array of pids; or nil, message, errno
function processes.inside(path)
  local text, message, errno = sys.read_file(path .. "/cgroup.procs")
  return text and numbers(text), message, errno
end

--- The processes of the container, by their numbers in the caller's PID namespace: those of its
-- cgroup. Where it has none: pid 1, its exec processes, and all that come from these; orphans of
-- both are children of pid 1. cgroups(7), proc_tid_children(5)
-- @treturn table array of pids, first to last; or nil, message, errno
function processes.list(ctx)
  local entry = cgroup.home(ctx, "pids")
  local list = {}
  if entry then
    local message, errno
    list, message, errno = processes.inside(entry.path)
    if not list then
      return nil, message, errno
    end
    for _, leaf in ipairs(directory.leaves(entry.path)) do
      local more = processes.inside(leaf) or {}
      table.move(more, 1, #more, #list + 1, list)
    end
  else
    processes.descend(ctx.pid, list)
    for exec in pairs(ctx.execs) do
      if is_there(exec) then
        processes.descend(exec.pid, list)
      end
    end
  end
  table.sort(list)
  return list
end

--- Has all of the container join, and what is born meanwhile, until nothing is new. A zombie takes
-- part in no cgroup any more, and its write succeeds all the same: each number is written once.
-- @tparam Context ctx
-- @tparam table entry home of a cgroup that is there
-- @return true; or nil, message, errno
function processes.gather(ctx, entry)
  local file = entry.path .. "/cgroup.procs"
  local written = {}
  repeat
    local joined = true
    local inside = {}
    for _, pid in ipairs(numbers(sys.read_file(file))) do
      inside[pid] = true
    end
    for _, pid in ipairs(processes.list(ctx) or {}) do
      if not inside[pid] and not written[pid] then
        joined, written[pid] = false, true
        local ok, message, errno = sys.write_file(file, tostring(pid))
        if not ok and errno ~= sys.errno.ESRCH then
          return nil, message, errno
        end
      end
    end
  until joined
  return true
end

--- A directory more for a container that runs, of the same name as the others: made, and joined by
-- all of it.
-- @tparam Context ctx
-- @tparam table entry home without a path
-- @func[opt] before called between the two
-- @return true; or nil, message, errno
function processes.adopt(ctx, entry, before)
  local first = ctx.cgroup and ctx.cgroup[1]
  local list = { entry }
  if not first then
    -- Empty, where every run looks for what killed launchers left, and then under that name here: a
    -- hierarchy that is not used again is never swept.
    local place, version = sys.cgroup_place("pids")
    list[2] = version == 1 and place ~= entry.place and { place = place } or nil
  end
  local ok, message, errno = directory.make(list, ctx.name, first and first.path:match("[^/]*$"))
  if not ok and list[2] then
    list[2] = nil
    ok, message, errno = directory.make(list, ctx.name)
  end
  if not ok then
    return nil, message, errno
  end
  for _, made in ipairs(list) do
    ctx.undo:push(made.lock.close, made.lock)
    ctx.undo:push(sys.rmdir, made.path)
  end
  if before then
    before()
  end
  return processes.gather(ctx, entry)
end

return processes
