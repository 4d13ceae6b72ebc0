local cleanup = require "container.engine.cleanup"

local function recorder()
  local said = {}
  return said, function(...)
    said[#said + 1] = table.pack(...)
  end
end

describe("container.engine.cleanup", function()
  it("runs backwards, with the arguments that were given", function()
    local said, say = recorder()
    local stack = cleanup.new()
    stack:push(say, "first", nil, 3)
    stack:push(say)
    stack:push(say, "last", nil)
    stack:run()
    assert.same({ { "last", nil, n = 2 }, { n = 0 }, { "first", nil, 3, n = 3 } }, said)
  end)

  it("runs a step once", function()
    local said, say = recorder()
    local stack = cleanup.new()
    stack:push(say)
    stack:run()
    stack:run()
    assert.equal(1, #said)
  end)

  it("goes on after a step that fails", function()
    local said, say = recorder()
    local stack = cleanup.new()
    stack:push(say, 1)
    stack:push(error, "this step fails")
    stack:push(function() return nil, "refused", 1 end)
    stack:push(say, 2)
    stack:run()
    assert.same({ { 2, n = 1 }, { 1, n = 1 } }, said)
  end)

  it("runs at the end of a scope", function()
    local said, say = recorder()
    do
      local stack <close> = cleanup.new()
      stack:push(say)
      assert.equal(0, #said)
    end
    assert.equal(1, #said)
  end)

  it("runs when an error leaves the scope, and lets the error pass", function()
    local said, say = recorder()
    local ok, message = pcall(function()
      local stack <close> = cleanup.new()
      stack:push(say)
      error("out", 0)
    end)
    assert.is_false(ok)
    assert.equal("out", message)
    assert.equal(1, #said)
  end)

  it("runs nothing at the end of a scope that gave its steps away", function()
    local said, say = recorder()
    local moved
    do
      local stack <close> = cleanup.new()
      stack:push(say, 1)
      stack:push(say, 2)
      moved = stack:release()
    end
    assert.equal(0, #said)
    moved:run()
    assert.same({ { 2, n = 1 }, { 1, n = 1 } }, said)
  end)

  it("takes further steps after it gave the others away", function()
    local said, say = recorder()
    local stack = cleanup.new()
    stack:push(say, 1)
    local moved = stack:release()
    stack:push(say, 2)
    stack:run()
    assert.same({ { 2, n = 1 } }, said)
    moved:push(say, 3)
    moved:run()
    assert.same({ { 2, n = 1 }, { 3, n = 1 }, { 1, n = 1 } }, said)
  end)
end)
