-- What runs at which moment of a container's life, where and as whom; what comes of its failure.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local ids = require "spec.fixtures.ids"
local api = require "container.api"
local spec = require "container.config.spec"
local support = require "spec.support"

-- With a cgroup where there can be one.
local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"
local EARLY <const> = { "prestart", "createRuntime", "createContainer", "startContainer" }
local INSIDE <const> = { createContainer = true, startContainer = true }

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true", pids = PIDS }
end)

local function run(options)
  options.pids = options.pids or PIDS
  return api.run(options)
end

local function sh(text, timeout)
  return { path = "/bin/sh", args = { "sh", "-c", text },
    env = { "PATH=" .. os.getenv("PATH") }, timeout = timeout }
end

local function read(path)
  return sys.read_file(path)
end

-- In the script of a host program: a hook that says on standard error what it is and where it runs.
local PRELUDE <const> = [[
  package.path, package.cpath = "./lua/?.lua;" .. package.path, "./?.so;" .. package.cpath
  local container = require "container"
  local sys = require "container.sys"
  local kinds = { "mnt", "pid", "uts", "user", "net", "ipc", "cgroup" }
  local function spaces()
    local list = {}
    for i, kind in ipairs(kinds) do
      list[i] = sys.readlink("/proc/self/ns/" .. kind)
    end
    return table.concat(list, " ")
  end
  local host <const> = spaces()
  local function hook(name)
    return function(state)
      -- Whose root it is: the host's has the file of this name.
      io.stderr:write(("%s %s %s pid %s; I am %s; %s; root %s; umask %o; id %d\n"):format(name,
        state.status, state.id, state.pid and (state.pid == 1 and 1 or "N"), sys.getpid() == 1
        and 1 or sys.getpid() < 10 and "few" or "N", spaces() == host and "host" or spaces(),
        sys.stat(MARK) and "host" or "own", sys.umask(18), sys.geteuid()))
    end
  end
  local all = {}
  for _, moment in ipairs { "prestart", "createRuntime", "createContainer", "startContainer",
    "poststart", "poststop" } do
    all[moment] = { hook(moment .. "1"), hook(moment .. "2") }
  end
]]

local function script(mark, text)
  return ("local MARK = %q\n"):format(mark) .. PRELUDE .. text
end

-- The program says everything at once, for what the hooks of poststart say may come at any time.
local RUN <const> = [[
  local result, err = container.run { "sh", "-c", "said=$(readlink /proc/self/ns/mnt "
    .. "/proc/self/ns/pid /proc/self/ns/uts /proc/self/ns/user /proc/self/ns/net "
    .. "/proc/self/ns/ipc /proc/self/ns/cgroup | tr '\n' ' '; echo; echo program; umask; pwd; "
    .. "ls /proc/self/fd | wc -l); echo \"$said\" >&2", name = MARK:match("[^/]*$"), hooks = all,
    stdout = "null", ROOTFS }
  assert(result, tostring(err))
  assert(result.status == 0 and not result.warnings, tostring((result.warnings or {})[1]))
]]

-- What each moment said, in the order in which it was said.
local function expect_order(said, name, id)
  local own = said:match("\n(mnt:[^\n]-) ?\nprogram\n")
  assert(own, said)
  local function host(moment, status, pid)
    local text = ""
    for i = 1, 2 do
      text = text .. ("%s%d %s %s pid %s; I am N; host; root host; umask 22; id ID\n"):format(
        moment, i, status, name, pid)
    end
    return text
  end
  local function inside(moment, status, root)
    local text = ""
    for i = 1, 2 do
      text = text .. ("%s%d %s %s pid 1; I am few; %s; root %s; umask 22; id 0\n"):format(
        moment, i, status, name, own, root)
    end
    return text
  end
  said = said:gsub("(I am N[^\n]*id )" .. id .. "\n", "%1ID\n")
  -- The program and the hooks of poststart go on at the same time.
  local poststart = host("poststart", "running", "N")
  local program = own .. " \nprogram\n0022\n/\n4\n"
  local parts = { poststart:match("^(.-\n)(.*)$") }
  for _, part in ipairs(parts) do
    assert.is_truthy(said:find(part, 1, true), said)
    local from, to = said:find(part, 1, true)
    said = said:sub(1, from - 1) .. said:sub(to + 1)
  end
  assert.equal(host("prestart", "creating", "N") .. host("createRuntime", "creating", "N")
    .. inside("createContainer", "creating", "host") .. inside("startContainer", "created", "own")
    .. program .. host("poststop", "stopped", "nil"), said)
end

for _, caller in ipairs(command.callers) do
  describe("the hooks of a container of " .. caller.name, function()
    it("run in the order of the moments and of each list, in OCI's namespaces", function()
      local mark = caller:directory() .. "/" .. support.name()
      assert(sys.mkdir(mark))
      assert(os.execute("chmod 755 " .. support.quote(mark:match("^(.*)/"))))
      local text = script(mark, RUN:gsub("ROOTFS", ""))
      local result = caller:shell(command.words(support.lua, "-e", text))
      assert.equal(0, result.status, result.stderr)
      expect_order(result.stderr, mark:match("[^/]*$"), caller.ordinary
        and caller:shell("id -u").stdout:match("%d+") or "0")
    end)

    it("leave the program as it is without them", function()
      local function seen(hooks)
        local text = script("/", [[
          local function untidy()
            local kept = {}
            for i = 1, 20 do
              kept[i] = sys.open("/")
            end
            sys.dup2(kept[1], 90)
            sys.chdir("/tmp")
            sys.umask(0)
            sys.setrlimit("nofile", 100, 100)
            sys.sigprocmask("block", "all")
            return kept
          end
          local c = assert(container.run { "sh", "-c", "ls /proc/self/fd; pwd; umask; ulimit -a; "
            .. "grep -v '^\\(Cpu\\|Mems\\|Vm\\|Rss\\|.*ctxt\\|NS\\|SigQ\\|.*[Pp]id\\|Tgid\\)' "
            .. "/proc/self/status; "
            .. "cat /proc/1/comm /proc/1/limits; env", HOOKS })
          assert(c.status == 0)]]):gsub("HOOKS", hooks)
        local result = caller:shell(command.words(support.lua, "-e", text))
        assert.equal(0, result.status, result.stderr)
        return result.stdout
      end
      assert.equal(seen "", seen "hooks = { createContainer = { untidy, untidy }, \z
        startContainer = { untidy, untidy } }")
    end)
  end)
end

describe("the hooks of a container with a range of ids #root #idmap", function()
  it("run in its namespaces as the root of its own", function()
    local mark = support.tmpdir() .. "/" .. support.name()
    assert(sys.mkdir(mark))
    assert(os.execute("chmod 755 " .. support.quote(mark:match("^(.*)/"))))
    local text = script(mark, RUN:gsub("ROOTFS", "userns = 'auto'"))
    local s <close> = command.start({ support.lua, "-e", text }, function()
      assert(sys.unshare("mount"))
      ids.machine("containers:100000:131072\n", "containers:300000:131072\n")
    end)
    assert.equal(0, s:wait(), s.stderr)
    expect_order(s.stderr, mark:match("[^/]*$"), "0")
  end)
end)

describe("a hook that is a function #root", function()
  it("has the caller's variables, in the container as a copy", function()
    local seen = {}
    for _, moment in ipairs { "prestart", "createRuntime", "createContainer", "startContainer",
      "poststart", "poststop" } do
      local changed = "before"
      assert(run { "true", hooks = { [moment] = { function() changed = "after" end } } })
      seen[moment] = changed
    end
    assert.same({ prestart = "after", createRuntime = "after", createContainer = "before",
      startContainer = "before", poststart = "after", poststop = "after" }, seen)
  end)

  it("changes what it does to the container's namespaces", function()
    local result = assert(run { "sh", "-c", "hostname; cat /mnt/made", stdout = "capture",
      hooks = { createContainer = { function(state)
        assert(sys.sethostname("changed"))
        assert(sys.mount("tmpfs", state.root .. "/mnt", "tmpfs"))
        assert(sys.write(sys.open(state.root .. "/mnt/made", "wronly,creat"), "made\n"))
      end } } })
    assert.equal("changed\nmade\n", result.stdout)
    assert.is_nil(sys.stat("/mnt/made"))
  end)

  it("finds the container's root by the state, of either kind", function()
    for _, rootfs in ipairs { "/", support.busybox_rootfs() } do
      local result = assert(run { "/bin/sh", "-c", "cat /tmp/made", stdout = "capture",
        rootfs = rootfs, tmpfs = { "/tmp" }, hooks = { createContainer = { function(state)
          assert(sys.write(sys.open(state.root .. "/tmp/made", "wronly,creat"), "m"))
        end } } })
      assert.equal("m", result.stdout)
    end
  end)

  it("has the rights of the program at startContainer", function()
    local result = assert(run { "true", user = "54321", stdout = "capture", hooks = {
      createContainer = { function(state)
        assert(sys.mount("tmpfs", state.root .. "/mnt", "tmpfs"))
      end },
      startContainer = { function()
        local status = read("/proc/self/status")
        print(sys.geteuid())
        print(status:match("\nCapEff:%s*(%x+)"), status:match("\nSeccomp:%s*(%d)"),
          status:match("\nNoNewPrivs:%s*(%d)"))
      end },
    } })
    assert.equal("54321\t0\n0000000000000000\t2\t1\n", result.stdout)
  end)

  it("cannot be looked into by a program of the container's", function()
    local result = assert(run { "true", user = "54321", stdout = "capture", hooks = {
      startContainer = { function()
        os.execute("readlink /proc/1/exe || echo unseen; cat /proc/1/environ 2>/dev/null \z
          || echo unread; head -c 1 /proc/$PPID/mem 2>/dev/null || echo unread")
      end },
    } })
    assert.equal("unseen\nunread\nunread\n", result.stdout)
  end)

  it("writes to a file of the caller's into nothing, and not to the lines of the library",
    function()
      local path = support.tmpdir() .. "/log"
      local result = support.script(([[
        local log = assert(io.open(%q, "w"))
        assert(sys.stat(3))
        log:setvbuf("no")
        local function write() log:write("written\n") log:close() end
        local result, err = container.run { "sh", "-c", "exit 5", pids = %q, hooks = {
          createContainer = { write }, startContainer = { write }, poststop = { write } } }
        print(err or result.status, io.type(log))]]):format(path, PIDS))
      assert.same({ status = 0, stdout = "5\tclosed file\n", stderr = "" }, result)
      assert.equal("written\n", read(path))
    end)

  it("prints to the container's streams in the container, and once", function()
    io.stdout:setvbuf("full")
    local result = assert(run { "echo", "program", stdout = "capture", hooks = {
      createContainer = { function() print("one") end },
      startContainer = { function() io.write("two\n") end },
    } })
    io.stdout:setvbuf("line")
    assert.equal("one\ntwo\nprogram\n", result.stdout)
  end)

  it("runs a container itself", function()
    local inner
    local result = assert(run { "sh", "-c", "exit 3", hooks = {
      prestart = { function()
        inner = assert(run { "sh", "-c", "exit 4", hooks = { poststop = { function()
          assert(run { "true" })
        end } } })
      end },
    } })
    assert.same({ 3, 4 }, { result.status, inner.status })
    assert.is_nil(inner.warnings)
  end)

  it("gets a state that is its own", function()
    local seen
    assert(run { "true", name = support.name(), rootfs = "/", hooks = { prestart = {
      function(state) state.id = nil end,
      function(state) seen = state end,
    } } })
    assert.matches("^%a", seen.id)
    seen.id = nil
    assert.equal("integer", math.type(seen.pid))
    seen.pid = nil
    assert.same({ ociVersion = "1.0.2", status = "creating", bundle = "/", annotations = {} }, seen)
  end)

  it("has an id for a container without a name that no other has", function()
    local seen = {}
    for _ = 1, 2 do
      assert(run { "true", hooks = { poststop = { function(state)
        seen[#seen + 1] = state.id
      end } } })
    end
    assert.equal(2, #seen)
    assert.are_not.equal(seen[1], seen[2])
  end)
end)

describe("a failing hook #root", function()
  local stopped

  -- Of a container that does not come up; what the error says behind the name of the hook.
  local function refused(moment, one, options)
    options = options or { "true" }
    options.hooks = { [moment] = { function() end, one },
      poststop = { function(state) stopped = state.status end } }
    stopped = nil
    local result, err = run(options)
    assert.is_nil(result)
    assert.equal("hooks", err.step)
    assert.equal(moment .. "[2]", err.subject)
    assert.equal("stopped", stopped)
    local where, reason = tostring(err):match("^hooks: " .. moment .. "%[2%] %((.-)%): (.*)$")
    assert(where, tostring(err))
    return reason, where
  end

  for _, moment in ipairs(EARLY) do
    it("that raises at " .. moment .. " is an error with its place, and nothing is left", function()
      local function fails()
        error("no bridge")
      end
      local reason, where = refused(moment, fails, { "true", name = support.name(), init = true })
      local line = debug.getinfo(fails, "S").linedefined
      assert.matches("hooks_spec%.lua:" .. line .. "$", where)
      assert.matches("hooks_spec%.lua:" .. line + 1 .. ": no bridge\nstack traceback:\n", reason)
    end)

    it("that raises what is no string, or with a NUL, or at length, at " .. moment, function()
      local value = setmetatable({}, { __tostring = function() return "an object" end })
      assert.matches("^an object", (refused(moment, function() error(value) end)))
      assert.matches("^nil", (refused(moment, function() error() end)))
      assert.matches("^a\nstack", (refused(moment, function() error("a\0b", 0) end)))
      assert.equal("exit status 1: a\\0b", (refused(moment, sh "printf 'a\\0b' >&2; exit 1")))
      assert.matches("^x+", (refused(moment, function() error(("x"):rep(1 << 20), 0) end)))
    end)

    it("that yields at " .. moment .. " is refused", function()
      local thread = coroutine.wrap(function()
        return refused(moment, function() coroutine.yield() end)
      end)
      assert.equal("the function yields, which it may not", thread())
      assert.equal("[C]", select(2, refused(moment, coroutine.yield)))
    end)

    it("that is a program at " .. moment .. " says its status and its last line", function()
      assert.equal("exit status 3: second",
        (refused(moment, sh "echo first >&2; echo second >&2; exit 3")))
      assert.equal("exit status 4", (refused(moment, sh "exit 4")))
      assert.equal("killed by TERM", (refused(moment, sh "kill -TERM $$")))
    end)

    it("that is a program which floods its standard error at " .. moment, function()
      assert.equal("exit status 3: end",
        (refused(moment, sh "head -c 3000000 /dev/zero >&2; echo >&2; echo end >&2; exit 3")))
    end)

    it("that cannot be executed at " .. moment .. " says why", function()
      local reason, where = refused(moment, { path = "/no/such" })
      assert.same({ "exec /no/such: No such file or directory", "/no/such" }, { reason, where })
      assert.equal("exec /etc: Permission denied", (refused(moment, { path = "/etc" })))
    end)

    it("that takes too long at " .. moment .. " is killed with what it started", function()
      local marker = support.name()
      local before = sys.clock_gettime()
      local one = sh("sh -c 'sleep 1000; true' " .. marker .. "; true", 0.2)
      assert.equal("did not end within 0.2 seconds", (refused(moment, one)))
      assert.is_true(sys.clock_gettime() - before < 5)
      assert.is_true(command.gone(marker))
    end)
  end

  for moment in pairs(INSIDE) do
    it("that ends its process at " .. moment .. " is an error", function()
      assert.equal("the function did not return: exit status 3",
        (refused(moment, function() os.exit(3) end)))
      assert.equal("the function did not return: exit status 0",
        (refused(moment, function() sys._exit(0) end)))
      assert.equal("the function did not return: killed by KILL",
        (refused(moment, function() sys.kill(sys.getpid(), "KILL") end)))
    end)
  end

  it("leaves the names free and no id taken", function()
    local name = support.name()
    for _ = 1, 2 do
      local _, err = run { "true", name = name, hooks = { createRuntime = { error } } }
      assert.equal("hooks", err.step)
    end
    assert(run { "true", name = name })
  end)

  it("is the last that is called before the program's start", function()
    local called = {}
    local function note(name)
      return function() called[#called + 1] = name end
    end
    run { "true", hooks = { prestart = { note "1", error, note "2" }, createRuntime = { note "3" },
      poststart = { note "4" }, poststop = { note "5", error, note "6" } } }
    assert.same({ "1", "5", "6" }, called)
  end)

  it("is a warning at poststart and poststop, and the others are called", function()
    local called = 0
    local function count()
      called = called + 1
    end
    for _, moment in ipairs { "poststart", "poststop" } do
      local result = assert(run { "sh", "-c", "exit 6", hooks = { [moment] = {
        sh "echo why >&2; false", count, function() error("raised") end, count } } })
      assert.equal(6, result.status)
      assert.equal(2, #result.warnings)
      assert.equal("hooks: " .. moment .. "[1] (/bin/sh): exit status 1: why",
        tostring(result.warnings[1]))
      assert.matches("^hooks: " .. moment .. "%[3%] %(.-hooks_spec.lua:%d+%): .-: raised\nstack",
        tostring(result.warnings[2]))
    end
    assert.equal(4, called)
  end)

  it("warns where the host program wants to hear of it", function()
    local result = support.script(([[
      local function fails() error("why", 0) end
      container.run { "true", pids = %q, hooks = { poststop = { fails } } }
      warn("@on")
      container.run { "true", pids = %q, hooks = { poststart = { fails } } }]]):format(PIDS, PIDS))
    assert.equal("", result.stdout)
    assert.matches("^Lua warning: lua%-container: hooks: poststart%[1%] %(.-:2%): why\nstack",
      result.stderr)
    assert.is_nil(result.stderr:find("poststop", 1, true))
  end)

  it("is one of createContainer when the program is not there either", function()
    local seen
    local _, err = run { "/no/such", hooks = { poststart = { error },
      poststop = { function(state) seen = state.status end } } }
    assert.equal("exec: /no/such: No such file or directory", tostring(err))
    assert.equal("stopped", seen)
    assert.equal("exit status 9", (refused("createContainer", sh "exit 9", { "/no/such" })))
  end)

  it("is said where the host program does not hear of its children", function()
    local text = ([[
      local container = require "container"
      local sys = require "container.sys"
      for _, moment in ipairs { "prestart", "createContainer", "startContainer" } do
        print(container.run { "true", pids = %q, hooks = { [moment] = {
          { path = "/bin/sh", args = { "sh", "-c", "PATH=/usr/bin:/bin sleep 0.1" } } } } })
      end]]):format(PIDS)
    local result = support.run(command.words("exec", "env", "--ignore-signal=CHLD", support.lua,
      "-e", text))
    assert.matches("^nil\thooks: prestart%[1%] %(/bin/sh%): its end was not told: wait .-: \z
      No child processes\ntable: %S+\ntable: %S+\n$", result.stdout)
  end)
end)

describe("a hook that is a program #root", function()
  local FIRST <const> = [[{
  "annotations": {},
  "bundle": "/",
  "id": "NAME",
  "ociVersion": "1.0.2",
  "pid": PID,
  "status": "STATUS"
}]]

  it("has the state on standard input, its arguments, and no environment but what is given",
    function()
      local path, name = support.tmpdir() .. "/", support.name()
      local function program(moment)
        return { path = "/bin/sh", env = { "A=1", "PATH=/usr/bin:/bin" }, args = { "called", "-c",
          ("exec >%q; echo $0 $1; tr '\\0' '\\n' </proc/self/environ; cat"):format(path .. moment),
          "arg0", "arg1" } }
      end
      local hooks = {}
      for _, moment in ipairs { "prestart", "createRuntime", "createContainer", "poststart",
        "poststop" } do
        hooks[moment] = { program(moment) }
      end
      hooks.startContainer = { sh "cat >/state" }
      local c <close> = assert(api.spawn { "cat", "/state", name = name, pids = PIDS,
        stdout = "capture", hooks = hooks })
      local result = assert(c:wait())
      assert.is_nil(result.warnings, tostring((result.warnings or {})[1]))
      local function expected(status, pid)
        return (FIRST:gsub("%u%u%u+", { NAME = name, PID = tostring(pid), STATUS = status })
          :gsub(not pid and '  "pid": nil,\n' or "^$", ""))
      end
      local given = "arg0 arg1\nA=1\nPATH=/usr/bin:/bin\n"
      assert.equal(given .. expected("creating", c.pid), read(path .. "prestart"))
      assert.equal(given .. expected("creating", c.pid), read(path .. "createRuntime"))
      assert.equal(given .. expected("running", c.pid), read(path .. "poststart"))
      assert.equal(given .. expected("stopped"), read(path .. "poststop"))
      assert.equal(expected("created", 1), result.stdout)
      -- What it wrote from the container's mount namespace is on the host's own file.
      assert.equal(given .. expected("creating", 1):gsub(',\n  "status"',
        ',\n  "root": "/../root"%0'), read(path .. "createContainer"))
    end)

  it("is called by its path where there are no arguments", function()
    local path = support.tmpdir() .. "/hook"
    local file <close> = assert(io.open(path, "w"))
    file:write("#!/bin/sh\necho $0 $# >$0.out\n")
    file:close()
    assert(os.execute("chmod 755 " .. path))
    assert(run { "true", hooks = { createContainer = { { path = path } } } })
    assert.equal(path .. " 0\n", read(path .. ".out"))
  end)

  it("has no file of the caller's, no signal held back, and prints nowhere", function()
    local path = support.tmpdir() .. "/seen"
    local file <close> = assert(io.open("/dev/zero"))
    sys.dup2(file, 77)
    local mask = sys.sigprocmask("block", { "USR1" })
    local result = run { "true", stdout = "capture", hooks = { prestart = { sh("exec 2>" .. path
      .. "; ls /proc/self/fd >&2; grep -E 'Sig(Blk|Ign)' /proc/self/status >&2; umask >&2; echo x")
      } } }
    sys.sigprocmask("setmask", mask)
    sys.close(77)
    assert.equal("", result.stdout)
    -- Two are glibc's, and stay as the process that started this left them.
    assert.equal("0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n",
      (read(path):gsub("(SigIgn:\t0000000)180000000", "%1000000000")))
  end)

  it("does not hold the start up with what it leaves running", function()
    local before = sys.clock_gettime()
    local pids = support.tmpdir() .. "/pid"
    assert(run { "true", hooks = { prestart = { sh("sleep 1000 & echo $! >" .. pids) },
      createContainer = { sh "sleep 1000 &" } } })
    assert.is_true(sys.clock_gettime() - before < 5)
    assert.is_true(sys.kill(math.tointeger(read(pids):match("%d+")), "KILL"))
  end)
end)

describe("poststop #root", function()
  local function counted()
    local count = 0
    return function() count = count + 1 end, function() return count end
  end

  it("is when the container is closed, killed, or collected, and once", function()
    for _, how in ipairs { "close", "kill", "collect" } do
      local fn, count = counted()
      local c = assert(api.spawn { "sleep", "1000", pids = PIDS,
        hooks = { poststop = { fn } } })
      assert.equal(0, count())
      if how == "kill" then
        c:kill("KILL")
        c:wait()
      elseif how == "close" then
        c:close()
      end
      c = how ~= "collect" and c or nil
      collectgarbage()
      collectgarbage()
      assert.equal(1, count(), how)
      if c then
        c:close()
      end
      assert.equal(1, count(), how)
    end
  end)

  it("comes when all is cleaned", function()
    local cgroup, seen
    local name = support.name()
    local c = assert(api.spawn { "sleep", "1000", pids = PIDS, name = name, hooks = {
      poststop = { function()
        seen = { sys.stat(cgroup) ~= nil, run { "true", name = name } ~= nil }
      end } } })
    cgroup = PIDS ~= "max" and assert(command.cgroup(sys.getpid())) or "/no/such"
    c:close()
    assert.same({ false, true }, seen)
  end)

  it("may close and ask the container that is over", function()
    local c, seen
    c = assert(api.spawn { "true", pids = PIDS, hooks = { poststop = { function()
      c:close()
      seen = table.pack(c:wait())
    end } } })
    assert.equal(0, c:wait().status)
    assert.is_nil(seen[1])
    assert.equal("wait: the container is being taken away", tostring(seen[2]))
  end)

  it("is not where no hook's turn had come", function()
    local fn, count = counted()
    assert.is_nil(run { "true", rootfs = "/no/such", hooks = { prestart = { fn },
      poststop = { fn } } })
    assert.equal(0, count())
  end)
end)

describe("the time of a container #root", function()
  it("runs while poststart does", function()
    local result = assert(run { "sleep", "1000", timeout = 0.1, hooks = { poststart = { function()
      sys.ppoll({}, 0.3)
    end } } })
    assert.equal("timeout", result.reason)
    assert.is_true(result.wall >= 0.3)
  end)
end)

describe("a container with a terminal and hooks #root", function()
  it("has both", function()
    local met = 0
    local c <close> = assert(api.spawn { "sh", "-c", "tty", pids = PIDS, tty = true, hooks = {
      prestart = { function() met = met + 1 end },
      startContainer = { function() print("said") end },
    } })
    assert.equal("said\r", c.tty:read())
    assert.equal("/dev/pts/0\r", c.tty:read())
    assert.equal(0, c:wait().status)
    assert.equal(1, met)
  end)
end)

describe("a host program that is ended in a hook #root", function()
  -- Each says that it is there, and stays.
  local function start(moment, one, marker)
    return command.start { support.lua, "-e", script("/", ([[
      local function stays() io.stderr:write("there\n") sys.ppoll({}, 1000) end
      local moment, program = %q, { path = "/bin/sh", args = { "sh", "-c",
        "echo there >&2; kill -STOP $$; true", %q } }
      print(container.run { "true", pids = %q, hooks = { [moment] = { %s } } })]]):format(
      moment, marker, PIDS, one)), "-", marker }
  end

  local function sweep()
    command.sweep(function()
      assert(run { "true" })
    end)
  end

  for _, moment in ipairs(EARLY) do
    for _, signal in ipairs { "KILL", "TERM", "INT" } do
      it(("leaves no process: %s by %s, a function"):format(moment, signal), function()
        local marker = support.name()
        local s <close> = start(moment, "stays", marker)
        s:expect("there\n", "stderr")
        s:signal(signal)
        -- The Lua handler of INT lets a function that Lua does not run come to its end first.
        if signal == "INT" and not INSIDE[moment] then
          s:signal("TERM")
        end
        assert.are_not.equal(0, s:wait())
        assert.is_true(command.gone(marker))
        sweep()
      end)

      it(("leaves no process: %s by %s, a program"):format(moment, signal), function()
        local marker = support.name()
        local s <close> = start(moment, "program", marker)
        command.await("the program is there", function()
          for _, pid in ipairs(command.processes(marker)) do
            if (command.status(pid, "State") or ""):find("^T") then
              return true
            end
          end
        end)
        s:signal(signal)
        assert.are_not.equal(0, s:wait())
        assert.is_true(command.gone(marker))
        sweep()
      end)
    end
  end
end)

describe("the option hooks", function()
  local function refuses(message, hooks)
    local c, err = spec.read { "true", hooks = hooks }
    assert.is_nil(c)
    assert.equal("spec: " .. message, tostring(err))
    assert.equal(message:match("^(%S+):"), err.subject)
  end

  it("is refused by the path of its field", function()
    local function one(program)
      return { prestart = { print, program } }
    end
    refuses("hooks: expected a table, got true", true)
    refuses("hooks: expected a plain table, got one with a metatable", setmetatable({}, {}))
    for _, wrong in ipairs { "prestarted", "Prestart", "poststart " } do
      refuses(("hooks: expected prestart, createRuntime, createContainer, startContainer, "
        .. "poststart or poststop, got %q"):format(wrong), { [wrong] = {} })
    end
    refuses("hooks.prestart: expected a table, got a function", { prestart = print })
    refuses("hooks.prestart: expected an array of hooks, got the key \"path\"",
      { prestart = { path = "/bin/true" } })
    refuses("hooks.poststop[1]: is missing: the array has a hole", { poststop = { [2] = print } })
    refuses("hooks.prestart[2]: expected a function or a table, got \"/bin/true\"",
      one "/bin/true")
    refuses("hooks.prestart[2].path: expected an absolute path, got nil", one {})
    refuses("hooks.prestart[2].path: expected an absolute path, got \"true\"",
      one { path = "true" })
    refuses("hooks.prestart[2].path: contains a NUL byte", one { path = "/a\0" })
    refuses("hooks.prestart[2]: expected path, args, env or timeout, got \"arg\"",
      one { path = "/a", arg = {} })
    refuses("hooks.prestart[2].args: expected a table, got \"a\"", one { path = "/a", args = "a" })
    refuses("hooks.prestart[2].args[1]: expected the program's name, got nil",
      one { path = "/a", args = {} })
    refuses("hooks.prestart[2].args[2]: expected a string, got 5",
      one { path = "/a", args = { "a", 5 } })
    refuses("hooks.prestart[2].args: expected an array of strings, got the key \"x\"",
      one { path = "/a", args = { "a", x = "y" } })
    refuses("hooks.prestart[2].env[1]: expected NAME=value, got \"A\"",
      one { path = "/a", env = { "A" } })
    refuses("hooks.prestart[2].env: expected an array of strings, got the key \"A\"",
      one { path = "/a", env = { A = "1" } })
    for shown, timeout in pairs { ["0"] = 0, ["-1"] = -1, ['"1"'] = "1", inf = math.huge } do
      refuses("hooks.prestart[2].timeout: expected a number of seconds above 0, got " .. shown,
        one { path = "/a", timeout = timeout })
    end
  end)

  it("lands in OCI's config", function()
    local c = assert(spec.read { "true", hooks = {
      prestart = { { path = "/a" } }, poststop = { { path = "/b", args = { "c" }, env = { "D=e" },
      timeout = 3 }, print } } })
    assert.same({
      prestart = { { path = "/a", args = { "/a" }, env = {} } },
      poststop = { { path = "/b", args = { "c" }, env = { "D=e" }, timeout = 3 }, print },
    }, c.config.hooks)
  end)

  local hooks_of = require("container.engine.hooks").new

  it("makes a copy of the host program only where a hook comes before the program", function()
    local function copies(hooks)
      return hooks_of(assert(spec.read { "true", hooks = hooks }).config.hooks).copies
    end
    for _, moment in ipairs(EARLY) do
      assert.is_true(copies { [moment] = { print } }, moment)
    end
    assert.is_false(copies { poststart = { print }, poststop = { print } })
  end)
end)
