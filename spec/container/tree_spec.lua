local channel = require "container.channel"
local container = require "container"
local support = require "spec.support"
local tree = require "container.tree"
local undo = require "container.undo"

-- In a child that has mounts of its own: what is held, as `fn` is given it and answers.
local function holding(fn)
  return support.child(function()
    local stack <close> = undo.new()
    return fn({ trees = {}, undo = stack })
  end, { "mount" })
end

describe("tree.hold #root", function()
  it("holds a mount of its own, to be found by its key", function()
    support.needs("mount_setattr")
    assert.same({ true, channel.KEPT + 1, true, 2 }, { holding(function(c)
      assert(tree.hold(c, "a", "/tmp", {}))
      assert(tree.hold(c, c, "/usr", { rec = true }))
      return container.stat(c.trees[1].fd).ino == container.stat("/tmp").ino, tree.of(c, c),
        tree.of(c, "b") == nil, #c.trees
    end) })
  end)

  it("holds one that shows the host nothing of what is mounted in it", function()
    support.needs("mount_setattr")
    local path = support.tmpdir()
    assert.is_true(holding(function(c)
      assert(container.mkdir(path .. "/source"))
      assert(container.mount("x", path .. "/source", "tmpfs"))
      assert(container.mount(nil, path .. "/source", nil, "shared"))
      assert(container.mkdir(path .. "/source/in"))
      assert(container.mkdir(path .. "/target"))
      assert(tree.hold(c, 1, path .. "/source", { rec = true }))
      assert(container.move_mount(c.trees[1].fd, path .. "/target"))
      assert(container.mount("y", path .. "/target/in", "tmpfs"))
      return not container.read_file("/proc/self/mountinfo"):find("/source/in ", 1, true)
    end))
  end)

  it("is refused what is not there", function()
    support.refused("open_tree /nope: No such file or directory", "ENOENT", holding(function(c)
      return tree.hold(c, 1, "/nope", {})
    end))
  end)

  it("is refused more mounts than a child keeps", function()
    support.needs("mount_setattr")
    local message, count = holding(function(c)
      local ok, message
      repeat
        ok, message = tree.hold(c, 1, "/", {})
      until not ok
      return message, #c.trees
    end)
    assert.same({ "open_tree /: more than 250 mounts", 250 }, { message, count })
  end)
end)

describe("tree.of", function()
  it("has nothing where nothing is held", function()
    assert.is_nil(tree.of({}, "a"))
  end)
end)

describe("tree.parent", function()
  it("has nothing to do where nothing is held", function()
    assert.is_true(tree.parent({}, 1))
  end)

  it("says which filesystem cannot be idmapped, and lets go what may be nobody's #root", function()
    support.needs("idmap")
    local function map(how)
      return holding(function(c)
        local reader, writer = assert(container.pipe())
        local pid = assert(container.clone("user", function()
          writer:close()
          container.read(reader)
        end))
        for _, name in ipairs { "uid_map", "gid_map" } do
          assert(container.write_file(("/proc/%d/%s"):format(pid, name), "0 70000 10"))
        end
        assert(tree.hold(c, 1, "/proc", how))
        local ok, message, errno = tree.parent(c, pid)
        writer:close()
        container.wait(pid)
        return ok, message, errno, c.trees[1].fd:fileno()
      end)
    end
    support.refused("mount_setattr /proc: its filesystem, or one that is mounted below it, cannot "
      .. "be idmapped", "EINVAL", map { rec = true, mapped = true })
    assert.is_true(map { mapped = true, optional = true })
    assert.is_true(map {})
  end)
end)
