-- The object of a container over its life: waits, time limits, what it used, and how it goes.
-- What else there is of it, library_spec.lua has.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local contained = require "spec.fixtures.contained"
local support = require "spec.support"

local run, shell, spawn = contained.run, contained.shell, contained.spawn
local DEADLINE <const> = contained.DEADLINE

setup(function()
  run { "true" } -- the image of init stays open
end)

local function idle(options)
  options = options or {}
  options[1], options[2] = "sleep", "1000"
  return spawn(options)
end

local function script(text, options)
  options = options or {}
  options[1], options[2], options[3] = "sh", "-c", text
  return spawn(options)
end

local function refused(step, errno, result, err)
  assert.is_nil(result)
  assert.same({ step, sys.errno[errno] }, { err.step, err.errno })
end

describe("wait #root", function()
  it("gives up after its seconds, and can be called again", function()
    local c <close> = idle()
    for _, seconds in ipairs { 0, 0.05 } do
      local before = sys.clock_gettime()
      local result, err = c:wait(seconds)
      refused("wait", "ETIMEDOUT", result, err)
      assert.equal(("wait: the container still runs after %g seconds"):format(seconds),
        tostring(err))
      assert.is_true(sys.clock_gettime() - before >= seconds)
    end
    c:kill("TERM")
    assert.equal("TERM", c:wait(DEADLINE).signal)
    assert.equal("TERM", c:wait(0).signal)
  end)

  it("refuses what is no number of seconds", function()
    local c <close> = idle()
    for _, seconds in ipairs { "1", -1, -0.5, 0 / 0, {}, true } do
      local result, err = c:wait(seconds)
      refused("wait", "EINVAL", result, err)
      assert.equal("wait: expected a number of seconds", tostring(err))
    end
    c:kill("KILL")
    assert.equal("KILL", c:wait(math.huge).signal)
  end)

  it("streams and captures while it waits for less than the end", function()
    local pieces = {}
    local c <close> = script("echo a; exec sleep 1000",
      { stdout = function(piece) pieces[#pieces + 1] = piece end })
    refused("wait", "ETIMEDOUT", c:wait(0.2))
    assert.same({ "a\n" }, pieces)
  end)
end)

describe("an event loop of the host program's own #root", function()
  it("polls the fd and the streams, and calls poll when one is due", function()
    local c <close> = script("echo out; trap 'exit 5' TERM; while :; do sleep 0.1; done",
      { stdout = "pipe", timeout = 0.3 })
    local out <close> = c.stdout
    local text, turns = "", 0
    local result, err
    assert.is_true(c:due_in() > 0 and c:due_in() <= 0.3)
    assert.is_false(c:poll())
    repeat
      turns = turns + 1
      local readers = { c:fd(), text == "" and out:fd() or nil }
      local ready = sys.ppoll(readers, c:due_in())
      if ready[2] then
        text = text .. out:readsome()
      end
      result, err = c:poll()
    until result or err or turns > 100
    assert.is_nil(err)
    assert.same({ "timeout", 5, "out\n" }, { result.reason, result.status, text })
    assert.is_true(turns < 10)
  end)

  it("has nothing due without a time limit", function()
    local c <close> = idle()
    assert.is_nil(c:due_in())
  end)

  it("gets the result after the end, and the fd until the object is closed", function()
    local c <close> = spawn { "true" }
    assert.same({ true }, sys.ppoll({ c:fd() }, DEADLINE))
    local result = assert(c:poll())
    assert.equal(result, c:poll())
    assert.same({ true }, sys.ppoll({ c:fd() }, 0))
    assert.is_nil(c:due_in())
    c:close()
    refused("fd", "EBADF", c:fd())
  end)
end)

describe("container.poll #root", function()
  it("attends fifty at a time, each of which has its own end", function()
    local list, of, seen = {}, {}, 0
    for i = 1, 50 do
      local text = i % 3 == 0 and "kill -KILL $$" or i % 3 == 1 and "exit " .. i
        or "echo " .. i .. "; exec sleep 1000"
      list[i] = script(text, { stdout = "capture", timeout = i % 3 == 2 and 2 or nil })
      of[list[i]] = i
    end
    while list[1] do
      local ended = assert(contained.poll(list, DEADLINE))
      assert.is_truthy(ended[1])
      for _, c in ipairs(ended) do
        local i, result = of[c], assert(c:wait(0))
        assert.same(({ [0] = { reason = "signal", status = 137, signal = "KILL" },
          { reason = "exit", status = i }, { reason = "timeout", status = 143, signal = "TERM" } }
          )[i % 3], support.ending(result))
        assert.equal(i % 3 == 2 and i .. "\n" or "", result.stdout)
        seen = seen + 1
      end
      for _, c in ipairs(ended) do
        for i = #list, 1, -1 do
          if list[i] == c then
            table.remove(list, i)
          end
        end
      end
    end
    assert.equal(50, seen)
  end)

  it("returns when the time is up, when there is nothing, and when one has ended", function()
    local c <close> = idle()
    local before = sys.clock_gettime()
    assert.same({}, contained.poll({ c }, 0.1))
    assert.is_true(sys.clock_gettime() - before >= 0.1)
    assert.same({}, contained.poll({ c }, 0))
    assert.same({}, contained.poll {})
    local d <close> = spawn { "true" }
    d:wait(DEADLINE)
    local e <close> = idle()
    e:close()
    local ended = contained.poll { c, d, e, d }
    assert.equal(3, #ended)
    assert.is_true(ended[1] == d and ended[2] == e and ended[3] == d)
  end)

  it("bears one twice in the list", function()
    local c <close> = script("echo x; exit 3", { stdout = "capture" })
    assert.equal(2, #contained.poll({ c, c }, DEADLINE))
    assert.equal("x\n", c:wait(0).stdout)
  end)

  it("refuses what is no array of containers, and no number of seconds", function()
    local c <close> = idle()
    for _, call in ipairs { { nil }, { "x" }, { { c }, "1" }, { { c }, -1 }, { { c }, 0 / 0 },
      { { c, {} } }, { { 1 } }, { { io.stdout } } } do
      refused("poll", "EINVAL", contained.poll(call[1], call[2]))
    end
    assert.equal("poll: [2] is not a container", tostring(select(2, contained.poll { c, false })))
  end)

  it("refuses the container of another process", function()
    local c <close> = idle()
    assert.same({ "poll: [1] is not this process's", sys.errno.ECHILD },
      { support.child(function()
        local _, err = contained.poll({ c }, 0)
        return tostring(err), err.errno
      end) })
  end)
end)

describe("a time limit #root", function()
  -- Which init there is, and how the child was made, are all the same to it.
  for _, how in ipairs(contained.MODES) do
    it("asks the program to end, by " .. how, function()
      local c <close> = spawn({ "sh", "-c", "trap 'exit 3' TERM; echo x; \z
        while :; do sleep 0.05; done", stdout = "null", timeout = 0.2,
        stop_timeout = DEADLINE }, how)
      local result = assert(c:wait(DEADLINE))
      assert.same({ reason = "timeout", status = 3 }, support.ending(result))
      assert.is_true(result.wall >= 0.2 and result.wall < 5)
    end)
  end

  it("is the reason also of a program that ends well when it is asked to", function()
    assert.same({ reason = "timeout", status = 0 }, support.ending(shell(
      "trap 'exit 0' TERM; while :; do sleep 0.05; done",
      { timeout = 0.2, stop_timeout = DEADLINE })))
  end)

  it("ends one that does nothing about it", function()
    assert.same({ reason = "timeout", status = 143, signal = "TERM" },
      support.ending(run { "sleep", "1000", timeout = 0.1, stop_timeout = DEADLINE }))
  end)

  it("kills what ignores it, after its stop timeout, with all that it started", function()
    local c <close> = script("trap '' TERM; (trap '' TERM HUP; exec sleep 9876.25) & \z
      while :; do sleep 0.05; done", { timeout = 0.1, stop_timeout = 0.2 })
    local result = assert(c:wait(DEADLINE))
    assert.same({ reason = "timeout", status = 137, signal = "KILL" }, support.ending(result))
    assert.is_true(result.wall >= 0.3 and result.wall < 5)
    assert.same({}, command.processes("9876.25"))
  end)

  it("kills what is pid 1 itself and has no mind to end", function()
    local result = run { "sleep", "1000", init = false, timeout = 0.1, stop_timeout = 0.1 }
    assert.same({ reason = "timeout", status = 137, signal = "KILL" }, support.ending(result))
    assert.is_true(result.wall >= 0.2 and result.wall < 5)
    assert.same({ reason = "timeout", status = 4 }, support.ending(shell(
      "trap 'exit 4' TERM; while :; do sleep 0.05; done",
      { init = false, timeout = 0.2, stop_timeout = DEADLINE })))
  end)

  it("ends what is stopped", function()
    assert.equal("timeout", shell("kill -STOP $$", { timeout = 0.1, stop_timeout = 0.1 }).reason)
  end)

  it("is no reason when the program was faster", function()
    assert.same({ reason = "exit", status = 2 },
      support.ending(shell("exit 2", { timeout = 1000 })))
    local c <close> = script("exit 2", { timeout = 0.2 })
    sys.ppoll({ c:fd() }, DEADLINE)
    sys.ppoll({}, 0.3) -- it ended in time, though no process looked
    assert.equal("exit", c:wait(DEADLINE).reason)
  end)

  it("of 0 is none, and one that is no time is refused", function()
    assert.equal("exit", run({ "sleep", "0.3", timeout = 0 }).reason)
    local c <close> = script("exec sleep 1000", { timeout = 0 })
    assert.is_nil(c:due_in())
    for _, value in ipairs { -1, "1", 0 / 0, {} } do
      for _, name in ipairs { "timeout", "stop_timeout" } do
        assert.equal(name, contained.refusal({ "true", [name] = value }).subject)
      end
    end
  end)

  it("tells the caller, who can give it a last word", function()
    local c, calls
    c = script("read x; exit $x", { stdin = "pipe", timeout = 0.1, init = false,
      stop_timeout = DEADLINE,
      on = { timeout = function(...)
        calls = select("#", ...)
        c.stdin:write("6\n")
      end } })
    assert.same({ reason = "timeout", status = 6 }, support.ending(c:wait(DEADLINE)))
    assert.equal(1, calls)
    c.stdin:close()
  end)
end)

describe("stop #root", function()
  it("asks with TERM, and kills what has not ended after its stop timeout", function()
    local c <close> = script("trap '' TERM; echo ready; while :; do sleep 0.05; done",
      { stop_timeout = 0.2, stdout = "pipe" })
    assert.equal("ready", c.stdout:read())
    assert.is_true(c:stop())
    assert.is_true(c:due_in() <= 0.2)
    local result = assert(c:wait(DEADLINE))
    assert.same({ reason = "signal", status = 137, signal = "KILL" }, support.ending(result))
  end)

  it("lets the program end by itself before", function()
    local c <close> = script("trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done",
      { stop_timeout = DEADLINE, stdout = "pipe" })
    assert.equal("ready", c.stdout:read())
    assert.is_true(c:stop())
    assert.same({ reason = "exit", status = 4 }, support.ending(assert(c:wait(DEADLINE))))
    refused("kill", "ESRCH", c:stop())
  end)
end)

describe("what a container used #root", function()
  it("is wall time, from its start to its end", function()
    local result = run { "sleep", "0.5" }
    assert.is_true(result.wall > 0.2 and result.wall < 10)
  end)

  it("is processor time, of all of its processes", function()
    local busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
    local result = shell(("(%s) & (%s) & wait"):format(busy, busy))
    local used = result.cpu.user + result.cpu.system
    assert.is_true(used > 0.1 and used < result.wall * 8 + 0.1)
    local slept = run { "sleep", "0.3" }
    assert.is_true(slept.cpu.user + slept.cpu.system < 0.1 * support.patience)
    local plain = shell(busy, { init = false })
    assert.is_true(plain.cpu.user + plain.cpu.system > 0.05)
  end)

  it("is the memory of the largest process, and nothing of the host program's", function()
    local text <const> = [[
      local ballast = ("x"):rep(200 << 20)
      for _, mode in ipairs { "fork", "vfork" } do
        require("container.engine.spawn").mode = mode
        local small = assert(container.run { "true", pids = "max" })
        local large = assert(container.run { "lua5.4", "-e", "local x = ('x'):rep(64 << 20)",
          pids = "max" })
        print(#ballast, small.memory_peak > 0 and small.memory_peak < 16 << 20,
          large.memory_peak >= 64 << 20 and large.memory_peak < 160 << 20)
      end]]
    local line, result = (200 << 20) .. "\ttrue\ttrue\n", support.script(text)
    assert.same({ line .. line, "" }, { result.stdout, result.stderr })
    assert.is_nil(run({ "true", init = false }).memory_peak)
  end)
end)

describe("a container that nobody holds #root", function()
  local function gone(pid)
    local pidfd <close> = sys.pidfd_open(pid)
    return not pidfd or sys.ppoll({ pidfd }, DEADLINE)[1]
  end

  it("ends when its object is collected, also in the middle of its streams", function()
    local pid = script("yes", { stdout = "capture", stdin = function() return "x" end }).pid
    collectgarbage()
    collectgarbage()
    assert.is_nil(sys.stat("/proc/" .. pid))
  end)

  it("lives on when it was detached, and still is what its object says", function()
    local c = idle()
    assert.equal(c, c:detach())
    local pid = c.pid
    c = setmetatable({ c }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    assert.is_table(c[1])
    assert.is_truthy(sys.stat("/proc/" .. pid))
    c[1]:close()
    assert.is_nil(sys.stat("/proc/" .. pid))
    collectgarbage()
    collectgarbage()
    assert.is_nil(c[1])
  end)

  it("and was detached is taken away when another is started", function()
    local pid = script("exit 1"):detach().pid
    local pidfd <close> = sys.pidfd_open(pid)
    assert(sys.ppoll({ pidfd }, DEADLINE)[1])
    run { "true" }
    assert.is_nil(sys.stat("/proc/" .. pid))
  end)

  it("and was detached ends with the process", function()
    local result = support.script([[
      local c = assert(container.spawn { "sleep", "1000", pids = "max" }):detach()
      print(c.pid)
      os.exit(0, false)]])
    assert.is_truthy(gone(math.tointeger(result.stdout)))
  end)
end)

describe("a host program with ways of its own #root", function()
  -- A process in it reaps all that ends, as a handler of SIGCHLD does that waits for all. It is
  -- faster than the library.
  local function reaped(options)
    local c = spawn(options)
    sys.ppoll({ c:fd() }, DEADLINE)
    sys.wait(c.pid)
    return c
  end

  it("may take the end away from the library: init has told it", function()
    for text, ending in pairs {
      ["exit 7"] = { reason = "exit", status = 7 },
      ["kill -TERM $$"] = { reason = "signal", status = 143, signal = "TERM" },
    } do
      local c <close> = reaped { "sh", "-c", text, stdout = "capture" }
      assert.same(ending, support.ending(c:wait(DEADLINE)))
    end
    local c <close> = idle()
    c:kill("KILL")
    sys.ppoll({ c:fd() }, DEADLINE)
    sys.wait(c.pid)
    assert.same({ reason = "signal", status = 137, signal = "KILL" },
      support.ending(c:wait(DEADLINE)))
  end)

  it("may take it away where there is no init: then nobody knows, and that is an error", function()
    local c <close> = reaped { "sh", "-c", "exit 7", init = false }
    refused("wait", "ECHILD", c:wait(DEADLINE))
    assert.equal("wait: how the program ended is not known: the host program ignores SIGCHLD, or "
      .. "has waited for it itself", tostring(select(2, c:wait(DEADLINE))))
    refused("wait", "ECHILD", c:wait(DEADLINE))
  end)

  it("may take it away before a close", function()
    local c <close> = reaped { "true" }
    c:close()
    local d <close> = idle()
    sys.kill(d.pid, "KILL")
    sys.wait(d.pid)
    refused("kill", "ESRCH", d:kill("TERM"))
    d:close()
  end)

  it("may ignore its children", function()
    local result = support.run("trap '' CHLD; exec " .. support.lua .. " -e " .. support.quote [[
      local container = require "container"
      local sys = require "container.sys"
      for _, init in ipairs { true, false } do
        local c = assert(container.spawn { "sh", "-c", "echo x; exit 7", init = init,
          pids = "max", stdout = "capture" })
        local result, err = c:wait(20)
        print(result and result.status, result and result.stdout or err.errno)
        c = assert(container.spawn { "sleep", "1000", init = init, pids = "max" })
        c:close()
        print(sys.stat("/proc/" .. c.pid) == nil)
      end
      local _, err = container.run { "/no/such", pids = "max" }
      print(err)]])
    assert.same({ "7\tx\n\ntrue\n7\tx\n\ntrue\nexec: /no/such: No such file or directory\n", "" },
      { result.stdout, result.stderr })
  end)
end)

describe("a host program with few files left #root", function()
  it("gets an error value at whichever file it is, and nothing is left", function()
    local result = support.script([[
      assert(container.run { "true", stdin = "x", stdout = "capture", pids = 20 })
      local function count()
        collectgarbage()
        collectgarbage()
        return #sys.list("/proc/self/fd"), #(sys.read_file(("/proc/%d/task/%d/children")
          :format(sys.getpid(), sys.getpid())) or "")
      end
      local fds, children = count()
      local refused, ended = 0, 0
      for limit = 4, 40 do
        local pid = assert(sys.clone({}, function()
          sys.pdeathsig("KILL")
          assert(sys.setrlimit("nofile", limit, 4096))
          local c, err = container.spawn { "sh", "-c", "echo x; exit 3", pids = 20,
            stdin = "text", stdout = "capture", stderr = "capture" }
          local status = 3
          if c then
            local result = c:wait(20)
            status = result and result.status == 3 and result.stdout == "x\n" and 4 or 5
            c:close()
          elseif not tostring(err):find(": Too many open files$") then
            io.stderr:write(limit, " ", tostring(err), "\n")
            status = 6
          end
          assert(sys.setrlimit("nofile", 1024, 4096))
          local after, left = count()
          if left ~= 0 or after > fds then
            io.stderr:write(limit, " left ", after, " fds, was ", fds, "\n")
            status = 7
          end
          -- The host program goes on.
          c = assert(container.run { "sh", "-c", "exit 8", pids = 20 })
          sys._exit(c.status == 8 and status or 9)
        end))
        local how, status = sys.wait(pid)
        refused = refused + (how == "exit" and status == 3 and 1 or 0)
        ended = ended + (how == "exit" and status == 4 and 1 or 0)
        if status ~= 3 and status ~= 4 then print(limit, how, status) end
      end
      print(refused > 3, ended > 3, refused + ended)]])
    assert.same({ "true\ttrue\t37\n", "" }, { result.stdout, result.stderr })
  end)
end)

describe("five hundred containers of one process #root", function()
  it("live at once, take little of its memory, and end", function()
    local result = support.script(([[
      local N <const>, MAX <const> = 500, 16 << 10
      local ROOTFS <const>, PIDS <const> = %q, %q
      assert(sys.setrlimit("nofile", 16384))
      assert(container.run { "true", rootfs = ROOTFS, pids = PIDS })
      local function resident()
        collectgarbage()
        collectgarbage()
        return tonumber(sys.read_file("/proc/self/status"):match("VmRSS:%%s*(%%d+)")) * 1024
      end
      local before, list = resident(), {}
      for i = 1, N do
        list[i] = assert(container.spawn { "sleep", "1000", rootfs = ROOTFS, pids = PIDS,
          init = i %% 2 == 0, stdout = "null" })
      end
      local each = (resident() - before) // N
      local alive = 0
      for _, c in ipairs(list) do
        alive = alive + (c:poll() == false and 1 or 0)
        c:kill("KILL")
      end
      local ended, finish = 0, sys.clock_gettime() + 25
      while list[1] and sys.clock_gettime() < finish do
        assert(container.poll(list, 20))
        for i = #list, 1, -1 do
          local result = list[i]:poll()
          if result then
            ended = ended + (result.signal == "KILL" and 1 or 0)
            list[i] = list[#list]
            list[#list] = nil
          end
        end
      end
      print(alive, ended, each < MAX or each)]]):format(support.busybox_rootfs(), contained.PIDS))
    assert.same({ "500\t500\ttrue\n", "" }, { result.stdout, result.stderr })
  end)
end)
