local sys = require "container.sys"
local api = require "container.api"
local streams = require "container.engine.streams"
local support = require "spec.support"

-- With a cgroup where there can be one.
local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true", pids = PIDS }
end)

local function run(options)
  options.pids = options.pids or PIDS
  return api.run(options)
end

local function spawn(options)
  options.pids = options.pids or PIDS
  return assert(api.spawn(options))
end

local function shell(script, init)
  return assert(run { "sh", "-c", script, init = init })
end

local function idle(init)
  return spawn { "sleep", "1000", init = init }
end

-- Runs something in a copy of this process, which may not take long for it.
local function in_copy(fn)
  local reader, writer = assert(sys.pipe())
  local pid = assert(sys.clone({}, function()
    sys.pdeathsig("KILL")
    sys.write(writer, fn())
  end))
  writer:close()
  local pidfd <close> = sys.pidfd_open(pid)
  local quick = sys.ppoll({ pidfd }, 5)[1]
  if not quick then
    sys.kill(pid, "KILL")
  end
  sys.wait(pid)
  local said = quick and sys.read(reader) or "it did not come to an end"
  reader:close()
  return said
end

-- Everything about this process that a library call could change.
local function state()
  local status = sys.read_file("/proc/self/status")
  local list = {
    cwd = sys.readlink("/proc/self/cwd"), root = sys.readlink("/proc/self/root"),
    limits = sys.read_file("/proc/self/limits"),
    mounts = sys.read_file("/proc/self/mountinfo"),
    cgroup = sys.read_file("/proc/self/cgroup"),
    oom = sys.read_file("/proc/self/oom_score_adj"),
    hostname = sys.gethostname(), collector = collectgarbage("isrunning"),
    environment = support.run("env | sort").stdout,
    -- Process group, session and terminal.
    session = sys.read_file("/proc/self/stat"):match("%) %S %d+ (%-?%d+ %-?%d+ %-?%d+)"),
  }
  for _, field in ipairs { "Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "SigCgt", "CapEff",
    "CapPrm", "CapInh", "CapBnd", "NoNewPrivs", "Seccomp", "Threads" } do
    list[field] = status:match("\n" .. field .. ":([^\n]*)")
  end
  for _, kind in ipairs(sys.list("/proc/self/ns")) do
    list[kind] = sys.readlink("/proc/self/ns/" .. kind)
  end
  local fds = sys.list("/proc/self/fd")
  table.sort(fds)
  list.fds = table.concat(fds, " ")
  return list
end

describe("the result of a container #root", function()
  it("is the exit status", function()
    for _, status in ipairs { 0, 7, 255 } do
      for _, init in ipairs { true, false } do
        assert.same({ reason = "exit", status = status },
          support.ending(shell("exit " .. status, init)))
      end
    end
  end)

  it("is the signal that ended the program", function()
    for name, number in pairs { TERM = 15, KILL = 9, USR1 = 10, SEGV = 11 } do
      assert.same({ reason = "signal", status = 128 + number, signal = name },
        support.ending(shell("kill -" .. name .. " $$")))
    end
  end)

  it("is a number where the signal has no name", function()
    assert.same({ reason = "signal", status = 168, signal = "40" },
      support.ending(shell("kill -40 $$")))
  end)

  it("tells a status of 128 + n from signal n", function()
    assert.same({ reason = "exit", status = 143 }, support.ending(shell("exit 143")))
  end)

  it("is that of the program, whatever else it started", function()
    assert.same({ reason = "exit", status = 3 },
      support.ending(shell("sleep 1000 & (exit 4) & exit 3")))
    assert.same({ reason = "exit", status = 3 },
      support.ending(shell("sleep 1000 & exit 3", false)))
  end)

  it("is the same table however often one waits", function()
    local c <close> = spawn { "sh", "-c", "exit 5" }
    local result = assert(c:wait())
    assert.equal(5, result.status)
    assert.equal(result, c:wait())
    c:close()
    assert.equal(result, c:wait())
  end)

  it("is right in a host program that ignores its children", function()
    local script = support.quote [[
      local container = require "container"
      local sys = require "container.sys"
      local pids = sys.cgroup_place("pids") and 20 or "max"
      for _, command in ipairs { "exit 0", "exit 7", "kill -TERM $$" } do
        local result = assert(container.run { "sh", "-c", command, pids = pids })
        print(result.reason, result.status, result.signal)
      end
      local c = assert(container.spawn { "sleep", "1000", pids = pids })
      assert(c:kill("TERM"))
      print(c:wait().signal)
      c = assert(container.spawn { "sleep", "1000", pids = pids })
      c:close()
      print(sys.stat("/proc/" .. c.pid))]]
    local result = support.run("exec env --ignore-signal=CHLD " .. support.lua .. " -e " .. script)
    assert.same({ "exit\t0\tnil\nexit\t7\tnil\nsignal\t143\tTERM\nTERM\n"
      .. "nil\tstat " .. (result.stdout:match("stat (/proc/%d+)") or "")
      .. ": No such file or directory\t2\n", "" }, { result.stdout, result.stderr })
  end)

  it("is an error when there was no container", function()
    local result, err = run { "/no/such" }
    assert.is_nil(result)
    assert.equal("exec: /no/such: No such file or directory", tostring(err))
    assert.same({ "exec", "/no/such", sys.errno.ENOENT },
      { err.step, err.subject, err.errno })
    result, err = run { "true", hostname = "" }
    assert.is_nil(result)
    assert.same({ "spec", "hostname" }, { err.step, err.subject })
    result, err = run { "true", rootfs = "/no/such" }
    assert.is_nil(result)
    assert.same({ "rootfs", "/no/such", sys.errno.ENOENT },
      { err.step, err.subject, err.errno })
  end)
end)

describe("a container's object #root", function()
  it("has the pid that the host sees, and prints with it", function()
    local c <close> = idle()
    assert.matches("\nPPid:%s*" .. sys.getpid() .. "\n",
      sys.read_file(("/proc/%d/status"):format(c.pid)))
    assert.equal(("container (%d)"):format(c.pid), tostring(c))
  end)

  it("has an fd that can be polled for the end", function()
    local c <close> = idle()
    assert.same({}, sys.ppoll({ c:fd() }, 0))
    assert.is_true(c:kill("TERM"))
    assert.same({ true }, sys.ppoll({ c:fd() }, 10))
    assert.equal("TERM", c:wait().signal)
  end)

  it("passes signals on, by name and by number", function()
    for _, signal in ipairs { "TERM", "SIGTERM", 15 } do
      local c <close> = idle()
      assert.is_true(c:kill(signal))
      assert.same({ reason = "signal", status = 143, signal = "TERM" }, support.ending(c:wait()))
    end
  end)

  it("takes a signal's name in either case, and its number in a text or a float", function()
    for _, signal in ipairs { "term", "sigterm", "15", 15.0 } do
      local c <close> = idle()
      assert.is_true(c:kill(signal))
      assert.equal("TERM", c:wait().signal)
    end
  end)

  it("refuses what is no signal, and shows it", function()
    local c <close> = idle()
    for shown, signal in pairs { ["\"terminate\""] = "terminate", ["65"] = 65, ["-1"] = -1,
      ["1.5"] = 1.5, ["a table"] = {}, ["nil"] = false } do
      local ok, err = c:kill(signal or nil)
      assert.is_nil(ok)
      assert.equal("kill: expected the name or number of a signal, got " .. shown, tostring(err))
      assert.equal(sys.errno.EINVAL, err.errno)
    end
    assert.is_false(c:poll())
  end)

  it("ends the whole container with KILL", function()
    for i, init in ipairs { true, false, true } do
      local c <close> = idle(init)
      assert.is_true(c:kill(i == 3 and "sigkill" or "KILL"))
      assert.same({ reason = "signal", status = 137, signal = "KILL" }, support.ending(c:wait()))
    end
  end)

  it("refuses what is no number of seconds or bytes, and can be asked again", function()
    local c <close> = assert(api.spawn { "echo", "hello", stdout = "pipe" })
    for _, wrong in ipairs { 0 / 0, "x", {} } do
      local _, err = c:wait(wrong)
      assert.equal("wait: expected a number of seconds", tostring(err))
    end
    local _, err = api.poll({ c }, 0 / 0)
    assert.equal("poll: expected an array of containers, and a number of seconds", tostring(err))
    for _, wrong in ipairs { -1, 0, 1.5, "x" } do
      local _, refusal = c.stdout:readsome(wrong)
      assert.equal("stdout: expected a number of bytes to read", tostring(refusal))
    end
    assert.equal("hello\n", c.stdout:readsome(100))
    assert.equal(0, c:wait().status)
  end)

  it("can be waited for again after an error that came out of a wait", function()
    local c <close> = assert(api.spawn { "sleep", "0.1" })
    local function interrupt()
      debug.sethook(function()
        debug.sethook()
        error("enough", 0)
      end, "", 60)
      return c:wait()
    end
    assert.is_false((pcall(interrupt)))
    assert.equal(0, c:wait().status)
  end)

  it("bears an error of a function's that cannot be told", function()
    local _, err = api.run { "echo", "hello", stdout = function()
      error(setmetatable({}, { __tostring = function() error("never") end }))
    end }
    assert.matches("^stdout: an error that does not print", tostring(err))
  end)

  it("takes not much more memory for what is captured in small pieces", function()
    local c = {}
    require("container.config.streams").read(c, "capture", "stdout")
    local source = streams.sources(c)[1]
    collectgarbage()
    local before = collectgarbage("count")
    for i = 1, 200000 do
      source.take(("%08d"):format(i))
    end
    collectgarbage()
    assert.truthy(collectgarbage("count") - before < 2 * 200000 * 8 / 1024)
    local text, size = source.finish()
    assert.equal(200000 * 8, size)
    assert.equal(size, #text)
    for i = 1, 200000, 997 do
      assert.equal(("%08d"):format(i), text:sub(8 * i - 7, 8 * i))
    end
  end)

  it("sends no signal after the end", function()
    local c <close> = spawn { "true" }
    c:wait()
    local ok, err = c:kill("TERM")
    assert.is_nil(ok)
    assert.same({ "kill", sys.errno.ESRCH }, { err.step, err.errno })
    assert.matches("the container has ended$", tostring(err))
    local closed = idle()
    closed:close()
    ok, err = closed:kill("TERM")
    assert.is_nil(ok)
    assert.equal(sys.errno.ESRCH, err.errno)
  end)

  it("prints errors that say things once", function()
    local c = idle()
    c:close()
    local _, killed = c:kill("TERM")
    local _, waited = c:wait()
    assert.equal("kill: the container has ended", tostring(killed))
    assert.equal("wait: the container was closed", tostring(waited))
  end)

  it("ends its container when it is closed, and does nothing a second time", function()
    local c = idle()
    c:close()
    assert.is_nil(sys.stat("/proc/" .. c.pid))
    c:close()
    local result, err = c:wait()
    assert.is_nil(result)
    assert.same({ "wait", sys.errno.ECHILD }, { err.step, err.errno })
  end)

  it("can be closed after its end", function()
    local c = spawn { "true" }
    local result = c:wait()
    c:close()
    assert.equal(result, c:wait())
  end)

  it("ends its container at the end of a scope", function()
    local pid
    do
      local c <close> = idle()
      pid = c.pid
      assert.is_truthy(sys.stat("/proc/" .. pid))
    end
    assert.is_nil(sys.stat("/proc/" .. pid))
  end)

  it("ends its container when an error leaves the scope", function()
    local pid
    local ok = pcall(function()
      local c <close> = idle()
      pid = c.pid
      error("out")
    end)
    assert.is_false(ok)
    assert.is_nil(sys.stat("/proc/" .. pid))
  end)

  it("ends its container when it is collected", function()
    local pid = idle().pid
    collectgarbage()
    collectgarbage()
    assert.is_nil(sys.stat("/proc/" .. pid))
  end)

  it("ends its container with the host program's state", function()
    local result = support.script([[
      local c = assert(container.spawn { "sleep", "1000", pids = "max" })
      print(c.pid)
      os.exit(0, true)
    ]])
    assert.equal(0, result.status)
    assert.is_nil(sys.stat("/proc/" .. result.stdout:match("%d+")))
  end)
end)

describe("the copy of a container's object in another process #root", function()
  local function assert_untouched(c)
    assert.is_true(c:kill("TERM"))
    assert.same({ reason = "signal", status = 143, signal = "TERM" }, support.ending(c:wait()))
  end

  it("does not end the container when it is closed", function()
    local c <close> = idle()
    assert.equal("closed", in_copy(function()
      c:close()
      return "closed"
    end))
    assert_untouched(c)
  end)

  it("does not end the container when it is collected", function()
    local c = idle()
    assert.equal("collected", in_copy(function()
      c = nil
      collectgarbage()
      collectgarbage()
      return "collected"
    end))
    assert_untouched(c)
  end)

  it("does not wait, nor take the answer away", function()
    local c <close> = idle()
    assert.equal(tostring(sys.errno.ECHILD), in_copy(function()
      local result, err = c:wait()
      return tostring(not result and err.errno)
    end))
    assert_untouched(c)
  end)

  it("takes nothing away of a container that has ended meanwhile", function()
    local c <close> = spawn { "sh", "-c", "exit 6" }
    sys.ppoll({ c:fd() }, 10)
    assert.equal("closed", in_copy(function()
      c:close()
      return "closed"
    end))
    assert.equal(6, c:wait().status)
  end)
end)

describe("the host program #root", function()
  it("stays as it was, however a container ends", function()
    local umask = sys.umask(18)
    local before = state()
    assert(run { "true" })
    assert.same(before, state())
    assert(run { "true", init = false })
    assert.same(before, state())
    assert.is_nil(run { "/no/such" })
    assert.same(before, state())
    assert.is_nil(run { "true", rootfs = "/no/such" })
    assert.same(before, state())
    assert.is_nil(run { "true", nosuch = 1 })
    assert.same(before, state())
    assert.is_nil(run { "true", cwd = "/etc/passwd" })
    assert.same(before, state())
    idle():close()
    collectgarbage()
    assert.same(before, state())
    sys.umask(umask)
  end)

  it("keeps a table of options as it is", function()
    local options = { "true", env = { A = "b" }, volumes = { "/tmp:/x" }, pids = PIDS }
    assert(api.run(options))
    assert.same({ "true", env = { A = "b" }, volumes = { "/tmp:/x" }, pids = PIDS }, options)
  end)

  it("can run one in a coroutine", function()
    local thread = coroutine.create(function()
      local result = run { "sh", "-c", "exit 4" }
      coroutine.yield(result.status)
      local c <close> = idle()
      coroutine.yield(c.pid)
    end)
    assert.same({ true, 4 }, { coroutine.resume(thread) })
    local _, pid = coroutine.resume(thread)
    assert.is_truthy(sys.stat("/proc/" .. pid))
    assert.is_true(coroutine.close(thread))
    assert.is_nil(sys.stat("/proc/" .. pid))
  end)

  it("can run one in a finalizer and in a sort", function()
    local statuses = {}
    setmetatable({}, { __gc = function()
      statuses[#statuses + 1] = run { "sh", "-c", "exit 8" }.status
    end })
    collectgarbage()
    collectgarbage()
    table.sort({ 1, 2 }, function(a, b)
      statuses[#statuses + 1] = run { "sh", "-c", "exit 9" }.status
      return a < b
    end)
    assert.same({ 8, 9 }, { statuses[1], statuses[2] })
  end)

  it("has the same fds after 200 of them", function()
    collectgarbage()
    local before = #sys.list("/proc/self/fd")
    for _ = 1, 200 do
      assert.equal(0, run({ "true", rootfs = support.busybox_rootfs() }).status)
    end
    collectgarbage()
    assert.equal(before, #sys.list("/proc/self/fd"))
  end)

  it("can have 20 of them at once", function()
    local all, pids = {}, {}
    for i = 1, 20 do
      all[i] = spawn { "sh", "-c", "sleep 1000; exit " .. i, rootfs = support.busybox_rootfs() }
      assert.is_nil(pids[all[i].pid])
      pids[all[i].pid] = true
    end
    for i = 20, 1, -1 do
      assert.is_true(all[i]:kill(i % 2 == 0 and "TERM" or "KILL"))
    end
    for i = 1, 20 do
      assert.equal(i % 2 == 0 and "TERM" or "KILL", all[i]:wait().signal)
    end
  end)

  it("may have closed its standard streams", function()
    local path = support.tmpdir()
    support.run(support.lua .. " -e " .. support.quote(([[
      local container = require "container"
      local sys = require "container.sys"
      local status = assert(container.run { "sh", "-c",
        "[ $(readlink /proc/self/fd/1) != /v ] && echo in > /v/inside; exit 3",
        pids = "max", volumes = { %q } }).status
      local file <close> = assert(sys.open(%q, "wronly,creat"))
      sys.write(file, tostring(status))]]):format(path .. ":/v", path .. "/outside"))
      .. " <&- >&- 2>&-")
    assert.equal("in\n", sys.read_file(path .. "/inside"))
    assert.equal("3", sys.read_file(path .. "/outside"))
  end)

  it("may hold many files and much memory", function()
    local result = support.script([[
      local held, text = {}, ("x"):rep(1 << 24)
      for i = 1, 500 do held[i] = assert(sys.open("/dev/null")) end
      print(assert(container.run { "true", pids = "max" }).status, #held, #text)
    ]])
    assert.equal("0\t500\t16777216\n", result.stdout)
  end)

  it("that may open no more files gets one sentence", function()
    local result = support.script([[
      assert(container.run { "true", pids = "max" })
      local held, fd = {}, nil
      sys.setrlimit("nofile", 64)
      repeat
        fd = sys.open("/dev/null")
        held[#held + 1] = fd
      until not fd
      local said = {}
      for _ = 1, 20 do
        local result, err = container.run { "true", pids = "max" }
        said[#said + 1] = result and result.status or tostring(err)
        table.remove(held):close()
      end
      for _, line in ipairs(said) do print(line) end
    ]])
    local last
    for line in result.stdout:gmatch("[^\n]+") do
      assert.is_true(line == "0" or line:find(": Too many open files$") ~= nil, line)
      last = line
    end
    assert.equal("0", last)
    assert.equal("", result.stderr)
  end)

  it("prints what it had buffered once", function()
    local result = support.script([[
      io.write("buffered ")
      container.run { "true", pids = "max" }
      container.run { "/no/such", pids = "max" }
      print("end")
    ]])
    assert.equal("buffered end\n", result.stdout)
  end)
end)
