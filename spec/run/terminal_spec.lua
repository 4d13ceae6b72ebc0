-- A terminal with a container on it: its keys, its groups, its size, and whose it is afterwards.

local container = require "container"
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

for _, caller in ipairs(command.callers) do
  local function on_terminal(...)
    return caller:start_words(join({ command.program "pty" }, ...))
  end

  -- A container in the foreground, with the probe in it.
  local function open(...)
    return on_terminal({ support.lua, "run.lua", "--quiet", command.with_probe() }, ...)
  end

  -- The line that somebody types into a shell to have one.
  local function typed(...)
    return command.words(support.lua, "run.lua", "--quiet", command.with_probe(), ...) .. "\n"
  end

  -- Waits until the launcher and the program, the only job of the host's shell, are stopped, or
  -- go on. The shell says the one of the launcher; the program could still read what is typed next.
  local function await_job(s, stopped)
    local shell = command.children(s.pid)[1]
    local launcher = command.children(shell)[1]
    local program = command.children(command.children(launcher)[1])[1]
    command.await(stopped and "the job stops" or "the job goes on", function()
      return stopped == not not command.status(launcher, "State"):find("^T")
        and stopped == not not command.status(program, "State"):find("^T")
    end)
  end

  describe("on a terminal of " .. caller.name, function()
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
        local s <close> = open { init, "/probe", "signals" }
        s:expect("ready\n")
        local launcher = command.children(s.pid)[1]
        for _ = 1, 5 do
          s:send(CTRL_C)
          s:expect("^signal 2 from the kernel\n$")
          -- Whatever the launcher and init pass on comes in the order of its numbers, so an
          -- interrupt of theirs would come before this.
          assert(container.kill(launcher, "USR1"))
          s:expect("^signal 10 from a process\n$")
        end
        assert(container.kill(command.children(launcher)[1], "KILL")) -- pid 1
        assert.equal(137, s:wait())
      end
    end)

    it("Ctrl-Z stops a container, and fg lets it go on", function()
      local s <close> = on_terminal(SHELL)
      s:send(typed("cat"))
      s:send("one\n")
      s:expect("one\n")
      s:send(CTRL_Z)
      s:expect("Stopped.*[#$] ")
      await_job(s, true)
      s:send("fg\n")
      s:expect("run%.lua")
      s:send("two\n")
      s:expect("two\n")
      s:send(CTRL_D)
      s:send("echo status=$?\n")
      s:expect("status=0\n")
      s:send("exit\n")
      assert.equal(0, s:wait())
    end)

    it("Ctrl-C ends a container that was stopped and goes on", function()
      local s <close> = on_terminal(SHELL)
      s:send(typed("/probe", "wait"))
      s:expect("ready\n")
      s:send(CTRL_Z)
      s:expect("Stopped.*[#$] ")
      await_job(s, true)
      s:send("fg\n")
      s:expect("run%.lua.*\n")
      await_job(s, false)
      s:send(CTRL_C)
      s:expect("[#$] ") -- what is typed earlier is lost with the key
      s:send("echo status=$?\n")
      s:expect("status=130\n")
      s:send("exit\n")
      assert.equal(0, s:wait())
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
      assert.matches("^T", command.status(pid, "State"))
      s:send("fg\n")
      command.await("the job goes on", function()
        return not command.status(pid, "State"):find("^T")
      end)
      s:send(CTRL_C)
      s:expect("[#$] ")
      s:send("echo status=$?\n")
      s:expect("status=130\n")
      s:send("exit 5\n")
      assert.equal(5, s:wait())
    end)

    it("a container in the background is stopped when it reads", function()
      local s <close> = on_terminal(SHELL)
      s:send((typed("cat"):gsub("\n", " &\n")))
      local job = s:expect("%[1%] (%d+)\n")
      command.await("it is stopped", function()
        return command.status(job, "State"):find("^T")
      end)
      s:send("fg\n")
      s:expect("run%.lua")
      s:send("line\n")
      s:expect("line\n")
      s:send(CTRL_D)
      s:send("exit 3\n")
      assert.equal(3, s:wait())
    end)

    it("the caller has the terminal again after a shell, however that ended", function()
      local groups = "read -r stat </proc/$$/stat; set -- ${stat##*) }; echo \"groups $3 $6\"; \z
        read x; echo got $x"
      for _, ending in ipairs { "exit 5", "kill -KILL $$" } do
        local s <close> = on_terminal({ "sh", "-c", "\"$@\"; echo status=$?; " .. groups, "sh",
          support.lua, "run.lua", "--quiet" }, SHELL)
        s:send(ending .. "\n")
        s:expect(ending == "exit 5" and "status=5\n" or "status=137\n")
        local own, foreground = s:expect("groups (%d+) (%d+)\n")
        assert.equal(own, foreground)
        s:send("line\n")
        s:expect("got line\n")
        assert.equal(0, s:wait())
      end
    end)

    it("a change of its size reaches the program", function()
      local s <close> = open { "/probe", "signals" }
      s:expect("ready\n")
      s:signal("WINCH")
      s:expect("^signal 28 from the kernel\n$")
      s:signal("TERM") -- ends the terminal
      s:wait()
      local shell <close> = open(SHELL)
      shell:signal("WINCH")
      shell:send("echo size=$(stty size)\n")
      shell:expect("size=24 %d+\n")
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

    it("/dev/tty is the terminal", function()
      local s <close> = open { "sh", "-c", "echo question >/dev/tty; read x </dev/tty; echo $x" }
      s:expect("question\n")
      s:send("answer\n")
      s:expect("answer\n")
      assert.equal(0, s:wait())
    end)
  end)
end
