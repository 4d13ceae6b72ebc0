local container = require "container"
local api = require "container.api"
local sys = require "container.sys"
local contained = require "spec.fixtures.contained"
local limit = require "container.linux.rlimits"
local support = require "spec.support"

local DEADLINE <const> = contained.DEADLINE

setup(function()
  contained.run { "true" } -- the image of init stays open
end)

local function processes()
  return sys.read_file("/proc/self/limits"):match("Max processes +(%w+) +(%w+)")
end

describe("limit.child", function()
  it("leaves the number of processes to the cgroup where there is one", function()
    local soft, hard = processes()
    local inside_soft, inside_hard = support.child(function()
      assert(limit.child { config = { process = {} } })
      return processes()
    end)
    assert.same({ soft, hard }, { inside_soft, inside_hard })
  end)

  it("sets the number of processes where no cgroup holds it", function()
    local soft, hard = support.child(function()
      assert(limit.child { nproc = 7, config = { process = {} } })
      return processes()
    end)
    assert.same({ "7", "7" }, { soft, hard })
  end)

  it("keeps the caller's hard limit where that is lower #userns", function()
    local result = support.as_user(support.lua .. [[ -e '
      local container = require "container"
      local sys = require "container.sys"
      assert(sys.setrlimit("nproc", 500))
      print(require("container.linux.rlimits").child { nproc = 501, config = { process = {} } })
      print(sys.read_file("/proc/self/limits"):match("Max processes +(%w+) +(%w+)"))']])
    assert.equal("true\n500\t500\n", result.stdout)
  end)

  it("answers any other refusal", function()
    local original = sys.setrlimit
    sys.setrlimit = function()
      return nil, "setrlimit nproc: Invalid argument", 22
    end
    local result = table.pack(limit.child { nproc = 7, config = { process = {} } })
    sys.setrlimit = original
    support.refused("setrlimit nproc: Invalid argument", "EINVAL",
      table.unpack(result, 1, result.n))
  end)
end)

describe("a container with rlimits #root", function()
  it("may have as many open files as the kernel allows anyone, by docker's -1", function()
    local most = assert(sys.read_file("/proc/sys/fs/nr_open"))
    local result, err = api.run { "sh", "-c", "ulimit -Sn; ulimit -Hn",
      rlimits = { nofile = -1 }, stdout = "capture" }
    if os.execute("ulimit -n " .. most:match("%d+") .. " 2>/dev/null") then
      assert.equal(most .. most, assert(result).stdout)
    else
      assert.equal("limit: setrlimit nofile: Operation not permitted; more than the caller's own "
        .. "hard limit takes CAP_SYS_RESOURCE", tostring(err))
    end
  end)

  it("has each of them, soft and hard, by either way to make its child", function()
    local names = { as = "Max address space", core = "Max core file size", cpu = "Max cpu time",
      data = "Max data size", fsize = "Max file size", locks = "Max file locks",
      memlock = "Max locked memory", msgqueue = "Max msgqueue size", nice = "Max nice priority",
      nofile = "Max open files", nproc = "Max processes", rss = "Max resident set",
      rtprio = "Max realtime priority", rttime = "Max realtime timeout",
      sigpending = "Max pending signals", stack = "Max stack size" }
    local here, rlimits = sys.read_file("/proc/self/limits"), {}
    for name, title in pairs(names) do
      -- No higher than it is here, for not every root may raise it.
      local hard = math.tointeger(here:match("\n" .. title .. " +%w+ +(%w+)")) or 1 << 26
      rlimits[name] = { soft = math.max(hard - 1, 0), hard = hard }
    end
    for _, how in ipairs(contained.MODES) do
      local result = contained.run({ "cat", "/proc/self/limits", rlimits = rlimits,
        stdout = "capture" }, how)
      for name, title in pairs(names) do
        local soft, hard = result.stdout:match("\n" .. title .. " +(%w+) +(%w+)")
        assert.same({ name, tostring(rlimits[name].soft), tostring(rlimits[name].hard) },
          { name, soft, hard })
      end
    end
  end)

  it("may raise a core file, which there is else none of", function()
    local function core(rlimits)
      return contained.shell("ulimit -c", { rlimits = rlimits, stdout = "capture" }).stdout
    end
    assert.equal("0\n", core(nil))
    assert.equal("0\n", core { nofile = 64 })
    support.needs("corefile")
    assert.equal("2\n", core { core = 1024 })
  end)

  it("holds them in the program, to the byte", function()
    for count, status in pairs { [20] = 0, [21] = 153 } do
      assert.equal(status, contained.run({ "dd", "if=/dev/zero", "of=/tmp/x", "bs=1k",
        "count=" .. count, rlimits = { fsize = "20k" }, stderr = "null" }).status)
    end
  end)

  it("says so where init cannot start a program with so few", function()
    local c, err = container.spawn { "true", rlimits = { nofile = 3 } }
    assert.is_nil(c)
    assert.matches("^init: Too many open files %(init needs an fd beside", tostring(err))
  end)

  it("that cannot be set is refused with its step", function()
    local result = support.script([[
      sys.setrlimit("nofile", 64, 64)
      local _, err = container.run { "true", rlimits = { nofile = 1 << 40 }, pids = "max" }
      print(err, err.step)]])
    assert.equal("limit: setrlimit nofile: Operation not permitted; more than the caller's own "
      .. "hard limit takes CAP_SYS_RESOURCE\tlimit\n", result.stdout)
  end)

  -- A large host program's memory is its child's until the exec.
  it("of memory does not fail in the child of a large host program", function()
    local result = support.script([[
      local ballast, failed = {}, 0
      for i = 1, 1000 do ballast[i] = ("x"):rep(1 << 16) .. i end
      require("container.engine.spawn").mode = "vfork"
      for i = 1, 100 do
        local garbage = {}
        for k = 1, i * 10 do garbage[k] = { k } end
        local result, err = container.run { "true", pids = "max",
          rlimits = { as = "32M", data = "16M", stack = "1M" } }
        failed = failed + (result and result.status == 0 and 0 or 1)
        if not result then io.stderr:write(tostring(err), "\n") end
      end
      print(failed)]])
    assert.same({ "0\n", "" }, { result.stdout, result.stderr })
  end)
end)

describe("the end of a program by the kernel #root", function()
  local SPIN <const> = "while :; do :; done"

  it("is \"rlimit\" where its processor time was up, soft or hard", function()
    local soft = contained.shell(SPIN, { rlimits = { cpu = "1:5" }, timeout = DEADLINE })
    assert.same({ reason = "rlimit", status = 152, signal = "XCPU" }, support.ending(soft))
    assert.is_true(soft.cpu.user + soft.cpu.system > 0.4)
    for _, init in ipairs { true, false } do
      local hard = contained.shell("trap '' XCPU; " .. SPIN,
        { rlimits = { cpu = 1 }, timeout = DEADLINE, init = init })
      assert.same({ reason = "rlimit", status = 137, signal = "KILL" }, support.ending(hard))
    end
  end)

  it("is \"signal\" where somebody killed it before that", function()
    for _, cpu in ipairs { 0, 1, 1000 } do
      assert.same({ reason = "signal", status = 137, signal = "KILL" },
        support.ending(contained.shell("kill -KILL $$", { rlimits = { cpu = cpu } })))
    end
  end)

  it("is \"rlimit\" where a file grew too large", function()
    for _, how in ipairs(contained.MODES) do
      local result = contained.shell("exec cat /dev/zero >/tmp/x",
        { rlimits = { fsize = "64k" }, timeout = DEADLINE }, how)
      assert.same({ reason = "rlimit", status = 153, signal = "XFSZ" }, support.ending(result))
    end
  end)

  it("is \"exit\" where the program bears a limit itself", function()
    local result = contained.shell("trap '' XFSZ; dd if=/dev/zero of=/tmp/x bs=1k count=20; exit 4",
      { rlimits = { fsize = "10k" }, stderr = "null" })
    assert.same({ reason = "exit", status = 4 }, support.ending(result))
  end)

  it("is \"seccomp\" where the filter killed it", function()
    for _, init in ipairs { true, false } do
      local result = contained.run { "mkdir", "/tmp/x", init = init, seccomp = {
        defaultAction = "SCMP_ACT_ALLOW",
        syscalls = { { names = { "mkdir", "mkdirat" }, action = "SCMP_ACT_KILL_PROCESS" } } } }
      assert.same({ reason = "seccomp", status = 159, signal = "SYS" }, support.ending(result))
    end
  end)
end)

describe("an ordinary user's container #userns", function()
  local command <const> = support.lua .. " run.lua -q --pids-limit 6 "

  it("holds the number of processes, by a cgroup or by the limit of the user namespace", function()
    -- Two are init and the shell.
    local result = support.as_user(command
      .. "sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & echo $i; done'")
    assert.equal("1\n2\n3\n4\n", result.stdout)
    assert.are_not.equal(0, result.status)
  end)

  it("counts only its own processes", function()
    local result = support.as_user("for i in 1 2 3 4 5 6 7 8; do sleep 1000 & p=\"$p $!\"; done; "
      .. command .. "sh -c 'true | echo fine'; kill $p")
    assert.equal("fine\n", result.stdout)
  end)
end)
