-- A terminal of the launcher's with a container on it, which has one of its own: keys, groups,
-- size, settings, and what comes through. And what is instead where there is none.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local CTRL_C <const>, CTRL_D <const>, CTRL_Z <const> = "\3", "\4", "\26"

-- Interactive, with job control, and with lines as the terminal gives them.
local SHELL <const> = { "bash", "--norc", "--noediting", "-i" }

local function join(...)
  local all = {}
  for _, list in ipairs { ... } do
    table.move(list, 1, #list, #all + 1, all)
  end
  return all
end

-- Words that run a program on a terminal that does not show what is typed.
local function unseen(...)
  return { "sh", "-c", "stty -echo; exec \"$@\"", "sh", ... }
end

for _, caller in ipairs(command.callers) do
  local function on_terminal(...)
    local s = caller:start_words(join({ command.program "pty" }, ...))
    s.terminal = true
    return s
  end

  -- A container in the foreground, with the probe in it.
  local function open(...)
    return on_terminal({ support.lua, "run.lua", "--quiet", command.with_probe() }, ...)
  end

  -- The line that is typed into a shell to have one.
  local function typed(...)
    return command.words(support.lua, "run.lua", "--quiet", command.with_probe(), ...) .. "\n"
  end

  -- The same in a shell of the host's, which says the settings of its terminal before and after.
  local function between_settings(...)
    return on_terminal({ "sh", "-c", "echo settings=$(stty -g); \"$@\"; echo status=$?; \z
      echo settings=$(stty -g)", "sh", support.lua, "run.lua", "--quiet",
      command.with_probe() }, ...)
  end

  local function launcher_of(s)
    return command.children(command.children(s.pid)[1])[1]
  end

  -- Waits until a process is stopped, or goes on.
  local function await_stop(pid, stopped)
    command.await(stopped and "it stops" or "it goes on", function()
      return stopped == (command.status(pid, "State"):find("^T") ~= nil)
    end)
  end

  describe("a terminal of the container's, run by " .. caller.name, function()
    it("a shell has job control", function()
      local s <close> = open(SHELL)
      s:send("case $- in *m*) echo on$((1 + 1));; esac\n")
      s:expect("on2\n")
      s:send("sleep 1000 &\njobs | tr R r\n")
      s:expect("%[1%]%+ +running +sleep 1000 &\n")
      s:send("kill %1; exit 4\n")
      assert.equal(4, s:wait())
      assert.is_nil(s.stdout:find("job control", 1, true))
    end)

    it("a shell lets its line be edited", function()
      local s <close> = open { "/bin/bash", "--norc", "-i" }
      s:expect("[#$] ")
      s:send("echo $((6 * 8))\127\1270))\n") -- two characters are taken back
      s:expect("480.*[#$] ")
      s:send(CTRL_D)
      assert.equal(0, s:wait())
    end)

    it("Ctrl-C ends the job in the foreground and not its shell", function()
      local s <close> = open(SHELL)
      s:send("/probe wait\n")
      s:expect("ready\n")
      s:send(CTRL_C)
      s:expect("[#$] ") -- what is typed earlier is lost with the key
      s:send("echo status=$?\n")
      s:expect("status=130\n")
      s:send("exit 6\n")
      assert.equal(6, s:wait())
    end)

    it("Ctrl-C ends a program, and the command with 130", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        -- As pid 1 a program has to handle a signal, or does not get it.
        local words = init == "--quiet" and { "/probe", "wait" }
          or { init, "sh", "-c", "trap 'exit 130' INT; echo ready; read x" }
        local s <close> = open(words)
        s:expect("ready\n")
        s:send(CTRL_C)
        assert.equal(130, s:wait())
        assert.equal("", s.stderr)
      end
    end)

    it("a key reaches the program once, from the kernel", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local s <close> = open(join({ init }, unseen("/probe", "signals")))
        s:expect("ready\n")
        local launcher = command.children(s.pid)[1]
        for _ = 1, 5 do
          s:send(CTRL_C)
          s:expect("^signal 2 from the kernel\n$")
          -- All that the launcher and init pass on comes in the order of its numbers, so an
          -- interrupt of theirs would come before this.
          assert(sys.kill(launcher, "USR1"))
          s:expect("^signal 10 from a process\n$")
        end
        assert(sys.kill(command.children(launcher)[1], "KILL")) -- pid 1
        assert.equal(137, s:wait())
      end
    end)

    it("Ctrl-Z stops a job of a shell in a container, and not the container", function()
      local s <close> = open(SHELL)
      s:send("/probe wait\n")
      s:expect("ready\n")
      s:send(CTRL_Z)
      s:expect("Stopped.*[#$] ")
      local pid = s.pid
      for _ = 1, 4 do -- the launcher, init, the shell, its job
        pid = command.children(pid)[1]
      end
      await_stop(pid, true)
      s:send("fg\n")
      await_stop(pid, false)
      s:send(CTRL_C)
      s:expect("[#$] ")
      s:send("echo status=$?\n")
      s:expect("status=130\n")
      s:send("exit 5\n")
      assert.equal(5, s:wait())
    end)

    it("a launcher that is stopped leaves the terminal to its shell, and takes it again", function()
      local s <close> = on_terminal(SHELL)
      s:send("echo settings=$(stty -g)\n")
      local settings = s:expect("settings=([%x:]+)\n")
      s:send(typed(table.unpack(unseen("/probe", "wait"))))
      s:expect("ready\n")
      local launcher = launcher_of(s)
      assert(sys.kill(launcher, "TSTP"))
      s:expect("Stopped.*[#$] ")
      await_stop(launcher, true)
      s:send("echo settings=$(stty -g)\n")
      assert.equal(settings, s:expect("settings=([%x:]+)\n"))
      s:send("fg\n")
      s:expect("run%.lua.*\n")
      await_stop(launcher, false)
      command.await("the terminal is raw", function()
        return support.run(("stty -F /proc/%d/fd/0 -a"):format(launcher)).stdout:find("%-isig")
      end)
      s:send(CTRL_C)
      s:expect("[#$] ")
      s:send("echo status=$? settings=$(stty -g)\n")
      assert.equal(settings, s:expect("status=130 settings=([%x:]+)\n"))
      s:send("exit 3\n")
      assert.equal(3, s:wait())
    end)

    it("a launcher in the background shows what there is, and takes no keys until fg", function()
      local s <close> = on_terminal(SHELL)
      s:send((typed("sh", "-c", "stty -echo; echo re''ady; read x; echo \"got $x\""):gsub("\n",
        " &\n")))
      s:expect("ready\n")
      s:send("echo still$((40 + 2))\n")
      s:expect("still42\n")
      local launcher = launcher_of(s)
      assert.is_nil(command.status(launcher, "State"):find("^T"))
      s:send("fg\n")
      s:expect("run%.lua.*\n")
      command.await("the terminal is raw", function()
        return support.run(("stty -F /proc/%d/fd/0 -a"):format(launcher)).stdout:find("%-isig")
      end)
      s:send("line\n")
      s:expect("got line\n.*[#$] ") -- what is typed earlier is the container's
      s:send("exit 3\n")
      assert.equal(3, s:wait())
    end)

    it("the caller has the terminal and its settings again, however it ended", function()
      local groups = "read -r stat </proc/$$/stat; set -- ${stat##*) }; echo \"groups $3 $6\"; \z
        read x; echo got $x"
      for _, ending in ipairs { "exit 5", "kill -KILL $$" } do
        local s <close> = on_terminal({ "sh", "-c", "stty -g; \"$@\"; echo status=$?; stty -g; "
          .. groups, "sh", support.lua, "run.lua", "--quiet" }, SHELL)
        local settings = s:expect("([%x:]+)\n")
        s:send(ending .. "\n")
        s:expect(ending == "exit 5" and "status=5\n" or "status=137\n")
        assert.equal(settings, s:expect("([%x:]+)\n"))
        local own, foreground = s:expect("groups (%d+) (%d+)\n")
        assert.equal(own, foreground)
        s:send("line\n")
        s:expect("got line\n")
        assert.equal(0, s:wait())
      end
    end)

    it("the caller's settings are there again after a signal to the launcher", function()
      for _, signal in ipairs { "TERM", "HUP", "INT", "QUIT" } do
        local s <close> = between_settings(unseen("/probe", "wait"))
        local settings = s:expect("settings=([%x:]+)\n")
        s:expect("ready\n")
        assert(sys.kill(launcher_of(s), signal))
        assert.matches("^1[234]", s:expect("status=(%d+)\n"))
        assert.equal(settings, s:expect("settings=([%x:]+)\n"))
        assert.equal(0, s:wait())
      end
    end)

    it("the caller's settings are left alone by a start that is refused", function()
      for words, status in pairs { nosuch = 127, ["/etc"] = 126, ["--rootfs=/nosuch"] = 125 } do
        local s <close> = between_settings { words, "true" }
        local settings = s:expect("settings=([%x:]+)\n")
        s:expect(("status=%d\n"):format(status))
        assert.equal(settings, s:expect("settings=([%x:]+)\n"))
        assert.equal(0, s:wait())
      end
    end)

    it("its size is that of the caller's, at first and after each change", function()
      local s <close> = open(unseen("/probe", "signals"))
      s:expect("ready\n")
      s:signal("WINCH")
      s:expect("^signal 28 from the kernel\n$")
      s:signal("TERM") -- ends the terminal
      s:wait()
      local shell <close> = open(SHELL)
      shell:send("echo size=$(stty size)\n")
      shell:expect("size=24 80\n")
      shell:signal("WINCH")
      command.await("it is wider", function()
        shell:send("echo size=$(stty size)\n")
        return shell:expect("size=24 (%d+)\n") == "100"
      end)
      shell:send("exit\n")
      assert.equal(0, shell:wait())
    end)

    it("a hang-up ends the container", function()
      local marker = support.name()
      local s <close> = open { "/probe", "wait", marker }
      s:expect("ready\n")
      s:signal("KILL") -- the terminal's other side
      assert.equal(137, s:wait())
      assert.truthy(command.gone(marker))
    end)

    it("nothing remains of a container whose launcher was killed", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local marker = support.name()
        local s <close> = open { init, "/probe", "wait", marker }
        s:expect("ready\n")
        assert(sys.kill(command.children(s.pid)[1], "KILL"))
        assert.truthy(command.gone(marker))
        assert.equal(137, s:wait())
        assert(caller:run("--quiet", "true").status == 0) -- sweeps its cgroup
      end
    end)

    it("is a pseudoterminal of its own devpts, also as /dev/console and /dev/tty", function()
      for _, init in ipairs { "--quiet", "--no-init" } do
        local s <close> = open { init, "sh", "-c", "tty; ls /dev/pts | cat; \z
          stat -L -c '%n %t,%T %a %u' /dev/pts/0 /dev/console /proc/self/fd/0; \z
          stat -f -c %T /dev/pts; echo question >/dev/tty; stty -echo; read x </dev/tty; echo $x" }
        s:expect("^/dev/pts/0\n0\nptmx\n/dev/pts/0 88,0 620 0\n/dev/console 88,0 620 0\n\z
          /proc/self/fd/0 88,0 620 0\ndevpts\nquestion\n")
        s:send("answer\n")
        s:expect("answer\n")
        assert.equal(0, s:wait())
      end
    end)

    it("is that of a session of its own, and nothing of the launcher's is open", function()
      local s <close> = open { "sh", "-c", "readlink /proc/1/fd/* /proc/$$/fd/[012]; \z
        read -r stat </proc/1/stat; set -- ${stat##*) }; echo session $4 group $6" }
      s:expect("session 1 group 1\n")
      assert.equal(0, s:wait())
      local t <close> = open { "sh", "-c", "for fd in /proc/1/fd/* /proc/$$/fd/*; do \z
        [ -t ${fd##*/} ] && readlink $fd; done | sort -u" }
      t:expect("^/dev/pts/0\n")
      assert.equal(0, t:wait())
      assert.equal("", t.stdout)
    end)

    it("puts nothing into the launcher's terminal with TIOCSTI", function()
      support.needs("perl")
      local ask = "\"$@\"; echo ended; read x; echo \"read <$x>\""
      local inject = "open(T, '+<', '/dev/tty'); print((ioctl(T, 0x5412, my $c = 'X') ? 'in' \z
        : $!) . qq(\n))"
      local s <close> = on_terminal({ "sh", "-c", ask, "sh",
        support.lua, "run.lua", "--quiet" }, unseen("perl", "-e", inject))
      s:expect("^Operation not permitted\nended\n")
      s:send("mine\n")
      s:expect("read <mine>\n")
      assert.equal(0, s:wait())
      -- Without the filter, it is its own terminal that is typed into.
      local t <close> = on_terminal({ "sh", "-c", ask, "sh",
        support.lua, "run.lua", "--quiet", "--security-opt=seccomp=unconfined" },
        unseen("perl", "-e", inject))
      t:expect("^[^\n]+\nended\n")
      t:send("mine\n")
      t:expect("read <mine>\n")
      assert.equal(0, t:wait())
    end)

    it("a mebibyte comes through whole, the last of it after the end of the program", function()
      local s <close> = open { "sh", "-c", "stty -opost; head -c 1048576 /dev/zero | tr '\\0' x; \z
        echo; echo end" }
      assert.equal(0, s:wait())
      assert.equal(1048576 + 5, #s.stdout)
      assert.equal(("x"):rep(1048576) .. "\nend\n", s.stdout)
    end)

    it("the end of what is shown comes through however the launcher notices the end", function()
      local result = caller:shell(([[for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
        %s run.lua -q -t sh -c 'seq 20000' </dev/null | tail -n 1; done]]):format(support.lua))
      assert.equal(("20000\r\n"):rep(12), result.stdout)
    end)

    it("a launcher whose screen stands still is ended by a signal all the same", function()
      local s <close> = open { "yes" }
      s:expect("y\ny\n")
      local launcher = command.children(s.pid)[1]
      -- From here on no process reads: first the pipe is full, and then the terminal.
      local program = command.children(command.children(launcher)[1])[1]
      local last, times
      command.await("the program waits for its terminal", function()
        local now = command.status(program, "State")
          .. command.status(program, "voluntary_ctxt_switches")
        times = now == last and now:find("^S") and times + 1 or 0
        last = now
        return times > 200
      end)
      command.await("it ends", function()
        sys.kill(launcher, "TERM")
        return (command.status(launcher, "State") or "Z"):find("^Z")
      end)
      assert.equal(143, s:wait())
    end)

    it("what is typed faster than it is read is kept", function()
      local s <close> = open { "sh", "-c",
        "stty raw -echo; echo ready; read x </dev/null; sleep 0.3; head -c 262144 | cksum" }
      s:expect("ready\n")
      local text = ("0123456789abcde\n"):rep(16384)
      s:send(text)
      local path = support.tmpdir() .. "/text"
      local file <close> = assert(io.open(path, "w"))
      file:write(text)
      file:close()
      s:expect(support.run("cksum <" .. path).stdout:match("^%d+ %d+"))
      assert.equal(0, s:wait())
    end)

    it("leaves a standard error that is no terminal as it is", function()
      local path = caller:directory() .. "/errors"
      local s <close> = on_terminal({ "sh", "-c", "\"$@\" 2>" .. path, "sh", support.lua, "run.lua",
        "--quiet", "sh", "-c", "tty; echo fault >&2; tty <&2" })
      s:expect("^/dev/pts/0\nnot a tty\n")
      assert.equal(1, s:wait())
      assert.equal("fault\n", sys.read_file(path))
    end)

    it("a program gives its own status, and words after it are its own", function()
      local s <close> = on_terminal { support.lua, "run.lua", "sh", "-c", "echo $0 $1; exit 9",
        "-it", "--tty" }
      s:expect("Running in child %[[^\n]*%] as 1\n%-it %-%-tty\n")
      assert.equal(9, s:wait())
    end)
  end)

  describe("without a terminal of its own, a container of " .. caller.name, function()
    -- A shell on a terminal, and the container's standard output a pipe.
    local function piped(...)
      return on_terminal({ "sh", "-c", "\"$@\" | cat", "sh", support.lua, "run.lua", "--quiet",
        command.with_probe() }, ...)
    end

    it("has the streams as they are, in a session of its own", function()
      local s <close> = piped { "sh", "-c", "[ -t 0 ] && echo in; [ -t 1 ] || echo out; \z
        read -r stat </proc/1/stat; set -- ${stat##*) }; echo session $4 terminal $5; \z
        [ -e /dev/console ] || (: </dev/tty) 2>&1" }
      s:expect("^in\nout\nsession 1 terminal 0\n.* /dev/tty: No such device or address\n$")
      assert.equal(0, s:wait())
      assert.equal("session 1 terminal 0\n", caller:print("sh", "-c",
        "read -r stat </proc/1/stat; set -- ${stat##*) }; echo session $4 terminal $5"))
    end)

    it("ends by Ctrl-C with all that it runs", function()
      for _, words in ipairs { { "sh", "-c", "/probe wait; echo after" }, { "/probe", "wait" } } do
        local s <close> = piped(words)
        s:expect("ready\n")
        s:send(CTRL_C)
        assert.equal(130, s:wait())
        assert.equal("", s.stdout)
      end
    end)

    it("is stopped by Ctrl-Z, and goes on with fg", function()
      local s <close> = on_terminal(SHELL)
      s:send((typed("cat"):gsub("\n", " | cat\n")))
      s:send("one\n")
      s:expect("one\n")
      local launcher = launcher_of(s)
      local program = command.children(command.children(launcher)[1])[1]
      s:send(CTRL_Z)
      s:expect("Stopped.*[#$] ")
      await_stop(launcher, true)
      await_stop(program, true)
      s:send("fg\n")
      s:expect("run%.lua")
      await_stop(program, false)
      s:send("two\n")
      s:expect("two\n")
      s:send(CTRL_D)
      s:send("echo status=$?\n")
      s:expect("status=0\n")
      s:send("exit\n")
      assert.equal(0, s:wait())
    end)

    it("is stopped and goes on where it has no init", function()
      local s <close> = on_terminal(SHELL)
      s:send((typed("--no-init", "cat"):gsub("\n", " | cat\n")))
      s:send("one\n")
      s:expect("one\n")
      local program = command.children(launcher_of(s))[1]
      s:send(CTRL_Z)
      s:expect("Stopped.*[#$] ")
      await_stop(program, true)
      s:send("fg\n")
      s:expect("run%.lua")
      await_stop(program, false)
      s:send(CTRL_D)
      s:send("exit 2\n")
      assert.equal(2, s:wait())
    end)
  end)

  describe("--tty of " .. caller.name, function()
    local function shell(text)
      local result = caller:shell((text:gsub("RUN", support.lua .. " run.lua -q")))
      return result.stdout:gsub("\r", ""), result
    end

    it("is a terminal where standard input is none, which it reads to its end", function()
      for _, option in ipairs { "--tty", "-t", "-it", "-ti", "-t --interactive" } do
        -- The input is shown too, unless the program had switched that off before it came.
        assert.matches("^o?n?e?\n?/dev/pts/0\none\n$", (shell("echo one | RUN " .. option
          .. " sh -c 'stty -echo; tty; cat'")))
      end
      assert.matches("^two\n?two$", (shell("printf two | RUN -t cat")))
      assert.equal("", (shell("RUN -t cat </dev/null")))
    end)

    it("has standard error on it too", function()
      local out, result = shell("RUN -t sh -c 'echo out; echo err >&2' </dev/null")
      assert.equal("out\nerr\n", out)
      assert.equal("", result.stderr)
    end)

    it("-i alone is no terminal", function()
      assert.equal("one\n", (shell("echo one | RUN -i sh -c 'cat; tty >&2' 2>/dev/null")))
    end)

    it("is a hang-up when nobody takes what it shows", function()
      local text, result = shell("(RUN -t yes; echo status=$? >&2) </dev/null | head -n 1")
      assert.equal("y\n", text)
      assert.equal("status=129\n", result.stderr)
    end)

    it("works where standard output is closed", function()
      local _, result = shell("RUN -t sh -c 'seq 20000; exit 4' </dev/null >&-")
      assert.equal(4, result.status)
    end)
  end)
end

describe("a terminal #root", function()
  it("is the user's whom the program runs as", function()
    for _, init in ipairs { "", "--no-init" } do
      local result = support.run(("%s run.lua -q -t %s -u nobody sh -c %s </dev/null"):format(
        support.lua, init, support.quote("stat -c '%U %a' /dev/pts/0 /dev/console; \z
        echo one >/dev/pts/0; echo two >/dev/console; echo three >/dev/stdout")))
      assert.equal("nobody 620\r\nnobody 620\r\none\r\ntwo\r\nthree\r\n", result.stdout)
    end
  end)

  it("is the user's also in a range of ids of the container's own", function()
    support.needs("idmapview")
    local result = support.run(("%s run.lua -q -t --userns auto -u 33 sh -c %s </dev/null"):format(
      support.lua, support.quote("stat -c '%u %g %a' /dev/pts/0 /dev/console; tty")))
    assert.equal("33 5 620\r\n33 5 620\r\n/dev/pts/0\r\n", result.stdout, result.stderr)
  end)

  it("comes from its own devpts, whatever a volume has put on it", function()
    local path = support.tmpdir()
    assert(sys.mknod(path .. "/ptmx", "fifo", tonumber("666", 8)))
    local result = support.run(("%s run.lua -q -t -v %s:/dev/pts sh -c '[ -t 0 ] && \z
      stat -c %%t /dev/console' </dev/null"):format(support.lua, path))
    assert.equal("88\r\n", result.stdout)
    assert.equal("", result.stderr)
  end)
end)
