local report = require "bench.report"
local svg = require "bench.svg"

local function row(title, median, more)
  local r = { title = title, whose = "ours", summary = { median = median, p10 = median * 0.9,
    p90 = median * 1.1, count = 10 } }
  for name, value in pairs(more or {}) do
    r[name] = value
  end
  return r
end

local function widths(text)
  local list = {}
  for width in text:gmatch('<rect[^>]* width="([%d.]+)"') do
    list[#list + 1] = tonumber(width)
  end
  return list
end

describe("chart", function()
  it("draws bars in the ratio of the medians", function()
    local w = widths(svg.chart("x", { { title = "t", unit = "ms", row("a", 1), row("b", 2) } }))
    assert.equal(2, #w)
    assert.equal(2 * w[1], w[2])
  end)

  it("cuts what is many times the others, and marks it", function()
    local text = svg.chart("x", { { title = "t", unit = "ms", row("a", 1), row("b", 2),
      row("c", 500) } })
    local w = widths(text)
    assert.is_true(w[3] > w[2] and w[3] < 2 * w[2])
    assert.equal(1, select(2, text:gsub('class="gap" d', "")))
    assert.matches(">500.00<", text)
  end)

  it("escapes what XML would read as its own", function()
    local text = svg.chart("a & b", { { title = "<t>", unit = "ms", row('"q"', 1) } })
    assert.matches("a &amp; b", text, 1, true)
    assert.matches("&lt;t&gt;", text, 1, true)
    assert.matches("&quot;q&quot;", text, 1, true)
  end)

  it("closes every element that it opens, and leaves out a section without rows", function()
    local text = svg.chart("x", { { title = "empty", unit = "ms" },
      { title = "t", unit = "per s", row("a", 1) } })
    assert.is_nil(text:find("empty"))
    local depth = 0
    for closing, name, single in text:gmatch("<(/?)(%w+)[^>]-(/?)>") do
      depth = depth + (closing == "/" and -1 or single == "/" and 0 or 1)
      assert.is_true(depth >= 0, name)
    end
    assert.equal(0, depth)
  end)
end)

describe("text", function()
  it("shows the ratio to the row that a section is compared with", function()
    local base = row("base", 2)
    local text = report.text("machine", { { title = "t", unit = "ms", base, row("ours", 3),
      against = { { "to base", base } } } }, { { { title = "gone" }, "not installed" } })
    assert.matches("ours +3%.00 +2%.70 +3%.30 +1%.50\n", text)
    assert.matches("left out: gone: not installed", text, 1, true)
  end)

  it("has no spread for what was asked once", function()
    local once = row("once", 12.345)
    once.summary = { median = 12.345, count = 1 }
    local text = report.text("machine", { { title = "t", unit = "KiB", against = {}, once } }, {})
    assert.matches("\nonce +12%.35$", text)
    assert.is_nil(text:find("p10"))
  end)
end)
