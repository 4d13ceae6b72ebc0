local sys = require "container.sys"
local mountinfo = require "spec.fixtures.mountinfo"
local support = require "spec.support"

local MOUNT <const> = { "mount" }

local seen, has, tmpfs = mountinfo.seen, mountinfo.has, mountinfo.tmpfs

describe("sys.chroot #root", function()
  it("makes a directory the root, and leaves the working directory where it was", function()
    local rootfs = support.busybox_rootfs()
    local found, same, outside = support.child(function()
      local before = sys.stat(".")
      assert(sys.chroot(rootfs))
      local after = sys.stat(".")
      return sys.stat("/bin/busybox").type, before.ino == after.ino,
        sys.stat(rootfs) == nil
    end)
    assert.same({ "file", true, true }, { found, same, outside })
  end)

  it("is refused what is not there, and what is no directory", function()
    support.refused("chroot /nope: No such file or directory", "ENOENT",
      support.child(function() return sys.chroot("/nope") end))
    support.refused("chroot /proc/version: Not a directory", "ENOTDIR",
      support.child(function() return sys.chroot("/proc/version") end))
  end)
end)

describe("sys.chroot", function()
  it("is refused to an ordinary user", function()
    assert.equal("nil\tchroot /: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").chroot("/"))']]).stdout)
  end)

  it("raises for what is no path", function()
    support.raises("string expected, got number", sys.chroot, 5)
    support.raises("string expected, got no value", sys.chroot)
    support.raises("NUL byte", sys.chroot, "/\0")
  end)
end)

describe("sys.chdir", function()
  it("changes the working directory, to a path or an fd", function()
    local path = support.tmpdir()
    local one, two = support.child(function()
      assert(sys.chdir(path))
      local one = sys.readlink("/proc/self/cwd")
      assert(sys.chdir(sys.open("/proc", "path,directory")))
      return one, sys.readlink("/proc/self/cwd")
    end)
    assert.same({ path, "/proc" }, { one, two })
  end)

  it("is refused what is not there, and an fd of no directory", function()
    support.refused("chdir /nope: No such file or directory", "ENOENT", sys.chdir("/nope"))
    local fd <close> = assert(sys.open("/proc/version"))
    support.refused("fchdir: Not a directory", "ENOTDIR", sys.chdir(fd))
  end)

  it("raises for what is neither path nor fd", function()
    support.raises("container.fd expected", sys.chdir)
    support.raises("NUL byte", sys.chdir, "/\0")
  end)
end)

describe("sys.pivot_root #root", function()
  -- Makes the busybox tree the root of a child, by `how`, and answers what `fn` returns there.
  local function pivoted(how, fn)
    local rootfs = support.busybox_rootfs()
    return support.child(function()
      assert(sys.mount(rootfs, rootfs, nil, "bind"))
      assert(sys.pivot_root(how(rootfs)))
      assert(sys.mount_proc())
      return fn(rootfs)
    end, { "mount", "pid" })
  end

  local function by_path(rootfs)
    return rootfs
  end

  local function by_fd(rootfs)
    return assert(sys.open(rootfs, "path,directory"))
  end

  it("makes a path the root, and its root the working directory", function()
    local names, cwd = pivoted(by_path, function()
      local names = sys.list("/")
      table.sort(names)
      return table.concat(names, " "), sys.readlink("/proc/self/cwd")
    end)
    assert.equal("bin dev etc proc root sys tmp", names)
    assert.equal("/", cwd)
  end)

  it("makes an open directory the root", function()
    assert.equal("file", pivoted(by_fd, function()
      return sys.stat("/bin/busybox").type
    end))
  end)

  it("keeps the old root, and all that was mounted in it, out of reach", function()
    local mounts, above, gone = pivoted(by_path, function(rootfs)
      local root, above = sys.stat("/"), sys.stat("/../..")
      return sys.read_file("/proc/self/mountinfo"),
        root.ino == above.ino and root.dev == above.dev, sys.stat(rootfs) == nil
    end)
    assert.equal(2, select(2, mounts:gsub("\n", "")), mounts)
    assert.is_true(above)
    assert.is_true(gone)
  end)

  it("takes off what was stacked on the old root too", function()
    local rootfs = support.busybox_rootfs()
    local mounts, found = support.child(function()
      assert(sys.mount("stacked", "/", "tmpfs"))
      assert(sys.mount(rootfs, rootfs, nil, "bind"))
      assert(sys.pivot_root(rootfs))
      assert(sys.mount_proc())
      return sys.read_file("/proc/self/mountinfo"), sys.stat("/bin/busybox").type
    end, { "mount", "pid" })
    assert.equal(2, select(2, mounts:gsub("\n", "")), mounts)
    assert.equal("file", found)
  end)

  it("is refused what is no mount point", function()
    local path = support.tmpdir()
    support.refused(("pivot_root %s/mnt/x: Invalid argument"):format(path), "EINVAL",
      support.child(function()
        sys.mkdir(tmpfs(path .. "/mnt") .. "/x")
        return sys.pivot_root(path .. "/mnt/x")
      end, MOUNT))
    support.refused("pivot_root .: Invalid argument", "EINVAL", support.child(function()
      sys.mkdir(tmpfs(path .. "/mnt") .. "/x")
      return sys.pivot_root(sys.open(path .. "/mnt/x", "path"))
    end, MOUNT))
  end)

  it("is refused what is not there, and what is no directory", function()
    support.refused("chdir /nope: No such file or directory", "ENOENT",
      support.child(function() return sys.pivot_root("/nope") end, MOUNT))
    support.refused("fchdir: Not a directory", "ENOTDIR", support.child(function()
      return sys.pivot_root(sys.open("/proc/version"))
    end, MOUNT))
  end)
end)

describe("sys.pivot_root", function()
  it("raises for what is neither path nor fd", function()
    support.raises("container.fd expected", sys.pivot_root)
    support.raises("NUL byte", sys.pivot_root, "/\0")
  end)
end)

describe("sys.mount #root", function()
  local path

  before_each(function()
    path = support.tmpdir() .. "/mnt"
  end)

  -- Runs `fn` with a tmpfs at `path` and answers a line of what mountinfo then says of it.
  local function with(fn)
    local text = support.child(function()
      fn(tmpfs(path))
      local found = seen(path)
      return ("%s|%s|%s|%s|%s"):format(found.options, found.tags, found.type, found.source,
        found.super)
    end, MOUNT)
    local options, tags, kind, source, super = text:match("(.-)|(.-)|(.-)|(.-)|(.*)")
    return { options = options, tags = tags, type = kind, source = source, super = super }
  end

  it("mounts a filesystem with its options", function()
    local found = with(function()
      assert(sys.mount("mine", path, "tmpfs", "nosuid,nodev", "size=64k,mode=700"))
    end)
    assert.equal("mine", found.source)
    assert.equal("tmpfs", found.type)
    assert.is_true(has(found.options, "nosuid") and has(found.options, "nodev"))
    assert.is_true(has(found.super, "size=64k") and has(found.super, "mode=700"))
  end)

  it("is seen in its own mount namespace only", function()
    with(function() end)
    assert.is_nil(seen(path))
  end)

  it("names the source none where there is none", function()
    assert.equal("none", with(function()
      assert(sys.mount(nil, path, "tmpfs"))
    end).source)
  end)

  for _, word in ipairs { "ro", "nosuid", "nodev", "noexec", "nosymfollow", "noatime",
    "nodiratime", "relatime" } do
    it("knows the flag " .. word, function()
      local plain, found = with(function() end), with(function()
        assert(sys.mount(nil, path, "tmpfs", word))
      end)
      assert.is_true(has(found.options, word))
      assert.equal(word == "relatime", has(plain.options, word))
    end)
  end

  it("knows the flags strictatime, sync, dirsync and silent", function()
    local found = with(function()
      assert(sys.mount(nil, path, "tmpfs", "strictatime,sync,dirsync,silent"))
    end)
    assert.is_false(has(found.options, "relatime") or has(found.options, "noatime"))
    assert.is_true(has(found.super, "sync") and has(found.super, "dirsync"))
  end)

  it("changes a mount with remount,bind", function()
    local found = with(function()
      assert(sys.mount(nil, path, nil, "remount,bind,ro,noexec"))
      support.refused(("open %s/x: Read-only file system"):format(path), "EROFS",
        sys.open(path .. "/x", "wronly,creat"))
    end)
    assert.is_true(has(found.options, "ro") and has(found.options, "noexec"))
    assert.is_true(has(found.super, "rw"))
  end)

  it("binds one mount, or with rbind those below it too", function()
    local one, all = support.child(function()
      tmpfs(tmpfs(path) .. "/below")
      assert(sys.mkdir(path .. "/below/x"))
      assert(sys.mkdir(path .. ".one"))
      assert(sys.mkdir(path .. ".all"))
      assert(sys.mount(path, path .. ".one", nil, "bind"))
      assert(sys.mount(path, path .. ".all", nil, "rbind"))
      return sys.stat(path .. ".one/below/x") ~= nil,
        sys.stat(path .. ".all/below/x") ~= nil
    end, MOUNT)
    assert.same({ false, true }, { one, all })
  end)

  it("moves a mount", function()
    local before, after = support.child(function()
      tmpfs(path)
      assert(sys.mkdir(path .. ".new"))
      assert(sys.mount(path, path .. ".new", nil, "move"))
      return seen(path) ~= nil, seen(path .. ".new") ~= nil
    end, MOUNT)
    assert.same({ false, true }, { before, after })
  end)

  it("knows the kinds of propagation, and each for all that is below too", function()
    local said = support.child(function()
      local below = tmpfs(tmpfs(path) .. "/below")
      local said = ""
      for _, word in ipairs { "shared", "slave", "private", "unbindable", "private", "rshared",
        "rslave", "rprivate", "runbindable", "rprivate" } do
        assert(sys.mount(nil, path, nil, word))
        said = said .. word .. ":"
        for _, mount in ipairs { path, below } do
          said = said .. " " .. (seen(mount).tags:match("%a+") or "none")
        end
        said = said .. "\n"
      end
      return said
    end, MOUNT)
    assert.equal([[
shared: shared none
slave: none none
private: none none
unbindable: unbindable none
private: none none
rshared: shared shared
rslave: none none
rprivate: none none
runbindable: unbindable unbindable
rprivate: none none
]], said)
  end)

  it("makes what was shared with another namespace its slave", function()
    assert.equal("master", support.child(function()
      tmpfs(path)
      assert(sys.mount(nil, path, nil, "shared"))
      local _ <close> = assert(sys.open("/proc/self/ns/mnt")) -- or there would be no other
      assert(sys.unshare("mount"))
      assert(sys.mount(nil, path, nil, "slave"))
      return seen(path).tags:match("%a+")
    end, MOUNT))
  end)

  it("is refused by the kernel, naming the target", function()
    local function refused(reason, errno, ...)
      local arguments = table.pack(...)
      support.refused(("mount %s: %s"):format(arguments[2], reason), errno,
        support.child(function()
          return sys.mount(table.unpack(arguments, 1, arguments.n))
        end, MOUNT))
    end
    refused("No such file or directory", "ENOENT", nil, "/nope", "tmpfs")
    refused("No such device", "ENODEV", nil, "/tmp", "nopefs")
    refused("Invalid argument", "EINVAL", nil, "/tmp", "tmpfs", nil, "nope=1")
    refused("No such file or directory", "ENOENT", "/nope", "/tmp", nil, "bind")
  end)
end)

describe("container.fs.mounts", function()
  it("is refused to an ordinary user", function()
    assert.equal("nil\tmount /tmp: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").mount(nil, "/tmp", "tmpfs"))']]).stdout)
  end)

  it("raises for what is no string, and for a flag it does not know, naming it", function()
    support.raises("string expected, got number", sys.mount, 5, "/nope")
    support.raises("string expected, got nil", sys.mount, "x", nil)
    support.raises("string expected, got number", sys.mount, nil, "/nope", 5)
    support.raises("string expected, got number", sys.mount, nil, "/nope", "tmpfs", 5)
    support.raises("string expected, got number", sys.mount, nil, "/nope", "tmpfs", "", 5)
    support.raises("NUL byte", sys.mount, "a\0b", "/nope")
    support.raises("NUL byte", sys.mount, nil, "/nope\0")
    support.raises("NUL byte", sys.mount, nil, "/nope", "tmpfs", nil, "size=1\0")
    support.raises("unknown mount flag 'bnd'", sys.mount, nil, "/nope", nil, "bnd,ro")
    support.raises("unknown mount flag 'rw'", sys.mount, nil, "/nope", nil, "bind,rw")
  end)
end)

describe("sys.umount #root", function()
  local path

  before_each(function()
    path = support.tmpdir() .. "/mnt"
  end)

  it("takes a mount away", function()
    assert.is_true(support.child(function()
      assert(sys.umount(tmpfs(path)))
      return seen(path) == nil
    end, MOUNT))
  end)

  it("is refused one that is in use, and takes it away at once with detach", function()
    local message, gone, alive = support.child(function()
      local file = assert(sys.open(tmpfs(path) .. "/file", "rdwr,creat"))
      local _, message = sys.umount(path)
      assert(sys.umount(path, "detach"))
      return message, seen(path) == nil, sys.write(file, "x")
    end, MOUNT)
    assert.equal(("umount %s: Device or resource busy"):format(path), message)
    assert.is_true(gone)
    assert.equal(1, alive)
  end)

  it("takes away with expire what nobody used since the last time", function()
    local message, gone = support.child(function()
      local _, message = sys.umount(tmpfs(path), "expire")
      assert(sys.umount(path, "expire"))
      return message, seen(path) == nil
    end, MOUNT)
    assert.equal(("umount %s: Resource temporarily unavailable"):format(path), message)
    assert.is_true(gone)
  end)

  it("does not go where a link leads with nofollow", function()
    support.refused(("umount %s.link: Invalid argument"):format(path), "EINVAL",
      support.child(function()
        assert(sys.symlink(tmpfs(path), path .. ".link"))
        return sys.umount(path .. ".link", "nofollow")
      end, MOUNT))
  end)

  it("is refused what is not there, and what is no mount point", function()
    support.refused("umount /nope: No such file or directory", "ENOENT",
      support.child(function() return sys.umount("/nope") end, MOUNT))
    support.refused(("umount %s: Invalid argument"):format(path), "EINVAL",
      support.child(function()
        sys.mkdir(path)
        return sys.umount(path, "force")
      end, MOUNT))
  end)
end)

describe("sys.umount", function()
  it("is refused to an ordinary user", function()
    assert.equal("nil\tumount /proc: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").umount("/proc"))']]).stdout)
  end)

  it("raises for what is no path, and for a flag it does not know, naming it", function()
    support.raises("string expected, got no value", sys.umount)
    support.raises("NUL byte", sys.umount, "/nope\0")
    support.raises("unknown umount flag 'lazy'", sys.umount, "/nope", "lazy")
  end)
end)

describe("sys.mount_proc #root", function()
  it("shows the pid namespace of the caller, with nosuid, nodev and noexec", function()
    local own, options, kind = support.child(function()
      assert(sys.mount_proc())
      local found = seen("/proc")
      return sys.readlink("/proc/self"), found.options, found.type
    end, { "mount", "pid" })
    assert.equal("1", own)
    assert.equal("proc", kind)
    for _, word in ipairs { "nosuid", "nodev", "noexec" } do
      assert.is_true(has(options, word), options)
    end
  end)

  it("mounts on a target that is given, and is refused one that is not there", function()
    local path = support.tmpdir()
    assert.equal("1", support.child(function()
      assert(sys.mount_proc(path))
      return sys.readlink(path .. "/self")
    end, { "mount", "pid" }))
    support.refused("mount proc /nope: No such file or directory", "ENOENT",
      support.child(function() return sys.mount_proc("/nope") end, MOUNT))
  end)
end)

describe("sys.mount_proc", function()
  it("works in a user namespace, while the old proc is visible #userns", function()
    assert.equal("1\n", support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      sys.wait(sys.clone("user,mount,pid", function()
        assert(sys.mount(nil, "/", nil, "rprivate"))
        assert(sys.mount_proc())
        print(sys.readlink("/proc/self"))
      end))']]).stdout)
  end)

  it("raises for what is no path", function()
    support.raises("string expected, got number", sys.mount_proc, 5)
    support.raises("NUL byte", sys.mount_proc, "/nope\0")
  end)
end)

describe("sys.mount_flags", function()
  it("is what a mount forbids, as mount takes it #root", function()
    local path = support.tmpdir()
    assert.equal("ro,nosuid,noexec nosuid,nodev none", support.child(function()
      local said = {}
      for i, flags in ipairs { "ro,nosuid,noexec", "nosuid,nodev", "" } do
        assert(sys.mount("tmpfs", path, "tmpfs", flags))
        local fd <close> = assert(sys.open(path, "path,directory"))
        said[i] = assert(sys.mount_flags(fd)):gsub("^$", "none")
      end
      return table.concat(said, " ")
    end, { "mount" }))
  end)

  it("takes an fd and nothing else", function()
    support.raises("container.fd expected", sys.mount_flags, "/")
    support.refused("fstatfs: Bad file descriptor", 9, sys.mount_flags(999))
  end)
end)

describe("container.mount_id", function()
  -- The last line of mountinfo with this place is what is on top there.
  local function number_of(place)
    local found
    for line in assert(sys.read_file("/proc/self/mountinfo")):gmatch("[^\n]+") do
      local number, target = line:match("^(%d+) %d+ %S+ %S+ (%S+)")
      found = target == place and math.tointeger(number) or found
    end
    return found
  end

  it("is the number that mountinfo has, by a path and by an fd #root", function()
    local path = support.tmpdir()
    local wanted, by_path, by_fd, below = support.child(function()
      local under = sys.mount_id(path)
      assert(sys.mount("tmpfs", path, "tmpfs"))
      local fd <close> = assert(sys.open(path, "path,directory"))
      return number_of(path), sys.mount_id(path), sys.mount_id(fd), under
    end, MOUNT)
    assert.same({ wanted, wanted }, { by_path, by_fd })
    assert.not_equal(wanted, below)
  end)

  it("is refused for what is not there, and raises for what is no file", function()
    support.refused("statx /nope: No such file or directory", "ENOENT", sys.mount_id("/nope"))
    support.raises("expected", sys.mount_id, {})
  end)
end)
