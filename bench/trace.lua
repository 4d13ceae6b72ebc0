-- Reads what strace -f -y writes, and tells what each call is for.

local trace = {}

--- The processes of a run in the order of their first calls. A call that was interrupted by one of
-- another process counts where it began; signals and ends are no calls.
-- @string text
-- @treturn table array of arrays of { call = name, line = text behind the pid }
function trace.read(text)
  local processes, by_pid = {}, {}
  for pid, line in text:gmatch("(%d+) +([^\n]*)") do
    local call = line:match("^([%w_]+)%(")
    if call then
      if not by_pid[pid] then
        by_pid[pid] = {}
        processes[#processes + 1] = by_pid[pid]
      end
      table.insert(by_pid[pid], { call = call, line = line })
    end
  end
  return processes
end

local function matches(line, patterns)
  for _, pattern in ipairs(patterns) do
    if line:find(pattern) then
      return true
    end
  end
  return false
end

--- Which reason a call has: one that its line begins, or the last one that was begun, if that
-- reason takes such calls.
local function reason_of(entry, reasons, current)
  for _, reason in ipairs(reasons) do
    if matches(entry.line, reason) then
      return reason, not reason.aside
    end
  end
  if current and (" " .. current.takes .. " "):find(" " .. entry.call .. " ", 1, true) then
    return current
  end
end

--- Sorts calls by reasons.
-- @tparam table processes as trace.read returns them
-- @tparam table roles array, one for each process or for what it becomes after the one before it:
-- { title, { patterns..., text, takes = "calls that go on with it", aside = true if what comes
-- after it goes on with what was before }..., from = pattern: the process before it becomes this
-- one behind that line, to = pattern: nothing counts behind that line }
-- @treturn table array of { title, count, { reason, count, calls }... }
-- @treturn table array of lines that have no reason
function trace.explain(processes, roles)
  local result, unexplained = {}, {}
  local number, index = 0, 0
  for _, role in ipairs(roles) do
    if not role.from then
      number, index = number + 1, 1
    end
    local out, groups, current = { title = role.title, count = 0 }, {}, nil
    local process = processes[number] or {}
    local next_role = roles[#result + 2]
    while process[index] do
      local entry = process[index]
      index = index + 1
      local reason, stays = reason_of(entry, role, current)
      if stays then
        current = reason
      end
      if not reason then
        unexplained[#unexplained + 1] = role.title .. ": " .. entry.line
      else
        if not groups[reason] then
          groups[reason] = { reason = reason, count = 0, calls = {} }
          out[#out + 1] = groups[reason]
        end
        local group = groups[reason]
        group.count, out.count = group.count + 1, out.count + 1
        group.calls[entry.call] = (group.calls[entry.call] or 0) + 1
      end
      if role.to and entry.line:find(role.to)
        or next_role and next_role.from and entry.line:find(next_role.from) then
        break
      end
    end
    result[#result + 1] = out
  end
  return result, unexplained
end

return trace
