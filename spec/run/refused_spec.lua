-- Forks that the limit of processes refuses: what the user and the library's caller hear of them.

local container = require "container"
local support = require "spec.support"

local RUN <const> = support.lua .. " run.lua -q "

-- Asks for so many processes more than there may be, beside init and itself; ends with a status.
local function forks(more, limit, status)
  return ([[
    local sys = require "container.sys"
    local refused = 0
    for _ = 1, %d do
      local pid, _, errno = sys.clone({}, function() sys.ppoll({}, 60) end)
      refused = refused + (not pid and errno == sys.errno.EAGAIN and 1 or 0)
    end
    io.write(refused)
    io.stdout:flush()
    sys._exit(%d)]]):format(limit - 2 + more, status)
end

local function asks(more, limit, status)
  return ("-v %s:/tree env LUA_PATH_5_4='/tree/lua/?.lua' LUA_CPATH_5_4='/tree/?.so' %s -e %s")
    :format("$(pwd)", support.lua, support.quote(forks(more, limit, status)))
end

describe("a program that was refused forks #root #cgroup", function()
  local function run(options, ...)
    local result = support.run(RUN .. options .. " " .. asks(...))
    return { result.status, result.stdout, result.stderr }
  end

  it("and failed: the last line says how many, and by which limit", function()
    assert.same({ 3, "3", "lua-container: pids: the limit of 20 refused 3 forks\n" },
      run("", 3, 20, 3))
    assert.same({ 1, "1", "lua-container: pids: the limit of 7 refused 1 fork\n" },
      run("--pids-limit 7", 1, 7, 1))
  end)

  it("and did not fail: there is no line", function()
    assert.same({ 0, "2", "" }, run("", 2, 20, 0))
  end)

  it("and one that was refused none and failed: there is no line", function()
    assert.same({ 4, "0", "" }, run("", 0, 20, 4))
  end)
end)

describe("pids_refused #root #cgroup", function()
  local function run(...)
    return assert(container.run { "sh", "-c", ..., pids = 5, stderr = "null" })
  end

  setup(function()
    assert(container.run { "true" }) -- what it keeps for the others
  end)

  it("counts them, whatever became of the program", function()
    local result = run("for i in 1 2 3 4 5 6; do (sleep 60) & done")
    assert.equal(1, result.pids_refused) -- with which this shell gives up
    assert.not_equal(0, result.status)
    result = run("(for i in 1 2 3 4 5 6; do sleep 60 & done); exit 0")
    assert.same({ 1, 0 }, { result.pids_refused, result.status })
  end)

  it("is 0 where none was refused", function()
    local result = run("true")
    assert.same({ 0, 5 }, { result.pids_refused, result.pids_limit })
  end)
end)

describe("pids_refused of an ordinary user #userns", function()
  it("is not known where no cgroup holds the limit", function()
    local result = support.as_user("LUA_CPATH_5_4='./?.so' LUA_PATH_5_4='./lua/?.lua' "
      .. support.lua .. " -e " .. support.quote([[
        local sys, container = require "container.sys", require "container"
        local result = assert(container.run { "true" })
        local counted = sys.cgroup_place("pids") ~= nil
        print(result.pids_refused == nil or counted)]]))
    assert.same({ "true\n", "" }, { result.stdout, result.stderr })
  end)
end)
