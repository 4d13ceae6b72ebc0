-- What is worked out of rows that have been measured.

local statistics = require "bench.statistics"

local derived = {}

--- What the time of run.lua is made up of, by the differences of rows.
function derived.parts(section)
  local median = {}
  for _, row in ipairs(section) do
    median[row.key] = row.summary.median
  end
  local result = { title = "where the time of run.lua goes", unit = "ms", against = {} }
  if not (median.run and median.all and median.mounts and median.limit) then
    result.note = "left out: it takes rows that are not here"
    return result
  end
  local left = median.run
  local function part(title, whose, value)
    result[#result + 1] = { title = title, whose = whose, summary = { median = value, count = 1 } }
    left = left - value
  end
  part("a process, of /bin/true", "base", median["true"])
  part("the interpreter", "base", median.lua - median["true"])
  part("namespaces, root and /proc", "base", median.limit - median["true"])
  part("/dev, /sys and the masks", "base", median.mounts - median.limit)
  part("a cgroup, few rights, a filter and a pid 1", "base", median.all - median.mounts)
  part("all else: ours", "ours", left)
  return result
end

--- By how much a volume and a variable make a container dearer, as lines.
function derived.growth(section)
  local lines = {}
  for _, thing in ipairs { "volume", "variable" } do
    local points = {}
    for _, row in ipairs(section) do
      if row.growth and row.growth[thing] then
        points[#points + 1] = { row.growth[thing], row.summary.median }
      end
    end
    if #points > 1 then
      lines[#lines + 1] = ("each %s more: %.1f us"):format(thing, statistics.slope(points) * 1000)
    end
  end
  return table.concat(lines, "; ")
end

return derived
