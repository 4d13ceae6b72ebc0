local sys = require "container.sys"
local support = require "spec.support"

describe("sys.clock_gettime", function()
  it("goes on, and never back", function()
    local before = sys.clock_gettime()
    sys.ppoll({}, 0.02)
    local passed = sys.clock_gettime("monotonic") - before
    assert.is_true(passed >= 0.02 and passed < 10)
  end)

  it("is that of the machine", function()
    local uptime = tonumber(sys.read_file("/proc/uptime"):match("^%S+"))
    assert.is_true(math.abs(sys.clock_gettime() - uptime) < 10)
    assert.is_true(math.abs(sys.clock_gettime("realtime") - os.time()) < 2)
  end)

  it("raises for a clock that there is not", function()
    support.raises("invalid option 'sundial'", sys.clock_gettime, "sundial")
  end)
end)
