-- The eight steps, run as a learner runs them, and looked at with the eyes of the host.
-- timeout(1) stands in front of each of them: a step that hangs is killed, and its test fails.

package.cpath = "./?.so;" .. package.cpath
local sys = require "container.sys"

local lua <const> = os.getenv("LUA") or "lua5.4"

-- Where a step is to have ROOTFS unset.
local UNSET <const> = {}

local directory, rootfs

local function quoted(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = "'" .. tostring(word):gsub("'", "'\\''") .. "'"
  end
  return table.concat(list, " ")
end

local function lines(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    list[#list + 1] = line
  end
  return list
end

local function status_of(_, how, number)
  return how == "exit" and number or 128 + number
end

-- What a shell command prints, and the exit status it ends with.
local function shell(command)
  local pipe <close> = assert(io.popen(command, "r"))
  local output = pipe:read("a")
  return output, status_of(pipe:close())
end

-- The shell command that calls a step with these arguments.
local function call(step, arguments, root)
  local words = { "timeout", "-s", "KILL", "20", "env", "-u", "ROOTFS" }
  if root ~= UNSET then
    words[#words + 1] = "ROOTFS=" .. (root or rootfs)
  end
  table.move({ lua, "examples/step" .. step .. ".lua" }, 1, 2, #words + 1, words)
  return quoted(table.move(arguments, 1, #arguments, #words + 1, words))
end

-- Output and errors in one, and the exit status.
local function run(step, ...)
  return shell(call(step, { "run", ... }) .. " 2>&1")
end

local function errors_of(step, arguments, root)
  return shell(call(step, arguments, root) .. " 2>&1 >/dev/null")
end

-- A step with a line to its standard input, by which it is held while the host looks at it:
-- a command that reads ends when the line is closed.
local function start(step, ...)
  local fifo <const> = directory .. "/stdin"
  os.remove(fifo)
  assert(os.execute("mkfifo " .. quoted { fifo }))
  local session = {}
  session.output = assert(io.popen(call(step, { "run", ... }) .. " 2>&1 <" .. quoted { fifo }))
  session.input = assert(io.open(fifo, "w"))
  function session:await(pattern)
    for line in self.output:lines() do
      local found = line:match(pattern)
      if found then
        return found
      end
    end
    error("the step ended without a line like " .. pattern)
  end
  function session:finish()
    if io.type(self.input) == "file" then
      self.input:close()
    end
    if io.type(self.output) == "file" then
      self.rest = self.output:read("a")
      self.status = status_of(self.output:close())
    end
    return self.status, self.rest
  end
  return setmetatable(session, { __close = session.finish })
end

local function launcher_of(session)
  return tonumber(session:await("^Running %[.*%] as (%d+)$"))
end

local function child_of(parent)
  for _, name in ipairs(assert(sys.list("/proc"))) do
    local status = name:match("^%d+$") and sys.read_file("/proc/" .. name .. "/status")
    if status and tonumber(status:match("\nPPid:%s*(%d+)")) == parent then
      return tonumber(name)
    end
  end
  error("process " .. parent .. " has no child")
end

local function mountinfo()
  return assert(sys.read_file("/proc/self/mountinfo"))
end

-- Runs a shell command in a UTS namespace of the test's own, which stands for the host: it has the
-- name `host`, and the name that it has at the end is printed last.
local function on_a_host(command)
  local script <const> = "hostname host && " .. command .. "; hostname"
  return shell("unshare --uts sh -c " .. quoted { script } .. " 2>&1")
end

-- Why a container cannot be made here, found out by making one; false if it can.
local function refusal()
  local namespaces <const> = { "uts", "pid", "mount" }
  local pid, message = sys.clone(namespaces, function()
    local done = sys.mount(nil, "/", nil, "rprivate") and sys.mount_proc("/proc")
    return done and 0 or 1
  end)
  if not pid then
    return message
  end
  local _, status = sys.wait(pid)
  return status ~= 0 and "proc cannot be mounted in new namespaces"
end

local function cgroup_refusal()
  local place, message = sys.cgroup_place("pids")
  if not place then
    return message
  end
  local probe <const> = place .. "/steps-spec-" .. sys.getpid()
  local made, why = sys.mkdir(probe)
  return not (made and sys.rmdir(probe)) and (why or "a cgroup cannot be removed")
end

-- A small root with busybox, and with the bash and the ps of this machine and their libraries.
-- A shell reads /dev/null for what it starts in the background; an empty file does.
local MAKE_ROOTFS <const> = [[
set -e
mkdir -p "$root/bin" "$root/proc" "$root/tmp" "$root/dev"
touch "$root/dev/null"
for program in busybox bash ps; do
  file=$(command -v $program)
  cp -L "$file" "$root/bin/$program"
  for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ )]*'); do
    cp -L --parents "$library" "$root"
  done
done
for applet in sh cat hostname ls mount pwd sleep true; do
  ln -s busybox "$root/bin/$applet"
done
]]

describe("the eight steps", function()
  local no_container <const> = refusal()
  local no_cgroup <const> = no_container or cgroup_refusal()

  setup(function()
    directory = assert(shell("mktemp -d")):match("^[^\n]+")
    rootfs = directory .. "/rootfs"
    assert(os.execute("root=" .. quoted { rootfs } .. "; " .. MAKE_ROOTFS))
  end)

  teardown(function()
    assert(os.execute("rm -rf --one-file-system " .. quoted { directory }))
  end)

  -- A test that waits, and says why, where this machine refuses what it needs.
  local function it_unless(reason, name, test)
    it(name, function()
      if reason and os.getenv("CONTAINER_MUST_WORK") == "1" then
        error(reason)
      elseif reason then
        pending(reason)
      end
      test()
    end)
  end

  for step = 1, 8 do
    it("step " .. step .. " answers a call without a command with one line and 2", function()
      local usage <const> = "usage: lua5.4 examples/step" .. step .. ".lua run COMMAND [ARG...]\n"
      for _, arguments in ipairs { {}, { "run" }, { "walk", "true" } } do
        local message, status = errors_of(step, arguments)
        assert.equal(usage, message)
        assert.equal(2, status)
        assert.equal("", (shell(call(step, arguments) .. " 2>/dev/null")))
      end
    end)
  end

  describe("step 1", function()
    it("says what would run, and runs nothing", function()
      local output, status = run(1, "Hello,", "world")
      assert.equal("Running [Hello, world]\n", output)
      assert.equal(0, status)
      assert.equal("Running [false]\n", (run(1, "false")))
    end)
  end)

  describe("step 2", function()
    it("says what it runs before the command says anything", function()
      local output, status = run(2, "echo", "Hello,", "world")
      assert.equal("Running [echo Hello, world]\nHello, world\n", output)
      assert.equal(0, status)
    end)

    it("hands arguments on as they are", function()
      local output = run(2, "printf", "<%s>", "a b", "", "*")
      assert.equal("<a b><><*>", lines(output)[2])
    end)

    it("ends with the exit status of the command", function()
      assert.equal(7, select(2, run(2, "sh", "-c", "exit 7")))
    end)

    it("ends with 128+n when signal n ended the command", function()
      assert.equal(128 + 15, select(2, run(2, "sh", "-c", "kill -TERM $$")))
    end)

    it("ends with 127 and a sentence when there is no such command", function()
      local message, status = errors_of(2, { "run", "./no such command" })
      assert.equal("examples/step2.lua: command not found: ./no such command\n", message)
      assert.equal(127, status)
    end)

    it("ends with 126 and a sentence when the command cannot be executed", function()
      local message, status = errors_of(2, { "run", "/" })
      assert.equal("examples/step2.lua: exec /: Permission denied\n", message)
      assert.equal(126, status)
    end)
  end)

  describe("#root steps 3 to 8", function()
    for step = 3, 8 do
      local a_step <const> = "step " .. step

      it_unless(no_cgroup, a_step .. " ends with the exit status of the command", function()
        assert.equal(7, select(2, run(step, "sh", "-c", "exit 7")))
      end)

      it_unless(no_cgroup, a_step .. " ends with 127 when there is no such command", function()
        local message, status = errors_of(step, { "run", "nothing" })
        assert.equal(("examples/step%d.lua: command not found: nothing\n"):format(step), message)
        assert.equal(127, status)
      end)

      it_unless(no_cgroup, a_step .. " is found and finds container.so from anywhere", function()
        local path <const> = shell("pwd"):match("^[^\n]+")
        local command = call(step, { "run", "true" }):gsub("examples/", path .. "/%0")
        assert.equal(0, select(2, shell("cd / && " .. command)))
      end)
    end

    for _, step in ipairs { 3, 4 } do
      local a_step <const> = "step " .. step

      it_unless(no_cgroup, a_step .. " ends with 128+n when signal n ended the command", function()
        assert.equal(128 + 15, select(2, run(step, "sh", "-c", "kill -TERM $$")))
      end)
    end

    for step = 5, 8 do
      local a_step <const> = "step " .. step

      it_unless(no_cgroup, a_step .. " ends with 128+n when the host kills PID 1", function()
        local session <close> = start(step, "sh", "-c", "echo ready; read x; exit 0")
        local launcher = launcher_of(session)
        session:await("^ready$")
        assert(sys.kill(child_of(launcher), "KILL"))
        assert.equal(128 + 9, session:finish())
      end)
    end

    it_unless(no_cgroup, "name the call and the reason when the kernel refuses", function()
      for step = 3, 5 do
        local command = call(step, { "run", "true" })
        local output, status = shell("setpriv --bounding-set -all --inh-caps -all " .. command
          .. " 2>&1 >/dev/null")
        assert.matches("^examples/step%d%.lua: clone uts[%a,]*: Operation not permitted\n$", output)
        assert.equal(125, status)
      end
    end)
  end)

  describe("#root step 3", function()
    it_unless(no_container, "leaves the host's name alone", function()
      local output = on_a_host(call(3, { "run", "sh", "-c", "hostname container; hostname" }))
      assert.same({ "Running [sh -c hostname container; hostname]", "container", "host" },
        lines(output))
    end)
  end)

  describe("#root step 4", function()
    it_unless(no_container, "names the host `container` before the command starts", function()
      local output = on_a_host(call(4, { "run", "hostname" }))
      assert.same({ "Running [hostname]", "Running in child [hostname]", "container", "host" },
        lines(output))
    end)

    it_unless(no_container, "announces a shell twice", function()
      local output, status = shell(call(4, { "run", "/bin/bash" }) .. " 2>&1 </dev/null")
      assert.equal("Running [/bin/bash]\nRunning in child [/bin/bash]\n", output)
      assert.equal(0, status)
    end)
  end)

  describe("#root step 5", function()
    it_unless(no_container, "has PID 1 within, and another one for the host", function()
      local session <close> = start(5, "sh", "-c", "echo $$ is ready; read x; exit 0")
      local launcher = launcher_of(session)
      session:await("^Running in child %[.*%] as 1$")
      assert.equal("1", session:await("^(%d+) is ready$"))
      local pid = child_of(launcher)
      local status = assert(sys.read_file("/proc/" .. pid .. "/status"))
      assert.matches("\nNSpid:.*%s" .. pid .. "%s+1\n", status)
      assert.equal(0, session:finish())
    end)

    it_unless(no_container, "still shows the host's processes", function()
      local output = run(5, "ps", "-e")
      assert.matches("\n%s*" .. sys.getpid() .. "%s", output)
    end)
  end)

  describe("#root step 6", function()
    it_unless(no_container, "shows the host where the root of its processes is", function()
      local session <close> = start(6, "sh", "-c", "echo ready; read x; exit 0")
      local launcher = launcher_of(session)
      session:await("^ready$")
      local root = "/proc/" .. child_of(launcher) .. "/root"
      assert.equal(rootfs .. "\n", (shell("readlink " .. root)))
      local seen, real = assert(sys.stat(root .. "/bin")), sys.stat(rootfs .. "/bin")
      assert.same({ real.dev, real.ino }, { seen.dev, seen.ino })
      assert.equal(0, session:finish())
    end)

    it_unless(no_container, "starts the command in the new root", function()
      assert.equal("/", lines((run(6, "pwd")))[3])
      assert.equal("bin", lines((run(6, "ls", "/")))[3])
    end)

    it_unless(no_container, "has a ps that asks for /proc", function()
      assert.matches("/proc", (errors_of(6, { "run", "ps" })))
    end)
  end)

  describe("#root steps 6 to 8", function()
    for step = 6, 8 do
      local a_step <const> = "step " .. step

      it_unless(no_cgroup, a_step .. " says in one sentence that ROOTFS is missing", function()
        local message, status = errors_of(step, { "run", "true" }, UNSET)
        assert.matches("^examples/step%d%.lua: ROOTFS is not set: [^\n]+\n$", message)
        assert.equal(2, status)
      end)

      it_unless(no_cgroup, a_step .. " says in one sentence that the root is missing", function()
        local message, status = errors_of(step, { "run", "true" }, rootfs .. "/none")
        assert.equal(("examples/step%d.lua: chroot %s/none: No such file or directory\n")
          :format(step, rootfs), message)
        assert.equal(125, status)
      end)
    end
  end)

  describe("#root step 7", function()
    it_unless(no_container, "shows only the container's processes, from PID 1", function()
      local output = run(7, "sh", "-c", "ps -e -o pid= -o comm=; true")
      local processes = table.move(lines(output), 3, 100, 1, {})
      assert.equal(2, #processes)
      assert.matches("^%s*1 sh$", processes[1])
      assert.matches("^%s*2 ps$", processes[2])
    end)

    it_unless(no_container, "shows the host nothing of its mounts", function()
      local before = mountinfo()
      local session <close> = start(7, "sh", "-c", "cat /proc/mounts; echo ready; read x; exit 0")
      session:await("^proc /proc proc rw,nosuid,nodev,noexec")
      session:await("^ready$")
      assert.equal(before, mountinfo())
      assert.equal(0, session:finish())
      assert.equal(before, mountinfo())
    end)

    -- In a mount namespace of the test's own, whose mounts are shared as systemd makes them.
    it_unless(no_container, "keeps its mounts to itself where the host's are shared", function()
      local script <const> = "mount --make-rshared / && cat /proc/self/mountinfo && echo ---- && "
        .. call(7, { "run", "true" }) .. " >&2 && cat /proc/self/mountinfo"
      local output, status = shell("unshare -m --propagation private sh -c "
        .. quoted { script } .. " 2>/dev/null")
      assert.equal(0, status)
      local before, after = output:match("^(.*)%-%-%-%-\n(.*)$")
      assert.matches(" / / [^\n]* shared:", before)
      assert.equal(before, after)
    end)
  end)

  describe("#root step 8", function()
    local place

    setup(function()
      place = sys.cgroup_place("pids")
    end)

    local function assert_gone(launcher)
      assert.is_nil((sys.stat(place .. "/step8-" .. launcher)))
    end

    local function processes_of(cgroup)
      return lines(assert(sys.read_file(cgroup .. "/cgroup.procs")))
    end

    it_unless(no_cgroup, "is a cgroup in which the host sees the container's processes", function()
      local session <close> = start(8, "sh", "-c", "sleep 1000 & echo ready; read x; exit 0")
      local launcher = launcher_of(session)
      session:await("^ready$")
      local cgroup <const> = place .. "/step8-" .. launcher
      assert.equal("20\n", sys.read_file(cgroup .. "/pids.max"))
      local pid = child_of(launcher)
      assert.same({ tostring(pid), tostring(child_of(pid)) }, processes_of(cgroup))
      assert.equal(0, session:finish())
      assert_gone(launcher)
    end)

    it_unless(no_cgroup, "has room for 20 processes and no more", function()
      local script <const> = "i=1; while [ $i -le 40 ]; do echo $i; sleep 99 & i=$((i + 1)); done"
      local output = run(8, "sh", "-c", script)
      local list = lines(output)
      assert.equal("20", list[#list - 1]) -- the shell and 19: the 20th child is refused
      assert.matches("fork: Resource temporarily unavailable$", list[#list])
      assert_gone(list[1]:match("%d+$"))
    end)

    it_unless(no_cgroup, "holds a fork bomb, and the machine stays usable", function()
      local session <close> = start(8, "/bin/bash")
      local launcher = launcher_of(session)
      session.input:write("echo ready\n")
      session.input:flush()
      session:await("^ready$")
      local cgroup <const> = place .. "/step8-" .. launcher
      -- Only where the limit holds: this machine has other things to do.
      assert.equal("20\n", sys.read_file(cgroup .. "/pids.max"))
      assert.same({ tostring(child_of(launcher)) }, processes_of(cgroup))
      session.input:write(":() { : | : & }; :\n")
      session.input:flush()
      session:await("Resource temporarily unavailable$")
      assert.is_true(tonumber((sys.read_file(cgroup .. "/pids.current"))) <= 20)
      assert.is_true(#processes_of(cgroup) <= 20)
      assert.is_true(os.execute("true"))
      assert.equal(0, session:finish())
      assert_gone(launcher)
    end)

    it_unless(no_cgroup, "takes its cgroup away when the command could not be started", function()
      local output, status = run(8, "nothing")
      assert.equal(127, status)
      assert_gone(output:match("as (%d+)"))
    end)

    -- A process of the host in the cgroup stands for one that takes its time to die.
    it_unless(no_cgroup, "takes its cgroup away as soon as the last process has left it", function()
      local last = assert(sys.clone({}, function() sys.exec { "sleep", "20" } end))
      local session <close> = start(8, "sh", "-c", "echo ready; read x; exit 0")
      local launcher = launcher_of(session)
      session:await("^ready$")
      local pidfd <close> = assert(sys.pidfd_open(child_of(launcher)))
      local cgroup <const> = place .. "/step8-" .. launcher
      local joined, message = sys.write_file(cgroup .. "/cgroup.procs", tostring(last))
      session.input:close()
      local ended = sys.ppoll({ pidfd }, 10)
      sys.kill(last, "KILL")
      sys.wait(last)
      assert(joined, message)
      assert.is_true(ended[1])
      assert.equal(0, session:finish())
      assert_gone(launcher)
    end)

    it_unless(no_cgroup, "takes its cgroup away when the launcher cannot wait", function()
      local command <const> = "env --ignore-signal=CHLD " .. quoted { lua, "examples/step8.lua" }
      local output, status = shell("ROOTFS=" .. quoted { rootfs } .. " timeout -s KILL 20 "
        .. command .. " run true 2>&1")
      assert.equal(125, status)
      assert.matches("wait %d+: No child processes", output)
      assert_gone(output:match("as (%d+)"))
    end)
  end)

  it("leave no process in the root that they were given", function()
    local roots = shell("readlink /proc/[0-9]*/root 2>/dev/null")
    assert.is_nil(roots:find(rootfs, 1, true))
  end)
end)
