local buffer = require "container.runtime.buffer"

local function filled(...)
  local b = buffer.new()
  for _, piece in ipairs { ... } do
    b:push(piece)
  end
  return b
end

-- How many bytes of memory `fn` makes, those that it gives back too: what is copied is among them.
local function allocated(fn)
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  fn()
  local after = collectgarbage("count")
  collectgarbage("restart")
  return (after - before) * 1024
end

describe("a buffer", function()
  it("gives what came, in that order, in any sizes", function()
    local b = filled("abc", "d", "", "efgh")
    assert.equal(8, b.size)
    assert.same({ "", "ab", "cde", "f", "gh", "" },
      { b:take(0), b:take(2), b:take(3), b:take(1), b:take(100), b:take(1) })
    assert.equal(0, b.size)
    b:push("x")
    assert.same({ 1, "x" }, { b.size, b:take(math.maxinteger) })
  end)

  it("knows how long the first line is, with its end", function()
    local b = filled("a\nb", "c", "", "\n\n", "d")
    assert.equal(2, b:line {})
    assert.equal("a\n", b:take(2))
    assert.equal(3, b:line {})
    assert.equal("bc\n", b:take(3))
    assert.equal(1, b:line {})
    assert.equal("\n", b:take(1))
    local search = {}
    assert.is_nil(b:line(search))
    b:push("e")
    assert.is_nil(b:line(search))
    b:push("\nf")
    assert.equal(3, b:line(search))
  end)

  it("finds the line end also where somebody took bytes during the search", function()
    for taken = 0, 6 do
      local b, search = filled("ab", "cd"), {}
      assert.is_nil(b:line(search))
      b:push("ef\n")
      b:take(taken)
      assert.equal(7 - taken, b:line(search))
    end
    local b, search = filled("ab", "cd"), {}
    assert.is_nil(b:line(search))
    b:push("e\nf\n")
    b:take(6)
    assert.equal(2, b:line(search))
  end)

  it("copies each byte once, whether much is waited for or little is taken", function()
    local piece <const>, pieces <const> = ("x"):rep(65536), 64
    local size <const> = #piece * pieces
    for _, step in ipairs { size, 100000, 512 } do
      local b, made = buffer.new(), 0
      local bytes = allocated(function()
        for _ = 1, pieces do
          b:push(piece)
          made = made + (step < size and #b:take(step) or 0)
        end
        while b.size > 0 do
          made = made + #b:take(step)
        end
      end)
      assert.equal(size, made)
      -- A part, and the whole that the parts become.
      assert.is_true(bytes < 3 * size, ("%d bytes for %d, by %d"):format(bytes, size, step))
    end
  end)

  it("finds the line end in pieces of one byte, whatever was taken during the search", function()
    for taken = 0, 3000, 250 do
      local b, search = buffer.new(), {}
      for _ = 1, 2999 do
        b:push("x")
        assert.is_nil(b:line(search))
      end
      b:take(taken)
      b:push("\n")
      assert.equal(b.size, b:line(search))
    end
  end)

  it("takes little more memory than there are bytes, however they came", function()
    local b = buffer.new()
    collectgarbage()
    local before = collectgarbage("count")
    for _ = 1, 1 << 18 do
      b:push("x")
    end
    collectgarbage()
    local bytes = (collectgarbage("count") - before) * 1024
    assert.equal(1 << 18, b.size)
    assert.is_true(bytes < 2 << 18, ("%d bytes for %d"):format(bytes, b.size))
  end)

  it("searches each byte once for a line", function()
    local b, search, searched, find = buffer.new(), {}, 0, string.find
    string.find = function(s, pattern, from, ...) -- luacheck: ignore
      searched = searched + #s - from + 1
      return find(s, pattern, from, ...)
    end
    for _ = 1, 100 do
      b:push(("x"):rep(1000))
      b:line(search)
    end
    string.find = find -- luacheck: ignore
    assert.equal(100000, searched)
  end)
end)
