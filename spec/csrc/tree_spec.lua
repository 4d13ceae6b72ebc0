-- Mounts that an fd holds, and what is set on mounts.

local children = require "spec.fixtures.children"
local sys = require "container.sys"
local mountinfo = require "spec.fixtures.mountinfo"
local support = require "spec.support"

local MOUNT <const> = { "mount" }

local seen, has, tmpfs = mountinfo.seen, mountinfo.has, mountinfo.tmpfs

-- The user namespace of a child, in which 10 ids are those from 70000 on outside.
local function namespace_of(pid)
  for _, name in ipairs { "uid_map", "gid_map" } do
    assert(sys.write_file(("/proc/%d/%s"):format(pid, name), "0 70000 10"))
  end
  return assert(sys.open(("/proc/%d/ns/user"):format(pid)))
end

local path

before_each(function()
  path = support.tmpdir() .. "/mnt"
end)

describe("sys.open_tree #root", function()
  it("holds a copy of a mount that is nowhere, without those below it", function()
    local found, below, mounted, left = support.child(function()
      local mounts = sys.read_file("/proc/self/mountinfo")
      tmpfs(tmpfs(path) .. "/below")
      sys.mkdir(path .. "/below/deep")
      local tree = assert(sys.open_tree(path))
      assert(sys.umount(path, "detach"))
      local found = sys.stat("/proc/self/fd/" .. tree:fileno() .. "/below")
      local below = sys.stat("/proc/self/fd/" .. tree:fileno() .. "/below/deep")
      local now = sys.read_file("/proc/self/mountinfo")
      tree:close()
      return found.type, below == nil, now == mounts, tree:fileno() == nil
    end, MOUNT)
    assert.same({ "directory", true, true, true }, { found, below, mounted, left })
  end)

  it("takes those below it along with rec", function()
    assert.is_true(support.child(function()
      tmpfs(tmpfs(path) .. "/below")
      sys.mkdir(path .. "/below/deep")
      local tree <close> = assert(sys.open_tree(path, "rec"))
      return sys.stat("/proc/self/fd/" .. tree:fileno() .. "/below/deep") ~= nil
    end, MOUNT))
  end)

  it("is refused what is not there", function()
    support.refused("open_tree /nope: No such file or directory", "ENOENT",
      support.child(function() return sys.open_tree("/nope") end, MOUNT))
  end)
end)

describe("sys.open_tree", function()
  it("is refused to an ordinary user", function()
    assert.equal("nil\topen_tree /: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").open_tree("/"))']]).stdout)
  end)

  it("raises for what is no path, and for a flag that it does not know", function()
    support.raises("fd expected, got table", sys.open_tree, {})
    support.raises("NUL byte", sys.open_tree, "/\0")
    support.raises("unknown open_tree flag 'ro'", sys.open_tree, "/", "ro")
  end)
end)

describe("sys.move_mount #root", function()
  it("puts a mount onto a path, or onto an open directory", function()
    local one, two = support.child(function()
      sys.mkdir(path)
      sys.mkdir(path .. "1")
      sys.mkdir(path .. "2")
      tmpfs(path)
      sys.mkdir(path .. "/mark")
      assert(sys.move_mount(sys.open_tree(path), path .. "1"))
      local place <close> = assert(sys.open(path .. "2", "path,directory"))
      assert(sys.move_mount(sys.open_tree(path), place))
      return sys.stat(path .. "1/mark").type, sys.stat(path .. "2/mark").type
    end, MOUNT)
    assert.same({ "directory", "directory" }, { one, two })
  end)

  it("is refused a target that is not there, and an fd of no mount", function()
    support.refused("move_mount /nope: No such file or directory", "ENOENT",
      support.child(function()
        return sys.move_mount(sys.open_tree("/tmp"), "/nope")
      end, MOUNT))
    support.refused("move_mount /tmp: Invalid argument", "EINVAL",
      support.child(function()
        return sys.move_mount(sys.open("/etc", "path"), "/tmp")
      end, MOUNT))
  end)
end)

describe("sys.move_mount", function()
  it("raises for what is no fd and no target", function()
    support.raises("container.fd expected", sys.move_mount, "/", "/")
    support.raises("container.fd expected", sys.move_mount, 3)
  end)
end)

describe("sys.mount_setattr #root", function()
  it("adds attributes to a mount and takes none away", function()
    support.needs("mount_setattr")
    local options, below = support.child(function()
      local below = tmpfs(tmpfs(path) .. "/below")
      assert(sys.mount_setattr(path, "nosuid,nodev"))
      assert(sys.mount_setattr(path, "ro,noexec"))
      return seen(path).options, seen(below).options
    end, MOUNT)
    for _, word in ipairs { "ro", "nosuid", "nodev", "noexec" } do
      assert.is_true(has(options, word), options)
      assert.is_false(has(below, word), below)
    end
  end)

  it("adds them to all that is mounted below too with rec", function()
    support.needs("mount_setattr")
    local options, below = support.child(function()
      local below = tmpfs(tmpfs(path) .. "/below")
      assert(sys.mount_setattr(path, "rec,ro"))
      return seen(path).options, seen(below).options
    end, MOUNT)
    assert.is_true(has(options, "ro") and has(below, "ro"))
  end)

  it("is given a mount that is nowhere yet by its fd", function()
    support.needs("mount_setattr")
    assert.is_true(has(support.child(function()
      local tree <close> = assert(sys.open_tree(tmpfs(path)))
      assert(sys.mount_setattr(tree, "nodev"))
      assert(sys.move_mount(tree, path))
      return seen(path).options
    end, MOUNT), "nodev"))
  end)

  it("shows nobody what is mounted below from then on with private", function()
    support.needs("mount_setattr")
    local before, after = support.child(function()
      assert(sys.mount(nil, tmpfs(path), nil, "shared"))
      local before = seen(path).tags
      assert(sys.mount_setattr(path, "private"))
      return before, seen(path).tags
    end, MOUNT)
    assert.matches("shared:", before)
    assert.equal("", after)
  end)

  it("with a user namespace has the ids on disk be those of it, both ways", function()
    support.needs("idmap")
    local dir = support.tmpdir()
    local owner, made = support.child(function()
      local child <close> = children.hold("user")
      local userns <close> = namespace_of(child.pid)
      local tree <close> = assert(sys.open_tree(dir))
      assert(sys.mount_setattr(tree, "rec", userns))
      sys.mkdir(path)
      assert(sys.move_mount(tree, path))
      local st = assert(sys.stat(path))
      assert(sys.setgid(70003))
      assert(sys.setuid(70000))
      assert(sys.mkdir(path .. "/made"))
      return st.uid .. ":" .. st.gid, sys.stat(path .. "/made").gid
    end, MOUNT)
    assert.same({ "70000:70000", 70003 }, { owner, made })
    local st = assert(sys.stat(dir .. "/made"))
    assert.same({ 0, 3 }, { st.uid, st.gid })
  end)

  it("is refused to idmap what is somewhere, and a filesystem of the kernel's", function()
    support.needs("idmap")
    for _, source in ipairs { "/proc", path } do
      local _, _, errno = support.child(function()
        local child <close> = children.hold("user")
        local userns <close> = namespace_of(child.pid)
        if source == path then
          return sys.mount_setattr(tmpfs(path), "rec", userns)
        end
        return sys.mount_setattr(sys.open_tree(source), nil, userns)
      end, MOUNT)
      assert.equal(sys.errno.EINVAL, errno)
    end
  end)

  it("is refused what is not there, and what is no mount point", function()
    support.needs("mount_setattr")
    support.refused("mount_setattr /nope: No such file or directory", "ENOENT",
      support.child(function() return sys.mount_setattr("/nope", "ro") end, MOUNT))
    support.refused(("mount_setattr %s: Invalid argument"):format(path), "EINVAL",
      support.child(function()
        sys.mkdir(path)
        return sys.mount_setattr(path, "ro")
      end, MOUNT))
  end)
end)

describe("sys.mount_setattr", function()
  it("raises for what is no path or fd, and for an attribute that it does not know", function()
    support.raises("container.fd expected", sys.mount_setattr, {}, "ro")
    support.raises("NUL byte", sys.mount_setattr, "/nope\0", "ro")
    support.raises("unknown mount attribute 'wet'", sys.mount_setattr, "/nope", "rec,wet")
  end)
end)

describe("sys.mask_path", function()
  local place

  before_each(function()
    place = support.tmpdir()
    assert(os.execute(("cd %s && mkdir dir empty && echo secret >file && echo secret >dir/x && "
      .. "ln -s file link && ln -s / out"):format(place)))
  end)

  -- What `fn` gives back, in a mount namespace of its own, with the directory and the covers open.
  local function inside(fn)
    return support.child(function()
      tmpfs("/mnt")
      local root = assert(sys.open(place, "path,directory"))
      return fn(root, assert(sys.open("/dev/null", "path")),
        assert(sys.open("/mnt", "path,directory")))
    end, MOUNT)
  end

  it("puts a file over a file, and a directory over a directory #root", function()
    assert.same({ "", 0 }, { inside(function(root, file, directory)
      assert(sys.mask_path(root, "/file", file, directory))
      assert(sys.mask_path(root, "dir", file, directory))
      return sys.read_file(place .. "/file"), #sys.list(place .. "/dir")
    end) })
  end)

  it("leaves a directory alone when nothing was given that covers one #root", function()
    local names, message, errno = inside(function(root, file)
      local _, why, number = sys.mask_path(root, "dir", file)
      return #sys.list(place .. "/dir"), why, number
    end)
    assert.same({ 1, "move_mount dir: Is a directory", sys.errno.EISDIR },
      { names, message, errno })
  end)

  it("follows no link #root", function()
    assert.same({ sys.errno.ELOOP, "secret\n" }, { inside(function(root, file)
      local _, _, errno = sys.mask_path(root, "link", file)
      return errno, sys.read_file(place .. "/file")
    end) })
  end)

  it("leaves no fd, whatever comes of it #root", function()
    assert.is_true((inside(function(root, file, directory)
      local before = #sys.list("/proc/self/fd")
      for _, name in ipairs { "file", "dir", "nope", "link" } do
        sys.mask_path(root, name, file)
        sys.mask_path(root, name, file, directory)
      end
      return #sys.list("/proc/self/fd") == before
    end)))
  end)

  it("raises for what is no fd and no path", function()
    support.raises("container.fd expected", sys.mask_path, "/", "x", 0)
    support.raises("string expected", sys.mask_path, 0, 0, 0)
    support.raises("container.fd expected", sys.mask_path, 0, "x")
  end)
end)
