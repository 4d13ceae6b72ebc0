local check = require "container.check"

-- What a check refuses, as field and message.
local function refused(fn, ...)
  local value, refusal = check.run(fn, ...)
  assert.is_nil(value)
  return { refusal.field, refusal.message, refusal.errno }
end

describe("check.run", function()
  it("answers what the function returns", function()
    assert.equal("value", check.run(function(...) return ... end, "value"))
  end)

  it("answers a refusal, with a number where there is one", function()
    assert.same({ "a[1]", "is wrong", 5 }, refused(check.refuse, "a[1]", "is wrong", 5))
    assert.same({ "a", "is wrong" }, refused(check.refuse, "a", "is wrong"))
  end)

  it("lets any other error pass", function()
    local thrown = setmetatable({}, {})
    for _, value in ipairs { "text", thrown } do
      local ok, message = pcall(check.run, error, value, 0)
      assert.is_false(ok)
      assert.equal(value, message)
    end
  end)
end)

describe("check.shown", function()
  it("is one short line for every value", function()
    for _, case in ipairs {
      { "a\"b", '"a\\"b"' }, { "a\nb", '"a\\nb"' }, { "a\0b\r", '"a\\0b\\13"' }, { "", '""' },
      { ("x"):rep(64), '"' .. ("x"):rep(64) .. '"' }, { ("x"):rep(65), "a string of 65 bytes" },
      { 5, "5" }, { -0.5, "-0.5" }, { math.huge, "inf" }, { true, "true" }, { false, "false" },
      { {}, "a table" }, { print, "a function" }, { io.stdout, "a userdata" },
      { coroutine.create(print), "a thread" },
    } do
      local shown = table.pack(check.shown(case[1]))
      assert.same({ case[2], n = 1 }, shown)
    end
    assert.equal("nil", check.shown(nil))
  end)

  it("asks the value nothing", function()
    assert.equal("a table", check.shown(setmetatable({}, {
      __tostring = function() error("asked") end, __name = "mine" })))
  end)
end)

describe("check.expect", function()
  it("gives the value back", function()
    assert.equal(5, check.expect(true, "a", "a number", 5))
  end)

  it("says what it expected and what it got", function()
    assert.same({ "a", "expected a number, got \"x\"" },
      refused(check.expect, false, "a", "a number", "x"))
  end)
end)

describe("check.text", function()
  it("takes a string, whatever bytes it has but NUL", function()
    assert.equal("a\xff\n", check.text("a", "a\xff\n"))
    assert.same({ "a", "contains a NUL byte" }, refused(check.text, "a", "x\0"))
    assert.same({ "a", "contains a NUL byte" }, refused(check.text, "a", "\0"))
  end)

  it("takes nothing that merely converts to a string", function()
    assert.same({ "a", "expected a string, got 5" }, refused(check.text, "a", 5))
    assert.same({ "a", "expected a path, got nil" }, refused(check.text, "a", nil, "a path"))
  end)
end)

describe("check.switch", function()
  it("takes true and false", function()
    -- Inside of a table, for a nil would say that it was refused.
    assert.same({ false }, check.run(function() return { check.switch("a", false) } end))
    assert.same({ true }, check.run(function() return { check.switch("a", true) } end))
    assert.same({ "a", "expected true or false, got 1" }, refused(check.switch, "a", 1))
    assert.same({ "a", "expected true or false, got nil" }, refused(check.switch, "a", nil))
  end)
end)

describe("check.plain", function()
  it("takes a table without a metatable", function()
    local t = {}
    assert.equal(t, check.plain("a", t))
    assert.same({ "a", "expected a table, got \"x\"" }, refused(check.plain, "a", "x"))
    for _, metatable in ipairs { {}, { __metatable = false } } do
      assert.same({ "a", "expected a plain table, got one with a metatable" },
        refused(check.plain, "a", setmetatable({}, metatable)))
    end
  end)
end)

describe("check.length", function()
  it("counts the array part, and passes over the names", function()
    assert.equal(0, check.length("a", {}))
    assert.equal(3, check.length("a", { "x", "y", "z", name = 1, [1.5] = 2 }))
  end)
end)

describe("check.keys", function()
  it("answers the names beside the array part, in order", function()
    assert.same({ "a", "b" }, check.keys("f", { 1, 2, b = 1, a = 2 }, "names"))
    for _, key in ipairs { 1.5, true, "a\0" } do
      assert.same({ "f", "expected names, got " .. check.shown(key) },
        refused(check.keys, "f", { [key] = 1 }, "names"))
    end
  end)
end)

describe("check.integer", function()
  it("answers the integer that a number is, and nothing of other values", function()
    for value, integer in pairs { [7] = 7, [2 ^ 20 + .0] = 1048576, [-1] = -1 } do
      assert.equal(integer, check.integer(value))
      assert.equal("integer", math.type(check.integer(value)))
    end
    for _, value in ipairs { 1.5, math.huge, 2 ^ 63, "7", true } do
      assert.is_nil(check.integer(value))
    end
  end)
end)

describe("check.array", function()
  it("counts the entries", function()
    assert.equal(0, check.array("a", {}))
    assert.equal(3, check.array("a", { "x", "y", "z" }))
  end)

  it("refuses what is no entry, by its name", function()
    for key, shown in pairs { name = "\"name\"", [1.5] = "1.5", [true] = "true" } do
      assert.same({ "a", "expected an array, got the key " .. shown },
        refused(check.array, "a", { "x", [key] = 1 }))
    end
    assert.same({ "a", "expected an array of b, got the key \"c\"" },
      refused(check.array, "a", { c = 1 }, "an array of b"))
    assert.same({ "a", "expected a table, got 1" }, refused(check.array, "a", 1))
  end)

  it("refuses a hole by its place, however far the next entry is", function()
    local message <const> = "is missing: the array has a hole"
    assert.same({ "a[2]", message }, refused(check.array, "a", { 1, nil, 3 }))
    assert.same({ "a[1]", message }, refused(check.array, "a", { [2] = 1 }))
    assert.same({ "a[2]", message }, refused(check.array, "a", { 1, [math.maxinteger] = 1 }))
  end)

  it("refuses what stands before the first place", function()
    assert.same({ "a[0]", "an array begins at 1" }, refused(check.array, "a", { 1, [0] = 1 }))
    assert.same({ "a[-5]", "an array begins at 1" }, refused(check.array, "a", { 1, [-5] = 1 }))
  end)
end)
