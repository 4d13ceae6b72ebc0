-- How much memory it takes that a container runs: of all processes that a command leaves running
-- but the container's program.

local command = require "bench.command"
local tool = require "bench.tool"

local memory = {}

local PROGRAM <const> = { "/bin/sleep", "1000" }

--- All processes of a tree, from /proc.
local function descendants(pid, list)
  list[#list + 1] = pid
  for task in tool.output(("ls /proc/%s/task 2>/dev/null"):format(pid)):gmatch("%d+") do
    local children = tool.read(("/proc/%s/task/%s/children"):format(pid, task)) or ""
    for child in children:gmatch("%d+") do
      descendants(child, list)
    end
  end
  return list
end

local function is_program(pid)
  local words = tool.read(("/proc/%s/cmdline"):format(pid)) or ""
  return words:match("^[^%z]*") == PROGRAM[1]
end

--- KiB of the process's own share of what is resident; nil when it is gone.
local function proportional(pid)
  local text = tool.read(("/proc/%s/smaps_rollup"):format(pid))
  return text and tonumber(text:match("\nPss:%s*(%d+)"))
end

--- Starts it, waits until its program runs, counts, and ends it.
-- @return KiB; or nil when the program did not come up
local function of(argv, before)
  local pipe = tool.check(io.popen(("%s exec %s </dev/null >/dev/null 2>&1 & echo $!; wait"):format(
    before, tool.shell(argv))))
  local pid = pipe:read("l")
  local sum
  for _ = 1, 100 do
    local list = descendants(pid, {})
    local rest, running = 0, false
    for _, one in ipairs(list) do
      if is_program(one) then
        running = true
      else
        rest = rest + (proportional(one) or 0)
      end
    end
    if running then
      sum = rest
      break
    end
    os.execute("sleep 0.02")
  end
  -- The program is what everything else waits for, where it came up.
  for _, one in ipairs(descendants(pid, {})) do
    if not sum or is_program(one) then
      os.execute("kill -KILL " .. one .. " 2>/dev/null")
    end
  end
  pipe:close()
  return sum
end

--- @tparam table at the directories and names of this measurement
-- @tparam table first the section of the commands: only those that work are counted
function memory.section(at, first)
  local works = {}
  for _, row in ipairs(first) do
    works[row.key] = row
  end
  local asleep = setmetatable({ program = PROGRAM }, { __index = at })
  local section = { title = "memory beside the program while it runs", unit = "KiB", against = {} }
  for _, entry in ipairs(command.all(asleep)) do
    -- Of podman's container only conmon is its child, and that one lives on by itself.
    local row = works[entry.key]
    if row and entry.container and not entry.key:find("^podman") then
      local wrapper = row.unified and command.UNIFIED or {}
      local kibibytes = of(tool.join(wrapper, entry.argv),
        entry.file and "exec 9<" .. tool.quote(entry.file) .. ";" or "")
      if kibibytes then
        section[#section + 1] = { title = entry.title, whose = entry.whose,
          summary = { median = kibibytes, count = 1 } }
      end
    end
  end
  return section
end

return memory
