local sys = require "container.sys"
local device = require "container.fs.devices"
local api = require "container.api"
local masks = require "container.fs.masks"
local support = require "spec.support"

local mount = support.catching(require "container.fs.mounts")

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "
local NAMESPACE <const> = { "mount" }

-- The mounts of mountinfo by their places: filesystem, options, options of the filesystem.
local function mounts_of(mountinfo)
  local mounts = {}
  for target, options, kind, data in mountinfo:gmatch(
    "%S+ %S+ %S+ %S+ (%S+) (%S+) [^\n]-%- (%S+) %S+ (%S+)") do
    mounts[target] = { kind = kind, options = options, data = data }
  end
  return mounts
end

-- How a container ends that runs this piece of shell.
local function ends(options, script)
  options[1], options[2], options[3], options.pids = "sh", "-c", script, "max"
  local result, err = api.run(options)
  return result and result.status or tostring(err)
end

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true" }
end)

-- A directory with a file, and a tree of directories for mounts to come.
local function tree()
  local path = support.tmpdir()
  assert(os.execute(("mkdir -p %s/a/b && echo outer > %s/file"):format(path, path)))
  return path
end

describe("mount.private", function()
  it("keeps what is mounted from then on from the host, also where that shares #root", function()
    local before, after, private = support.child(function()
      assert(sys.mount(nil, "/", nil, "rshared"))
      local before = sys.read_file("/proc/self/mountinfo")
      local pid = assert(sys.clone(NAMESPACE, function()
        assert(mount.private())
        assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
        return sys.read_file("/proc/self/mountinfo"):find("shared:", 1, true) and 3 or 0
      end))
      local _, status = sys.wait(pid)
      return before, sys.read_file("/proc/self/mountinfo"), status
    end, NAMESPACE)
    assert.equal(before, after)
    assert.equal(0, private)
  end)
end)

describe("mount.child #root", function()
  -- Mounts a list in a new directory of a mount namespace, and has another process look.
  local function mounted(list, look, prepare)
    local path = support.tmpdir()
    if prepare then
      prepare(path)
    end
    return support.child(function()
      local root <close> = assert(sys.open(path, "path,directory"))
      local ok, message, errno = mount.child { root = root, config = { mounts = list } }
      if not ok then
        return nil, message, errno
      end
      return look(path, mounts_of(sys.read_file("/proc/self/mountinfo")))
    end, NAMESPACE)
  end

  it("mounts with flags and with the filesystem's own options", function()
    local kind, options, data = support.child(function()
      assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
      local root <close> = assert(sys.open("/mnt", "path,directory"))
      assert(mount.child { root = root, config = { mounts = { {
        destination = "/x/y", type = "tmpfs", source = "some",
        options = { "nosuid", "mode=700", "ro", "noexec", "size=64k" },
      } } } })
      local m = mounts_of(sys.read_file("/proc/self/mountinfo"))["/mnt/x/y"]
      return m.kind, m.options, m.data
    end, NAMESPACE)
    assert.equal("tmpfs", kind)
    assert.equal("ro,nosuid,noexec,relatime", options)
    assert.matches("size=64k,mode=700", data, 1, true)
  end)

  it("mounts in the order of the list", function()
    local list = {
      { destination = "/x", type = "tmpfs", source = "tmpfs", options = {} },
      { destination = "/x/y", type = "tmpfs", source = "tmpfs", options = {} },
    }
    assert.is_true(mounted(list, function(path, mounts)
      return mounts[path .. "/x"] ~= nil and mounts[path .. "/x/y"] ~= nil
    end))
  end)

  it("takes a mount without options", function()
    assert.is_true(mounted({ { destination = "/x", type = "tmpfs", source = "tmpfs" } },
      function(path, mounts)
        return mounts[path .. "/x"] ~= nil
      end))
  end)

  it("binds this mount alone, or all below it, as the option says", function()
    local source = tree()
    local function below(word)
      return support.child(function()
        assert(sys.mount("tmpfs", source .. "/a", "tmpfs"))
        assert(sys.mkdir(source .. "/a/inner"))
        assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
        local root <close> = assert(sys.open("/mnt", "path,directory"))
        assert(mount.child { root = root, config = { mounts = {
          { destination = "/v", type = "bind", source = source, options = { word } } } } })
        return sys.stat("/mnt/v/a/inner") ~= nil
      end, NAMESPACE)
    end
    assert.is_false(below("bind"))
    assert.is_true(below("rbind"))
  end)

  it("answers with the place, and no number of an fd, what the kernel refuses", function()
    local ok, message, errno = mounted({
      { destination = "/x", type = "tmpfs", source = "tmpfs", options = { "nosuchoption" } },
    }, function() end)
    support.refused("mount /x: Invalid argument", "EINVAL", ok, message, errno)
  end)

  it("mounts nothing of the kernel's onto or behind a link", function()
    local list = { { destination = "/link", type = "tmpfs", source = "tmpfs", options = {} } }
    local function prepare(path)
      assert(sys.mkdir(path .. "/real"))
      assert(sys.symlink("real", path .. "/link"))
    end
    local ok, message, errno = mounted(list, function() end, prepare)
    support.refused("mount /link: it is, or lies behind, a symbolic link in the root", "ELOOP",
      ok, message, errno)
    list[1].destination = "/link/x"
    ok, message, errno = mounted(list, function() end, prepare)
    support.refused("mount /link/x: it is, or lies behind, a symbolic link in the root", "ELOOP",
      ok, message, errno)
  end)

  it("answers that a source has gone meanwhile", function()
    local ok, message, errno = mounted({
      { destination = "/x", type = "bind", source = "/no/such", options = { "rbind" } },
    }, function() end)
    support.refused("stat /no/such: No such file or directory", "ENOENT", ok, message, errno)
  end)

  it("answers that a file lies where a directory has to", function()
    local ok, message, errno = mounted({
      { destination = "/x", type = "bind", source = "/tmp", options = { "rbind" } },
    }, function() end, function(path)
      assert(sys.mknod(path .. "/x", "file", 420))
    end)
    support.refused("mount /x: Not a directory", "ENOTDIR", ok, message, errno)
  end)
end)

-- A process that has the root in a volume can rename in it while a container comes up there.
describe("a root that somebody changes meanwhile #root", function()
  local root, host

  before_each(function()
    root, host = support.tmpdir(), sys.getpid()
  end)

  -- Renames as a process of the host does, where nothing is mounted at these places.
  local function move(from, to)
    local namespace = ("/proc/%d/ns/mnt"):format(host)
    local pid = assert(sys.clone({}, function()
      assert(sys.setns(namespace, { "mount" }))
      sys._exit(os.rename(root .. from, root .. to) and 0 or 1)
    end))
    local how, status = sys.wait(pid)
    assert(how == "exit" and status == 0, "rename")
  end

  it("has its /proc masked and its devices made where they have gone", function()
    assert.is_true(support.child(function()
      local fd <close> = assert(sys.open(root, "path,directory"))
      local c = { root = fd, volumes = {}, config = { mounts = {
        { destination = "/proc", type = "proc", source = "proc" },
        { destination = "/dev", type = "tmpfs", source = "tmpfs" },
      }, linux = { maskedPaths = { "/proc/interrupts" }, readonlyPaths = { "/proc/sys" } } } }
      assert(mount.child(c))
      for _, place in ipairs { "proc", "dev" } do
        move("/" .. place, "/" .. place .. "2")
        assert(sys.mkdir(root .. "/" .. place))
      end
      assert(device.child(c))
      assert(masks.child(c))
      local mounts = mounts_of(sys.read_file("/proc/self/mountinfo"))
      assert(mounts[root .. "/proc2/interrupts"].kind == "tmpfs", "masked")
      assert(mounts[root .. "/proc2/sys"].options:find("^ro"), "read-only")
      assert(sys.stat(root .. "/dev2/null").major == 1, "made")
      return #sys.list(root .. "/dev") == 0
    end, NAMESPACE))
  end)

  it("has a volume restricted wherever it has gone", function()
    local source = tree()
    assert(sys.mkdir(root .. "/v"))
    assert.matches("^ro,", support.child(function()
      local fd <close> = assert(sys.open(root, "path,directory"))
      local swapped = false
      local function then_swap(name)
        local call = sys[name]
        sys[name] = function(...)
          local ok, message, errno = call(...)
          if ok and not swapped then
            swapped = true
            move("/v", "/v2")
            assert(sys.symlink("/sys", root .. "/v"))
          end
          return ok, message, errno
        end
      end
      assert(mount.child { root = fd, config = { mounts = {
        { destination = "/sys", type = "tmpfs", source = "tmpfs" } } } })
      then_swap("mount")
      then_swap("move_mount")
      assert(mount.child { root = fd, config = { mounts = {
        { destination = "/v", type = "bind", source = source, options = { "rbind", "ro" } } } } })
      return mounts_of(sys.read_file("/proc/self/mountinfo"))[root .. "/v2"].options
    end, NAMESPACE))
  end)
end)

describe("a container's mounts", function()
  local function expect(result, tty)
    assert.equal(0, result.status, result.stderr)
    local mounts = mounts_of(result.stdout)
    for target, expected in pairs {
      ["/proc"] = { "proc", "rw,nosuid,nodev,noexec,relatime" },
      ["/dev"] = { "tmpfs", "rw,nosuid,noexec", "size=65536k", "mode=755" },
      ["/dev/pts"] = { "devpts", "rw,nosuid,noexec,relatime", "mode=620", "ptmxmode=666", tty },
      ["/dev/shm"] = { "tmpfs", "rw,nosuid,nodev,noexec,relatime", "size=65536k" },
      ["/dev/mqueue"] = { "mqueue", "rw,nosuid,nodev,noexec,relatime" },
      ["/sys"] = { "sysfs", "ro,nosuid,nodev,noexec,relatime" },
    } do
      local got = assert(mounts[target], target)
      assert.same({ expected[1], expected[2] }, { got.kind, got.options }, target)
      for i = 3, #expected do
        assert.is_truthy(("," .. got.data .. ","):find("," .. expected[i] .. ",", 1, true),
          target .. " " .. got.data)
      end
    end
  end

  it("are the default filesystems, with these options #root", function()
    expect(support.run(BOX .. "cat /proc/self/mountinfo"), "gid=5")
  end)

  it("are the default filesystems, an ordinary user's too #userns", function()
    expect(support.as_user(BOX .. "cat /proc/self/mountinfo"))
  end)

  it("leave those of the host as they are, also where they are shared #root", function()
    local same, status = support.child(function()
      assert(sys.mount(nil, "/", nil, "rshared"))
      local before = sys.read_file("/proc/self/mountinfo")
      local status = ends({ volumes = { "/tmp:/mnt/x" } }, "true")
      return before == sys.read_file("/proc/self/mountinfo"), status
    end, NAMESPACE)
    assert.equal(0, status)
    assert.is_true(same)
  end)

  it("have a proc that shows the container's processes alone #root", function()
    local result = support.run(BOX .. "sh -c 'echo /proc/[0-9]* | wc -w; cat /proc/1/comm'")
    -- Init, the shell, and at most the two sides of the pipe.
    local count, name = result.stdout:match("^(%d+)\n(.*)\n$")
    assert.is_true(tonumber(count) <= 4)
    assert.equal("init", name)
  end)

  it("have terminals of their own #root", function()
    local look = "stat -c %d /dev/pts; "
    local result = support.run(look .. BOX .. "sh -c '" .. look .. "ls /dev/pts'")
    local host, inside, names = result.stdout:match("^(%d+)\n(%d+)\n(.*)$")
    assert.are_not.equal(host, inside)
    assert.equal("ptmx\n", names)
  end)

  it("have terminals whose first is number 0, whatever the host has #root", function()
    support.needs("script")
    local result = support.run(BOX .. "script -qc tty /dev/null")
    assert.matches("/dev/pts/0", result.stdout, 1, true)
  end)
end)

describe("a volume #root", function()
  it("is the host's directory, at a place that is made", function()
    local path = tree()
    assert.equal(0, ends({ volumes = { path .. ":/new/place" } },
      "[ $(cat /new/place/file) = outer ] && echo inner > /new/place/made"))
    assert.equal("inner\n", sys.read_file(path .. "/made"))
    assert.is_nil(sys.stat("/new"))
  end)

  it("is the host's file, at a place that is made", function()
    local path = tree()
    assert.equal(0, ends({ volumes = { path .. "/file:/new/place" } },
      "[ $(cat /new/place) = outer ] && echo inner > /new/place"))
    assert.equal("inner\n", sys.read_file(path .. "/file"))
  end)

  it("is found from the caller's working directory", function()
    assert.equal(0, ends({ volumes = { "./run.lua:/x/run.lua", ".:/x/tree" } },
      "[ -f /x/run.lua ] && [ -f /x/tree/run.lua ]"))
  end)

  it("cannot be written with ro", function()
    local path = tree()
    assert.equal(0, ends({ volumes = { path .. ":/v:ro" } },
      "[ $(cat /v/file) = outer ] && ! touch /v/file 2>&- && ! touch /v/made 2>&-"))
    assert.is_nil(sys.stat(path .. "/made"))
  end)

  it("of a file cannot be written with ro", function()
    local path = tree()
    assert.equal(0, ends({ volumes = { path .. "/file:/v:ro" } },
      "[ $(cat /v) = outer ] && ! { echo x > /v; } 2>/dev/null"))
    assert.equal("outer\n", sys.read_file(path .. "/file"))
  end)

  it("shows what is mounted in it, which cannot be written either with ro", function()
    local path = tree()
    local function inside(mode, script)
      return support.child(function()
        assert(sys.mount("tmpfs", path .. "/a", "tmpfs"))
        assert(sys.mkdir(path .. "/a/b"))
        assert(sys.mount("tmpfs", path .. "/a/b", "tmpfs"))
        assert(sys.mkdir(path .. "/a/b/inner"))
        return ends({ volumes = { path .. ":/v" .. mode } }, script)
      end, NAMESPACE)
    end
    assert.equal(0, inside(":rro", "! touch /v/x 2>&- && ! touch /v/a/x /v/a/b/x 2>&-"))
    assert.equal(0, inside(":ro", "[ -d /v/a/b/inner ] || exit 3; "
      .. "! touch /v/x 2>&- && ! touch /v/a/x 2>&- && ! touch /v/a/b/x /v/a/b/inner/x 2>&-"))
    assert.equal(0, inside("", "touch /v/a/x && touch /v/a/b/x && touch /v/a/b/inner/x"))
  end)

  it("is refused with rro, and shows less with ro, where the kernel cannot change all", function()
    local path = tree()
    local original = sys.mount_setattr
    sys.mount_setattr = function() return nil, "mount_setattr: no such call", 38 end
    local _ <close> = setmetatable({}, { __close = function()
      sys.mount_setattr = original
    end })
    assert.equal(("mount: mount_setattr %s: what is mounted in it can be restricted from Linux "
      .. "5.12 on"):format(path), ends({ volumes = { path .. ":/v:rro" } }, "true"))
    assert.equal(0, ends({ volumes = { path .. ":/v:ro" } }, "! touch /v/x 2>&-"))
  end)

  it("leaves its source writable on the host", function()
    local path = tree()
    assert.equal(0, support.child(function()
      assert(sys.mount("tmpfs", path .. "/a", "tmpfs"))
      local status = ends({ volumes = { path .. ":/v:ro" } }, "true")
      assert(sys.mkdir(path .. "/a/made"))
      assert(sys.mkdir(path .. "/made"))
      return status
    end, NAMESPACE))
  end)

  it("lies on what was asked for before it", function()
    local one, other = tree(), support.tmpdir()
    assert.equal(0, ends({ volumes = { one .. ":/v", other .. ":/v/a" } },
      "[ -f /v/file ] && [ ! -e /v/a/b ]"))
  end)

  it("takes a source whose name has every kind of byte", function()
    local path = support.tmpdir() .. "/a b,c\\d\te\nf\"'"
    assert(sys.mkdir(path))
    assert(sys.mkdir(path .. "/inner"))
    assert.equal(0, ends({ volumes = { path .. ":/v d,e" } }, "[ -d '/v d,e/inner' ]"))
  end)

  it("lies over one of the default filesystems when it is asked to", function()
    local path = tree()
    assert.equal(0, ends({ volumes = { path .. ":/dev/shm" } }, "[ -f /dev/shm/file ]"))
  end)

  for name, target in pairs { absolute = "/target", relative = "../target", outer = "%s" } do
    it("stays in the root, behind an image's link of this kind: " .. name, function()
      local path, outside, rootfs = tree(), support.tmpdir(), support.tmpdir()
      assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), rootfs)))
      assert(sys.symlink(target:format(outside), rootfs .. "/link"))
      local result, err = api.run { "cat", "/link/file", rootfs = rootfs, pids = "max",
        volumes = { path .. ":/link/sub", path .. "/file:/link/file" } }
      assert.is_true(result == nil or result.status == 0, tostring(err))
      assert.same({}, sys.list(outside))
      assert.is_nil(sys.stat(path .. "/sub"))
    end)
  end

  it("lies where an image's link leads inside the root", function()
    local path, rootfs = tree(), support.tmpdir()
    assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), rootfs)))
    assert(sys.symlink("/tmp", rootfs .. "/link"))
    assert.equal(0, ends({ rootfs = rootfs, volumes = { path .. ":/link/v" } },
      "[ -f /tmp/v/file ]"))
  end)
end)

describe("a volume", function()
  it("can be an ordinary user's, and read-only #userns", function()
    local result = support.as_user("d=$(mktemp -d); mkdir $d/x; " .. BOX
      .. "-v $d:/v -v $d/x:/x:ro sh -c 'touch /v/made /x/made'; ls $d $d/x; rm -r $d")
    assert.matches("made\nx\n", result.stdout, 1, true)
    assert.is_nil(result.stdout:find("made.*made"))
  end)
end)

describe("the view of cgroups", function()
  local LOOK <const> = "sh -c 'grep \" /sys/fs/cgroup\" /proc/self/mountinfo; cd /sys/fs/cgroup; "
    .. "find . -type d | sort; cat $(find . -name cgroup.procs); ' "
  local OPTIONS <const> = "ro,nosuid,nodev,noexec,relatime"

  -- What the kernel answers to a process inside that wants more of it.
  local WRITE <const> = [[sh -c 'cd /sys/fs/cgroup
    for file in $(find . -name pids.max -o -name cgroup.procs); do
      { echo max >$file; } 2>&1 | grep -v "Read-only file system"
    done
    find . -type d | while read d; do ! mkdir $d/x 2>/dev/null || echo made in $d; done']]

  it("is of the container's own alone, in the hierarchy that it has one in #cgroup1", function()
    local result = support.run(support.lua .. " run.lua -q " .. LOOK)
    local mounts = mounts_of(result.stdout)
    assert.same({ "tmpfs", OPTIONS },
      { mounts["/sys/fs/cgroup"].kind, mounts["/sys/fs/cgroup"].options })
    assert.same({ "cgroup", OPTIONS },
      { mounts["/sys/fs/cgroup/pids"].kind, mounts["/sys/fs/cgroup/pids"].options })
    -- Init, the shell, and find or cat: no process of the host, which would read as 0.
    assert.matches("\n%.\n%./pids\n1\n2\n%d+\n", result.stdout)
    assert.is_nil(result.stdout:find("\n0\n", 1, true))
  end)

  it("is of the container's own alone #cgroup2", function()
    local result = support.run(support.lua .. " run.lua -q " .. LOOK)
    local mounts = mounts_of(result.stdout)
    assert.same({ "cgroup2", OPTIONS },
      { mounts["/sys/fs/cgroup"].kind, mounts["/sys/fs/cgroup"].options })
    assert.matches("\n%.\n1\n2\n%d+\n", result.stdout)
    assert.is_nil(result.stdout:find("\n0\n", 1, true))
  end)

  for tag, option in pairs { ["#cgroup1"] = "", ["#cgroup2"] = "", ["#root"] = "--privileged " } do
    it("cannot be written, with options " .. option .. tag, function()
      local result = support.run(support.lua .. " run.lua -q " .. option .. WRITE)
      assert.equal("", result.stdout .. result.stderr)
    end)
  end

  it("is empty where the container has no cgroup of its own #root", function()
    assert.equal(".\n", support.run(BOX .. "sh -c 'cd /sys/fs/cgroup; find .'").stdout)
    assert.equal(".\n",
      support.run(BOX .. "--network host sh -c 'cd /sys/fs/cgroup; find .'").stdout)
  end)

  it("has nothing of the host's for an ordinary user, be the host's /sys seen #userns", function()
    for _, network in ipairs { "none", "host" } do
      local result = support.as_user(BOX .. "--network " .. network
        .. " sh -c 'cd /sys/fs/cgroup; find .; { touch x; } 2>&1 | grep -o Read-only.*'")
      assert.matches("^%.\n", result.stdout)
      assert.is_nil(result.stdout:find("./", 1, true), result.stdout)
    end
  end)
end)
