-- A second program in a container that runs: c:exec of the library.

local command = require "spec.fixtures.command"
local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local DEADLINE <const> = 10 * support.patience
local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true", pids = PIDS }
end)

local function spawn(options)
  options = options or {}
  if not options[1] then
    options[1], options[2] = "sleep", "1000"
  end
  options.pids = options.pids or PIDS
  return assert(api.spawn(options))
end

--- What a program says in a container.
local function say(c, script, options)
  options = options or {}
  options[1], options[2], options[3] = "sh", "-c", script
  options.stdout, options.stderr, options.stdin = "capture", "stdout", options.stdin or "null"
  local program <close> = assert(c:exec(options))
  local result = assert(program:wait(DEADLINE))
  return result.stdout, result
end

-- Everything that /proc says of the ids of a process and of what it may do.
local STATE <const> = [[
  grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' $P/status
  cat $P/limits $P/cgroup $P/uid_map $P/gid_map $P/oom_score_adj
  tr '\0' '\n' <$P/environ | grep -vE '^(P|PWD|SHLVL|_|OLDPWD)=' | sort
]]
local LINKS <const> = [[
  for n in cgroup ipc mnt net pid pid_for_children user uts; do readlink $P/ns/$n; done
  readlink $P/root $P/cwd
]]

local function of_program(c, options)
  -- The program is the child of init; without one it is pid 1.
  return (say(c, "P=/proc/2; " .. STATE .. LINKS, options)),
    -- Its own cgroup is below the container's.
    (say(c, "P=/proc/$$; " .. STATE .. LINKS, options):gsub("(:%a*:/)exec%-%d+", "%1"))
end

describe("a second program in a container #root", function()
  it("is in all its namespaces, and is as confined as its program", function()
    for _, options in ipairs {
      {}, { cap_drop = { "CHOWN" }, env = { A = "b" }, cwd = "/usr" },
      { rlimits = { nofile = 50, cpu = 20 } }, { no_new_privileges = false },
      { network = "host" }, { privileged = true }, { capabilities = {} },
      { seccomp = false }, { pids = "max" }, { oom_score_adj = 700 },
    } do
      local c <close> = spawn(options)
      local one, other = of_program(c)
      assert.equal(one, other)
      assert.matches("\nSeccomp:", one)
      assert.matches("mnt:%[", one)
      assert.equal("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
        (say(c, "exec grep -E '^Sig(Blk|Ign)' /proc/self/status")))
    end
  end)

  it("is the container's user, with no more rights", function()
    local c <close> = spawn { user = "7:8" }
    assert.equal("7 8 8\n", (say(c, "echo $(id -u) $(id -g) $(id -G)")))
    assert.equal("0000000000000000\n", (say(c, "sed -n 's/^CapEff:\t//p' /proc/self/status")))
  end)

  it("is in the cgroup on the host, or in one of its own below it", function()
    local c <close> = spawn()
    local program <close> = assert(c:exec { "sleep", "1000" })
    assert.equal(sys.read_file(("/proc/%d/cgroup"):format(c.pid)),
      (sys.read_file(("/proc/%d/cgroup"):format(program.pid)):gsub("/exec%-%d+", "")))
    for _, name in ipairs { "mnt", "pid", "ipc", "uts", "net", "cgroup", "user" } do
      assert.equal(sys.readlink(("/proc/%d/ns/%s"):format(c.pid, name)),
        sys.readlink(("/proc/%d/ns/%s"):format(program.pid, name)))
    end
    assert.matches("\nPPid:%s*" .. sys.getpid() .. "\n",
      sys.read_file(("/proc/%d/status"):format(program.pid)))
  end)

  it("has its standard streams and no other file, and no variable of the host's", function()
    local c <close> = spawn()
    local held <close> = assert(sys.open("/dev/null"))
    assert.equal("0\n1\n2\n3\n", (say(c, "exec ls /proc/self/fd"))) -- and that of the listing
    assert.is_truthy(held:fileno())
    local names = say(c, "env | sed 's/=.*//' | sort | tr '\\n' ' '")
    assert.matches("^HOME HOSTNAME PATH PWD .*$", names)
    assert.is_nil(names:find("LUA_PATH"))
  end)

  it("is seen by those in it, and sees them", function()
    local c <close> = spawn()
    local program <close> = assert(c:exec { "sleep", "999" })
    local seen = say(c, "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done")
    assert.matches("init sleep 1000 \nsleep 1000 \nsleep 999 \n", seen)
    assert.is_true(program:kill("TERM"))
    assert.same({ reason = "signal", status = 143, signal = "TERM" },
      support.ending(program:wait(DEADLINE)))
    assert.is_false(c:poll())
  end)

  it("gives the same result as a container, but for the memory", function()
    local c <close> = spawn()
    local text, result = say(c, "echo out; echo err >&2; exit 7")
    assert.equal("out\nerr\n", text)
    assert.same({ reason = "exit", status = 7 }, support.ending(result))
    assert.is_nil(result.memory_peak)
    assert.is_true(result.wall > 0 and result.cpu.user >= 0)
    text, result = say(c, "kill -SEGV $$")
    assert.same({ "", "SEGV", 139 }, { text, result.signal, result.status })
  end)

  it("has streams, a time limit and events of its own", function()
    local c <close> = spawn { "cat", stdin = "pipe", stdout = "capture" }
    local program <close> = assert(c:exec { "cat", stdin = "pipe", stdout = "pipe" })
    program.stdin:write("one\n")
    assert.equal("one", program.stdout:read())
    program.stdin:close()
    assert.equal(0, program:wait(DEADLINE).status)
    local late, seen = nil, nil
    local slow <close> = assert(c:exec { "sh", "-c", "trap '' TERM; sleep 1000 & wait; wait",
      timeout = 0.1, stop_timeout = 0.1,
      on = { timeout = function() late = true end, exit = function(_, r) seen = r end } })
    local result = assert(slow:wait(DEADLINE))
    assert.same({ "timeout", true, result }, { result.reason, late, seen })
    c.stdin:write("two\n")
    c.stdin:close()
    assert.equal("two\n", c:wait(DEADLINE).stdout)
  end)

  it("may be another user, with other variables, elsewhere, with fewer rights", function()
    local c <close> = spawn { env = { A = "1", B = "2" } }
    assert.equal("77777 8 / 1 3\n", (say(c, "echo $(id -u) $(id -g) $HOME $A $B",
      { user = "77777:8", env = { B = "3" } })))
    assert.equal("daemon\n", (say(c, "id -un", { user = "daemon" })))
    assert.equal("/usr\n", (say(c, "pwd", { cwd = "/usr" })))
    assert.equal("0000000000000001\n",
      (say(c, "sed -n 's/^CapEff:\t//p' /proc/self/status", { capabilities = { "CHOWN" } })))
    assert.equal("00000000a00425fa\n",
      (say(c, "sed -n 's/^CapBnd:\t//p' /proc/self/status", { cap_drop = { "CHOWN" } })))
  end)

  it("refuses what is no option of it, and what would be more", function()
    local c <close> = spawn()
    for message, options in pairs {
      ["args: no command"] = {},
      ["hostname: is an option of the container, and not of a process in it"] =
        { "true", hostname = "x" },
      ["capabilities: the container has not got CAP_SYS_ADMIN"] =
        { "true", capabilities = { "SYS_ADMIN" } },
      ["options: unknown option \"nosuch\""] = { "true", nosuch = 1 },
      ["grace: is now called stop_timeout"] = { "true", grace = 1 },
      ["capabilities: says all that there are; it does not go with cap_drop"] =
        { "true", capabilities = {}, cap_drop = { "ALL" } },
    } do
      local program, err = c:exec(options)
      assert.is_nil(program)
      assert.equal("spec: " .. message, tostring(err))
    end
    local program, err = c:exec(nil)
    assert.is_nil(program)
    assert.equal("spec: options: expected a table, got nil", tostring(err))
    program, err = c:exec { "true", user = "nobody-of-that-name" }
    assert.is_nil(program)
    assert.equal("user: user nobody-of-that-name: not in the container's /etc/passwd",
      tostring(err))
  end)

  it("that is not there, or cannot be executed, is named, and nothing is left", function()
    local before = support.snapshot()
    local c <close> = spawn()
    for program, message in pairs {
      ["/no/such"] = "exec: /no/such: No such file or directory",
      ["no-such"] = "exec: no-such: not found in PATH",
      ["/etc/passwd"] = "exec: /etc/passwd: Permission denied",
    } do
      local none, err = c:exec { program }
      assert.is_nil(none)
      assert.equal(message, tostring(err))
    end
    c:close()
    support.assert_same(before)
  end)

  it("has a terminal of the container's where it asks", function()
    local c <close> = spawn()
    local program <close> = assert(c:exec { "sh", "-c", "tty; stty size; exit 4",
      tty = { height = 11, width = 22 } })
    local text = program.tty:read("a")
    assert.matches("^/dev/pts/%d+\r\n11 22\r\n$", text)
    assert.equal(4, program:wait(DEADLINE).status)
  end)

  it("stays behind the second wall", function()
    support.needs("landlock")
    local c <close> = spawn { landlock = { read = { "/usr", "/bin", "/lib", "/lib64" } } }
    assert.matches("Permission denied", (say(c, "cat /etc/passwd")))
  end)
end)

describe("the end of a second program #root", function()
  it("comes with the container's, by KILL, whoever waits first", function()
    for _, wait in ipairs { "container", "program", "poll", "close", "timeout" } do
      local c <close> = spawn { "sh", "-c", "read x", stdin = "pipe",
        timeout = wait == "timeout" and 0.2 or nil, stop_timeout = 0.1 }
      local program <close> = assert(c:exec { "sh", "-c", "trap '' TERM; while :; do sleep 1; done",
        stdout = "capture" })
      if wait == "close" then
        c:close()
      elseif wait ~= "timeout" then
        c.stdin:close()
      end
      if wait == "poll" then
        assert.same({ c }, api.poll({ c }, DEADLINE))
      elseif wait ~= "program" and wait ~= "close" then
        assert(c:wait(DEADLINE))
      end
      assert.same({ reason = "signal", status = 137, signal = "KILL" },
        support.ending(assert(program:wait(DEADLINE))))
    end
  end)

  it("comes with KILL of the container, also without an init", function()
    for _, init in ipairs { true, false } do
      local c <close> = spawn { init = init }
      local programs = {}
      for i = 1, 5 do
        programs[i] = assert(c:exec { "sleep", "1000" })
      end
      c:kill("KILL")
      assert.equal("KILL", c:wait(DEADLINE).signal)
      for _, program in ipairs(programs) do
        assert.equal("KILL", program:wait(DEADLINE).signal)
      end
    end
  end)

  it("comes when nobody holds it, unless it was let go", function()
    local c <close> = spawn()
    assert(c:exec { "sleep", "1000" })
    assert(c:exec { "sleep", "999" }):detach()
    collectgarbage()
    collectgarbage()
    assert.equal("1\n", (say(c, "ps ax | grep -c '[s]leep 1000$' | xargs -I{} expr {} - 1")))
    assert.equal("1\n", (say(c, "ps ax | grep -c '[s]leep 999$'")))
  end)

  it("leaves a container that nobody holds to be collected with it", function()
    local result = support.script([[
      do
        local c = assert(container.spawn { "sleep", "1000", pids = "max" })
        local program = assert(c:exec { "sleep", "1000" })
        print(program.container == c)
      end
      collectgarbage()
      collectgarbage()
      print(sys.read_file("/proc/self/task/" .. sys.getpid() .. "/children"))]])
    assert.same({ status = 0, stdout = "true\n\n", stderr = "" }, result)
  end)

  it("comes with that of the launcher, and with it the container's", function()
    local marker = "9" .. tostring(sys.getpid())
    local script = ([[
      local c = assert(container.spawn { "sleep", "%s", pids = "max" })
      for _ = 1, 3 do
        assert(c:exec { "sh", "-c", "trap '' TERM HUP; sleep %s; :" }):detach()
      end
      print "ready"
      io.stdout:flush()
      sys.kill(sys.getpid(), "KILL")]]):format(marker, marker)
    assert.equal("ready\n", support.script(script).stdout)
    local deadline = sys.clock_gettime() + DEADLINE
    while command.processes(marker)[1] and sys.clock_gettime() < deadline do
      sys.ppoll({}, 0.01)
    end
    assert.same({}, command.processes(marker))
  end)
end)

describe("exec #root", function()
  it("into a container that has ended is refused, and nothing is left", function()
    for _, init in ipairs { true, false } do
      local c <close> = spawn { "true", init = init }
      while not sys.ppoll({ c:fd() }, DEADLINE)[1] do end
      local program, err = c:exec { "true" } -- no process has waited for it yet
      assert.is_nil(program)
      assert.same({ "exec: the container has ended", sys.errno.ESRCH },
        { tostring(err), err.errno })
      c:wait()
      program, err = c:exec { "true" }
      assert.is_nil(program)
      assert.equal("exec: the container has ended", tostring(err))
    end
  end)

  it("into one that ends meanwhile answers, whatever the moment", function()
    for _ = 1, 30 do
      local c <close> = spawn { "true" }
      local program, err = c:exec { "true" }
      if program then
        assert.is_truthy(program:wait(DEADLINE))
      else
        assert.equal("exec: the container has ended", tostring(err))
      end
      assert.equal(0, c:wait(DEADLINE).status)
    end
  end)

  it("into a paused container is refused, and what was there before goes on with it", function()
    local c <close> = spawn()
    local program <close> = assert(c:exec { "sleep", "1000" })
    assert(c:pause())
    local none, err = c:exec { "true" }
    assert.is_nil(none)
    assert.equal("exec: the container is paused", tostring(err))
    none, err = program:pause()
    assert.is_nil(none)
    assert.equal("pause: this is a program in a container: ask the container", tostring(err))
    assert.is_false(program:poll())
    assert(program:kill("TERM"))
    assert(c:resume())
    assert.equal("TERM", program:wait(DEADLINE).signal)
    local other <close> = assert(c:exec { "sleep", "1000" })
    assert(c:pause())
    other:close() -- lets it go on, for it would not die
    assert(c:kill("KILL"))
    assert.equal("KILL", c:wait(DEADLINE).signal)
  end)

  it("is asked of containers, and of one's own", function()
    local c <close> = spawn()
    local program <close> = assert(c:exec { "sleep", "1000" })
    local none, err = program:exec { "true" }
    assert.is_nil(none)
    assert.equal("exec: this is a program in a container: ask the container", tostring(err))
    assert.equal("exec: the container is not this process's", support.child(function()
      local _, refusal = c:exec { "true" }
      return tostring(refusal)
    end))
  end)

  it("does not exceed the limit of processes", function()
    support.needs("root")
    if PIDS == "max" then
      return
    end
    local c <close> = spawn { pids = 3 } -- init, sleep and one more
    local program, err = c:exec { "true" }
    assert.is_nil(program)
    assert.equal("clone: clone: Resource temporarily unavailable (the pids limit has to leave room "
      .. "for two processes until the program runs)", tostring(err))
    assert.equal(sys.errno.EAGAIN, err.errno)
    assert.is_false(c:poll())
  end)

  it("of twenty at once", function()
    local c <close> = spawn { pids = PIDS == "max" and "max" or 50 }
    local programs = {}
    for i = 1, 20 do
      programs[i] = assert(c:exec { "sh", "-c", "cat; exit " .. i, stdin = tostring(i),
        stdout = "capture" })
    end
    for i, program in ipairs(programs) do
      local result = assert(program:wait(DEADLINE))
      assert.same({ i, tostring(i) }, { result.status, result.stdout })
    end
  end)

  it("out of a large host program, and out of one with threads", function()
    local script = [[
      local c <close> = assert(container.spawn { "sleep", "1000", pids = "max" })
      for _ = 1, 5 do
        local e <close> = assert(c:exec { "sh", "-c", "echo $PPID; exit 3", stdout = "capture" })
        local r = assert(e:wait(60))
        assert(r.status == 3 and r.stdout == "0\n")
      end
      print(c:poll())]]
    local large = support.script([[
      local held = ("x"):rep(256 << 20)
      ]] .. script .. [[ print(#held >> 20)]])
    assert.same({ status = 0, stdout = "false\n256\n", stderr = "" }, large)
    local threads = support.run(("LD_PRELOAD=%s %s -e %s"):format(command.program "threads",
      support.lua, support.quote("local container = require 'container'\n" .. script)))
    assert.same({ status = 0, stdout = "false\n", stderr = "" }, threads)
  end)

  it("of a host program that ignores its children ends with it", function()
    local result = support.run("exec env --ignore-signal=CHLD " .. support.lua .. " -e "
      .. support.quote [[
      local container = require "container"
      local sys = require "container.sys"
      local c = assert(container.spawn { "sh", "-c", "read x; exit 3", stdin = "pipe",
        pids = "max" })
      local e = assert(c:exec { "sleep", "1000" })
      c.stdin:close()
      print(c:wait(60).status, (e:wait(60)))]])
    assert.same({ status = 0, stdout = "3\tnil\n", stderr = "" }, result)
  end)

  it("where no more files may be opened gets one sentence, and leaves nothing", function()
    local result = support.script([[
      local c = assert(container.spawn { "sleep", "1000", pids = "max" })
      assert(c:exec { "true", stdout = "capture" }):wait() -- its rooms are loaded by now
      local held, fd = {}, nil
      sys.setrlimit("nofile", 64)
      repeat
        fd = sys.open("/dev/null")
        held[#held + 1] = fd
      until not fd
      for _ = 1, 20 do
        local e, err = c:exec { "true", stdout = "capture" }
        print(e and e:wait(60).status or err)
        if e then e:close() end
        table.remove(held):close()
      end
      print((sys.read_file("/proc/self/task/" .. sys.getpid() .. "/children")
        :gsub("%d+ ", "child ")))
      c:close()]])
    local lines = {}
    for line in result.stdout:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.same({ "", "child ", "0" }, { result.stderr, lines[#lines], lines[#lines - 1] })
    for i = 1, #lines - 1 do
      assert.is_true(lines[i] == "0" or lines[i]:find(": Too many open files$") ~= nil, lines[i])
    end
  end)

  it("shows nothing of the host program to those in the container", function()
    -- Looks at every new process as long as it is a copy of the host program, and says what it got.
    local attack = [[
      local met, got = 0, {}
      local function read(path)
        local file = io.open(path, "r")
        local text = file and file:read("a")
        if file then file:close() end
        return text
      end
      io.stdout:write("ready\n")
      io.stdout:flush()
      local last = 3
      while not read("/tmp/stop") do
        for pid = last, last + 8 do
          local dir = "/proc/" .. pid .. "/"
          local words = read(dir .. "cmdline")
          if words then
            last = math.max(last, pid)
            local variables, name = read(dir .. "environ"), read(dir .. "comm")
            local memory = name == "exec\n" and io.open(dir .. "mem", "r+")
            if name == "exec\n" and not variables then met = met + 1 end
            if (words .. (variables or "")):find("of-the-host", 1, true) then
              got[#got + 1] = pid
            end
            if memory then
              memory:seek("set", 0)
              memory:close()
            end
          end
        end
      end
      print(met > 0, #got, table.concat(got, " "))]]
    local result = support.run("SECRET=of-the-host " .. command.words(support.lua, "-e", ([[
      local container = require "container"
      local sys = require "container.sys"
      local c = assert(container.spawn { %q, "-e", %q, stdout = "pipe", pids = 100 })
      c.stdout:read()
      for _ = 1, 200 do
        assert(c:exec { "true" }):wait(60)
      end
      assert(c:exec { "touch", "/tmp/stop" }):wait(60)
      print(c.stdout:read())]]):format(support.lua, attack) .. " -- of-the-host"))
    assert.same({ status = 0, stdout = "true\t0\t\n", stderr = "" }, result)
  end)
end)

describe("a second program of an ordinary user's container #userns", function()
  local SCRIPT <const> = [[
    local container = require "container"
    local sys = require "container.sys"
    local c <close> = assert(container.spawn { "sleep", "1000" })
    local function say(script, options)
      options = options or {}
      options[1], options[2], options[3], options.stdout = "sh", "-c", script, "capture"
      local e <close> = assert(c:exec(options))
      return assert(e:wait(60)).stdout
    end
    print(say "id -u; id -g" == "0\n0\n")
    local state = "grep -E '^(Cap|NoNew|Secc|Uid|Gid)' /proc/%s/status; cat /proc/%s/limits; "
      .. "for n in mnt pid ipc uts net cgroup user; do readlink /proc/%s/ns/$n; done"
    local one, other = say((state:gsub("%%s", "2"))), say((state:gsub("%%s", "$$")))
    print(one == other or one .. other)
    local e <close> = assert(c:exec { "sleep", "1000" })
    c:close()
    print(e:wait(60).signal)]]

  it("is in all its namespaces with its rights", function()
    local result = support.as_user(support.lua .. " -e " .. support.quote(
      "package.path, package.cpath = './lua/?.lua;' .. package.path, './?.so;' .. package.cpath\n"
      .. SCRIPT))
    assert.same({ status = 0, stdout = "true\ntrue\nKILL\n", stderr = "" }, result)
  end)
end)
