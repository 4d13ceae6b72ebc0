local statistics = require "bench.statistics"

describe("percentile", function()
  it("is the smallest sample that so many of a hundred do not exceed", function()
    local ten = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }
    assert.equal(1, statistics.percentile(ten, 10))
    assert.equal(5, statistics.percentile(ten, 50))
    assert.equal(9, statistics.percentile(ten, 90))
    assert.equal(10, statistics.percentile(ten, 100))
  end)

  it("is the only sample where there is one", function()
    assert.equal(7, statistics.percentile({ 7 }, 10))
    assert.equal(7, statistics.percentile({ 7 }, 90))
  end)
end)

describe("summary", function()
  it("sorts a copy and leaves the samples as they were", function()
    local samples = { 3, 1, 2 }
    local s = statistics.summary(samples)
    assert.same({ 3, 1, 2 }, samples)
    assert.same({ median = 2, p10 = 1, p90 = 3, count = 3 }, s)
  end)

  it("is moved by one that is far off no more than by any other", function()
    assert.equal(2, statistics.summary({ 1, 2, 2, 2, 1000 }).median)
  end)
end)

describe("due", function()
  local function rounds(share, count)
    local n = 0
    for round = 1, count do
      n = n + (statistics.due(round, share) and 1 or 0)
    end
    return n
  end

  it("is every round for a share of 1", function()
    assert.equal(20, rounds(1, 20))
  end)

  it("is one of so many for less, and the first in any case", function()
    assert.equal(10, rounds(0.5, 20))
    assert.equal(1, rounds(0.1, 1))
    assert.is_true(statistics.due(1, 0.1))
    local n = rounds(0.1, 100)
    assert.is_true(n >= 10 and n <= 11)
  end)
end)

describe("slope", function()
  it("is that of the line through two points", function()
    assert.equal(2, statistics.slope { { 1, 5 }, { 3, 9 } })
  end)

  it("is that of the line closest to more", function()
    local slope = statistics.slope { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 2 } }
    assert.is_true(math.abs(slope - 0.7) < 1e-9)
  end)
end)
