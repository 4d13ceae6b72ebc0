local support = require "spec.support"
local value = require "container.engine.codec"

local function encode(...)
  return assert(value.encode(table.pack(...)))
end

local function back(...)
  return assert(value.decode(encode(...)))
end

local function refused(message, ...)
  local bytes, why = value.encode(table.pack(...))
  assert.is_nil(bytes)
  assert.equal(message, why)
end

local function malformed(message, bytes, limits)
  local list, why = value.decode(bytes, limits)
  assert.is_nil(list)
  assert.equal(message, why)
end

local function u32(n)
  return string.pack("<I4", n)
end

describe("what is written and read", function()
  it("is the same, with every nil in its place", function()
    for _, list in ipairs {
      table.pack(), table.pack(nil), table.pack(nil, nil), table.pack(1, nil, "x", nil),
      table.pack(true, false), table.pack(0, -1, math.maxinteger, math.mininteger),
      table.pack(0.5, -0.0, 1e308, 5e-324, 1 / 0, -1 / 0, 2^53), table.pack("", "\0\255\n", "é"),
      table.pack({}, { {} }, { 1, 2, { a = { [false] = "x", [1.5] = true, [-1] = 0 } } }),
    } do
      local got = back(table.unpack(list, 1, list.n))
      assert.same(list, got)
      for i = 1, list.n do
        assert.equal(math.type(list[i]), math.type(got[i]))
      end
    end
  end)

  it("is a number that is none where it was none, and a negative nought", function()
    local list = back(0 / 0, -0.0)
    assert.is_true(list[1] ~= list[1])
    assert.equal("-inf", tostring(1 / list[2]))
  end)

  it("may have holes in a table, and strings of a megabyte", function()
    local long = ("\0\1\2\3"):rep(1 << 18)
    local got = back({ 1, nil, 3, [10] = 4 }, long)
    assert.same({ 1, nil, 3, [10] = 4 }, got[1])
    assert.equal(long, got[2])
  end)

  it("is a copy for each place where it was met", function()
    local shared = { 1 }
    local list = back({ shared, shared })
    assert.same({ { 1 }, { 1 } }, list[1])
    assert.not_equal(list[1][1], list[1][2])
  end)
end)

describe("what cannot be written", function()
  it("is named by its place", function()
    refused("result 1: a function cannot be returned", print)
    refused("result 2: a userdata cannot be returned", 1, io.stdout)
    refused("result 1: a thread cannot be returned", coroutine.create(print))
    refused("result 2.x.y: a function cannot be returned", nil, { x = { y = print } })
    refused("result 1[3][\"a b\"]: a function cannot be returned", { 1, 2, { ["a b"] = print } })
    refused("result 1[\"\\n\"][true][1.5]: a function cannot be returned",
      { ["\n"] = { [true] = { [1.5] = print } } })
    refused("result 1[a string of 65 bytes]: a function cannot be returned",
      { [("x"):rep(65)] = print })
    refused("result 1.t: a key that is a table cannot be returned", { t = { [{}] = 1 } })
    refused("result 1: a key that is a function cannot be returned", { [print] = 1 })
    refused("result 1.a: a table with a metatable cannot be returned",
      { a = setmetatable({}, { __index = error }) })
  end)

  it("is a table that contains itself", function()
    local t = { a = {} }
    t.a.b = t
    refused("result 1.a.b: a table that contains itself cannot be returned", t)
  end)

  it("is too deep, too much, too many #slow", function()
    local deep = {}
    for _ = 1, 99 do
      deep = { deep }
    end
    assert.is_string((value.encode { n = 1, deep }))
    local bytes, why = value.encode { n = 1, { deep } }
    assert.is_nil(bytes)
    assert.matches("^result 1%[1%].*: more than 100 tables in each other$", why)
    local limits = { size = 100 }
    assert.is_string((value.encode({ n = 1, ("x"):rep(91) }, limits)))
    for _, list in ipairs { { n = 1, ("x"):rep(92) }, { n = 1, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } } }
    do
      bytes, why = value.encode(list, limits)
      assert.is_nil(bytes)
      assert.matches("^result 1.*: all together they take more than 100 bytes$", why)
    end
    local many = {}
    for i = 1, 1 << 21 do
      many[i] = true
    end
    refused("more than 2097152 values and keys", many)
    refused("result: more than 1000 values", table.unpack(many, 1, 1001))
    -- A table of tables of the same table is small here and endless there.
    local bomb = {}
    for _ = 1, 90 do
      bomb = { bomb, bomb }
    end
    bytes, why = value.encode { n = 1, bomb }
    assert.is_nil(bytes)
    assert.matches("more than %d+", why)
  end)
end)

describe("bytes that nobody wrote", function()
  it("are refused, each for its reason", function()
    malformed("it is cut short", "")
    malformed("it is cut short", "\1\0\0")
    malformed("it is cut short", u32(1))
    malformed("more than 1000 values", u32(1001))
    malformed("more than 1000 values", u32(0xffffffff) .. ("\0"):rep(1000))
    malformed("1 bytes follow it", u32(0) .. "\0")
    malformed("there is no value of kind 7 here", u32(1) .. "\7")
    malformed("there is no value of kind 255 here", u32(1) .. "\255")
    malformed("it is cut short", u32(1) .. "\3\0\0\0\0\0\0\0")
    malformed("it is cut short", u32(1) .. "\5\255\255\255\255x")
    malformed("it is cut short", u32(1) .. "\6\255\255\255\255\0\0\1\0")
    malformed("a table has a nil", u32(1) .. "\6" .. u32(1) .. u32(0) .. "\0")
    malformed("a key is nil or not a number", u32(1) .. "\6" .. u32(0) .. u32(1) .. "\0\1")
    malformed("a key is nil or not a number",
      u32(1) .. "\6" .. u32(0) .. u32(1) .. string.pack("<Bd", 4, 0 / 0) .. "\1")
    malformed("a table has a nil", u32(1) .. "\6" .. u32(0) .. u32(1) .. "\1\0")
    malformed("there is no value of kind 6 here",
      u32(1) .. "\6" .. u32(0) .. u32(1) .. "\6" .. u32(0) .. u32(0) .. "\1")
    malformed("it has more than 10 bytes", ("x"):rep(11), { size = 10 })
  end)

  it("that are deep or many are refused before they are much #slow", function()
    malformed("more than 100 tables in each other",
      u32(1) .. ("\6" .. u32(1) .. u32(0)):rep(1000000))
    local before = collectgarbage("count")
    for _, bytes in ipairs {
      u32(1) .. "\6" .. u32((1 << 24) - 100) .. u32(0) .. ("\2"):rep((1 << 24) - 100),
      (u32(1) .. "\6" .. u32(0xffffff) .. u32(0) .. ("\5\0\0\0\0"):rep(1 << 23)):sub(1, 1 << 24),
    } do
      local list, why = value.decode(bytes)
      assert.is_nil(list)
      if why ~= "it takes longer than 5 seconds to read" then -- as on a machine that is slow
        assert.equal("more than 2097152 values and keys", why)
      end
    end
    collectgarbage()
    assert.is_true(collectgarbage("count") - before < 1 << 18) -- KiB
  end)

  it("that would make a table slow take no longer than a moment #slow", function()
    -- Keys that all have their place at the same spot of a table of 2^15 and of 2^16.
    local function slow(n)
      local keys = {}
      for i = 1, n do
        keys[i] = string.pack("<Bi8B", 3, i * ((1 << 16) - 1) * ((1 << 15) - 1), 1)
      end
      return "\6" .. u32(0) .. u32(n) .. table.concat(keys)
    end
    local start = os.clock()
    assert.is_table((value.decode(u32(1) .. slow(1 << 14))))
    local list, why = value.decode(u32(20) .. slow(1 << 16):rep(20))
    assert.is_true(os.clock() - start < 20)
    assert.is_truthy(list or why == "it takes longer than 5 seconds to read")
    malformed("more than 65536 keys beside an array", u32(1) .. slow((1 << 16) + 1))
    local many = {}
    for i = 1, (1 << 16) + 1 do
      many["x" .. i] = i
    end
    refused("result 1: more than 65536 keys beside the array", many)
  end)

  it("that are good ones with changes give a list or a reason, and never more than they may",
    function()
    local good = {
      encode(1, nil, "text", { a = { 1, 2, { 3 } }, b = "x", [1.5] = true }, -0.0),
      encode({ { { { {} } } } }, ("x"):rep(50), false), encode(),
    }
    local read, refusals = 0, 0
    for round = 1, 20000 do
      local bytes = { good[round % #good + 1]:byte(1, -1) }
      for _ = 1, math.random(4) do
        local at, how = math.random(#bytes), math.random(4)
        if how == 1 then
          bytes[at] = math.random(0, 255)
        elseif how == 2 and #bytes > 1 then
          table.remove(bytes, at)
        elseif how == 3 then
          table.insert(bytes, at, math.random(0, 7))
        else
          bytes[at] = bytes[at] ~ 1 << math.random(0, 7)
        end
      end
      local list, why = value.decode(string.char(table.unpack(bytes)))
      if list then
        read = read + 1
        -- What was read can be written, unless it is longer that way, which it never is.
        assert.is_string((value.encode(list)))
      else
        refusals = refusals + 1
        assert.is_true(why == "it is cut short" or why:find("^%d+ bytes follow it$") ~= nil
          or why:find("^there is no value of kind %d+ here$") ~= nil or why == "a table has a nil"
          or why == "a key is nil or not a number" or why:find("^more than %d+") ~= nil, why)
      end
    end
    assert.is_true(read > 1000 and refusals > 1000)
  end)

  it("are read back as they were, whatever they are", function()
    local function any(depth)
      local kind = math.random(depth > 0 and 7 or 5)
      if kind == 1 then
        return math.random(0)
      elseif kind == 2 then
        return (math.random() - 0.5) * 10 ^ math.random(-300, 300)
      elseif kind == 3 then
        return math.random() < 0.5
      elseif kind <= 5 then
        local text = {}
        for i = 1, math.random(0, 20) do
          text[i] = string.char(math.random(0, 255))
        end
        return table.concat(text)
      end
      local t = {}
      for i = 1, math.random(0, 5) do
        t[i] = any(depth - 1)
      end
      for _ = 1, math.random(0, 5) do
        t[any(0)] = any(depth - 1)
      end
      return t
    end
    for _ = 1, 2000 do
      local list = table.pack(any(4), nil, any(2))
      assert.same(list, back(table.unpack(list, 1, 3)))
    end
  end)
end)

it("the room of values needs nothing of containers", function()
  local result = support.run(support.lua .. " -e " .. support.quote [[
    package.cpath = ""
    local value = require "container.engine.codec"
    print(value.decode(value.encode { n = 1, "alone" })[1])]])
  assert.same({ status = 0, stdout = "alone\n", stderr = "" }, result)
end)
