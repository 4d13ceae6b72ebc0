local container = require "container"
local support = require "spec.support"

local function octal(text)
  return tonumber(text, 8)
end

-- A new file with contents, and its path.
local function file(contents)
  local path = support.tmpdir() .. "/file"
  local fd <close> = assert(container.open(path, "wronly,creat"))
  assert(container.write(fd, contents))
  return path
end

describe("container.open", function()
  it("reads by default", function()
    local fd <close> = assert(container.open(file("contents")))
    assert.equal("contents", container.read(fd))
    support.refused("write: Bad file descriptor", 9, container.write(fd, "x"))
  end)

  it("takes flags as comma words", function()
    local path = file("old")
    local function write(how, text)
      local fd <close> = assert(container.open(path, how))
      container.write(fd, text)
      return container.read_file(path)
    end
    assert.equal("wld", write("wronly", "w"))
    assert.equal("wldx", write("wronly,append", "x"))
    assert.equal("new", write("wronly,trunc", "new"))
    assert.equal("rew", write("rdwr", "r"))
  end)

  it("makes a file with the mode that is given, less the umask", function()
    local path = support.tmpdir() .. "/"
    assert.equal(octal("644"), support.child(function()
      container.umask(octal("022"))
      assert(container.open(path .. "a", "wronly,creat"))
      return container.stat(path .. "a").mode
    end))
    assert(container.open(path .. "b", "wronly,creat", octal("600"))):close()
    assert.equal(octal("600"), container.stat(path .. "b").mode)
  end)

  it("starts from a directory that is given", function()
    local path = file("contents")
    local dir <close> = assert(container.open(path:match("(.*)/"), "path,directory"))
    local fd <close> = assert(container.open("file", nil, nil, dir))
    assert.equal("contents", container.read(fd))
  end)

  it("does not wait for the other end of a fifo with nonblock", function()
    local path = support.tmpdir() .. "/fifo"
    assert(container.mknod(path, "fifo", octal("600")))
    assert(container.open(path, "rdonly,nonblock")):close()
  end)

  it("is refused by the kernel, naming the path", function()
    local path = file("")
    support.run(("ln -s file %s.link"):format(path))
    local refused = {
      { "/nope", "rdonly", "No such file or directory", "ENOENT" },
      { path, "wronly,creat,excl", "File exists", "EEXIST" },
      { path, "directory", "Not a directory", "ENOTDIR" },
      { path .. ".link", "nofollow", "Too many levels of symbolic links", "ELOOP" },
      { "/", "wronly", "Is a directory", 21 },
    }
    for _, case in ipairs(refused) do
      local name, how, reason, errno = table.unpack(case)
      support.refused(("open %s: %s"):format(name, reason), errno, container.open(name, how))
    end
  end)

  it("raises for what is no path, flag, mode or directory", function()
    support.raises("string expected, got number", container.open, 5)
    support.raises("NUL byte", container.open, "/\0x")
    support.raises("unknown open flag 'rw'", container.open, "/", "directory,rw")
    support.raises("string expected, got number", container.open, "/", 0)
    support.raises("number out of range", container.open, "/", "rdonly", octal("10000"))
    support.raises("number out of range", container.open, "/", "rdonly", -1)
    support.raises("number expected", container.open, "/", "rdonly", "rw-")
    support.raises("container.fd expected", container.open, "x", "rdonly", nil, "/")
    support.raises("number out of range", container.open, "x", "rdonly", nil, -100)
  end)
end)

describe("container.open_beneath", function()
  local inside, root

  before_each(function()
    inside = support.tmpdir()
    root = assert(container.open(inside, "path,directory"))
    assert(container.mkdir(inside .. "/dir"))
    assert(container.symlink("/dir", inside .. "/absolute"))
    assert(container.symlink("../../../../dir", inside .. "/dir/up"))
    assert(container.symlink("/etc/passwd", inside .. "/outside"))
    assert(container.symlink("/proc/self/cwd", inside .. "/magic"))
  end)

  after_each(function()
    root:close()
  end)

  local function same(path, expected)
    local fd <close> = assert(container.open_beneath(root, path))
    local found, wanted = container.stat(fd), container.stat(expected)
    assert.same({ wanted.dev, wanted.ino }, { found.dev, found.ino })
  end

  it("stays inside, whatever the path says", function()
    support.needs("openat2")
    for _, path in ipairs { "dir", "/dir", "../dir", "/../../dir", "dir/../../../dir",
      "absolute", "dir/up", "/absolute/up/." } do
      same(path, inside .. "/dir")
    end
    same("/", inside)
    same("..", inside)
  end)

  it("finds nothing where a link leads outside", function()
    support.needs("openat2")
    support.refused("openat2 outside: No such file or directory", "ENOENT",
      container.open_beneath(root, "outside"))
  end)

  it("is refused a magic link of proc #root", function()
    support.needs("openat2")
    support.refused("openat2 /proc/self/cwd: Too many levels of symbolic links", "ELOOP",
      support.child(function()
        assert(container.mkdir(inside .. "/proc"))
        assert(container.mount("/proc", inside .. "/proc", nil, "rbind"))
        return container.open_beneath(container.open(inside, "path"), "/proc/self/cwd")
      end, { "mount" }))
  end)

  it("is refused every link with nosymlinks", function()
    support.needs("openat2")
    for _, path in ipairs { "absolute", "dir/up", "absolute/up" } do
      support.refused(("openat2 %s: Too many levels of symbolic links"):format(path), "ELOOP",
        container.open_beneath(root, path, "path", "nosymlinks"))
    end
    assert(container.open_beneath(root, "dir", "path", "nosymlinks")):close()
  end)

  it("takes the flags of open", function()
    support.needs("openat2")
    support.refused("openat2 /nope: No such file or directory", "ENOENT",
      container.open_beneath(root, "/nope", "rdonly"))
    local fd <close> = assert(container.open_beneath(root, "/dir", "rdonly,directory"))
    local own = container.list("/proc/self/fd/" .. fd:fileno())
    assert.same({ "up" }, own)
  end)

  it("raises for what is no directory, path or flag", function()
    support.raises("container.fd expected", container.open_beneath, inside, "dir")
    support.raises("string expected, got number", container.open_beneath, root, 5)
    support.raises("NUL byte", container.open_beneath, root, "a\0b")
    support.raises("unknown open flag 'rw'", container.open_beneath, root, "dir", "rw")
    support.raises("unknown resolve flag 'x'", container.open_beneath, root, "dir", "path", "x")
  end)
end)

describe("container.pipe", function()
  it("carries bytes from its second end to its first, until that is closed", function()
    local reader, writer = assert(container.pipe())
    local _ <close> = reader
    assert.equal(5, container.write(writer, "a\0b\nc"))
    assert.equal("a\0b\nc", container.read(reader))
    writer:close()
    assert.equal("", container.read(reader))
  end)

  it("is refused when there is no room for two", function()
    support.needs("native")
    support.refused("pipe: Too many open files", 24, support.child(function()
      local own = container.open("/")
      assert(container.setrlimit("nofile", own:fileno() + 2))
      return container.pipe()
    end))
  end)
end)

describe("container.socketpair", function()
  it("carries bytes both ways", function()
    local a, b = assert(container.socketpair())
    container.write(a, "to b")
    container.write(b, "to a")
    assert.equal("to a", container.read(a))
    assert.equal("to b", container.read(b))
    a:close()
    b:close()
  end)

  it("shows its end when the other end is closed", function()
    local a, b = assert(container.socketpair())
    b:close()
    assert.equal("", container.read(a))
    a:close()
  end)
end)

describe("container.memfd", function()
  it("holds the contents, under the name", function()
    for _, contents in ipairs { "", "a\0b", ("x"):rep(1 << 20) } do
      local fd <close> = assert(container.memfd("spec", contents))
      local path = "/proc/self/fd/" .. fd:fileno()
      assert.equal("/memfd:spec (deleted)", container.readlink(path))
      assert.is_true(container.read_file(path) == contents)
    end
  end)

  it("cannot be changed by anyone", function()
    local fd <close> = assert(container.memfd("spec", "contents"))
    local path = "/proc/self/fd/" .. fd:fileno()
    support.refused("write: Operation not permitted", "EPERM", container.write(fd, "x"))
    support.refused(("write %s: Operation not permitted"):format(path), "EPERM",
      container.write_file(path, "x"))
    support.refused(("open %s: Operation not permitted"):format(path), "EPERM",
      container.open(path, "wronly,trunc"))
    assert.equal("contents", container.read_file(path))
    -- F_SEAL_SEAL, SHRINK, GROW and WRITE, which is what stands in its way.
    assert.equal(8, container.stat(fd).size)
  end)

  it("can be executed", function()
    assert.equal("A=1\n", support.script([[
      local file = io.open(io.popen("command -v env"):read("l"), "rb")
      local fd = container.memfd("env", file:read("a"))
      print(container.fexecve(fd, { "env" }, { "A=1" }))]]).stdout)
  end)

  it("is refused a name of 250 bytes", function()
    local name = ("x"):rep(250)
    support.refused(("memfd_create %s: Invalid argument"):format(name), "EINVAL",
      container.memfd(name, ""))
  end)

  it("raises for what is no name and no contents", function()
    support.raises("string expected, got number", container.memfd, 5, "")
    support.raises("NUL byte", container.memfd, "a\0b", "")
    support.raises("string expected, got no value", container.memfd, "x")
    support.raises("string expected, got table", container.memfd, "x", {})
  end)
end)
