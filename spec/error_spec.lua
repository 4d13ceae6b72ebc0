local errors = require "container.error"

describe("an error", function()
  it("stands in a text by .., on either side", function()
    local err = errors.new("step", "call it: reason")
    assert.equal("failed: step: call it: reason", "failed: " .. err)
    assert.equal("step: call it: reason!", err .. "!")
    assert.equal("step: call it: reason7", err .. 7)
    assert.equal(tostring(err):rep(2), err .. err)
    assert.is_false(pcall(function() return err .. {} end))
  end)
end)

describe("a message of an error of Lua", function()
  it("has the file and the line of the library, as it is built", function()
    local source = debug.getinfo(require("container").run, "S")
    local n = 0
    for line in assert(io.lines(source.short_src)) do
      n = n + 1
      if n == source.linedefined then
        assert.equal("function library.run(options)", line)
        return
      end
    end
    error("no such line")
  end)
end)
