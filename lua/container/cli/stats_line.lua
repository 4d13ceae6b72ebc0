-- What a container uses: a line on the launcher's terminal that changes while it
-- runs, one at its end, or all numbers as JSON.

local json = require "container.json"
local report = require "container.report"
local sys = require "container.sys"

local stats_line = {}
stats_line.__index = stats_line

local PERIOD <const> = 0.5

local function amount(bytes)
  local units, value = { "", "K", "M", "G", "T" }, bytes
  local i = 1
  while value >= 1024 and i < #units do
    value, i = value / 1024, i + 1
  end
  return (i == 1 and "%d%s" or "%.1f%s"):format(value, units[i])
end

--- "WHAT n of m", or what of that is known.
local function part(what, number, limit, show)
  return number and ("%s %s%s"):format(what, show(number), limit and " of " .. show(limit) or "")
end

local function line(list)
  local parts = {}
  for i = 1, 3 do
    parts[#parts + 1] = list[i] or nil
  end
  return table.concat(parts, ", ")
end

--- @param c object of a container that runs, with the option `stats`
-- @param how true, or "json" for numbers alone, at the end
function stats_line.new(c, how)
  -- A terminal of the container's own is shown on this one, and needs all of it.
  return setmetatable({ c = c, how = how, at = sys.clock_gettime(), used = 0,
    live = how ~= "json" and not c.tty and sys.isatty(2) }, stats_line)
end

--- After how many seconds `show` wants to be called, if at all.
function stats_line:due_in()
  return self.live and math.max(self.at - sys.clock_gettime(), 0) or nil
end

--- Shows the line when it is time.
function stats_line:show()
  local now = sys.clock_gettime()
  local stats = self.live and now >= self.at and self.c:stats()
  if not stats then
    return
  end
  local cpu, memory, pids = stats.cpu or {}, stats.memory or {}, stats.pids or {}
  local share = cpu.usage and self.last and (cpu.usage - self.used) / (now - self.last)
  self.last, self.used, self.at = now, cpu.usage or 0, now + PERIOD
  report.write("\r\27[K" .. line {
    share and ("cpu %.0f%%"):format(share * 100),
    part("memory", memory.current, memory.limit, amount),
    part("processes", pids.current, pids.limit, tostring),
  })
end

--- Takes the line away.
function stats_line:clear()
  if self.live then
    report.write("\r\27[K")
  end
end

--- Says what it was in all.
function stats_line:finish(result)
  local stats = result.stats or {}
  if self.how == "json" then
    stats.wall, stats.status, stats.reason = result.wall, result.status, result.reason
    report.write(json.encode(stats, {}) .. "\n")
    return
  end
  local cpu, memory, pids = stats.cpu or {}, stats.memory or {}, stats.pids or {}
  report.write("Used " .. line {
    cpu.usage and ("cpu %.2f s of %.2f s"):format(cpu.usage, result.wall),
    part("memory", memory.peak or memory.current, memory.limit, amount),
    part("processes", pids.peak, pids.limit, tostring),
  } .. "\n")
end

return stats_line
