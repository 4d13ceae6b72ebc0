local json = require "container.json"

describe("json.encode", function()
  it("writes strings byte by byte, numbers and booleans", function()
    assert.equal([["a\u0022\u005c\u000a\u0000\u00ffb"]], json.encode("a\"\\\n\0\xffb"))
    assert.equal("-5", json.encode(-5))
    assert.equal("true", json.encode(true))
    assert.equal("false", json.encode(false))
  end)

  it("writes arrays, and objects with their names in order", function()
    assert.equal('[\n  1,\n  "x"\n]', json.encode { 1, "x" })
    assert.equal('{\n  "a": {\n    "b": [\n      2\n    ]\n  },\n  "c": false\n}',
      json.encode { c = false, a = { b = { 2 } } })
  end)

  it("writes an empty table as an object, but where it is known for an array", function()
    assert.equal("{}", json.encode {})
    assert.equal('{\n  "a": [],\n  "b": {}\n}', json.encode({ a = {}, b = {} }, { a = true }))
  end)

  it("writes what others read", function()
    local there, cjson = pcall(require, "cjson")
    if not there then
      return pending("needs lua-cjson")
    end
    local value = { a = { "\x01\"/\\", "e" }, ["b c"] = { d = true, e = { f = -1 } } }
    assert.same(value, cjson.decode(json.encode(value)))
  end)
end)
