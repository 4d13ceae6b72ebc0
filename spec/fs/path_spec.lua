local sys = require "container.sys"
local file = require "container.fs.path"
local support = require "spec.support"


-- A root that is not trusted, and beside it what it is not to reach.
local function place()
  local top = support.tmpdir()
  assert(sys.mkdir(top .. "/root"))
  assert(sys.mkdir(top .. "/outside"))
  return top .. "/root", top .. "/outside", assert(sys.open(top .. "/root", "path,directory"))
end

local function same_file(path, fd)
  local one, other = assert(sys.stat(path)), assert(sys.stat(fd))
  assert.same({ one.dev, one.ino }, { other.dev, other.ino })
end

describe("file.beneath", function()
  it("opens what is there", function()
    local path, _, root = place()
    local _ <close> = root
    assert(sys.mkdir(path .. "/a"))
    local fd <close> = assert(file.beneath(root, "/a", "directory"))
    same_file(path .. "/a", fd)
    local top <close> = assert(file.beneath(root, "/", "directory"))
    same_file(path, top)
  end)

  it("makes a directory with its parents, for everyone to read", function()
    local path, _, root = place()
    local _ <close> = root
    local fd <close> = assert(file.beneath(root, "/a/b//c/", "directory"))
    same_file(path .. "/a/b/c", fd)
    for _, name in ipairs { "/a", "/a/b", "/a/b/c" } do
      local st = assert(sys.stat(path .. name))
      assert.same({ "directory", 493 }, { st.type, st.mode }) -- 0755
    end
  end)

  it("makes an empty file with its parents", function()
    local path, _, root = place()
    local _ <close> = root
    local fd <close> = assert(file.beneath(root, "a/file", "file"))
    same_file(path .. "/a/file", fd)
    local st = assert(sys.stat(path .. "/a/file"))
    assert.same({ "file", 420, 0 }, { st.type, st.mode, st.size }) -- 0644
    assert.equal("directory", sys.stat(path .. "/a").type)
  end)

  it("makes nothing where something is, of whatever kind", function()
    local path, _, root = place()
    local _ <close> = root
    assert(sys.mkdir(path .. "/a"))
    local fd <close> = assert(file.beneath(root, "/a", "file"))
    assert.equal("directory", sys.stat(fd).type)
  end)

  it("takes what somebody else makes at the same moment", function()
    local path, _, root = place()
    local _ <close> = root
    local mkdir = sys.mkdir
    sys.mkdir = function(...)
      assert(mkdir(...))
      return mkdir(...)
    end
    local fd, message = file.beneath(root, "/proc", "directory")
    sys.mkdir = mkdir
    assert(fd, message)
    same_file(path .. "/proc", fd)
    fd:close()
  end)

  it("follows links that stay inside", function()
    local path, _, root = place()
    local _ <close> = root
    assert(sys.mkdir(path .. "/real"))
    assert(sys.symlink("real", path .. "/relative"))
    assert(sys.symlink("/real", path .. "/absolute"))
    local one <close> = assert(file.beneath(root, "/relative/one", "directory"))
    same_file(path .. "/real/one", one)
    local two <close> = assert(file.beneath(root, "/absolute/two", "directory"))
    same_file(path .. "/real/two", two)
  end)

  for name, target in pairs {
    ["an absolute link"] = "%s",
    ["a relative link"] = "../outside",
    ["a link that goes up too often"] = "../../../../../../../../../..%s",
  } do
    it("makes what is missing inside the root in spite of " .. name, function()
      for _, kind in ipairs { "directory", "file" } do
        for _, below in ipairs { "", "/x" } do
          local path, outside, root = place()
          local _ <close> = root
          assert(sys.symlink(target:format(outside), path .. "/link"))
          local fd <close> = assert(file.beneath(root, "/link" .. below, kind))
          local inside = target:format(outside):gsub("%.%./", "/") .. below
          same_file(path .. "/" .. inside, fd)
          assert.equal(kind, sys.stat(fd, "type"))
          assert.same({}, sys.list(outside))
        end
      end
    end)
  end

  it("takes .. at the root for the root", function()
    local path, outside, root = place()
    local _ <close> = root
    local fd <close> = assert(file.beneath(root, "/../../outside/x", "directory"))
    same_file(path .. "/outside/x", fd)
    assert.same({}, sys.list(outside))
  end)

  it("takes a link's .. at the root for the root", function()
    local path, outside, root = place()
    local _ <close> = root
    assert(sys.mkdir(path .. "/outside"))
    assert(sys.symlink("../outside", path .. "/link"))
    local fd <close> = assert(file.beneath(root, "/link/x", "directory"))
    same_file(path .. "/outside/x", fd)
    assert.same({}, sys.list(outside))
  end)

  it("makes what a link leads to that leads nowhere, and leaves the link", function()
    for kind, below in pairs { directory = "", file = "", deep = "/a/b" } do
      local path, _, root = place()
      local _ <close> = root
      kind = kind == "deep" and "file" or kind
      assert(sys.mkdir(path .. "/in"))
      assert(sys.symlink("../made/here", path .. "/in/one"))
      assert(sys.symlink("/in/one", path .. "/two"))
      local fd <close> = assert(file.beneath(root, "/two" .. below, kind))
      same_file(path .. "/made/here" .. below, fd)
      assert.equal(kind, sys.stat(fd, "type"))
      assert.equal("/in/one", sys.readlink(path .. "/two"))
    end
  end)

  it("is refused more links than the kernel follows", function()
    local path, _, root = place()
    local _ <close> = root
    for i = 1, 41 do
      assert(sys.symlink(i == 41 and "nowhere" or "link" .. i + 1, path .. "/link" .. i))
    end
    local fd, _, errno = file.beneath(root, "/link1", "directory")
    assert.same({ nil, sys.errno.ELOOP }, { fd, errno })
    local made <close> = assert(file.beneath(root, "/link2", "directory"))
    same_file(path .. "/nowhere", made)
  end)

  it("makes nothing outside while another process swaps a directory for a link", function()
    local path, outside, root = place()
    local _ <close> = root
    local pid = assert(sys.clone({}, function()
      sys.pdeathsig("KILL")
      while true do
        sys.mkdir(path .. "/d")
        sys.rmdir(path .. "/d")
        sys.symlink("../../outside/new", path .. "/d")
        os.remove(path .. "/d")
      end
    end))
    for _ = 1, 2000 do
      local fd = file.beneath(root, "/d/x", "directory")
      if fd then
        fd:close()
      end
      sys.rmdir(path .. "/d/x")
      sys.rmdir(path .. "/outside/new/x")
      sys.rmdir(path .. "/outside/new")
    end
    sys.kill(pid, "KILL")
    sys.wait(pid)
    assert.same({}, sys.list(outside))
  end)

  it("is refused a link that leads to itself", function()
    local path, _, root = place()
    local _ <close> = root
    assert(sys.symlink("link", path .. "/link"))
    support.refused("openat2 /link/x: Too many levels of symbolic links", "ELOOP",
      file.beneath(root, "/link/x", "directory"))
  end)

  it("is refused a link anywhere, with nosymlinks", function()
    local path, _, root = place()
    local _ <close> = root
    assert(sys.mkdir(path .. "/real"))
    assert(sys.mkdir(path .. "/real/x"))
    assert(sys.symlink("real", path .. "/link"))
    assert(sys.symlink("nowhere", path .. "/dangling"))
    for _, name in ipairs { "/link", "/link/x", "/link/new", "/dangling", "/dangling/new" } do
      support.refused("openat2 " .. name .. ": Too many levels of symbolic links", "ELOOP",
        file.beneath(root, name, "directory", "nosymlinks"))
    end
    assert.same({ "x" }, sys.list(path .. "/real"))
    local fd <close> = assert(file.beneath(root, "/real/y/z", "directory", "nosymlinks"))
    same_file(path .. "/real/y/z", fd)
  end)

  it("is refused a path through a file", function()
    local path, _, root = place()
    local _ <close> = root
    assert(sys.mknod(path .. "/file", "file", 420))
    support.refused("openat2 /file/x: Not a directory", "ENOTDIR",
      file.beneath(root, "/file/x", "directory"))
  end)

  it("answers that there is no room #root", function()
    support.refused("mkdir b: No space left on device", "ENOSPC", support.child(function()
      assert(sys.mount("tmpfs", "/mnt", "tmpfs", "", "nr_inodes=2"))
      local root <close> = assert(sys.open("/mnt", "path,directory"))
      return file.beneath(root, "/a/b", "directory")
    end, { "mount" }))
  end)
end)

describe("file.path", function()
  it("leads to the open file, also one that has no other path", function()
    local fd <close> = assert(sys.memfd("nameless", "contents"))
    same_file(file.path(fd), fd)
    assert.equal("contents", sys.read_file(file.path(fd)))
  end)
end)

describe("file.read_all", function()
  it("reads to the end, or as much as is enough", function()
    local long = ("x"):rep(200000)
    local fd <close> = assert(sys.memfd("long", long))
    assert.equal(long, file.read_all(fd))
    assert.equal("", file.read_all(fd))
    local again <close> = assert(sys.memfd("long", long))
    local size = #file.read_all(again, 100000)
    assert.is_true(size > 100000 and size < #long)
  end)

  it("answers what was read before an error", function()
    local directory <close> = assert(sys.open(support.tmpdir(), "directory"))
    assert.equal("", file.read_all(directory))
  end)
end)

describe("file.is_program", function()
  -- With this PATH, or with none.
  local function found(name, path)
    return support.child(function()
      assert(sys.set_environment { path and "PATH=" .. path })
      return file.is_program(name)
    end)
  end

  it("finds what exec would execute, through a link too, and where there is no PATH", function()
    local path = support.tmpdir()
    assert(sys.symlink("/bin/sh", path .. "/shell"))
    assert.is_true(found("shell", "/nowhere:" .. path))
    assert.is_true(found("sh"))
  end)

  it("finds no directory, nothing that cannot be executed, and nothing elsewhere", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/directory"))
    assert(sys.mknod(path .. "/text", "file", 0x1a4)) -- 0644
    assert.is_false(found("directory", path))
    assert.is_false(found("text", path))
    assert.is_false(found("sh", path))
  end)
end)

describe("file.mounts", function()
  it("has what the kernel has mounted, in the kernel's order", function()
    local lines = {}
    for line in sys.read_file("/proc/self/mountinfo"):gmatch("[^\n]+") do
      lines[#lines + 1] = line:match("^%S+ %S+ %S+ %S+ (%S+)") .. " " .. line:match(" %- (%S+)")
    end
    local mounts = assert(file.mounts())
    assert.equal(#lines, #mounts)
    for i, mount in ipairs(mounts) do
      assert.equal(lines[i], mount.target:gsub("[ \t\n\\#]", function(byte)
        return ("\\%03o"):format(byte:byte())
      end) .. " " .. mount.type)
    end
  end)

  it("answers the path as it is, where mountinfo has escapes #root", function()
    local path = support.tmpdir() .. "/a b\tc\nd\\e#f\\040,g:h"
    assert(sys.mkdir(path))
    local target, kind, count, number = support.child(function()
      local before = #file.mounts()
      assert(sys.mount("none of - these", path, "tmpfs"))
      local mounts = file.mounts()
      return mounts[#mounts].target, mounts[#mounts].type, before, #mounts
    end, { "mount" })
    assert.equal(path, target)
    assert.equal("tmpfs", kind)
    assert.equal(count + 1, number)
  end)

  it("reads lines with every kind of propagation #root", function()
    local target = support.child(function()
      assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
      assert(sys.mount(nil, "/mnt", nil, "shared"))
      local mounts = file.mounts()
      return mounts[#mounts].target
    end, { "mount" })
    assert.equal("/mnt", target)
  end)

  it("answers the refusal where there is no proc #root", function()
    local ok, message, errno = support.child(function()
      assert(sys.umount("/proc", "detach"))
      return file.mounts()
    end, { "mount" })
    support.refused("read /proc/self/mountinfo: No such file or directory", "ENOENT",
      ok, message, errno)
  end)
end)

describe("file.nearest", function()
  it("is the mount that is held for the longest beginning, and the rest of the path", function()
    local held = { ["/dev"] = "dev", ["/dev/pts"] = "pts", ["/proc"] = "proc" }
    for path, expected in pairs {
      ["/dev"] = { "dev", "." }, ["/dev/"] = { "dev", "/" }, ["/dev/null"] = { "dev", "/null" },
      ["/dev/pts/ptmx"] = { "pts", "/ptmx" }, ["/dev/ptsx"] = { "dev", "/ptsx" },
      ["/dev//pts/x"] = { "dev", "//pts/x" }, ["/proc/a/b/c"] = { "proc", "/a/b/c" },
      ["/device"] = { "root", "/device" }, ["/"] = { "root", "/" }, [""] = { "root", "." },
      ["dev/null"] = { "root", "dev/null" }, ["/mnt/dev"] = { "root", "/mnt/dev" },
    } do
      assert.same(expected, { file.nearest(held, "root", path) }, path)
      assert.same({ "root", path ~= "" and path or "." }, { file.nearest(nil, "root", path) })
    end
  end)
end)
