-- What becomes of samples: the median, what eight of ten lie between, ratios, growth.

local statistics = {}

--- The smallest of the samples that at least p of a hundred do not exceed.
-- @tparam table sorted array of numbers, the smallest first
-- @number p 0 to 100
function statistics.percentile(sorted, p)
  return sorted[math.max(1, math.ceil(#sorted * p / 100))]
end

--- @tparam table samples array of numbers in any order, which it keeps
-- @treturn table { median, p10, p90, count }
function statistics.summary(samples)
  local sorted = table.move(samples, 1, #samples, 1, {})
  table.sort(sorted)
  return {
    median = statistics.percentile(sorted, 50),
    p10 = statistics.percentile(sorted, 10),
    p90 = statistics.percentile(sorted, 90),
    count = #sorted,
  }
end

--- Whether something that is done in a share of all rounds is done in this one: evenly spread, and
-- in the first in any case.
-- @int round from 1
-- @number share above 0, at most 1
function statistics.due(round, share)
  return round == 1 or math.floor((round - 1) * share) > math.floor((round - 2) * share)
end

--- By how much y grows with each x, by the straight line that lies closest to all points.
-- @tparam table points array of { x, y }, at least two with different x
function statistics.slope(points)
  local n, sx, sy, sxx, sxy = #points, 0, 0, 0, 0
  for _, point in ipairs(points) do
    local x, y = point[1], point[2]
    sx, sy, sxx, sxy = sx + x, sy + y, sxx + x * x, sxy + x * y
  end
  return (n * sxy - sx * sy) / (n * sxx - sx * sx)
end

return statistics
