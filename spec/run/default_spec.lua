-- The container that one gets without any option: what it has of its own, and what it has not of
-- the host's.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local function own_namespace(name)
  return sys.readlink("/proc/self/ns/" .. name) .. "\n"
end

for _, caller in ipairs(command.callers) do
  describe("the default container of " .. caller.name, function()
    it("is in a mount, UTS, PID, IPC, network and cgroup namespace of its own", function()
      for _, name in ipairs { "mnt", "uts", "pid", "ipc", "net", "cgroup" } do
        local link = caller:print("readlink", "/proc/self/ns/" .. name)
        assert.matches("^" .. name .. ":%[%d+%]\n$", link)
        assert.not_equal(own_namespace(name), link)
      end
    end)

    it("sees its own processes and no others", function()
      assert.equal("1 2\n", caller:print("sh", "-c", "cd /proc; echo [0-9]*"))
    end)

    it("has a loopback interface that is up, with its addresses", function()
      assert.equal("0x9\n", caller:print("cat", "/sys/class/net/lo/flags")) -- IFF_UP, IFF_LOOPBACK
      assert.matches("127%.0%.0%.1", caller:print("cat", "/proc/net/fib_trie"))
    end)

    it("has no interface of the host's", function()
      local result = caller:print("sh", "-c", "ls /sys/class/net; cat /proc/net/route")
      for _, name in ipairs(sys.list("/sys/class/net")) do
        local device = sys.stat("/sys/class/net/" .. name .. "/device")
        assert.falsy(device and result:find(name, 1, true), name)
      end
      assert.equal("Iface", result:match("\n(%a+)%s[^\n]*\n$")) -- the head of an empty table
    end)

    it("is called container, in the kernel and in the environment", function()
      assert.equal("container\ncontainer\n",
        caller:print("sh", "-c", "cat /proc/sys/kernel/hostname; echo $HOSTNAME"))
    end)

    it("leaves the host its name", function()
      local before = sys.gethostname()
      assert.equal("other\n", caller:print("--hostname", "other", "hostname"))
      assert.equal(before, sys.gethostname())
    end)

    it("has an init as pid 1, which runs from memory and starts the program as pid 2", function()
      assert.equal("init\n2\n", caller:print("sh", "-c", "cat /proc/1/comm; echo $$"))
      local s <close> = caller:start(command.probe "wait")
      s:expect("ready\n")
      local init = command.children(s.pid)[1]
      assert.equal("init\n", sys.read_file(("/proc/%d/comm"):format(init)))
      local image = sys.readlink(("/proc/%d/exe"):format(init))
      assert.equal("/memfd:lua-container-init (deleted)", image)
    end)

    it("has an init that nobody in it can kill or stop", function()
      assert.equal("State:\tS (sleeping)\n", caller:print("sh", "-c",
        "kill -KILL 1; kill -STOP 1; grep ^State /proc/1/status"))
    end)

    it("has the program as pid 1 with --no-init", function()
      assert.equal("1\n", caller:print("--no-init", "sh", "-c", "echo $$"))
      assert.equal("cat\n", caller:print("--no-init", "cat", "/proc/1/comm"))
    end)

    it("shows the same files above its root as in it", function()
      for _, root in ipairs { "/", caller:rootfs() } do
        assert.equal("same\n", caller:print("--rootfs", root, "sh", "-c",
          "[ /.. -ef / ] && [ /../.. -ef / ] && echo same"))
        local mounts = caller:print("--rootfs", root, "cat", "/proc/self/mountinfo")
        assert.equal(1, select(2, mounts:gsub("%S+ %S+ %S+ %S+ / [^\n]*\n", "")))
      end
    end)

    it("has no way back to the host's files by a chroot", function()
      local place = support.tmpdir() .. "/secret"
      assert(sys.mknod(place, "file", tonumber("644", 8), 0, 0))
      assert.equal("No such file or directory\n",
        caller:print("--rootfs", caller:rootfs(), "probe", "escape", place))
    end)

    it("has nothing of it in the host's table of mounts while it runs", function()
      local before = sys.read_file("/proc/self/mountinfo")
      local s <close> = caller:start(command.probe "wait")
      s:expect("ready\n")
      assert.equal(before, sys.read_file("/proc/self/mountinfo"))
      local inside = sys.read_file(("/proc/%d/mountinfo"):format(command.children(s.pid)[1]))
      assert.not_equal(before, inside)
    end)

    it("has in /dev what a program counts on", function()
      assert.equal("fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero\n",
        caller:print("sh", "-c", "cd /dev; echo *"))
      assert.equal("", caller:print("sh", "-c", "echo lost >/dev/null; cat /dev/null"))
      assert.equal(" 00 00 00 00\n", caller:print("sh", "-c", "head -c 4 /dev/zero | od -An -tx1"))
      assert.equal("4\n", caller:print("sh", "-c", "head -c 4 /dev/urandom | wc -c"))
      assert.equal("4\n", caller:print("sh", "-c", "head -c 4 /dev/random | wc -c"))
      assert.equal("opens\n", caller:print("sh", "-c", "exec 3<>/dev/ptmx && echo opens"))
      assert.equal("kept\n", caller:print("sh", "-c", "echo kept >/dev/shm/a; cat /dev/shm/a"))
      local full = caller:run("--quiet", "dd", "if=/dev/zero", "of=/dev/full", "count=1")
      assert.matches("No space left on device", full.stderr)
    end)

    it("can make a terminal, which is its first", function()
      local result = caller:run("--quiet", "script", "-qec", "tty", "/dev/null")
      assert.equal("/dev/pts/0\r\n", result.stdout)
      assert.equal(0, result.status)
    end)

    it("has the fds 0, 1 and 2 and no others, whatever the launcher has open", function()
      for _, init in ipairs { "", "--no-init" } do
        local line = ("%s run.lua -q %s %s"):format(support.lua, init,
          command.words(command.probe "fds"))
        assert.equal("0 1 2 ", caller:shell(line).stdout)
        assert.equal("0 1 2 ", caller:shell(line .. " 3</etc/passwd 7</ 9>&1").stdout)
        assert.equal("0 1 2 ", caller:shell(line .. " <&-").stdout)
        assert.equal("0 1 2 ", caller:shell(line .. " <&- 2>&- 5</").stdout)
      end
    end)

    it("gives /dev/null to a program whose launcher has its standard streams closed", function()
      -- Often, for what the launcher begins before has files of its own, at any moment.
      local result = caller:shell(("for i in 1 2 3 4 5 6 7 8 9 10; do %s run.lua -q readlink \z
        /proc/self/fd/0 <&-; done"):format(support.lua))
      assert.equal(("/dev/null\n"):rep(10), result.stdout)
    end)

    it("has PATH, HOME, HOSTNAME and the launcher's TERM as its environment", function()
      local env = "env SECRET=1 LD_LIBRARY_PATH=/x LUA_INIT_5_5=x TERM=%s %s run.lua -q env"
      assert.equal("HOME=/root\nHOSTNAME=container\n\z
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTERM=vt52\n",
        caller:shell(env:format("vt52", support.lua) .. " | sort").stdout)
      assert.equal("HOME=/root\nHOSTNAME=container\n\z
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n",
        caller:shell("unset TERM; " .. support.lua .. " run.lua -q env | sort").stdout)
    end)

    it("starts its program in / with the umask 022", function()
      assert.equal("/\n0022\n", caller:shell(("umask 077; %s run.lua -q sh -c 'pwd; umask'"):format(
        support.lua)).stdout)
    end)

    it("has every signal as it is by default, whatever the launcher ignores", function()
      for _, init in ipairs { "", "--no-init" } do
        local result = caller:shell(("trap '' HUP INT QUIT PIPE TERM USR1 CHLD; \z
          %s run.lua -q %s grep -E 'Sig(Blk|Ign)|ShdPnd' /proc/self/status"):format(
          support.lua, init))
        assert.equal("ShdPnd:\t0000000000000000\nSigBlk:\t0000000000000000\n\z
          SigIgn:\t0000000000000000\n", result.stdout)
      end
    end)

    it("reads what the launcher's standard input gives", function()
      local s <close> = caller:start("cat")
      s:send("one line\n")
      s:expect("^one line\n$")
      s:eof()
      assert.equal(0, s:wait())
    end)

    it("has a cgroup namespace whose root is its own cgroup", function()
      for path in caller:print("cat", "/proc/self/cgroup"):gmatch(":(/[^\n]*)\n") do
        assert.falsy(path:find("lua-container", 1, true), path)
      end
    end)
  end)
end

describe("the default container #root", function()
  it("does not show on a host whose mounts are shared", function()
    local s <close> = command.root:start_words { "unshare", "--mount", "--propagation", "shared",
      support.lua, "run.lua", "-q", command.probe "wait" }
    s:expect("ready\n")
    local table_of_host = sys.read_file("/proc/self/mountinfo")
    local table_of_launcher = sys.read_file(("/proc/%d/mountinfo"):format(s.pid))
    assert.matches("shared:", table_of_launcher)
    assert.equal(select(2, table_of_host:gsub("\n", "")),
      select(2, table_of_launcher:gsub("\n", "")))
  end)

  it("is in the launcher's user namespace", function()
    assert.equal(own_namespace("user"), command.root:print("readlink", "/proc/self/ns/user"))
  end)
end)

describe("the score of the default container when memory runs out", function()
  local LAUNCH <const> = "echo 200 >/proc/self/oom_score_adj; exec " .. support.lua
    .. " run.lua -q sh -c 'cat /proc/self/oom_score_adj; { echo -1000 >/proc/self/oom_score_adj; } "
    .. "2>/dev/null; cat /proc/self/oom_score_adj'"

  it("is its launcher's, and cannot be that of what is spared #root", function()
    assert.equal("200\n200\n", support.run(LAUNCH).stdout)
  end)

  it("is so for an ordinary user too #userns", function()
    assert.equal("200\n200\n", support.as_user(LAUNCH).stdout)
  end)
end)

describe("a launcher whose /proc is that of another PID namespace #root", function()
  -- What has the launcher's number there has files of the host's network at all the numbers that
  -- those of the launcher may have.
  local function namespace_of(program)
    return support.run(("unshare --pid --fork --mount-proc sh -c %s %s"):format(support.quote([[
      for n in 4 5 6 7 8 9; do eval "exec $n</proc/self/ns/net"; done
      unshare --pid --fork "$@" -q readlink /proc/self/ns/net 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-]]),
      "sh " .. program))
  end

  for name, program in pairs(command.ways) do
    it("gives its container a network of its own: " .. name, function()
      support.needs(program:match("[^ ]+"))
      local own = sys.readlink("/proc/self/ns/net")
      for _ = 1, 5 do
        local result = namespace_of(program)
        assert.matches("^net:%[%d+%]\n$", result.stdout, result.stderr)
        assert.not_equal(own .. "\n", result.stdout)
      end
    end)
  end

  it("cannot have one with a range of ids, for it would write the maps of another", function()
    local result = support.run(("unshare --pid --fork %s run.lua -q --userns auto true"):format(
      support.lua))
    assert.equal("lua-container: --userns: /proc is that of another PID namespace: mount one of \z
      this\n", result.stderr)
    assert.equal(125, result.status)
  end)
end)
