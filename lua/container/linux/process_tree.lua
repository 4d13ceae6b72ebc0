-- The processes that come from one exec process, and how all of them are ended. The kernel keeps no
-- list of these: they are found through /proc among the processes of the container.
--
-- To it belongs what descends from the exec process, and what is in a session of one that belongs
-- to it: the exec process leads a session, and an orphan stays in it. What has left both before it
-- was seen is not found, as a daemon that forks twice around setsid(2). It ends with the container.

local processes = require "container.linux.cgroup.processes"
local sys = require "container.sys"

local process_tree = {}

-- How often is looked for what is born meanwhile; for what forks faster than it is stopped.
local PASSES <const> = 50

--- What /proc says of a process. proc_pid_stat(5)
-- @int pid
-- @treturn table { pid, parent, session, start = ticks as text, zombie }; nil where there is none
function process_tree.look(pid)
  local text = sys.read_file(("/proc/%d/stat"):format(pid))
  local state, parent, session, rest =
    (text or ""):match("^.*%) (%a) (%d+) %d+ (%d+) (.*)$")
  if not state then
    return nil
  end
  local at = 0
  for word in rest:gmatch("%S+") do
    at = at + 1
    if at == 16 then
      return { pid = pid, parent = tonumber(parent), session = tonumber(session), start = word,
        zombie = state == "Z" or state == "X" }
    end
  end
end

--- Makes one.
-- @tparam Context ctx of an exec process; until the last call here it must not have been waited
-- for, so that its number is its own
function process_tree.new(ctx)
  return { pid = ctx.pid, target = ctx.target, known = {} }
end

--- Everything that may belong to the tree.
local function candidates(tree)
  local list = processes.list(tree.target) or {}
  processes.descend(tree.pid, list)
  local all = {}
  for _, pid in ipairs(list) do
    all[pid] = all[pid] or process_tree.look(pid)
  end
  return all
end

--- Finds those that belong to it now, and remembers them: orphans are known again.
-- @treturn table array of those that were not known before
function process_tree.note(tree)
  local all, known, new = candidates(tree), tree.known, {}
  for pid, start in pairs(known) do
    if not all[pid] or all[pid].start ~= start then
      known[pid] = nil
    end
  end
  local grown
  repeat
    grown = false
    for pid, one in pairs(all) do
      if not known[pid] and (pid == tree.pid or known[one.parent] or known[one.session]
          or one.session == tree.pid) then
        known[pid], grown = one.start, true
        new[#new + 1] = one
      end
    end
  until not grown
  return new
end

--- Sends a signal to a process that is known, and never to another that got its number.
local function send(pid, start, signal)
  local pidfd <close> = sys.pidfd_open(pid)
  local now = pidfd and process_tree.look(pid)
  if now and now.start == start and not now.zombie then
    return sys.pidfd_send_signal(pidfd, signal)
  end
end

--- Ends all of it: stops everything until nothing new is born, then kills.
function process_tree.kill(tree)
  for _ = 1, PASSES do
    local new = process_tree.note(tree)
    for _, one in ipairs(new) do
      send(one.pid, one.start, "STOP")
    end
    if not new[1] then
      break
    end
  end
  for pid, start in pairs(tree.known) do
    send(pid, start, "KILL")
  end
end

return process_tree
