-- What happens to the host program during a wait: its functions are called, streams flow,
-- and there is an answer to all that these functions do.

local sys = require "container.sys"
local contained = require "spec.fixtures.contained"
local support = require "spec.support"

local shell, spawn = contained.shell, contained.spawn
local DEADLINE <const> = contained.DEADLINE

setup(function()
  contained.run { "true" } -- the image of init stays open
end)

local function script(text, options)
  options = options or {}
  options[1], options[2], options[3] = "sh", "-c", text
  return spawn(options)
end

local function fails(pattern, step, result, err)
  assert.is_nil(result)
  assert.equal(step, err.step)
  assert.matches(pattern, tostring(err))
end

describe("the functions of the caller #root", function()
  it("are called at the events, with the container's object", function()
    local said = {}
    local c <close> = script("echo out; echo err >&2; exit 3", {
      stdout = "capture", stderr = "null", on = {
        output = function(...) said[#said + 1] = { "output", ... } end,
        exit = function(...) said[#said + 1] = { "exit", ... } end,
        timeout = function() said[#said + 1] = "timeout" end,
      } })
    local result = assert(c:wait(DEADLINE))
    assert.equal(2, #said)
    assert.same({ "output", "stdout", "out\n" }, { said[1][1], said[1][3], said[1][4] })
    assert.is_true(said[1][2] == c and said[2][2] == c and said[2][3] == result)
    c:wait()
    c:close()
    assert.equal(2, #said)
  end)

  it("are called by container.run, wait, poll and container.poll", function()
    local exits = 0
    local function options()
      return { "sh", "-c", "exit 4", on = { exit = function() exits = exits + 1 end } }
    end
    contained.run(options())
    assert.equal(1, exits)
    local c <close> = spawn(options())
    sys.ppoll({ c:fd() }, DEADLINE)
    assert.equal(4, c:poll().status)
    assert.equal(2, exits)
    local d <close> = spawn(options())
    assert.same({ d }, contained.poll({ d }, DEADLINE))
    assert.equal(3, exits)
    local plain = options()
    plain.rootfs, plain.pids = support.busybox_rootfs(), contained.PIDS
    assert(require("container.api").run(plain))
    assert.equal(4, exits)
  end)

  it("hear of output before the end, also of what a function or nobody else takes", function()
    local order = {}
    shell("echo a; echo b >&2; exit 1", {
      stdout = function(piece) order[#order + 1] = "fn " .. piece end, stderr = "capture",
      output_limit = 0, on = {
        output = function(_, name, piece) order[#order + 1] = name .. " " .. piece end,
        exit = function() order[#order + 1] = "exit" end,
      } })
    assert.equal("exit", order[#order])
    table.sort(order)
    assert.same({ "exit", "fn a\n", "stderr b\n", "stdout a\n" }, order)
  end)

  it("that raise end the container, and are what wait answers, with traceback", function()
    for name, options in pairs {
      stdout = { stdout = function() error "no more" end },
      stdin = { stdin = function() error "no more" end },
      ["on.output"] = { stdout = "capture", on = { output = function() error "no more" end } },
      ["on.timeout"] = { timeout = 0.05, on = { timeout = function() error "no more" end } },
    } do
      local c <close> = script("echo x; sleep 1000", options)
      fails("^" .. name .. ": spec/runtime/loop_spec.lua:%d+: no more\nstack traceback:\n",
        name, c:wait(DEADLINE))
      assert.is_nil(sys.stat("/proc/" .. c.pid))
      local _, first = c:wait()
      assert.equal(first, select(2, c:wait()))
    end
  end)

  it("that raise at the end leave the result in the error", function()
    local c <close> = script("exit 6", { on = { exit = function() error "late" end } })
    local result, err = c:wait(DEADLINE)
    fails("^on.exit: .*late", "on.exit", result, err)
    assert.equal(6, err.result.status)
  end)

  it("may raise what is no string, and what does not print", function()
    local c <close> = script("echo x; sleep 1000", { stdout = function() error { 1 } end })
    fails("^stdout: table: ", "stdout", c:wait(DEADLINE))
    local silent = setmetatable({}, { __tostring = function() error "not even that" end })
    local d <close> = script("echo x; sleep 1000", { stdout = function() error(silent) end })
    fails("^stdout: an error that does not print\nstack", "stdout", d:wait(DEADLINE))
    local e <close> = script("echo x; sleep 1000", { stdout = function() error() end })
    fails("^stdout: nil", "stdout", e:wait(DEADLINE))
  end)

  it("that yield end the container: nobody would resume them", function()
    for name, options in pairs {
      stdout = { stdout = coroutine.yield }, stdin = { stdin = function() coroutine.yield "x" end },
      ["on.exit"] = { on = { exit = function() coroutine.yield() end } },
    } do
      local thread = coroutine.wrap(function()
        local c <close> = script(name == "on.exit" and "exit 0" or "echo x; sleep 1000", options)
        return c:wait(DEADLINE)
      end)
      fails("^" .. name .. ": the function yields, which it may not$", name, thread())
    end
  end)

  it("that give something else than a string or nil end the container", function()
    for shown, value in pairs { ["number"] = 1, ["boolean"] = false, ["table"] = {} } do
      local c <close> = script("cat; sleep 1000", { stdin = function() return value end })
      fails("^stdin: expected a string or nil, got a " .. shown .. "$", "stdin", c:wait(DEADLINE))
    end
  end)

  it("are called no more after the first trouble", function()
    local calls = 0
    local c <close> = script("yes", { stdout = function()
      calls = calls + 1
      error("number " .. calls)
    end })
    fails("number 1\n", "stdout", c:wait(DEADLINE))
    assert.equal(1, calls)
  end)
end)

describe("a function that is called during a wait #root", function()
  -- Each of these gets the container's object, in a function of that kind.
  local function at(kind, act)
    local c
    local function fn()
      act(c)
      return kind == "stdin" and "text\n" or nil
    end
    local options = { stdout = fn }
    if kind == "stdin" then
      options = { stdin = fn }
    elseif kind == "on.output" then
      options = { stdout = "capture", on = { output = fn } }
    elseif kind == "on.timeout" then
      options = { timeout = 0.05, on = { timeout = fn } }
    elseif kind == "on.exit" then
      options = { on = { exit = fn } }
    end
    c = script(kind == "on.exit" and "exit 0" or "echo x; exec sleep 1000", options)
    return c
  end

  local RUNNING <const> = { "stdin", "stdout", "on.output", "on.timeout" }

  it("may close the container", function()
    for _, kind in ipairs(RUNNING) do
      local c <close> = at(kind, function(c) c:close() end)
      fails("^wait: the container was closed$", "wait", c:wait(DEADLINE))
      assert.is_nil(sys.stat("/proc/" .. c.pid))
    end
    local c <close> = at("on.exit", function(c) c:close() end)
    assert.equal(0, c:wait(DEADLINE).status)
  end)

  it("may close it and raise", function()
    for _, kind in ipairs(RUNNING) do
      local c <close> = at(kind, function(c) c:close() error "both" end)
      fails("^wait: the container was closed$", "wait", c:wait(DEADLINE))
    end
  end)

  it("may close it when it has ended, and when its time is up at that moment", function()
    local c, d
    c = script("cat; echo y >&2; exit 3", { stdin = "x", stderr = "capture",
      stdout = function() c:close() end })
    sys.ppoll({ c:fd() }, DEADLINE)
    fails("the container was closed$", "wait", c:wait(DEADLINE))
    d = script("echo x; exec sleep 1000", { timeout = 0.05, stdout = function() d:close() end })
    sys.ppoll({}, 0.2)
    fails("the container was closed$", "wait", d:wait(DEADLINE))
  end)

  it("may kill it", function()
    for _, kind in ipairs { "stdin", "stdout", "on.output" } do
      local c <close> = at(kind, function(c) c:kill("KILL") end)
      assert.same({ reason = "signal", status = 137, signal = "KILL" },
        support.ending(c:wait(DEADLINE)))
    end
    local ended
    local c <close> = at("on.exit", function(c) ended = select(2, c:kill("KILL")) end)
    c:wait(DEADLINE)
    assert.equal(sys.errno.ESRCH, ended.errno)
  end)

  it("may not wait for it: somebody does already", function()
    for _, kind in ipairs(RUNNING) do
      for _, how in ipairs { "wait", "poll" } do
        local err
        local c <close> = at(kind, function(c)
          err = err or select(2, c[how](c))
          c:kill("KILL")
        end)
        assert(c:wait(DEADLINE))
        assert.same({ "wait: this container is waited for already", sys.errno.EBUSY },
          { tostring(err), err.errno })
      end
      local err
      local c <close> = at(kind, function(c)
        err = err or select(2, contained.poll { c })
        c:kill("KILL")
      end)
      assert(c:wait(DEADLINE))
      assert.same({ "poll: [1] is waited for already", sys.errno.EBUSY },
        { tostring(err), err.errno })
    end
    local inside
    local c <close> = at("on.exit", function(c) inside = c:wait() end)
    local result = assert(c:wait(DEADLINE))
    assert.equal(result, inside)
  end)

  it("in a coroutine is as any other: a second one cannot wait meanwhile", function()
    local c, second
    c = script("echo x; exec sleep 1000", { stdout = function()
      second = table.pack(coroutine.wrap(function() return c:wait(1) end)())
      c:kill("TERM")
    end })
    local first = coroutine.wrap(function() return c:wait(DEADLINE) end)()
    assert.equal("TERM", first.signal)
    assert.equal(sys.errno.EBUSY, second[2].errno)
    c:close()
  end)

  it("may run and wait for other containers, and close them", function()
    local results, other = {}, spawn { "sleep", "1000" }
    local c <close> = script("echo x; read y; exit 2", { stdin = "\n", stdout = function()
      results[1] = shell("echo inner; exit 5", { stdout = "capture" })
      other:close()
    end })
    local d <close> = other
    assert.equal(2, c:wait(DEADLINE).status)
    assert.same({ 5, "inner\n" }, { results[1].status, results[1].stdout })
    assert.is_nil(sys.stat("/proc/" .. d.pid))
  end)

  it("may close another of those that container.poll attends", function()
    local c, d
    c = script("echo x; exec sleep 1000", { stdout = function()
      d:close()
      c:kill("TERM")
    end })
    d = script("while :; do echo y; done", { timeout = 1000, stdout = function() end })
    local ended = contained.poll({ c, d }, DEADLINE)
    assert.equal(d, ended[#ended])
    assert.equal("TERM", c:wait(DEADLINE).signal)
    c:close()
  end)

  it("may write to and read from the container", function()
    local c
    c = script("echo ready >&2; read x; echo got $x; exec sleep 1000", { stdin = "pipe",
      stdout = "pipe", stderr = function()
        c.stdin:write("text\n")
        assert.equal("got text", c.stdout:read())
        c:kill("TERM")
      end })
    assert.equal("TERM", assert(c:wait(DEADLINE)).signal)
    c.stdin:close()
    c.stdout:close()
  end)

  it("may start ones that nobody holds while the ended of such are looked at", function()
    local result = support.script([[
      local n = 0
      local function start()
        container.spawn({ "true", pids = "max", on = { exit = function()
          n = n + 1
          if n < 20 then start() start() end
        end } }):detach()
      end
      start() start() start()
      local finish = sys.clock_gettime() + 20
      while n < 20 and sys.clock_gettime() < finish do
        sys.ppoll({}, 0.01)
        container.run { "true", pids = "max" }
      end
      print(n >= 20)]])
    assert.same({ "true\n", "" }, { result.stdout, result.stderr })
  end)
end)
