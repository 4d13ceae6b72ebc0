-- A container with a range of ids: root's with userns = "auto", an ordinary user's with "subid".

local container = require "container"
local sys = require "container.sys"
local command = require "spec.fixtures.command"
local ids = require "spec.fixtures.ids"
local support = require "spec.support"

local UIDS <const>, GIDS <const> = "containers:100000:131072\n", "containers:300000:131072\n"
local NEVER <const> = "1000000"

local function machine(more)
  return function()
    assert(sys.unshare("mount"))
    ids.machine(UIDS, GIDS)
    if more then
      more()
    end
  end
end

-- Words that run to their end on a machine of their own: status, stdout, stderr.
local function finish(session)
  local s <close> = session
  s:wait()
  return s
end

local function start(...)
  return command.root:start_words(
    { support.lua, "run.lua", "--quiet", "--userns", "auto", ... }, machine())
end

local function run(...)
  return finish(start(...))
end

local function print(...)
  local s = run(...)
  assert.same({ 0, "" }, { s.status, s.stderr })
  return s.stdout
end

local function squeeze(text)
  return (text:gsub(" +", " "):gsub("\n ", "\n"):gsub("^ ", ""))
end

local function write(path, text, mode)
  local file <close> = assert(sys.open(path, "wronly,creat", mode))
  assert(sys.write(file, text))
end

local function owner(path)
  local st = assert(sys.stat(path))
  return st.uid .. ":" .. st.gid
end

describe("with --userns auto #root #idmap", function()
  local rootfs

  setup(function()
    rootfs = command.root:rootfs()
  end)

  it("the ids are 65536 that the administrator gave, from 0 on", function()
    assert.equal("0 100000 65536\n0 300000 65536\nallow\nuid=0 gid=0\n", squeeze(print(
      "--rootfs", rootfs, "sh", "-c",
      "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id")))
  end)

  it("no process of it has an id of the host's", function()
    for user, expected in pairs { ["0"] = { "100000", "300000" },
      ["7:8"] = { "100007", "300008" } } do
      local s <close> = start("--rootfs", rootfs, "--user", user, "/bin/probe", "wait")
      s:expect("ready\n")
      local init = command.children(s.pid)[1]
      for _, pid in ipairs { init, command.children(init)[1] } do
        assert.equal(expected[1]:rep(4, "\t"), command.status(pid, "Uid"))
        assert.equal(expected[2]:rep(4, "\t"), command.status(pid, "Gid"))
        assert.matches("\nGroups:[ \t]*\n", sys.read_file(("/proc/%d/status"):format(pid)))
      end
    end
  end)

  it("a second program has the same ids, and no process of the host's", function()
    local s = finish(command.root:start_words({ "env", "LUA_PATH_5_4=" .. package.path,
      "LUA_CPATH_5_4=" .. package.cpath, support.lua, "-e", ([[
      local container = require "container"
      local sys = require "container.sys"
      local c <close> = assert(container.spawn { "/bin/probe", "wait", userns = "auto",
        rootfs = %q })
      local function say(options)
        options[1], options[2], options[3] = "/bin/sh", "-c",
          "cat /proc/self/uid_map; id; grep ^Cap /proc/self/status; readlink /proc/self/ns/user"
        options.stdout = "capture"
        return assert(assert(c:exec(options)):wait(10)).stdout
      end
      local text = say {}
      io.stderr:write(text:match("100000 +65536\nuid=0[^\n]*"), "\n",
        tostring(text:find(sys.readlink("/proc/" .. c.pid .. "/ns/user"), 1, true) ~= nil),
        " ", text:match("CapEff:\t%%x+") == sys.read_file(("/proc/%%d/status"):format(c.pid))
          :match("CapEff:\t%%x+") and "same" or "other", "\n",
        say { user = "7:8" }:match("uid=[^\n]*"), "\n")]]):format(rootfs) }, machine()))
    assert.equal("100000 65536\nuid=0 gid=0\ntrue same\nuid=7 gid=8\n", squeeze(s.stderr))
  end)

  it("two at once have ranges of their own, and give them back", function()
    local s = finish(command.root:start_words({ "env", "LUA_PATH_5_4=" .. package.path,
      "LUA_CPATH_5_4=" .. package.cpath, support.lua, "-e", ([[
      local container = require "container"
      local sys = require "container.sys"
      local function start()
        return assert(container.spawn { "/bin/probe", "wait", userns = "auto", rootfs = %q })
      end
      local function first(c)
        return sys.read_file("/proc/" .. c.pid .. "/uid_map"):match("0 +(%%d+)")
      end
      local function locks()
        return #sys.list("/run/lua-container")
      end
      local a, b = start(), start()
      io.stderr:write(first(a), " ", first(b), " ", locks(), "\n")
      local _, err = container.run { "/bin/true", userns = "auto", rootfs = %q }
      io.stderr:write(tostring(err), "\n")
      a:close()
      local c = start()
      io.stderr:write(first(c), "\n")
      b:close()
      c:close()
      io.stderr:write(locks(), "\n")]]):format(rootfs, rootfs) }, machine()))
    assert.equal("100000 165536 4\nidmap: /etc/subuid: every range of 65536 ids for containers is "
      .. "in use\n100000\n0\n", s.stderr)
  end)

  it("files of the root are whose they are on disk, both ways", function()
    local own = command.root:rootfs()
    write(own .. "/secret", "of root\n", 384) -- 0600
    assert(sys.chown(own .. "/secret", 0, 0))
    assert.equal("of root\n0:0\n", print("--rootfs", own, "sh", "-c",
      "cat /secret; echo >/made; echo >/given; chown 7:8 /given; stat -c %u:%g /secret"))
    assert.same({ "0:0", "7:8" }, { owner(own .. "/made"), owner(own .. "/given") })
  end)

  it("a volume shows files that are nobody's, to be used as by anybody", function()
    local source = support.tmpdir()
    write(source .. "/secret", "of root\n", 384) -- 0600
    write(source .. "/public", "for all\n", 420) -- 0644
    assert(sys.chown(source, 0, 0))
    local s = run("--rootfs", rootfs, "-v", source .. ":/v", "sh", "-c",
      "stat -c %u:%g /v/secret; cat /v/public; cat /v/secret; echo x >/v/made; "
      .. "echo x >>/v/public; chmod 777 /v/secret; chown 0:0 /v/public")
    assert.equal("65534:65534\nfor all\n", s.stdout)
    local _, refused = s.stderr:gsub("Permission denied", "")
    local _, unpermitted = s.stderr:gsub("Operation not permitted", "")
    assert.same({ 3, 2 }, { refused, unpermitted }, s.stderr)
    assert.is_nil((sys.stat(source .. "/made")))
    assert.equal("for all\n", sys.read_file(source .. "/public"))
  end)

  it("a volume with idmap is the container's own, with ro to be read", function()
    local source = support.tmpdir()
    write(source .. "/secret", "of root\n", 384) -- 0600
    assert.equal("of root\n", print("--rootfs", rootfs, "-v", source .. ":/v:idmap", "sh", "-c",
      "cat /v/secret; echo >/v/made; chown 9:9 /v/made"))
    assert.equal("9:9", owner(source .. "/made"))
    local s = run("--rootfs", rootfs, "-v", source .. ":/v:ro,idmap", "sh", "-c",
      "cat /v/secret; echo >/v/more")
    assert.equal("of root\n", s.stdout)
    assert.matches("Read%-only file system", s.stderr)
  end)

  it("a volume is found where the container's root could not go", function()
    local source = support.tmpdir()
    assert(sys.mkdir(source .. "/closed", 448)) -- 0700
    write(source .. "/closed/file", "found\n", 420)
    assert.equal("found\n", print("--rootfs", rootfs, "-v", source .. "/closed/file:/file",
      "cat", "/file"))
  end)

  it("a refused destination of a volume is named", function()
    local place = support.tmpdir()
    write(place .. "/file", "")
    local s = run("--rootfs", rootfs, "-v", place .. "/file:/bin", "true")
    assert.same({ 125, "lua-container: mount: mount /bin: Invalid argument\n" },
      { s.status, s.stderr })
  end)

  it("no device node can be made, and none of the image's be opened", function()
    local own = command.root:rootfs()
    assert(sys.mknod(own .. "/zero", "char", 438, 1, 5))
    for _, more in ipairs { "--cap-add=MKNOD", "--privileged" } do
      local s = run("--rootfs", own, more, "sh", "-c", "mknod /tmp/x c 1 3; head -c 1 /zero")
      assert.equal("", s.stdout)
      assert.matches("mknod: /tmp/x: Operation not permitted", s.stderr)
      assert.matches("/zero: Permission denied", s.stderr)
    end
  end)

  it("the devices that there are can be used", function()
    assert.equal("4\n", print("--rootfs", rootfs, "sh", "-c",
      "echo x >/dev/null && head -c 4 /dev/zero | wc -c | tr -d ' '"))
  end)

  it("--privileged has all rights in the container and none beyond", function()
    local source = support.tmpdir()
    write(source .. "/secret", "of root\n", 384) -- 0600
    local s = run("--rootfs", rootfs, "--privileged", "-v", source .. ":/v", "sh", "-c",
      "mount -t tmpfs x /tmp && hostname inside && hostname; "
      .. "cat /v/secret; chown 65536 /tmp; echo /x >/proc/sys/kernel/core_pattern; "
      .. "echo 1 >/proc/sys/vm/drop_caches; dmesg")
    assert.equal("inside\n", s.stdout)
    for _, refusal in ipairs { "cat: can't open '/v/secret': Permission denied",
      "chown: /tmp: Invalid argument", "core_pattern: Permission denied",
      "drop_caches: Permission denied", "dmesg: klogctl: Operation not permitted" } do
      assert.truthy(s.stderr:find(refusal, 1, true), s.stderr)
    end
  end)

  it("--privileged does not own the limit that holds it", function()
    local s = run("--rootfs", rootfs, "--privileged", "sh", "-c", "for d in /sys/fs/cgroup/pids "
      .. "/sys/fs/cgroup; do [ ! -e $d/pids.max ] || { mount -o remount,bind,rw $d && "
      .. "cat $d/pids.max; echo max >$d/pids.max; chmod 777 $d/pids.max; } done")
    assert.equal("20\n", s.stdout)
    assert.matches("pids.max: Permission denied.*pids.max: Operation not permitted", s.stderr)
  end)

  it("the launcher's other groups are dropped", function()
    local s = finish(command.root:start_words({ "setpriv", "--groups=4,5", support.lua, "run.lua",
      "--quiet", "--userns=auto", "--rootfs", rootfs, "grep", "^Groups", "/proc/self/status" },
      machine()))
    assert.same({ "Groups:\n", "" }, { s.stdout:gsub("[ \t]+\n", "\n"), s.stderr })
  end)

  it("--no-init and the host's network go with it", function()
    assert.equal("0 100000 65536\n", squeeze(print("--rootfs", rootfs, "--no-init", "--network",
      "host", "cat", "/proc/self/uid_map")))
  end)

  it("the limit of processes holds", function()
    support.needs("native")
    assert.equal("18 Resource temporarily unavailable\n",
      print("--rootfs", rootfs, "/bin/probe", "forks", 50))
  end)

  it("the program can be the container's user of a name", function()
    local own = command.root:rootfs()
    sys.mkdir(own .. "/etc")
    write(own .. "/etc/passwd", "someone:x:1000:65535::/:/bin/sh\nbeyond:x:1000:65536::/:/\n")
    assert.equal("1000\n65535\n",
      print("--rootfs", own, "--user", "someone", "sh", "-c", "id -u; id -g"))
    local s = run("--rootfs", own, "--user", "beyond", "id")
    assert.same({ 125, "lua-container: user: user 1000:65536: not mapped into this user "
      .. "namespace\n" }, { s.status, s.stderr })
  end)

  it("a root in which something cannot be idmapped is refused with the reason", function()
    local own = command.root:rootfs()
    local s = finish(command.root:start_words({ support.lua, "run.lua", "-q", "--userns", "auto",
      "--rootfs", own, "true" }, machine(function()
      sys.mkdir(own .. "/proc")
      assert(sys.mount("proc", own .. "/proc", "proc"))
    end)))
    assert.same({ 125, ("lua-container: tree: mount_setattr %s: its filesystem, or one that is "
      .. "mounted below it, cannot be idmapped\n"):format(own) }, { s.status, s.stderr })
  end)

  it("there is no container without one of the calls for it, and one sentence", function()
    for _, call in ipairs { "open_tree", "mount_setattr", "move_mount" } do
      local s = finish(command.root:start_words({ command.program "without", call, "--",
        support.lua, "run.lua", "-q", "--userns", "auto", "--rootfs", rootfs, "true" }, machine()))
      assert.equal(125, s.status)
      assert.matches("^lua%-container: %a+: " .. call
        .. "[^\n]*: Function not implemented[^\n]*\n$", s.stderr)
    end
  end)

  it("the host's mounts are what they were where they are shared", function()
    local source = support.tmpdir()
    local s = finish(command.root:start_words({ "sh", "-c", "cat /proc/self/mountinfo >" .. source
      .. "/before; \"$@\"; cat /proc/self/mountinfo | diff - " .. source .. "/before", "sh",
      support.lua, "run.lua", "-q", "--userns", "auto", "--rootfs", rootfs, "-v", source .. ":/v",
      "true" }, machine(function()
      assert(sys.mount(nil, "/", nil, "rshared"))
    end)))
    assert.same({ 0, "", "" }, { s.status, s.stdout, s.stderr })
  end)

  it("a library call leaves the caller's files and children as they were", function()
    assert.is_true(support.child(function()
      ids.machine(UIDS, GIDS)
      local options = { "/bin/true", userns = "auto", rootfs = rootfs, volumes = { "/usr:/v" } }
      assert(container.run(options))
      local before = support.snapshot()
      assert.equal(0, assert(container.run(options)).status)
      support.assert_same(before)
      return #ids.locks() == 0
    end, { "mount" }))
  end)

  it("the view of the host's files is one whose root is the container's", function()
    support.needs("idmapview")
    local before = sys.read_file("/usr/bin/env")
    assert.equal("0:0\n0 100000 65536\nroot\n0:0\n", squeeze(print("sh", "-c",
      "stat -c %u:%g /usr/bin/env; cat /proc/self/uid_map; id -un; rm -r /usr/bin/env; "
      .. "echo x >/usr/bin/env; stat -c %u:%g /usr/bin/env")))
    assert.equal(before, sys.read_file("/usr/bin/env"))
  end)

  it("a launcher killed at any moment of the start leaves nothing", function()
    support.needs("native")
    local function kill_at(n)
      local marker = support.name()
      local s = finish(command.root:start_words({ command.program "at", n, "9", support.lua,
        "run.lua", "-q", "--userns", "auto", "--rootfs", rootfs, "/bin/probe", "wait", marker },
        machine()))
      local where, call = s.stderr:match("^(%a+) (%d+)\n$")
      assert(where, s.stderr)
      assert.truthy(command.gone(marker), ("killed at call %d: processes are left"):format(n))
      return math.tointeger(call)
    end
    local last, times = kill_at(NEVER), 0
    for n = 1, last + 1 do
      if n % 10 == 0 or n > last - 60 then
        kill_at(n)
        times = times + 1
      end
    end
    assert.truthy(times > 60)
    assert.equal("", command.root:print("true")) -- sweeps their cgroups
  end)

  it("a child killed while it waits or later ends the command, and leaves nothing", function()
    for delay = 0, 60 do
      local marker = support.name()
      local s <close> = start("--rootfs", rootfs, "/bin/probe", "wait", marker)
      local child = command.await("there is a child", function()
        return command.children(s.pid)[1]
      end)
      for _ = 1, delay * 8 do -- a little further each time
        sys.stat("/")
      end
      sys.kill(child, "KILL")
      local status = s:wait()
      assert.truthy(status == 137 or status == 125, status)
      assert.truthy(command.gone(marker))
    end
  end)
end)

describe("with --userns subid #root #userns #newuidmap", function()
  -- An ordinary user's command, which may use set-user-ID programs; a table at the end has words
  -- that come before it.
  local function run_as(entries, ...)
    local words = { ... }
    local before = type(words[#words]) == "table" and table.remove(words) or { "env" }
    local place = support.as_user("pwd").stdout:match("[^\n]+")
    local uid = support.as_user("id -u").stdout:match("%d+")
    local all = { "setpriv", "--reuid=" .. uid, "--regid=" .. uid, "--clear-groups",
      "--inh-caps=-all", "sh", "-c", "cd \"$0\" && exec \"$@\"", place }
    for _, list in ipairs { before, { support.lua, "run.lua", "--quiet", "--userns", "subid" },
      words } do
      table.move(list, 1, #list, #all + 1, all)
    end
    return finish(command.start(all, function()
      assert(sys.unshare("mount"))
      ids.machine(entries[1]:format(uid), entries[2]:format(uid))
    end))
  end

  local GIVEN <const> = { "someone:200000:65536\n", "%s:300000:1000\n" }

  it("root is the user, and the ids from 1 on are those that were given", function()
    local s = run_as(GIVEN, "--pids-limit", "max", "sh", "-c",
      "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups")
    local uid = support.as_user("id -u").stdout:match("%d+")
    assert.same({ 0, "" }, { s.status, s.stderr })
    assert.equal(("0 %s 1\n1 200000 65536\n0 %s 1\n1 300000 1000\nallow\n"):format(
      uid, uid), squeeze(s.stdout))
  end)

  it("files can be given to other ids, and the program be another user", function()
    local s = run_as(GIVEN, "--pids-limit", "max", "--user", "0:0", "sh", "-c",
      "echo >/tmp/x; chown 5:1000 /tmp/x; stat -c %u:%g /tmp/x; grep ^Groups /proc/self/status")
    assert.same({ "5:1000\nGroups:\n", "" }, { s.stdout:gsub("[ \t]+\n", "\n"), s.stderr })
    s = run_as(GIVEN, "--pids-limit", "max", "--user", "65536:1000", "sh", "-c", "id -u; id -g")
    assert.same({ "65536\n1000\n", "" }, { s.stdout, s.stderr })
  end)

  it("an id beyond those is refused", function()
    for user, wrong in pairs { ["65537"] = "65537", ["0:1001"] = "1001" } do
      local s = run_as(GIVEN, "--pids-limit", "max", "--user", user, "true")
      assert.same({ 125, ("lua-container: --user: the user namespace has no id %s\n"):format(
        wrong) }, { s.status, s.stderr })
    end
  end)

  it("a user to whom nothing was given gets one sentence", function()
    for path, entries in pairs { ["/etc/subuid"] = { "other:1:65536\n", GIVEN[2] },
      ["/etc/subgid"] = { GIVEN[1], "other:1:65536\n" } } do
      local s = run_as(entries, "true")
      assert.same({ 125, ("lua-container: --userns: subid: %s has no entry for someone\n"):format(
        path) }, { s.status, s.stderr })
    end
  end)

  it("what newgidmap says is passed on when it refuses, and nothing is left", function()
    local place = support.tmpdir()
    write(place .. "/newgidmap", "#!/bin/sh\necho newgidmap: says no >&2\nexit 1\n", 493) -- 0755
    local marker = support.name()
    local s = run_as(GIVEN, "--pids-limit", "max", "true", marker,
      { "env", ("PATH=%s:%s"):format(place, os.getenv("PATH")) })
    assert.same({ 125, "lua-container: idmap: newgidmap: says no\n" },
      { s.status, s.stderr })
    assert.truthy(command.gone(marker))
  end)

  it("a limit of processes that would not hold is refused", function()
    local s = run_as(GIVEN, "true")
    if s.status ~= 0 then -- where no cgroup is the user's
      assert.equal(125, s.status)
      assert.matches("^lua%-container: cgroup: [^\n]+ would hold for each id by itself[^\n]+\n$",
        s.stderr)
    end
  end)

  it("a machine without newuidmap gets one sentence", function()
    local s = finish(command.user:start_words({ "sh", "-c", "lua=$(command -v $0); PATH=/nowhere; \z
      exec $lua run.lua --userns subid true", support.lua }))
    assert.same({ 125, "lua-container: --userns: subid: newuidmap is not in PATH (package uidmap)\n"
    }, { s.status, s.stderr })
  end)
end)
