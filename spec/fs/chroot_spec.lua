-- A caller in a chroot: where its root is mounted, and what of the host a container has.

local container = require "container"
local path = require "container.fs.path"
local support = require "spec.support"
local sys = require "container.sys"

-- How many lines a file has from where it was read to.
local function lines(file)
  local _, count = path.read_all(file):gsub("\n", "")
  return count
end

-- Enters a chroot and runs `fn` there.
-- @tparam table how shared: the host's mounts are; mounted: the chroot is a mount point
-- @func fn is given two files of the mounts that there are, seen from outside of the chroot
local function inside(how, fn)
  local tree = support.busybox_rootfs()
  return support.child(function()
    local first <close> = assert(sys.open("/proc/self/mountinfo", "rdonly"))
    local last <close> = assert(sys.open("/proc/self/mountinfo", "rdonly"))
    if how.shared then
      assert(sys.mount(nil, "/", nil, "rshared"))
    end
    if how.mounted then
      assert(sys.mount(tree, tree, nil, "bind"))
    end
    assert(sys.mount("/dev", tree .. "/dev", nil, "rbind"))
    assert(sys.mount("proc", tree .. "/proc", "proc"))
    assert(sys.chdir(tree))
    assert(sys.chroot("."))
    return fn(first, last)
  end, { "mount" })
end

local function options(more, ...)
  local given = { "/bin/sh", "-c", ..., pids = "max", seccomp = false, stdout = "capture",
    stderr = "stdout" }
  for name, value in pairs(more) do
    given[name] = value
  end
  return given
end

local LIST <const> = "echo $(ls -d /*)"
local TREE <const> = "/bin /dev /etc /proc /root /sys /tmp\n"

for name, how in pairs {
  ["a directory"] = {}, ["a directory of a shared mount"] = { shared = true },
  ["a mount point"] = { mounted = true },
  ["a mount point in a shared mount"] = { mounted = true, shared = true },
} do
  describe("a caller in a chroot into " .. name .. " #root", function()
    it("has a container whose root is the chroot, throw-away", function()
      local said, again = inside(how, function()
        local result = assert(container.run(options({}, LIST .. "; touch /made")))
        return result.stdout, assert(container.run(options({}, LIST))).stdout
      end)
      assert.same({ TREE, TREE }, { said, again })
    end)

    it("has programs that join it in that root, and in no other", function()
      assert.equal(TREE, inside(how, function()
        local c <close> = assert(container.spawn(options({ stdin = "pipe" }, "read x")))
        local joined <close> = assert(c:exec { "/bin/sh", "-c", LIST, stdout = "capture" })
        return assert(joined:wait()).stdout
      end))
    end)

    it("has nothing mounted in its own namespace by it", function()
      local before, after = inside(how, function(first, last)
        local count = lines(first)
        assert(container.run(options({}, "true")))
        return count, lines(last)
      end)
      assert.equal(before, after)
    end)

    it("names volumes and roots from its working directory", function()
      assert.equal("kept\n", inside(how, function()
        assert(sys.mkdir("/tmp/kept"))
        assert(sys.chdir("/tmp"))
        local result = assert(container.run(options({ rootfs = "..",
          volumes = { "./kept:/tmp" } }, "echo kept >/tmp/file")))
        local text = sys.read_file("/tmp/kept/file")
        assert(os.remove("/tmp/kept/file") and sys.rmdir("/tmp/kept"))
        return text or result.stdout
      end))
    end)

    it("is told that it can have no user namespace", function()
      local said = inside(how, function()
        assert(sys.setgid(54321) and sys.setuid(54321))
        local _, err = container.run(options({}, "true"))
        return tostring(err)
      end)
      assert.matches("chroot", said)
      assert.matches("the kernel makes no", said)
    end)
  end)
end

-- As sbuild and mmdebstrap have it without root.
describe("the root of a user namespace in a chroot #root #userns", function()
  it("has containers, and programs that join them, in that root", function()
    local tree = support.busybox_rootfs()
    local said, again = support.child(function()
      assert(sys.write_file("/proc/self/uid_map", "0 0 1"))
      assert(sys.write_file("/proc/self/setgroups", "deny"))
      assert(sys.write_file("/proc/self/gid_map", "0 0 1"))
      assert(sys.mount("/dev", tree .. "/dev", nil, "rbind"))
      assert(sys.mount("proc", tree .. "/proc", "proc"))
      assert(sys.chdir(tree))
      assert(sys.chroot("."))
      local c <close> = assert(container.spawn(options({ stdin = "pipe" }, LIST .. "; read x")))
      local joined <close> = assert(c:exec { "/bin/sh", "-c", LIST, stdout = "capture" })
      local result = assert(joined:wait())
      c.stdin:close()
      return assert(c:wait()).stdout, result.stdout
    end, { "user", "mount", "pid" })
    assert.same({ TREE, TREE }, { said, again })
  end)
end)
