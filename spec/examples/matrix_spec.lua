-- The matrix: commands in parallel, one container each.

local support = require "spec.support"

local function matrix(words)
  return support.run(support.lua .. " examples/matrix.lua " .. words)
end

-- The lines of the table at the end, without what the clock says.
local function rows(result)
  local list = {}
  for line in result.stdout:match("seconds  end +command\n(.*)$"):gmatch("[^\n]+") do
    list[#list + 1] = line:gsub(" +%d+%.%d%d +", " ")
  end
  return list
end

describe("examples/matrix.lua", function()
  it("runs every command for every combination, and ends with 0 #root", function()
    local result = matrix "-j 3 -e A=1,2 -e B=x,y 'test $A$B != 3' 'true'"
    assert.equal("", result.stderr)
    assert.same({ "ok status 0     A=1 B=x test $A$B != 3", "ok status 0     A=1 B=x true",
      "ok status 0     A=1 B=y test $A$B != 3", "ok status 0     A=1 B=y true",
      "ok status 0     A=2 B=x test $A$B != 3", "ok status 0     A=2 B=x true",
      "ok status 0     A=2 B=y test $A$B != 3", "ok status 0     A=2 B=y true",
      "0 of 8 failed" }, rows(result))
    assert.equal(0, result.status)
  end)

  it("shows what failed, and how, and ends with 1 #root", function()
    local result = matrix "-e A=1,2 'echo out $A; echo err >&2; exit $((A - 1))' 'kill -9 $$'"
    assert.matches("\n?%-%-%- A=2 echo out[^\n]*: status 1\nout 2\nerr\n", result.stdout)
    assert.is_nil(result.stdout:find("out 1\n", 1, true))
    assert.same({ "ok status 0     A=1 echo out $A; echo err >&2; exit $((A - 1))",
      "FAILED signal KILL  A=1 kill -9 $$",
      "FAILED status 1     A=2 echo out $A; echo err >&2; exit $((A - 1))",
      "FAILED signal KILL  A=2 kill -9 $$", "3 of 4 failed" }, rows(result))
    assert.equal(1, result.status)
  end)

  it("has no command see what another one left, nor write here #root", function()
    local result = matrix "-j 1 'test ! -e /etc/left && echo x >/etc/left' \z
      'test ! -e /etc/left && test -e run.lua && ! touch x 2>/dev/null && echo x >/etc/left'"
    assert.same({ "", 0 }, { result.stderr, result.status })
  end)

  it("ends what takes too long #root", function()
    local result = matrix(("-t %g -j 2 'sleep 1000' 'true'"):format(0.5 * support.patience))
    assert.same({ "FAILED timeout TERM sleep 1000", "ok status 0     true", "1 of 2 failed" },
      rows(result))
    assert.equal(1, result.status)
  end)

  it("runs as many at a time as it is told #root", function()
    local function seconds(jobs)
      local before = require("container.sys").clock_gettime()
      local command = (" 'sleep %g'"):format(0.4 * support.patience)
      assert.equal(0, matrix("-j " .. jobs .. command:rep(3)).status)
      return require("container.sys").clock_gettime() - before
    end
    assert.is_true(seconds(1) >= 1.2 * support.patience)
    assert.is_true(seconds(3) < 1.2 * support.patience)
  end)

  it("says how it is to be called, and ends with 2", function()
    for _, words in ipairs { "", "-j 2", "-j x true", "-j 0 true", "-t x true", "-e A true",
      "-z 1 true" } do
      local result = matrix(words)
      assert.same({ 2, "" }, { result.status, result.stdout })
      assert.matches("^matrix: usage: ", result.stderr)
    end
  end)
end)
