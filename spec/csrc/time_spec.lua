local container = require "container"
local support = require "spec.support"

describe("container.clock_gettime", function()
  it("goes on, and never back", function()
    local before = container.clock_gettime()
    container.ppoll({}, 0.02)
    local passed = container.clock_gettime("monotonic") - before
    assert.is_true(passed >= 0.02 and passed < 10)
  end)

  it("is that of the machine", function()
    local uptime = tonumber(container.read_file("/proc/uptime"):match("^%S+"))
    assert.is_true(math.abs(container.clock_gettime() - uptime) < 10)
    assert.is_true(math.abs(container.clock_gettime("realtime") - os.time()) < 2)
  end)

  it("raises for a clock that there is not", function()
    support.raises("invalid option 'sundial'", container.clock_gettime, "sundial")
  end)
end)
