-- A function in a container: container.call of the library.

local command = require "spec.fixtures.command"
local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true", pids = PIDS }
end)

local function call(options, ...)
  options.pids, options.timeout = options.pids or PIDS, options.timeout or 20
  return api.call(options, ...)
end

--- A call that fails: its message and its reason.
local function refused(message, reason, ...)
  local got = table.pack(call(...))
  assert.same({ 2, nil }, { got.n, got[1] })
  assert.equal(message, tostring(got[2]))
  assert.equal(reason, got[2].reason)
  return got[2]
end

--- The number of the pipe that the values go over, of those of the function's process.
local function find_pipe()
  for _, name in ipairs(sys.list("/proc/self/fd")) do
    local number = math.tointeger(name)
    if number > 2 and (sys.readlink("/proc/self/fd/" .. name) or ""):find("^pipe:") then
      return number
    end
  end
end

describe("a function in a container #root", function()
  it("gets arguments and gives values, of every kind", function()
    local got = table.pack(call({}, function(...)
      return select("#", ...), ...
    end, 1, nil, 0.5, "a\0b", { x = { true, false } }, nil))
    assert.same(table.pack(6, 1, nil, 0.5, "a\0b", { x = { true, false } }, nil), got)
    assert.equal(0, select("#", call({}, function() end)))
    local long = ("x"):rep(1 << 20)
    assert.is_true(call({}, function() return long .. "y" end) == long .. "y")
  end)

  it("is pid 1 of it, and all that a container's program is", function()
    local seen = call({ hostname = "box", cwd = "/usr", env = { A = "b" } }, function()
      local status = sys.read_file("/proc/self/status")
      return { pid = sys.getpid(), uid = sys.geteuid(), host = sys.gethostname(),
        cwd = sys.readlink("/proc/self/cwd"), a = os.getenv("A"),
        path = os.getenv("LUA_PATH_5_4"), caps = status:match("CapEff:\t(%x+)"),
        seccomp = status:match("Seccomp:\t(%d)"), nnp = status:match("NoNewPrivs:\t(%d)"),
        blocked = status:match("SigBlk:\t(%x+)"),
        -- 32 and 33 are libc's own, which a make that started this ignores.
        ignored = tonumber(status:match("SigIgn:\t(%x+)"), 16) & 0x7fffffff,
        fds = #sys.list("/proc/self/fd"), threads = status:match("Threads:\t(%d+)"),
        mounted = sys.mount("tmpfs", "/tmp", "tmpfs") }
    end)
    assert.same({ pid = 1, uid = 0, host = "box", cwd = "/usr", a = "b",
      caps = "00000000a00425fb", seccomp = "2", nnp = "1", blocked = "0000000000000000",
      ignored = 0, fds = 5, threads = "1" }, seen) -- 0 1 2, the pipe, the listing
    assert.same({ 7, 8 }, { call({ user = "7:8" }, function()
      local status = sys.read_file("/proc/self/status")
      return math.tointeger(status:match("Uid:\t(%d+)")), math.tointeger(
        status:match("Gid:\t(%d+)"))
    end) })
  end)

  it("has a copy of what it sees, and what it changes is gone with it", function()
    local upvalue, seen = { 1 }, 0
    local got = call({}, function()
      upvalue[1], seen = 2, 1
      _G.of_the_function = true -- luacheck: ignore
      return upvalue[1] + seen
    end)
    assert.same({ 3, { 1 }, 0 }, { got, upvalue, seen })
    assert.is_nil(rawget(_G, "of_the_function"))
  end)

  it("can start programs, and they end with it", function()
    local text, status = call({}, function()
      local pipe = io.popen("echo $HOME; id -u")
      local text = pipe:read("a")
      pipe:close()
      os.execute("sleep 1000 &")
      return text, select(3, os.execute("exit 3"))
    end)
    assert.same({ "/root\n0\n", 3 }, { text, status })
  end)

  it("has streams, which are in the result, flushed", function()
    local result
    local value = call({ stdin = "in", stdout = "capture", stderr = "capture",
      on = { exit = function(_, r) result = r end } }, function()
      print(io.read("a"))
      io.stderr:write("err")
      io.write("no end of line")
      return 1
    end)
    assert.same({ 1, "in\nno end of line", "err", "exit" },
      { value, result.stdout, result.stderr, result.reason })
  end)

  it("collects its garbage, and nothing of the host program's", function()
    local finished = 0
    local held = setmetatable({}, { __gc = function() finished = finished + 1 end })
    assert.same({ true, 0 }, { call({}, function()
      for _ = 1, 2000000 do
        local _ = { {} }
      end
      return collectgarbage("count") < 1 << 16, finished
    end) })
    assert.is_table(held)
    collectgarbage("stop")
    local runs = call({}, function() return collectgarbage("isrunning") end)
    collectgarbage("restart")
    assert.is_false(runs)
  end)

  it("finds the modules that are loaded", function()
    assert.is_true(call({ rootfs = command.root:rootfs() }, function()
      return require("spec.support") == support and not pcall(require, "busted.nosuch")
    end))
  end)

  it("leaves the caller its signals, its variables and its os.exit", function()
    local before = sys.read_file("/proc/self/status"):match("SigBlk.*SigCgt[^\n]*")
    local exit, home = os.exit, os.getenv("HOME")
    call({ env = { HOME = "/x" } }, function() end)
    assert.same({ exit, home }, { os.exit, os.getenv("HOME") })
    assert.equal(before, sys.read_file("/proc/self/status"):match("SigBlk.*SigCgt[^\n]*"))
  end)
end)

describe("a function that fails in a container #root", function()
  it("by an error gives its text and a traceback of its own", function()
    local err = refused("call: oh", "error", {}, function() error("oh", 0) end)
    assert.equal("call", err.step)
    assert.matches("^stack traceback:\n.*call_spec.lua:%d+: in function <", err.traceback)
    assert.is_nil(err.traceback:find("library.lua", 1, true))
    assert.equal("exit", err.result.reason)
    refused("call: nil", "error", {}, function() error() end)
    refused("call: shown", "error", {}, function()
      error(setmetatable({}, { __tostring = function() return "shown" end }))
    end)
    refused("call: an error that is a table", "error", {}, function()
      error(setmetatable({}, { __tostring = error }))
    end)
    local _, overflow = call({}, function() local function f() return 1 + f() end f() end)
    assert.matches("^call: .*stack overflow", tostring(overflow))
    local long = refused("call: " .. ("x"):rep(65536), "error", {}, function()
      error(("x"):rep(1 << 24), 0)
    end)
    assert.is_true(#long.traceback <= 65536)
  end)

  it("by an error that is no text keeps its value, where that can be returned", function()
    local err = refused("call: an error that is a table", "error", {}, function()
      error { code = 42, list = { "a" } }
    end)
    assert.same({ code = 42, list = { "a" } }, err.value)
    assert.matches("^stack traceback:\n", err.traceback)
    assert.equal(7, refused("call: 7", "error", {}, function() error(7) end).value)
    assert.is_nil(refused("call: an error that is a table", "error", {}, function()
      error { print }
    end).value)
    assert.is_nil(refused("call: an error that is a table", "error", {}, function()
      error { ("x"):rep(1 << 20) }
    end).value)
  end)

  it("by what it returns names the place", function()
    refused("call: result 2.x.y: a function cannot be returned", "error", {}, function()
      return 1, { x = { y = print } }
    end)
    refused("call: result 1: all together they take more than 100 bytes", "error",
      { result_limit = 100 }, function() return ("x"):rep(101) end)
  end)

  it("by yielding, and by ending its process", function()
    refused("call: the function yields, which it may not", "error", {}, coroutine.yield)
    refused("call: the function ended its process, with status 3", "exit", {}, function()
      os.exit(3)
    end)
    refused("call: the function ended its process, with status 0", "exit", {}, function()
      sys._exit(0)
    end)
    local result = select(2, call({ stdout = "capture" }, function()
      print "flushed"
      os.exit(true, true)
    end)).result
    assert.same({ 0, "flushed\n" }, { result.status, result.stdout })
  end)

  it("by its time, at once, and by its limits", function()
    local start = sys.clock_gettime()
    local err = refused("call: the function took longer than 0.2 seconds", "timeout",
      { timeout = 0.2 }, function() while true do end end)
    assert.is_true(sys.clock_gettime() - start < 1 * support.patience)
    assert.equal(137, err.result.status)
    local _, killed = call({ rlimits = { cpu = 1 } }, function() while true do end end)
    assert.same({ "call: the function was ended by signal KILL, by a limit of rlimits", "KILL" },
      { tostring(killed), killed.result.signal })
  end)

  it("before it runs, for what a container fails for", function()
    for message, options in pairs {
      ["spec: args: a function runs, and no command"] = { "true" },
      ["spec: init: the function is pid 1"] = { init = true },
      ["spec: tty: takes container.spawn"] = { tty = true },
      ["spec: hooks: takes container.run"] = { hooks = {} },
      ["spec: result_limit: expected a number of bytes, got 0"] = { result_limit = 0 },
      ["spec: options: unknown option \"nosuch\""] = { nosuch = 1 },
      ["rootfs: open /no/such: No such file or directory"] = { rootfs = "/no/such" },
    } do
      refused(message, nil, options, function() end)
    end
    refused("spec: call: expected a function, got a number", nil, {}, 1)
    local none, err = api.call(nil, print)
    assert.is_nil(none)
    assert.equal("spec: options: expected a table, got nil", tostring(err))
    none, err = api.run { "true", result_limit = 1 }
    assert.is_nil(none)
    assert.equal("spec: result_limit: is for container.call", tostring(err))
  end)
end)

describe("a hostile function #root", function()
  local function writes(bytes, times)
    return function()
      local number = find_pipe()
      for _ = 1, times or 1 do
        sys.write(number, bytes)
      end
      sys._exit(0)
    end
  end

  it("that writes what it likes is told what is wrong with it", function()
    local prefix = "call: what came of the function is malformed: "
    for bytes, message in pairs {
      ["x"] = "it is cut short", ["V"] = "it is cut short", ["V\1\0\0\0"] = "it is cut short",
      ["x\0\0\0\0"] = "it is no answer", ["E\0\0\0\0"] = "it is no answer",
      ["E\1\0\0\0\1"] = "it is no answer", ["V\1\0\0\0\9"] = "there is no value of kind 9 here",
      ["V\255\255\255\255"] = "more than 1000 values",
      ["V\1\0\0\0" .. ("\6\1\0\0\0\0\0\0\0"):rep(200)] =
        "more than 100 tables in each other",
    } do
      refused(prefix .. message, "malformed", {}, writes(bytes))
    end
  end)

  it("that writes without end, or says that it will, takes no memory here", function()
    collectgarbage()
    local before = collectgarbage("count")
    refused("call: what the function returns has more than 1000000 bytes", nil,
      { result_limit = 1000000 }, writes(("x"):rep(65536), math.maxinteger))
    refused("call: what came of the function is malformed: it is cut short", "malformed", {},
      writes("V\1\0\0\0\5\255\255\255\255"))
    collectgarbage()
    assert.is_true(collectgarbage("count") - before < 4096)
  end)

  it("that leaves a process with the pipe open, or says nothing, is over when it is over",
    function()
    assert.equal(7, call({}, function()
      sys.clone({}, function()
        sys.ppoll({}, 1000)
      end)
      return 7
    end))
    refused("call: the function took longer than 0.2 seconds", "timeout", { timeout = 0.2 },
      function()
        sys.write(find_pipe(), "V\0\0\0\0")
        sys.ppoll({}, 1000)
      end)
  end)

  it("leaves nothing of itself", function()
    local before = support.snapshot()
    for _ = 1, 20 do
      assert.equal(1, call({}, function() return 1 end))
      call({}, error, "x")
    end
    support.assert_same(before)
  end)
end)

describe("a function of an ordinary user's #userns", function()
  it("runs, with threads about and in a coroutine too", function()
    local script = support.quote [[
      package.path, package.cpath = "./lua/?.lua;" .. package.path, "./?.so;" .. package.cpath
      local container = require "container"
      local sys = require "container.sys"
      print(coroutine.wrap(function()
        return container.call({}, function(n) return sys.getpid() + n end, 2)
      end)())]]
    local result = support.as_user(support.lua .. " -e " .. script)
    assert.same({ status = 0, stdout = "3\n", stderr = "" }, result)
    result = support.run(("LD_PRELOAD=%s %s -e %s"):format(command.program "threads",
      support.lua, script))
    assert.same({ status = 0, stdout = "3\n", stderr = "" }, result)
  end)
end)

describe("container.spawn_call #root", function()
  local function spawn(options, ...)
    options.pids, options.timeout = options.pids or PIDS, options.timeout or 20
    return api.spawn_call(options, ...)
  end

  it("gives the object at once, and wait the values, also when asked again", function()
    local c <close> = assert(spawn({}, function(...) return nil, false, { ... }, nil end, 1, "two"))
    assert.is_true(c.pid > 0)
    for _ = 1, 2 do
      assert.same({ n = 4, [2] = false, [3] = { 1, "two" } }, table.pack(c:wait()))
    end
    c:close()
    assert.equal(4, select("#", c:wait()))
  end)

  it("gives an object for event loops: its fd is ready with its values", function()
    local c <close> = assert(spawn({}, function() return false, ("x"):rep(1000000) end))
    local number, turns, done = c:fileno(), 0
    assert.is_false(c:poll())
    repeat
      assert.is_true(sys.ppoll({ number }, 20 * support.patience)[1])
      done, turns = c:poll(), turns + 1
    until done or turns > 1000
    assert.is_true(done)
    local value, text = c:wait()
    assert.is_false(value)
    assert.equal(1000000, #text)
  end)

  it("is killed as any other, and wait says why there are no values", function()
    local c <close> = assert(spawn({}, function() while true do end end))
    local _, running = c:wait(0.05)
    assert.equal(sys.errno.ETIMEDOUT, running.errno)
    assert(c:kill "KILL")
    local none, err = c:wait()
    assert.is_nil(none)
    assert.same({ "call", "signal", "KILL" }, { err.step, err.reason, err.result.signal })
    assert.is_true(c:poll())
  end)

  it("runs several at once", function()
    local list = {}
    for i = 1, 5 do
      list[i] = assert(spawn({}, function() return i * i end))
    end
    local sum = 0
    for _, c in ipairs(list) do
      local one <close> = c
      sum = sum + one:wait()
    end
    assert.equal(55, sum)
  end)

  it("refuses what is no function", function()
    local c, err = spawn({}, "print")
    assert.is_nil(c)
    assert.equal("spec: spawn_call: expected a function, got a string", tostring(err))
  end)
end)
