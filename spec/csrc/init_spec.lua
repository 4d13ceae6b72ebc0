local sys = require "container.sys"
local command = require "spec.fixtures.command"
local pid1 = require "spec.fixtures.pid1"
local support = require "spec.support"

local NAMESPACES <const> = { "pid", "mount" }

local function start(options)
  support.needs("execveat")
  return pid1.start(options)
end

-- Waits for the end. Answers how and with what pid 1 ended, what came over the channel, and what
-- over the line.
local function finish(this)
  local said = support.drain(this.channel)
  local how, number = support.wait(this.pid)
  local answer = sys.read(this.line)
  this.channel:close()
  this.line:close()
  this.image:close()
  return how, number, said, answer
end

local function run(options)
  return finish(start(options))
end

-- A fifo, open at once for both ends, and so never without the other.
local function fifo()
  local path = support.tmpdir() .. "/fifo"
  assert(sys.mknod(path, "fifo", tonumber("600", 8)))
  return path, assert(sys.open(path, "rdwr"))
end

local function heard(fd)
  assert(sys.ppoll({ fd }, 30)[1], "nothing came")
  return sys.read(fd)
end

-- What a piece of shell under pid 1 prints.
local function printed(options, text)
  local path = support.tmpdir() .. "/out"
  options[1], options[2], options[3] = "sh", "-c", ("exec >%s; %s"):format(path, text)
  local how, number, said = run(options)
  assert.same({ "exit", 0, "" }, { how, number, said })
  return sys.read_file(path)
end

describe("pid 1", function()
  it("ends with the status of the program, and tells it", function()
    for _, status in ipairs { 0, 1, 7, 255 } do
      local how, number, said, answer = run { "sh", "-c", "exit " .. status }
      assert.same({ "exit", status, "" }, { how, number, said })
      assert.equal(status << 8, (("<i8"):unpack(answer)))
    end
  end)

  it("ends with 128 and the signal that ended the program, and tells it", function()
    for signal, number in pairs { HUP = 1, TERM = 15, KILL = 9, USR1 = 10 } do
      local how, status, _, answer = run { "sh", "-c", ("kill -%s $$"):format(signal) }
      assert.same({ "exit", 128 + number }, { how, status })
      assert.equal(number, (("<i8"):unpack(answer)) & 0x7f)
    end
  end)

  it("hands over the arguments and the environment as they are", function()
    local path = support.tmpdir() .. "/out"
    local how, number = run {
      "/bin/sh", "-c", ("printf '[%%s]' \"$@\" >%s; /usr/bin/env | grep -v ^_= | sort >>%s")
        :format(path, path), "sh", "a b", "", "*",
      env = { "A=1", "B=two words", "PATH=/bin:/usr/bin" },
    }
    assert.same({ "exit", 0 }, { how, number })
    assert.matches("^%[a b%]%[%]%[%*%]A=1\nB=two words\nPATH=/bin:/usr/bin\nPWD=",
      sys.read_file(path))
  end)

  it("closes the channel when the program runs, and not only when it has ended", function()
    local path, fd <close> = fifo()
    local this = start { "sh", "-c", "read x <" .. path }
    assert.equal("", support.drain(this.channel))
    assert.equal("running", sys.wait(this.pid, "nohang"))
    sys.write(fd, "go\n")
    assert.equal("exit", (finish(this)))
  end)

  it("passes on the signals that a process sent", function()
    local path, fd <close> = fifo()
    for _, signal in ipairs { "HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "CONT", "WINCH" } do
      local this = start { "sh", "-c", ([[
        trap 'echo got %s >%s; kill $! 2>/dev/null; exit 9' %s
        echo ready >%s
        while :; do sleep 60 & wait; done]]):format(signal, path, signal, path) }
      assert.equal("ready\n", heard(fd))
      assert.is_true(sys.kill(this.pid, signal))
      assert.equal(("got %s\n"):format(signal), heard(fd))
      local how, number = finish(this)
      assert.same({ "exit", 9 }, { how, number })
    end
  end)

  it("passes keys of the launcher's terminal on to the first group of it #root", function()
    local path, fd <close> = fifo()
    for _, signal in ipairs { "INT", "QUIT" } do
      -- The shell waits for what it runs: for it alone the key would end nothing.
      local this = start { "sh", "-c", ("sh -c 'echo ready >%s; exec sleep 60'; echo after >%s")
        :format(path, path), namespaces = NAMESPACES, before = sys.setsid }
      assert.equal("ready\n", heard(fd))
      assert.is_true(sys.kill(this.pid, signal))
      local how, number = finish(this)
      assert.same({ "exit", signal == "INT" and 130 or 131 }, { how, number })
      assert.is_nil(sys.ppoll({ fd }, 0)[1])
    end
  end)

  it("stops that group by the launcher's TSTP and lets it go on by CONT #root", function()
    local path, fd <close> = fifo()
    local this = start { "sh", "-c", ("sh -c 'echo ready >%s; exec sleep 60'; :"):format(path),
      namespaces = NAMESPACES, before = sys.setsid }
    assert.equal("ready\n", heard(fd))
    local program = command.children(this.pid)[1]
    local job = command.children(program)[1]
    local function await(stopped)
      command.await(stopped and "they stop" or "they go on", function()
        return stopped == (command.status(job, "State"):find("^T") ~= nil)
          and stopped == (command.status(program, "State"):find("^T") ~= nil)
      end)
    end
    assert.is_true(sys.kill(this.pid, "TSTP"))
    await(true)
    assert.is_true(sys.kill(this.pid, "CONT"))
    await(false)
    sys.kill(this.pid, "TERM")
    local how, number = finish(this)
    assert.same({ "exit", 143 }, { how, number })
  end)

  it("ends a program that has no handler by the signals that it passes on", function()
    local path, fd <close> = fifo()
    for signal, number in pairs { INT = 2, TERM = 15 } do
      local this = start { "sh", "-c", ("echo ready >%s; exec sleep 60"):format(path) }
      assert.equal("ready\n", heard(fd))
      sys.kill(this.pid, signal)
      local how, status = finish(this)
      assert.same({ "exit", 128 + number }, { how, status })
    end
  end)

  it("leaves a key of the terminal to the terminal, which reaches the program itself", function()
    support.needs("script")
    local path = support.tmpdir()
    for _, name in ipairs { "ready", "again" } do
      assert(sys.mknod(path .. "/" .. name, "fifo", tonumber("600", 8)))
    end
    -- The interrupt is counted; what comes after it, from a process, asks for the number.
    local program = ([[
      cd %s; n=0
      trap 'n=$((n+1)); echo >again' INT
      trap 'echo interrupts $n; kill $! 2>/dev/null; exit 0' TERM
      echo $PPID >ready
      while :; do sleep 60 & wait; done]]):format(path)
    local keys = ("{ cd %s; read pid <ready; printf '\\003'; read x <again; kill -TERM $pid; }")
      :format(path)
    local result = support.run(("%s | script -qec %s /dev/null"):format(keys, support.quote(
      ("exec %s spec/fixtures/pid1.lua init '' sh -c %s"):format(support.lua,
        support.quote(program)))))
    assert.matches("interrupts 1\r?\n", result.stdout)
  end)

  it("gives the program 0, 1 and 2 and nothing else, as init and as exec", function()
    for _, mode in ipairs { "init", "exec" } do
      -- 3 is the directory that ls reads.
      assert.equal("0\n1\n2\n3\n", printed({ mode = mode }, "exec ls /proc/self/fd"))
    end
  end)

  it("gives the program no blocked and no ignored signal, whatever the launcher had", function()
    support.needs("execveat")
    for _, mode in ipairs { "init", "exec" } do
      local program = support.tmpdir() .. "/program"
      local file <close> = io.open(program, "w")
      file:write(([[
        local sys = require "container.sys"
        local pid1 = require "spec.fixtures.pid1"
        print(sys.wait(pid1.start {
          mode = %q, "cat", "/proc/self/status", env = { "PATH=/bin:/usr/bin" },
          before = function()
            assert(sys.sigprocmask("block", "all"))
          end,
        }.pid))]]):format(mode))
      file:close()
      local result = support.run("trap '' HUP USR1 PIPE CHLD TSTP; " .. support.lua .. " "
        .. program)
      assert.matches("SigBlk:\t0+\nSigIgn:\t0+\nSigCgt:\t0+\n.*exit\t0\n", result.stdout)
    end
  end)

  it("gives up the standard streams when the program has them", function()
    local path, fd <close> = fifo()
    local go, go_end <close> = fifo()
    local out, out_end = assert(sys.pipe())
    local in_end, into = assert(sys.pipe())
    -- The streams are closed by the program alone, which goes on.
    local this = start { "sh", "-c",
      ("exec <&- >&-; echo closed >%s; read x <%s"):format(path, go),
      before = function()
        sys.dup2(in_end, 0)
        sys.dup2(out_end, 1)
      end }
    in_end:close()
    out_end:close()
    assert.equal("closed\n", heard(fd))
    assert.equal("", support.drain(out))
    support.refused("write: Broken pipe", sys.errno.EPIPE, sys.write(into, "x"))
    assert.equal("running", sys.wait(this.pid, "nohang"))
    sys.write(go_end, "go\n")
    out:close()
    into:close()
    local how, number = finish(this)
    assert.same({ "exit", 0 }, { how, number })
  end)

  it("is told of no program as data: errno, step and subject, and ends as a shell would", function()
    local text = support.tmpdir() .. "/text"
    assert(sys.mknod(text, "file", tonumber("755", 8)))
    sys.write_file(text, "\1\2\3")
    for _, case in ipairs {
      { "/nope", "ENOENT", 127 },
      { "no-such-program", "ENOENT", 127 },
      { "", "ENOENT", 127 },
      { text .. "/x", "ENOTDIR", 127 },
      { "/etc", "EACCES", 126 },
      { "/etc/passwd", "EACCES", 126 },
      { text, 8, 126 }, -- ENOEXEC
    } do
      local program, errno, status = table.unpack(case)
      for _, mode in ipairs { "init", "exec" } do
        local how, number, said = run { program, mode = mode, env = { "PATH=/bin:/usr/bin" } }
        assert.same({ "exit", status }, { how, number }, program)
        local code, step, subject, rest = ("<i4zz"):unpack(said)
        assert.same({ sys.errno[errno] or errno, "exec", "" }, { code, step, subject })
        assert.equal(#said + 1, rest)
      end
    end
  end)

  for version = 1, 2 do
    it("tells that the limit has no room for a second process #cgroup" .. version, function()
      local name = support.name()
      local path = sys.cgroup_place("pids") .. "/" .. name
      local how, number, said = run { "true", before = function()
        assert(sys.cgroup_pids(name, 1))
      end }
      assert(sys.rmdir(path))
      assert.same({ "exit", 126 }, { how, number })
      local errno, step, subject = ("<i4zz"):unpack(said)
      assert.same({ sys.errno.EAGAIN, "fork", "" }, { errno, step, subject })
    end)

    it("needs no second process as exec #cgroup" .. version, function()
      local name = support.name()
      local path = sys.cgroup_place("pids") .. "/" .. name
      local how, number, said = run { "true", mode = "exec", before = function()
        assert(sys.cgroup_pids(name, 1))
      end }
      assert(sys.rmdir(path))
      assert.same({ "exit", 0, "" }, { how, number, said })
    end)
  end

  it("becomes the program as exec: its pid, its status, and nothing over the line", function()
    local path, fd <close> = fifo()
    local this = start { mode = "exec", "sh", "-c", ("echo $$ >%s; kill -TERM $$"):format(path) }
    assert.equal(this.pid .. "\n", heard(fd))
    local how, number, said, answer = finish(this)
    assert.same({ "signal", 15, "", "" }, { how, number, said, answer })
  end)
end)

describe("pid 1, when it looks for a program,", function()
  local path

  -- A program in a directory of its own, that ends with a status.
  local function program(directory, status, mode)
    sys.mkdir(path .. "/" .. directory)
    local file = path .. "/" .. directory .. "/prog"
    assert(sys.mknod(file, "file", tonumber(mode or "755", 8)))
    assert(sys.write_file(file, ("#!/bin/sh\nexit %d\n"):format(status)))
  end

  local function found(directories, name)
    local how, number = run {
      name or "prog", env = { "PATH=" .. directories },
      before = function()
        sys.chdir(path)
      end,
    }
    assert.equal("exit", how)
    return number
  end

  before_each(function()
    path = support.tmpdir()
    program("a", 11)
    program("b", 12)
    program("c", 13, "644")
  end)

  it("takes the first in PATH of the environment that it is given", function()
    assert.equal(11, found(path .. "/a:" .. path .. "/b"))
    assert.equal(12, found(path .. "/b:" .. path .. "/a"))
    assert.equal(11, found("a:b"))
  end)

  it("passes over what is not there, what is no directory, and what cannot be executed", function()
    assert.equal(12, found(("/nope:%s/a/prog:%s/c:%s/b"):format(path, path, path)))
  end)

  it("answers that one cannot be executed if there is no other", function()
    assert.equal(126, found(("/nope:%s/c:/nope"):format(path)))
    assert.equal(127, found("/nope:/nopes"))
    assert.equal(127, found(""))
  end)

  it("knows an empty directory as the working directory", function()
    program(".", 14)
    assert.equal(14, found(":/nope"))
    assert.equal(14, found("/nope::/nope"))
  end)

  it("takes a name with a slash as it is", function()
    assert.equal(12, found(path .. "/a", "b/prog"))
    assert.equal(11, found("/nope", path .. "/a/prog"))
  end)

  it("never runs from a directory whose name was cut off", function()
    local long = path .. "/" .. ("x/"):rep(3000) .. "a"
    assert.equal(12, found(long .. ":" .. path .. "/b"))
    assert.equal(127, found(long))
  end)

  it("does not run a program of the working directory where PATH says nothing of it", function()
    program(".", 14)
    local how, number = run { "prog", env = {}, before = function()
      sys.chdir(path)
    end }
    assert.same({ "exit", 127 }, { how, number })
  end)
end)

describe("pid 1 of a pid namespace #root", function()
  it("reaps what the program orphans", function()
    local path = support.tmpdir() .. "/orphan"
    -- An orphan that no process reaps has its directory in proc for ever.
    local how, number = run { "sh", "-c", ([[
      sh -c 'true & echo $! >%s'
      read pid <%s
      while [ -e /proc/$pid ]; do :; done]]):format(path, path), namespaces = NAMESPACES }
    assert.same({ "exit", 0 }, { how, number })
  end)

  it("ends all that is left when the program ends", function()
    local path = support.tmpdir() .. "/fifo"
    assert(sys.mknod(path, "fifo", tonumber("600", 8)))
    local reader <close> = assert(sys.open(path, "rdonly,nonblock"))
    local how, number = run {
      "sh", "-c", ("exec 9>%s; sleep 60 & sleep 60 & exit 5"):format(path),
      namespaces = NAMESPACES,
    }
    assert.same({ "exit", 5 }, { how, number })
    -- The end of file: no process has it open any more.
    assert.equal("", support.drain(reader))
  end)

  it("ends with all that is in it when the launcher's line closes", function()
    local path, fd = fifo()
    local reader <close> = assert(sys.open(path, "rdonly,nonblock"))
    local this = start {
      "sh", "-c", ("trap '' TERM HUP; exec 9>%s; echo ready >&9; sleep 60 & wait"):format(path),
      namespaces = NAMESPACES,
    }
    assert.equal("ready\n", heard(reader))
    fd:close()
    this.line:close()
    assert.same({ "exit", 137 }, { support.wait(this.pid) })
    assert.equal("", support.drain(reader))
    this.channel:close()
    this.image:close()
  end)

  it("ends when the launcher was gone before it came to watch the line", function()
    local reader, writer = assert(sys.pipe())
    local this = start { "sleep", "60", namespaces = NAMESPACES, before = function()
      writer:close()
      sys.read(reader)
    end }
    this.line:close()
    reader:close()
    writer:close()
    assert.same({ "exit", 137 }, { support.wait(this.pid) })
    this.channel:close()
    this.image:close()
  end)

  it("is called init, and has no file of the launcher's but the line", function()
    local said = printed({ namespaces = NAMESPACES }, [[
      cat /proc/1/comm
      head -c 5 /proc/1/cmdline | tr '\0' '\n'
      ls /proc/1/fd | wc -l]])
    -- The line, and the fd from which it reads signals.
    assert.equal("init\ninit\n2\n", said)
  end)

  it("is not the interpreter, and cannot be written over", function()
    local this
    local path = support.tmpdir() .. "/out"
    this = start { "sh", "-c", ([[
      exec >%s 2>&1
      readlink /proc/1/exe
      echo x >/proc/1/exe
      echo x >>/proc/1/exe
      dd if=/dev/zero of=/proc/1/exe conv=notrunc bs=1 count=1
      exit 5]]):format(path), namespaces = NAMESPACES }
    local image = sys.read_file("/proc/self/fd/" .. this.image:fileno())
    assert.is_true(image == sys.init_program())
    local how, number = finish(this)
    assert.same({ "exit", 5 }, { how, number })
    local said = sys.read_file(path)
    assert.matches("^/memfd:pid1 %(deleted%)\n", said)
    for line in said:gmatch("[^\n]+") do
      assert.is_truthy(line:find("memfd") or line:find("Text file busy")
        or line:find("not permitted"), line)
    end
    assert.equal(4, select(2, said:gsub("\n", "")))
  end)
end)

describe("pid 1 of an ordinary user #userns", function()
  -- The program has the same ids as pid 1, and no capability.
  local function tried(text)
    return support.as_user(("exec %s spec/fixtures/pid1.lua init user,mount,pid sh -c %s"):format(
      support.lua, support.quote(text)))
  end

  it("cannot be traced by the program, nor its memory or its files be read", function()
    local result = tried([[
      for file in mem environ exe fd/4 cwd root; do
        if head -c 1 /proc/1/$file >/dev/null 2>&1 || readlink /proc/1/$file; then
          echo $file
        fi
      done
      ls /proc/1/fd && echo listed
      grep CapEff /proc/self/status]])
    assert.equal("CapEff:\t0000000000000000\n", result.stdout)
    assert.equal(0, result.status)
  end)

  it("cannot be ended by the program", function()
    assert.equal("alive\n", tried("kill -KILL 1; kill -STOP 1; echo alive").stdout)
  end)
end)
