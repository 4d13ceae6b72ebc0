-- What a container uses, in the form of runc's `events`, which clients read.

local control = require "container.runtime.control"

local statistics = {}

local NANO <const> = 1000000000

local function nanoseconds(seconds)
  return seconds and seconds * NANO // 1 | 0 or 0
end

local function memory(found)
  local usage = { usage = found.current or 0, max = found.peak or 0, failcnt = 0,
    limit = found.limit }
  return { cache = found.cache or 0, usage = usage,
    raw = { rss = found.anon, cache = found.cache } }
end

--- Reads it.
-- @tparam Context ctx
-- @treturn table
function statistics.read(ctx)
  local found = control.stats(ctx)
  local cpu, pids = found.cpu or {}, found.pids or {}
  return {
    cpu = {
      usage = { total = nanoseconds(cpu.usage), kernel = nanoseconds(cpu.system),
        user = nanoseconds(cpu.user) },
      throttling = { periods = cpu.periods or 0, throttledPeriods = cpu.throttled_periods or 0,
        throttledTime = nanoseconds(cpu.throttled) },
    },
    memory = memory(found.memory or {}),
    pids = { current = pids.current or 0, limit = pids.limit },
  }
end

return statistics
