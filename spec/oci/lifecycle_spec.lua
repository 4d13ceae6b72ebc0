-- The OCI runtime's commands as a client calls them, one after the other, on a bundle.

local json = require "container.json"
local support = require "spec.support"
local sys = require "container.sys"

local quote = support.quote

local function put(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

describe("the OCI runtime #root #cgroup", function()
  local root, bundle, config

  -- What is left running has no pipe of ours.
  local function runtime(...)
    local words = table.concat({ ... }, " ")
    local quiet = words:find("^create") or words:find("--detach", 1, true)
    return support.run(("timeout 20 %s run.lua --root %s %s%s"):format(support.lua, root, words,
      quiet and " >/dev/null" or ""))
  end

  local function fine(...)
    local result = runtime(...)
    assert.equal(0, result.status, result.stderr)
    return result.stdout
  end

  local function refused(words, ...)
    local result = runtime(...)
    assert.equal(1, result.status, result.stdout)
    assert.matches(words, result.stderr, 1, true)
    assert.equal(1, select(2, result.stderr:gsub("\n", "")), result.stderr)
  end

  local function status(id)
    return fine("state", id):match('"status": "(%a+)"')
  end

  local function write(change)
    local value = json.decode(config)
    if change then
      change(value)
    end
    put(bundle .. "/config.json", json.encode(value, require
      "container.oci.template".ARRAYS))
  end

  local function soon(words, test)
    for _ = 1, 500 * support.patience do
      if test() then
        return
      end
      sys.ppoll({}, 0.01)
    end
    assert.is_true(false, "not soon: " .. words)
  end

  -- The name in which everything of a test has its cgroup.
  local function cgroups()
    return support.run("find /sys/fs/cgroup -name " .. root:match("[^/]*$")).stdout
  end

  before_each(function()
    root, bundle = support.tmpdir(), support.tmpdir()
    assert(sys.symlink(support.busybox_rootfs(), bundle .. "/rootfs"))
    assert.equal(0, support.run(("%s run.lua spec --bundle %s"):format(support.lua, bundle)).status)
    config = json.decode(sys.read_file(bundle .. "/config.json"))
    config.process.terminal = false
    config.root.path = support.busybox_rootfs()
    config.linux.cgroupsPath = "/" .. root:match("[^/]*$") .. "/one"
    config.process.args = { "sleep", "1000" }
    config = json.encode(config, require "container.oci.template".ARRAYS)
    write()
  end)

  after_each(function()
    for _, id in ipairs(sys.list(root)) do
      runtime("delete --force", id)
    end
    assert.equal("", cgroups())
  end)

  it("makes, starts, ends and deletes a container", function()
    fine("create --bundle", bundle, "--pid-file", root .. "/../pid one")
    assert.equal("created", status "one")
    local pid = sys.read_file(root .. "/../pid")
    os.remove(root .. "/../pid")
    assert.equal(pid, fine("state one"):match('"pid": (%d+)'))
    fine "start one"
    assert.equal("running", status "one")
    assert.matches("one%s+" .. pid .. "%s+running%s+" .. bundle:gsub("%p", "%%%0"), fine "list")
    assert.equal("[" .. pid .. "]\n", fine "ps --format json one")
    refused("cannot delete container one that is not stopped: running", "delete one")
    fine "pause one"
    assert.equal("paused", status "one")
    fine "resume one"
    assert.equal("running", status "one")
    fine "kill one KILL"
    soon("it has ended", function() return status "one" == "stopped" end)
    fine "delete one"
    refused("container one does not exist", "state one")
    assert.same({}, sys.list(root))
  end)

  it("runs a container in the foreground, and ends as it does", function()
    write(function(c) c.process.args = { "sh", "-c", "echo from $0; exit 7", "there" } end)
    local result = runtime("run --bundle", bundle, "one")
    assert.same({ 7, "from there\n" }, { result.status, result.stdout })
    assert.same({}, sys.list(root))
  end)

  it("runs further processes in it", function()
    fine("run --detach --bundle", bundle, "one")
    local result = runtime "exec one sh -c 'echo $NAME; exit 5'"
    assert.same({ 5, "\n" }, { result.status, result.stdout })
    assert.equal("value /tmp 1000\n",
      fine "exec --env NAME=value --cwd /tmp --user 1000 one sh -c 'echo $NAME $PWD $(id -u)'")
    put(bundle .. "/process.json",
      '{"args":["sh","-c","echo $A"],"env":["A=b","PATH=/bin"],"cwd":"/"}')
    assert.equal("b\n", fine("exec --process", bundle .. "/process.json", "one"))
    fine("exec --detach --pid-file", bundle .. "/pid", "one sleep 500")
    local pid = sys.read_file(bundle .. "/pid")
    assert.matches("sleep", sys.read_file("/proc/" .. pid .. "/comm"))
    refused("executable file not found in $PATH", "exec one nosuch")
    fine "kill --all one KILL"
    soon("all have ended", function() return not sys.stat("/proc/" .. pid .. "/exe") end)
  end)

  it("changes limits, all or none", function()
    write(function(c) c.linux.resources = { pids = { limit = 10 } } end)
    fine("run --detach --bundle", bundle, "one")
    fine "update --pids-limit 12 one"
    assert.equal("12\n", fine "exec one sh -c 'cat /sys/fs/cgroup/pids/pids.max || cat \z
      /sys/fs/cgroup/pids.max'")
    refused("cpu", "update --pids-limit 13 --cpu-quota 1 one")
    assert.equal("12\n", fine "exec one sh -c 'cat /sys/fs/cgroup/pids/pids.max || cat \z
      /sys/fs/cgroup/pids.max'")
    assert.matches('"pids": { "current": 1, "limit": 12 }', fine "events --stats one", 1, true)
  end)

  it("says at create what cannot be started, and leaves nothing", function()
    write(function(c) c.process.args = { "nosuch" } end)
    refused('exec: "nosuch": executable file not found in $PATH', "create --bundle", bundle, "one")
    write(function(c) c.process.args = { "/etc" } end)
    refused('exec: "/etc": permission denied', "create --bundle", bundle, "one")
    write(function(c) c.root.path = "/nosuch" end)
    refused("/nosuch: No such file or directory", "create --bundle", bundle, "one")
    assert.same({}, sys.list(root))
  end)

  it("refuses bad input in one sentence", function()
    refused("config.json: No such file or directory", "create --bundle", root, "one")
    put(bundle .. "/config.json", "{ none")
    refused("config.json: Expected", "create --bundle", bundle, "one")
    put(bundle .. "/config.json", "[]")
    refused("ociVersion", "create --bundle", bundle, "one")
    write(function(c) c.process.args = "text" end)
    refused("process.args", "create --bundle", bundle, "one")
    write(function(c) c.ociVersion = "7.0.0" end)
    refused("ociVersion", "create --bundle", bundle, "one")
    write()
    for _, id in ipairs { "../x", "a/b", ".", "..", "a b" } do
      refused("container id", "create --bundle", bundle, quote(id))
    end
    refused("requires an ID", "create")
    refused("unknown option --nope", "create --nope one")
    refused("does not exist", "start none")
    refused("does not exist", "kill none TERM")
    refused("unknown command nope", "nope")
    fine("create --bundle", bundle, "one")
    refused("container one exists already", "create --bundle", bundle, "one")
    refused("process.terminal is not set", "create --console-socket /nosuch --bundle", bundle,
      "two")
    refused("expected the name or number of a signal", "kill one NOPE")
    fine "start one"
    refused("cannot start container one: it is running", "start one")
    refused("cannot resume container one: it is running", "resume one")
    fine "delete --force one"
    fine "delete --force one"
  end)

  it("writes errors to a log that clients read", function()
    local log = bundle .. "/log"
    refused("does not exist", "--log", log, "--log-format json state none")
    local line = json.decode(sys.read_file(log))
    assert.same({ "error", "container none does not exist" }, { line.level, line.msg })
    assert.matches("^%d+%-%d+%-%d+T%d+:%d+:%d+Z$", line.time)
  end)

  it("calls the hooks of each moment, with the state on standard input", function()
    local said = bundle .. "/said"
    write(function(c)
      c.hooks = {}
      for _, moment in ipairs { "prestart", "createRuntime", "createContainer", "poststart",
        "poststop" } do
        c.hooks[moment] = { { path = "/bin/sh", args = { "sh", "-c", ("echo %s $(tr -d ' \\n' | "
          .. "grep -o '\"status\":\"[a-z]*\"') >>%s"):format(moment, said) } } }
      end
    end)
    fine("create --bundle", bundle, "one")
    fine "start one"
    fine "delete --force one"
    assert.equal('prestart "status":"creating"\ncreateRuntime "status":"creating"\n'
      .. 'createContainer "status":"creating"\npoststart "status":"running"\n'
      .. 'poststop "status":"stopped"\n', sys.read_file(said))
  end)

  it("calls the hooks of startContainer at start, in the container", function()
    write(function(c)
      c.process.args = { "sh", "-c", "cat /tmp/said; sleep 1000" }
      c.mounts[#c.mounts + 1] = { destination = "/tmp", type = "tmpfs", source = "tmpfs" }
      c.hooks = { startContainer = { { path = "/bin/sh", args = { "sh", "-c",
        "grep status >/tmp/said; ls /proc/self/fd | xargs >>/tmp/said" } } } }
    end)
    local out = bundle .. "/out"
    assert.equal(0, support.run(("%s run.lua --root %s create --bundle %s one >%s"):format(
      support.lua, root, bundle, out)).status)
    assert.equal("created", status "one")
    refused("start it first", "exec one true")
    fine "start one"
    assert.equal("running", status "one")
    soon("it prints", function() return sys.read_file(out) ~= "" end)
    assert.equal('  "status": "created"\n0 1 2 3\n', sys.read_file(out))
    fine "exec one true"
    fine "delete --force one"
    write(function(c)
      c.hooks = { startContainer = { { path = "/bin/sh", args = { "sh", "-c", "exit 3" } } } }
    end)
    fine("create --bundle", bundle, "one")
    refused("startContainer[1] (/bin/sh): exit status 3", "start one")
    soon("stopped", function() return status "one" == "stopped" end)
    fine "delete one"
  end)

  it("hands over files, from 3 on", function()
    write(function(c) c.process.args = { "sh", "-c", "cat <&3; cat <&4" } end)
    assert.equal("one\ntwo\n", support.run(("echo one >%s/1; echo two >%s/2; exec 3<%s/1 4<%s/2; "
      .. "%s run.lua --root %s run --preserve-fds 2 --bundle %s one"):format(bundle, bundle, bundle,
      bundle, support.lua, root, bundle)).stdout)
  end)

  it("hands over no file of its own in the place of one that is not open", function()
    write(function(c)
      c.process.args = { "sh", "-c", "readlink /proc/self/fd/3; readlink /proc/self/fd/4" }
    end)
    assert.equal("/dev/null\n/dev/null\n", support.run(("exec 3<&- 4<&-; %s run.lua --root %s run "
      .. "--preserve-fds 2 --bundle %s one"):format(support.lua, root, bundle)).stdout)
  end)

  it("hands over a socket of activation before them", function()
    write(function(c)
      c.process.args =
        { "sh", "-c", "cat <&3; echo $LISTEN_FDS $LISTEN_PID; ls /proc/self/fd | xargs" }
    end)
    assert.equal("one\n1 1\n0 1 2 3 4\n", support.run(("echo one >%s/1; exec 3<%s/1; "
      .. "unset LISTEN_PID; LISTEN_FDS=1 %s run.lua --root %s run --bundle %s one"):format(bundle,
      bundle, support.lua, root, bundle)).stdout)
  end)

  it("sends a pidfd and the terminal to the sockets that it is given", function()
    write(function(c)
      c.process.terminal, c.process.consoleSize = true, { height = 30, width = 90 }
      c.process.args = { "sh", "-c", "tty; stty size; exec sleep 1000" }
    end)
    local listener <close> = assert(sys.socket_bind(bundle .. "/s"))
    fine("create --bundle", bundle, "--console-socket", bundle .. "/s --pidfd-socket",
      bundle .. "/s one")
    local first <close> = assert(sys.socket_accept(listener))
    local master <close> = assert(sys.receive_fd(first))
    local second <close> = assert(sys.socket_accept(listener))
    local pidfd <close> = assert(sys.receive_fd(second))
    fine "start one"
    local text = ""
    while not text:find("30 90") and sys.ppoll({ master }, 10)[1] do
      text = text .. (sys.read(master) or "")
    end
    assert.equal("/dev/pts/0\r\n30 90\r\n", text)
    assert(sys.pidfd_send_signal(pidfd, "KILL"))
    soon("stopped", function() return status "one" == "stopped" end)
    fine "delete one"
    write()
    refused("--pidfd-socket", "create --bundle", bundle, "--pidfd-socket /nosuch one")
    assert.same({}, sys.list(root))
  end)

  it("leaves a cgroup alone that is not the container's", function()
    local name = support.name()
    local script = ([[set -e
      mkdir $d/%s $d/%s/below; sleep 1000 & echo $! >$d/%s/cgroup.procs
      "$@" || :; ls -d $d/%s/below; cat $d/%s/cgroup.procs | grep -qx $!
      exec 2>/dev/null; kill -9 $!; wait $! || :; rmdir $d/%s/below $d/%s]]):gsub("%%s", name)
    local place = assert(sys.cgroup_place("pids"))
    local function beside(command)
      return support.run(("d=%s sh -c %s sh %s run.lua --root %s %s"):format(place, quote(script),
        support.lua, root, command))
    end
    -- The top of the hierarchy, as the path has it.
    local top = place:match("^/sys/fs/cgroup/pids") or "/sys/fs/cgroup"
    write(function(c) c.linux.cgroupsPath = place:sub(#top + 1) .. "/" .. name end)
    local result = beside("create --bundle " .. bundle .. " one")
    assert.matches("processes are in it already", result.stderr, 1, true)
    assert.same({ place .. "/" .. name .. "/below\n", 0 }, { result.stdout, result.status })
    -- And one whose creator was killed before it could see that.
    assert(sys.mkdir(root .. "/two"))
    put(root .. "/two/state.json", json.encode({ id = "two", annotations = {}, cgroups = {},
      cgroupsPath = place:sub(#top + 1) .. "/" .. name }, { cgroups = true }))
    result = beside "delete --force two"
    assert.same({ place .. "/" .. name .. "/below\n", "", 0 },
      { result.stdout, result.stderr, result.status })
    for _, path in ipairs { "/", "/a/../../b", "../b", "/./a" } do
      write(function(c) c.linux.cgroupsPath = path end)
      refused("linux.cgroupsPath", "create --bundle", bundle, "one")
    end
    assert.same({}, sys.list(root))
  end)

  it("leaves nothing when create is killed at any moment", function()
    for i = 1, 40 do
      support.run(("%s run.lua --root %s create --bundle %s one >/dev/null 2>&1 & sleep %.4f; "
        .. "kill -9 $!; wait"):format(support.lua, root, bundle, i * 0.004))
      runtime "delete --force one"
      assert.same({}, sys.list(root))
      assert.equal("", support.run("find /sys/fs/cgroup -path '*/" .. root:match("[^/]*$")
        .. "/one'").stdout)
    end
    support.run("find /sys/fs/cgroup -depth -name " .. root:match("[^/]*$") .. " -exec rmdir {} +")
  end)

  it("leaves no cgroup of containers without a path", function()
    write(function(c) c.linux.cgroupsPath = nil end)
    for _, id in ipairs { "one", "two" } do
      fine("create --bundle", bundle, id)
    end
    -- By the hierarchy of version 1 in which this process is in a cgroup of its own, where there is
    -- one.
    local text = sys.read_file("/proc/" .. fine("state one"):match('"pid": (%d+)') .. "/cgroup")
    local path = text:match(":pids:(/[^\n]*oci%.lua%-container)")
      or text:match("0::(/[^\n]*oci%.lua%-container)")
    for _, id in ipairs { "one", "two" } do
      fine("delete --force", id)
    end
    assert.equal("", support.run("find /sys/fs/cgroup -path '*" .. path .. "'").stdout)
  end)

  it("makes many at once, and one of an id", function()
    local many = support.run(("for i in $(seq 20); do (%s run.lua --root %s create --bundle %s "
      .. "same >/dev/null 2>&1 && echo made) & done; wait"):format(support.lua, root, bundle))
    assert.equal("made\n", many.stdout)
    fine "delete --force same"
    write(function(c) c.linux.cgroupsPath = nil end)
    local failed = support.run(("for i in $(seq 20); do { %s run.lua --root %s create --bundle %s \z
      $i && %s run.lua --root %s start $i; } >/dev/null & done; wait"):format(support.lua, root,
      bundle, support.lua, root)).stderr
    assert.equal("", failed)
    for i = 1, 20 do
      assert.equal("running", status(i))
      fine("delete --force", i)
    end
    assert.same({}, sys.list(root))
  end)
end)
