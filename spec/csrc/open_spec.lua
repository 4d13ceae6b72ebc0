local sys = require "container.sys"
local support = require "spec.support"

local function octal(text)
  return tonumber(text, 8)
end

-- A new file with contents, and its path.
local function file(contents)
  local path = support.tmpdir() .. "/file"
  local fd <close> = assert(sys.open(path, "wronly,creat"))
  assert(sys.write(fd, contents))
  return path
end

describe("sys.open", function()
  it("reads by default", function()
    local fd <close> = assert(sys.open(file("contents")))
    assert.equal("contents", sys.read(fd))
    support.refused("write: Bad file descriptor", 9, sys.write(fd, "x"))
  end)

  it("takes flags as comma words", function()
    local path = file("old")
    local function write(how, text)
      local fd <close> = assert(sys.open(path, how))
      sys.write(fd, text)
      return sys.read_file(path)
    end
    assert.equal("wld", write("wronly", "w"))
    assert.equal("wldx", write("wronly,append", "x"))
    assert.equal("new", write("wronly,trunc", "new"))
    assert.equal("rew", write("rdwr", "r"))
  end)

  it("makes a file with the mode that is given, less the umask", function()
    local path = support.tmpdir() .. "/"
    assert.equal(octal("644"), support.child(function()
      sys.umask(octal("022"))
      assert(sys.open(path .. "a", "wronly,creat"))
      return sys.stat(path .. "a").mode
    end))
    assert(sys.open(path .. "b", "wronly,creat", octal("600"))):close()
    assert.equal(octal("600"), sys.stat(path .. "b").mode)
  end)

  it("starts from a directory that is given", function()
    local path = file("contents")
    local dir <close> = assert(sys.open(path:match("(.*)/"), "path,directory"))
    local fd <close> = assert(sys.open("file", nil, nil, dir))
    assert.equal("contents", sys.read(fd))
  end)

  it("does not wait for the other end of a fifo with nonblock", function()
    local path = support.tmpdir() .. "/fifo"
    assert(sys.mknod(path, "fifo", octal("600")))
    assert(sys.open(path, "rdonly,nonblock")):close()
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
      support.refused(("open %s: %s"):format(name, reason), errno, sys.open(name, how))
    end
  end)

  it("raises for what is no path, flag, mode or directory", function()
    support.raises("string expected, got number", sys.open, 5)
    support.raises("NUL byte", sys.open, "/\0x")
    support.raises("unknown open flag 'rw'", sys.open, "/", "directory,rw")
    support.raises("string expected, got number", sys.open, "/", 0)
    support.raises("number out of range", sys.open, "/", "rdonly", octal("10000"))
    support.raises("number out of range", sys.open, "/", "rdonly", -1)
    support.raises("number expected", sys.open, "/", "rdonly", "rw-")
    support.raises("container.fd expected", sys.open, "x", "rdonly", nil, "/")
    support.raises("number out of range", sys.open, "x", "rdonly", nil, -100)
  end)
end)

describe("sys.open_beneath", function()
  local inside, root

  before_each(function()
    inside = support.tmpdir()
    root = assert(sys.open(inside, "path,directory"))
    assert(sys.mkdir(inside .. "/dir"))
    assert(sys.symlink("/dir", inside .. "/absolute"))
    assert(sys.symlink("../../../../dir", inside .. "/dir/up"))
    assert(sys.symlink("/etc/passwd", inside .. "/outside"))
    assert(sys.symlink("/proc/self/cwd", inside .. "/magic"))
  end)

  after_each(function()
    root:close()
  end)

  local function same(path, expected)
    local fd <close> = assert(sys.open_beneath(root, path))
    local found, wanted = sys.stat(fd), sys.stat(expected)
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
      sys.open_beneath(root, "outside"))
  end)

  it("is refused a magic link of proc #root", function()
    support.needs("openat2")
    support.refused("openat2 /proc/self/cwd: Too many levels of symbolic links", "ELOOP",
      support.child(function()
        assert(sys.mkdir(inside .. "/proc"))
        assert(sys.mount("/proc", inside .. "/proc", nil, "rbind"))
        return sys.open_beneath(sys.open(inside, "path"), "/proc/self/cwd")
      end, { "mount" }))
  end)

  it("is refused every link with nosymlinks", function()
    support.needs("openat2")
    for _, path in ipairs { "absolute", "dir/up", "absolute/up" } do
      support.refused(("openat2 %s: Too many levels of symbolic links"):format(path), "ELOOP",
        sys.open_beneath(root, path, "path", "nosymlinks"))
    end
    assert(sys.open_beneath(root, "dir", "path", "nosymlinks")):close()
  end)

  it("takes the flags of open", function()
    support.needs("openat2")
    support.refused("openat2 /nope: No such file or directory", "ENOENT",
      sys.open_beneath(root, "/nope", "rdonly"))
    local fd <close> = assert(sys.open_beneath(root, "/dir", "rdonly,directory"))
    local own = sys.list("/proc/self/fd/" .. fd:fileno())
    assert.same({ "up" }, own)
  end)

  it("raises for what is no directory, path or flag", function()
    support.raises("container.fd expected", sys.open_beneath, inside, "dir")
    support.raises("string expected, got number", sys.open_beneath, root, 5)
    support.raises("NUL byte", sys.open_beneath, root, "a\0b")
    support.raises("unknown open flag 'rw'", sys.open_beneath, root, "dir", "rw")
    support.raises("unknown resolve flag 'x'", sys.open_beneath, root, "dir", "path", "x")
  end)
end)

describe("sys.pipe", function()
  it("carries bytes from its second end to its first, until that is closed", function()
    local reader, writer = assert(sys.pipe())
    local _ <close> = reader
    assert.equal(5, sys.write(writer, "a\0b\nc"))
    assert.equal("a\0b\nc", sys.read(reader))
    writer:close()
    assert.equal("", sys.read(reader))
  end)

  it("is refused when there is no room for two", function()
    support.needs("native")
    support.refused("pipe: Too many open files", 24, support.child(function()
      local own = sys.open("/")
      assert(sys.setrlimit("nofile", own:fileno() + 2))
      return sys.pipe()
    end))
  end)
end)

describe("sys.socketpair", function()
  it("carries bytes both ways", function()
    local a, b = assert(sys.socketpair())
    sys.write(a, "to b")
    sys.write(b, "to a")
    assert.equal("to a", sys.read(a))
    assert.equal("to b", sys.read(b))
    a:close()
    b:close()
  end)

  it("shows its end when the other end is closed", function()
    local a, b = assert(sys.socketpair())
    b:close()
    assert.equal("", sys.read(a))
    a:close()
  end)
end)

describe("sys.memfd", function()
  it("holds the contents, under the name", function()
    for _, contents in ipairs { "", "a\0b", ("x"):rep(1 << 20) } do
      local fd <close> = assert(sys.memfd("spec", contents))
      local path = "/proc/self/fd/" .. fd:fileno()
      assert.equal("/memfd:spec (deleted)", sys.readlink(path))
      assert.is_true(sys.read_file(path) == contents)
    end
  end)

  it("cannot be changed by anyone", function()
    local fd <close> = assert(sys.memfd("spec", "contents"))
    local path = "/proc/self/fd/" .. fd:fileno()
    support.refused("write: Operation not permitted", "EPERM", sys.write(fd, "x"))
    support.refused(("write %s: Operation not permitted"):format(path), "EPERM",
      sys.write_file(path, "x"))
    support.refused(("open %s: Operation not permitted"):format(path), "EPERM",
      sys.open(path, "wronly,trunc"))
    assert.equal("contents", sys.read_file(path))
    -- F_SEAL_SEAL, SHRINK, GROW and WRITE, which is what stands in its way.
    assert.equal(8, sys.stat(fd).size)
  end)

  it("can be executed", function()
    assert.equal("A=1\n", support.script([[
      local file = io.open(io.popen("command -v env"):read("l"), "rb")
      local fd = sys.memfd("env", file:read("a"))
      print(sys.fexecve(fd, { "env" }, { "A=1" }))]]).stdout)
  end)

  it("is refused a name of 250 bytes", function()
    local name = ("x"):rep(250)
    support.refused(("memfd_create %s: Invalid argument"):format(name), "EINVAL",
      sys.memfd(name, ""))
  end)

  it("raises for what is no name and no contents", function()
    support.raises("string expected, got number", sys.memfd, 5, "")
    support.raises("NUL byte", sys.memfd, "a\0b", "")
    support.raises("string expected, got no value", sys.memfd, "x")
    support.raises("string expected, got table", sys.memfd, "x", {})
  end)
end)

describe("a file over the limit of file sizes", function()
  it("is a refusal of memfd and of write, and no signal ends the caller", function()
    local path = support.tmpdir() .. "/file"
    local first, second = support.child(function()
      assert(sys.setrlimit("fsize", 1000, 1000))
      local _, message = sys.memfd("large", ("x"):rep(2000))
      local fd <close> = assert(sys.open(path, "wronly,creat", 420))
      assert(sys.write(fd, ("x"):rep(1000)))
      return message, (select(2, sys.write(fd, "x")))
    end)
    assert.equal("write large: File too large", first)
    assert.equal("write: File too large", second)
  end)
end)

describe("a memfd that can only be executed", function()
  it("has no other right than that, and is sealed", function()
    local fd <close> = assert(sys.memfd("x", "text", "execonly"))
    local pipe <close> = assert(io.popen(("stat -L -c %%a /proc/%d/fd/%d"):format(sys.getpid(),
      fd:fileno())))
    assert.equal("111\n", pipe:read("a"))
    assert.is_nil(sys.write(fd, "more"))
  end)
end)
