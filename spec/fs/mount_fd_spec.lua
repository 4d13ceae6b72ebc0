local sys = require "container.sys"
local support = require "spec.support"
local mount_fd = require "container.fs.mount_fd"
local cleanup = require "container.engine.cleanup"

-- In a child that has mounts of its own: what is held, as `fn` is given it and answers.
local function holding(fn)
  return support.child(function()
    local stack <close> = cleanup.new()
    return fn({ trees = {}, undo = stack })
  end, { "mount" })
end

describe("tree.hold #root", function()
  it("holds a mount of its own, to be found by its key", function()
    support.needs("mount_setattr")
    assert.same({ true, mount_fd.FIRST_FD + 1, true, 2 }, { holding(function(c)
      assert(mount_fd.hold(c, "a", "/tmp", {}))
      assert(mount_fd.hold(c, c, "/usr", { rec = true }))
      return sys.stat(c.trees[1].fd).ino == sys.stat("/tmp").ino, mount_fd.of(c, c),
        mount_fd.of(c, "b") == nil, #c.trees
    end) })
  end)

  it("holds one that shows the host nothing of what is mounted in it", function()
    support.needs("mount_setattr")
    local path = support.tmpdir()
    assert.is_true(holding(function(c)
      assert(sys.mkdir(path .. "/source"))
      assert(sys.mount("x", path .. "/source", "tmpfs"))
      assert(sys.mount(nil, path .. "/source", nil, "shared"))
      assert(sys.mkdir(path .. "/source/in"))
      assert(sys.mkdir(path .. "/target"))
      assert(mount_fd.hold(c, 1, path .. "/source", { rec = true }))
      assert(sys.move_mount(c.trees[1].fd, path .. "/target"))
      assert(sys.mount("y", path .. "/target/in", "tmpfs"))
      return not sys.read_file("/proc/self/mountinfo"):find("/source/in ", 1, true)
    end))
  end)

  it("is refused what is not there", function()
    support.refused("open_tree /nope: No such file or directory", "ENOENT", holding(function(c)
      return mount_fd.hold(c, 1, "/nope", {})
    end))
  end)

  it("is refused more mounts than a child keeps", function()
    support.needs("mount_setattr")
    local message, count = holding(function(c)
      local ok, message
      repeat
        ok, message = mount_fd.hold(c, 1, "/", {})
      until not ok
      return message, #c.trees
    end)
    assert.same({ "open_tree /: more than 250 mounts", 250 }, { message, count })
  end)
end)

describe("tree.of", function()
  it("has nothing where nothing is held", function()
    assert.is_nil(mount_fd.of({}, "a"))
  end)
end)

describe("tree.parent", function()
  it("has nothing to do where nothing is held", function()
    assert.is_true(mount_fd.parent({}, 1))
  end)

  it("says which filesystem cannot be idmapped, and lets go what may be nobody's #root", function()
    support.needs("idmap")
    local function map(how)
      return holding(function(c)
        local reader, writer = assert(sys.pipe())
        local pid = assert(sys.clone("user", function()
          writer:close()
          sys.read(reader)
        end))
        for _, name in ipairs { "uid_map", "gid_map" } do
          assert(sys.write_file(("/proc/%d/%s"):format(pid, name), "0 70000 10"))
        end
        assert(mount_fd.hold(c, 1, "/proc", how))
        local ok, message, errno = mount_fd.parent(c, pid)
        writer:close()
        sys.wait(pid)
        return ok, message, errno, c.trees[1].fd:fileno()
      end)
    end
    support.refused("mount_setattr /proc: its filesystem, or one that is mounted below it, cannot "
      .. "be idmapped", "EINVAL", map { rec = true, mapped = true })
    assert.is_true(map { mapped = true, optional = true })
    assert.is_true(map {})
  end)
end)
