local trace = require "bench.trace"

local LOG <const> = [[
100 execve("/usr/bin/lua5.4", ["lua5.4"], 0x1 /* 2 vars */) = 0
100 openat(AT_FDCWD</srv>, "a", O_RDONLY) = 3</srv/a>
100 read(3</srv/a>, "x", 10) = 1
100 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
101 umask(000 <unfinished ...>
100 <... clone resumed>) = 101
101 <... umask resumed>) = 022
101 execveat(5, "", ["init"]) = 0
101 close(5) = 0
100 --- SIGCHLD {si_signo=SIGCHLD} ---
100 exit_group(0) = ?
100 +++ exited with 0 +++
]]

local ROLES <const> = {
  { title = "one",
    { "^execve", text = "start", takes = "" },
    { '"a"', text = "the file", takes = "read" },
    { "^clone", "^exit", text = "the rest", takes = "" } },
  { title = "two", { "^umask", text = "mode", takes = "execveat" } },
  { title = "three", from = "^execveat", { "^close", text = "closed", takes = "" } },
}

describe("read", function()
  it("counts a call once, where it began, and nothing that is no call", function()
    local processes = trace.read(LOG)
    assert.equal(2, #processes)
    local names = {}
    for i, entry in ipairs(processes[1]) do
      names[i] = entry.call
    end
    assert.same({ "execve", "openat", "read", "clone", "exit_group" }, names)
    assert.equal(3, #processes[2])
  end)
end)

describe("explain", function()
  it("gives each call the reason that it begins or goes on with", function()
    local result, unexplained = trace.explain(trace.read(LOG), ROLES)
    assert.same({}, unexplained)
    assert.equal(3, #result)
    assert.equal(5, result[1].count)
    assert.equal("the file", result[1][2].reason.text)
    assert.same({ openat = 1, read = 1 }, result[1][2].calls)
  end)

  it("ends a process where it becomes another", function()
    local result = trace.explain(trace.read(LOG), ROLES)
    assert.equal(2, result[2].count)
    assert.equal(1, result[3].count)
  end)

  it("names a call that goes on with nothing", function()
    local log = LOG:gsub("101 close", "101 fsync(4) = 0\n101 close")
    local result, unexplained = trace.explain(trace.read(log), ROLES)
    assert.equal(1, #unexplained)
    assert.matches("^three: fsync", unexplained[1])
    assert.equal(1, result[3].count)
  end)

  it("goes on with what was before what stands aside", function()
    local roles = { { title = "one", { "^brk", text = "memory", aside = true },
      { '"a"', text = "the file", takes = "read" } } }
    local log = '7 openat("a") = 3\n7 brk(0) = 1\n7 read(3) = 0\n'
    local result, unexplained = trace.explain(trace.read(log), roles)
    assert.same({}, unexplained)
    assert.same({ openat = 1, read = 1 }, result[1][1].calls)
    assert.same({ brk = 1 }, result[1][2].calls)
  end)

  it("counts nothing behind the last call of a role", function()
    local roles = { { title = "one", to = "^execve", { "^execve", text = "exec" } } }
    local result, unexplained = trace.explain(trace.read(LOG), roles)
    assert.equal(1, result[1].count)
    assert.same({}, unexplained)
  end)
end)
