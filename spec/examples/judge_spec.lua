-- The judge: each verdict, of programs in C and in Lua.

local scratch = require "spec.fixtures.scratch"
local support = require "spec.support"

local TASK <const> = [[
return { time = %s, memory = 32 << 20, output = 4096,
  { input = "2\n", answer = "4" }, { input = "3\n", answer = "9\n" } }]]

local function save(name, text)
  local path = support.tmpdir() .. "/" .. name
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  return path
end

local function judge(kind, program, time)
  return support.run(("%s examples/judge.lua %s %s"):format(support.lua,
    save("task.lua", TASK:format(time or 2)), save("program." .. kind, program)))
end

-- The verdict of a test, and what else is said of it.
local function said(result, number)
  return result.stdout:match("test " .. number .. "  (%u+) +[%d.]+ s +[%d.]+ MiB *([^\n]*)\n")
end

local function assert_verdict(word, status, result)
  assert.equal("", result.stderr)
  assert.equal(word, result.stdout:match("(%u+)\n$"))
  assert.equal(status, result.status)
end

local function c(body)
  return "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n\z
    int main(void) { int n; if (scanf(\"%d\", &n) != 1) return 9; " .. body .. " }\n"
end

describe("examples/judge.lua", function()
  it("says AC of what answers right, and ends with 0 #root", function()
    support.needs "cc"
    assert_verdict("AC", 0, judge("c", c "printf(\"%d\\n\\n\", n * n); return 0;"))
    assert_verdict("AC", 0, judge("lua", "local n = io.read('n') print(n * n)"))
  end)

  it("judges the task beside it #root", function()
    support.needs "cc"
    local result = support.run(support.lua
      .. " examples/judge.lua examples/judge/sum.lua examples/judge/sum.c")
    assert_verdict("AC", 0, result)
    assert.equal("AC", said(result, 3))
  end)

  it("says WA of another answer, test by test #root", function()
    local result = judge("lua", "print(io.read('n') == 2 and 4 or 8)")
    assert_verdict("WA", 1, result)
    assert.same({ "AC", "WA" }, { said(result, 1), said(result, 2) and (said(result, 2)) })
  end)

  it("says TLE of what computes too long, and of what only waits #root", function()
    assert_verdict("TLE", 1, judge("lua", "while true do end", 0.5))
    assert_verdict("TLE", 1, judge("lua", "os.execute 'trap \"\" TERM; sleep 100'", 0.1))
  end)

  it("says MLE of what takes too much memory #root", function()
    support.needs "cc"
    assert_verdict("MLE", 1, judge("c",
      c "for (;;) { char *p = malloc(1 << 20); if (!p) return 1; memset(p, 1, 1 << 20); }"))
    assert_verdict("MLE", 1, judge("lua", "local t = {} while true do t[#t + 1] = {} end"))
    -- What is only asked for counts for nothing.
    assert_verdict("AC", 0, judge("c",
      c "char *p = malloc(64 << 20); printf(\"%d\", p ? n * n : 0); return 0;"))
  end)

  it("says OLE of what says too much, without end or not #root", function()
    assert_verdict("OLE", 1, judge("lua", "while true do print('x') end"))
    assert_verdict("OLE", 1, judge("lua", "io.write(('x'):rep(4097))"))
  end)

  it("says RE, and how, of what does not end with 0 #root", function()
    support.needs "cc"
    local result = judge("c", c "if (n == 2) abort(); return 3;")
    assert_verdict("RE", 1, result)
    assert.same({ "RE", "signal ABRT" }, { said(result, 1) })
    assert.same({ "RE", "status 3" }, { said(result, 2) })
    assert_verdict("RE", 1, judge("lua", "error 'x'"))
  end)

  it("says CE, with what the compiler says #root", function()
    support.needs "cc"
    local result = judge("c", "int main(void) { return nothing; }")
    assert_verdict("CE", 1, result)
    assert.matches("nothing", result.stdout)
  end)

  it("lets neither the compiler nor the program at this machine's files #root", function()
    support.needs "cc"
    local mark = scratch.path .. "/judged"
    local result = judge("c", c("FILE *f = fopen(\"" .. mark .. "\", \"w\"); \z
      printf(\"%d\", f || !access(\"" .. scratch.path .. "\", F_OK) ? 0 : n * n); return 0;"))
    assert_verdict("AC", 0, result)
    assert_verdict("CE", 1, judge("c", "#include \"" .. save("secret.h", "int main;") .. "\"\n"))
  end)

  it("ends with 2 where there is nothing to judge", function()
    for _, words in ipairs { "", "/no/task", "examples/judge/sum.lua x.py",
      "examples/judge/sum.lua /no/such.c", "/no/task x.c" } do
      local result = support.run(support.lua .. " examples/judge.lua " .. words)
      assert.same({ 2, "" }, { result.status, result.stdout })
      assert.matches("^judge: [^\n]+\n$", result.stderr)
    end
  end)
end)
