local api = require "container.api"
local sys = require "container.sys"

setup(function()
  api.run { "true" } -- what the first one leaves open belongs to all
end)

local function keys(t)
  local list = {}
  for key in pairs(t) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

describe("what a caller holds #root", function()
  it("of a container shows what it documents, and nothing of the library's", function()
    local c <close> = assert(api.spawn { "cat", stdin = "pipe", stdout = "pipe", name = "shown-"
      .. sys.getpid() })
    assert.same({ "name", "pid", "stdin", "stdout" }, keys(c))
    assert.same({}, keys(c.stdin))
    for _, name in ipairs { "fail", "ended", "due", "state", "sources", "closed", "deadline",
      "handle" } do
      assert.is_nil(c[name])
    end
    for _, name in ipairs { "close", "detach", "due_in", "exec", "fd", "kill", "pause", "poll",
      "processes", "resume", "stats", "update", "wait" } do
      assert.is_function(c[name])
    end
    local program <close> = assert(c:exec { "true" })
    assert.same({ "container", "pid" }, keys(program))
    assert.equal(c, program.container)
    assert.equal(c, c:detach())
    assert.equal(c.stdin, c.stdin:write("x"))
  end)

  it("is what a function of the caller's gets", function()
    local seen
    local c <close> = assert(api.spawn { "true", on = { exit = function(given) seen = given end } })
    assert(c:wait())
    assert.equal(c, seen)
    assert.same({ c }, api.poll { c })
  end)

  it("says so where a method is called without it", function()
    local c <close> = assert(api.spawn { "cat", stdin = "pipe" })
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, message = pcall(function() c.wait() end)
    assert.is_false(ok)
    assert.equal(("spec/runtime/handle_spec.lua:%d: wait: expected a container, got nil: it is "
      .. "called with a colon, x:wait()"):format(line), message)
    for shown, given in pairs { ["2"] = 2, ["a table"] = {}, ["\"KILL\""] = "KILL" } do
      ok, message = pcall(c.kill, given)
      assert.is_false(ok)
      assert.matches("kill: expected a container, got " .. shown .. ":", message, 1, true)
    end
    ok, message = pcall(c.stdin.write, "x")
    assert.is_false(ok)
    assert.matches("write: expected a stream, got \"x\":", message, 1, true)
    assert.is_false(c:poll())
  end)
end)

describe("a list of containers #root", function()
  it("is refused by a named key, and by a hole", function()
    local c <close> = assert(api.spawn { "true" })
    for shown, list in pairs { ["\"a\""] = { c, a = c }, ["2"] = { [2] = c } } do
      local ended, err = api.poll(list)
      assert.is_nil(ended)
      assert.equal("poll: expected an array of containers, got the key " .. shown, tostring(err))
    end
  end)
end)
