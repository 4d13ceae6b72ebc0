-- What --stats shows, and where.

local support = require "spec.support"

local RUN <const> = support.lua .. " run.lua -q "

describe("--stats #cgroup", function()
  it("says at the end what was used, and nothing before where there is no terminal", function()
    local result = support.run(RUN .. "--stats --pids-limit 9 sh -c 'echo out; sleep 0.7; exit 3'")
    assert.equal("out\n", result.stdout)
    assert.equal(3, result.status)
    assert.matches("^Used cpu [%d.]+ s of %d+%.%d+ s.*\n$", result.stderr)
    assert.is_nil(result.stderr:find("\27", 1, true))
  end)

  it("shows a line that changes on a terminal, and takes it away", function()
    support.needs "script"
    local result = support.run("script -qec " .. support.quote(RUN
      .. "--stats -m 64M --cpus 1 sh -c 'sleep 1.2' </dev/null") .. " /dev/null")
    assert.equal(0, result.status)
    local _, times = result.stdout:gsub("\r\27%[K", "")
    assert.truthy(times >= 3, result.stdout)
    assert.matches("\27%[Kcpu %d+%%, memory [%d.]+[KM] of 64.0M, processes %d of 20", result.stdout)
    assert.matches("\r\27%[KUsed cpu [^\n]*\n$", result.stdout)
  end)

  it("in JSON are the numbers at the end", function()
    local result = support.run(RUN .. "--stats=json --pids-limit 9 sh -c 'exit 3'")
    assert.equal(3, result.status)
    assert.matches("\"status\": 3", result.stderr)
    assert.matches("\"reason\": \"exit\"", result.stderr)
    assert.matches("\"limit\": 9", result.stderr)
    local ok, cjson = pcall(require, "cjson")
    if ok then
      local found = cjson.decode(result.stderr)
      assert.equal(9, found.pids.limit)
      assert.truthy(found.cpu.usage > 0)
    end
  end)

  it("knows no other form", function()
    assert.equal("lua-container: option --stats takes no value\n",
      support.run(RUN .. "--stats=xml true").stderr)
  end)
end)
