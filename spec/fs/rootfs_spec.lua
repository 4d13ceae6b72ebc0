local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local rootfs = support.catching(require "container.fs.rootfs")

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "
local NAMESPACE <const> = { "mount" }

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true" }
end)

-- A root with the busybox, of its own.
local function image()
  local path = support.tmpdir()
  assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), path)))
  return path
end

-- How a container in this root ends, or why there is none.
local function ends(path, script)
  local result, err = api.run { "sh", "-c", script or "true", rootfs = path, pids = "max" }
  return result and result.status or tostring(err), err
end

local function prepare(path)
  local c = { config = { root = { path = path } } }
  local ok, message, errno = rootfs.prepare(c)
  return ok, message, errno, c.view
end

describe("rootfs.prepare", function()
  it("takes a directory", function()
    assert.is_true(prepare(support.tmpdir()))
  end)

  it("decides for an overlay of the host's root at /", function()
    local ok, _, _, view = prepare("/")
    assert.is_true(ok)
    assert.is_true(view)
  end)

  it("refuses what is no directory, or is not there", function()
    local file = support.tmpdir() .. "/file"
    assert(sys.mknod(file, "file", 420))
    local ok, message, errno = prepare(file)
    support.refused("open " .. file .. ": Not a directory", "ENOTDIR", ok, message, errno)
    ok, message, errno = prepare("/no/such")
    support.refused("open /no/such: No such file or directory", "ENOENT", ok, message, errno)
  end)

  it("refuses a directory that the caller may not read", function()
    local result = support.as_user("d=$(mktemp -d); chmod 0 $d; " .. BOX
      .. "--rootfs $d true; echo $?; rmdir $d")
    assert.equal("125\n", result.stdout)
    assert.matches("^lua%-container: rootfs: open %S+: Permission denied\n$", result.stderr)
  end)
end)

describe("rootfs.child #root", function()
  it("puts the directory on top of /, and covers nothing by that", function()
    local path = image()
    local same, covered = support.child(function()
      local c = { config = { root = { path = path } } }
      assert(rootfs.child(c))
      local top, root = assert(sys.stat(c.root)), assert(sys.stat(path))
      return top.ino == root.ino and top.dev == root.dev, not sys.stat(path .. "/bin/busybox")
    end, NAMESPACE)
    assert.is_true(same)
    assert.is_false(covered)
  end)

  it("answers that the directory has gone meanwhile", function()
    local ok, message, errno = support.child(function()
      return rootfs.child { config = { root = { path = "/no/such" } } }
    end, NAMESPACE)
    support.refused("mount /: No such file or directory", "ENOENT", ok, message, errno)
  end)
end)

describe("rootfs.pivot #root", function()
  it("makes it the root, lets the old one go, and closes its fd", function()
    local path = image()
    local mounts, inside, closed = support.child(function()
      local c = { config = { root = { path = path } } }
      assert(rootfs.child(c))
      assert(sys.mount_proc(path .. "/proc")) -- of the old tree, and gone with it
      assert(sys.mount("proc", "/proc/self/fd/" .. c.root:fileno() .. "/proc", "proc"))
      assert(rootfs.pivot(c))
      assert(sys.chdir("/"))
      return #require("container.fs.path").mounts(), sys.stat("/bin/busybox") ~= nil,
        c.root:fileno() == nil
    end, NAMESPACE)
    assert.equal(2, mounts)
    assert.is_true(inside)
    assert.is_true(closed)
  end)
end)

describe("a container's root", function()
  local LOOK <const> = [[
    awk '{ print $5 }' /proc/self/mountinfo | grep -vx -e '/proc.*' -e '/dev.*' -e '/sys.*' \
      -e /etc/hosts
    [ $(stat -c %d:%i /) = $(stat -c %d:%i /..) ] && echo top
    [ "$(ls /)" = "$(ls /../..)" ] && echo same
  ]]

  it("is the directory, and nothing of the host is mounted or above it #root", function()
    local path = image()
    assert.equal("/\ntop\nsame\n", support.run(BOX .. "--rootfs " .. path .. " sh -c "
      .. support.quote(LOOK)).stdout)
  end)

  it("is the directory, an ordinary user's too #userns", function()
    assert.equal("/\ntop\nsame\n", support.as_user(BOX .. "--rootfs " .. image() .. " sh -c "
      .. support.quote(LOOK)).stdout)
  end)

  it("can be written, on the host too #root", function()
    local path = image()
    assert.equal(0, ends(path, "echo x > /made && rm /tmp/../made && mkdir /kept"))
    assert.is_nil(sys.stat(path .. "/made"))
    assert.equal("directory", sys.stat(path .. "/kept").type)
  end)

  it("has no fd of the host's in the program #root", function()
    local held <close> = assert(sys.open("/", "path,directory"))
    assert.equal(0, ends(image(), "for fd in /proc/self/fd/*; do case ${fd##*/} in "
      .. "0|1|2) ;; *) [ -d $fd/etc ] && exit 9;; esac; done; exit 0"))
    assert.is_number(held:fileno())
  end)

  it("can be what is mounted on the host, with what is mounted in it #root", function()
    local path = image()
    assert.equal(0, support.child(function()
      assert(sys.mount("tmpfs", path .. "/tmp", "tmpfs"))
      assert(sys.mkdir(path .. "/tmp/inner"))
      return ends(path, "[ -d /tmp/inner ]")
    end, NAMESPACE))
  end)

  it("takes a path with every kind of byte, and a relative one #root", function()
    local path = support.tmpdir() .. "/a b,c:d\\e\nf"
    assert(os.execute(("cp -al %s %s"):format(support.busybox_rootfs(), support.quote(path))))
    assert.equal(0, ends(path))
    assert.equal(0, support.child(function()
      assert(sys.chdir(path))
      return ends(".")
    end))
  end)

  it("can be reached by a link #root", function()
    local link = support.tmpdir() .. "/link"
    assert(sys.symlink(support.busybox_rootfs(), link))
    assert.equal(0, ends(link))
  end)

  it("gets the missing places of the default filesystems #root", function()
    local path = support.tmpdir()
    assert(os.execute(("cp -al %s/bin %s"):format(support.busybox_rootfs(), path)))
    assert.equal(0, ends(path, "[ -c /dev/null ] && [ -d /proc/self ] && [ -d /sys/kernel ]"))
    for _, name in ipairs { "proc", "dev", "sys" } do
      local st = sys.stat(path .. "/" .. name)
      assert.same({ "directory", 493 }, { st.type, st.mode }, name) -- 0755
    end
  end)

  it("gets the missing places from several containers that start at once #root", function()
    for _ = 1, 3 do
      local path = support.tmpdir()
      assert(os.execute(("cp -al %s/bin %s"):format(support.busybox_rootfs(), path)))
      local command = support.lua .. " run.lua -q --pids-limit max --rootfs " .. path .. " true"
      local result = support.run("for i in 1 2 3 4 5 6; do " .. command
        .. " & p=\"$p $!\"; done; for i in $p; do wait $i || echo $?; done")
      assert.same({ "", "" }, { result.stdout, result.stderr })
    end
  end)

  for _, name in ipairs { "proc", "dev", "sys" } do
    for kind, target in pairs { absolute = "%s", relative = "../outside", inner = "/tmp" } do
      it(("is refused where its /%s is a link (%s), and nothing is made #root"):format(name, kind),
        function()
          local top = support.tmpdir()
          local path, outside = top .. "/root", top .. "/outside"
          assert(os.execute(("cp -al %s %s"):format(support.busybox_rootfs(), path)))
          assert(sys.mkdir(outside))
          assert(sys.rmdir(path .. "/" .. name))
          assert(sys.symlink(target:format(outside), path .. "/" .. name))
          local message, err = ends(path)
          assert.equal(("mount: mount /%s: it is, or lies behind, a symbolic link in the root")
            :format(name), message)
          assert.equal(sys.errno.ELOOP, err.errno)
          assert.same({}, sys.list(outside))
          assert.same({}, sys.list(path .. "/tmp"))
        end)
    end
  end

  it("is refused with one sentence on a full disk #root", function()
    local path = support.tmpdir()
    local message = support.child(function()
      -- For its own root and bin alone.
      assert(sys.mount("tmpfs", path, "tmpfs", "", "size=4k,nr_inodes=2"))
      assert(sys.mkdir(path .. "/bin"))
      return (ends(path))
    end, NAMESPACE)
    assert.equal("mount: mkdir proc: No space left on device", message)
  end)

  it("is refused with one sentence on a full disk, where a volume needs a place #root", function()
    local path = support.tmpdir()
    local message = support.child(function()
      assert(sys.mount("tmpfs", path, "tmpfs", "", "size=4k,nr_inodes=5"))
      for _, name in ipairs { "proc", "dev", "sys" } do
        assert(sys.mkdir(path .. "/" .. name))
      end
      local _, err = api.run { "true", rootfs = path, pids = "max",
        volumes = { "./run.lua:/a/b" } }
      return tostring(err)
    end, NAMESPACE)
    assert.equal("mount: mknod b: No space left on device", message)
  end)

  it("is refused with one sentence where a place is missing and cannot be made #root", function()
    local path = support.tmpdir()
    local message = support.child(function()
      assert(sys.mount("tmpfs", path, "tmpfs", "ro"))
      return (ends(path))
    end, NAMESPACE)
    assert.equal("mount: mkdir proc: Read-only file system", message)
  end)

  it("without a program in it is refused with one sentence #root", function()
    assert.equal("exec: sh: not found in PATH", (ends(support.tmpdir())))
  end)

  for name, path in pairs {
    ["with .."] = "/usr/..", ["through proc"] = "/proc/self/root", ["by a link"] = "link",
  } do
    it("is never the host's own, written " .. name .. " #root", function()
      if path == "link" then
        path = support.tmpdir() .. "/link"
        assert(sys.symlink("/", path))
      end
      local result = support.run(BOX .. "--rootfs " .. path .. " cat /proc/self/mountinfo")
      local first = result.stdout:match("^[^\n]*")
      assert.is_true(result.status == 125 or first:find(" - overlay ", 1, true) ~= nil, first)
    end)
  end

  it("can be a directory with a name of dots alone #root", function()
    local path = support.tmpdir() .. "/..."
    assert(os.execute(("cp -al %s %s"):format(support.busybox_rootfs(), path)))
    assert.equal(0, ends(path, "[ -e /bin/busybox ]"))
  end)
end)
