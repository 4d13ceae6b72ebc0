local container = require "container"
local support = require "spec.support"

local function octal(text)
  return tonumber(text, 8)
end

-- Whether the kernel knows a number as an open file, and its flags, from the outside.
local function flags(number)
  local info = container.read_file("/proc/self/fdinfo/" .. number)
  return info and octal(info:match("flags:%s+(%d+)"))
end

local O_CLOEXEC <const> = octal("2000000")

local function closed()
  local fd = assert(container.open("/"))
  fd:close()
  return fd
end

-- A new file with contents, and its path.
local function file(contents)
  local path = support.tmpdir() .. "/file"
  local fd <close> = assert(container.open(path, "wronly,creat"))
  assert(container.write(fd, contents))
  return path
end

describe("an fd", function()
  it("shows its number, and whether it is closed", function()
    local fd = assert(container.open("/"))
    assert.equal("container.fd (" .. fd:fileno() .. ")", tostring(fd))
    fd:close()
    assert.equal("container.fd (closed)", tostring(fd))
    assert.is_nil(fd:fileno())
  end)

  it("is closed by close, once", function()
    local fd = assert(container.open("/"))
    local number = fd:fileno()
    assert.is_true(fd:close())
    assert.is_nil(flags(number))
    -- The number is another's now, and not for the old owner to close.
    local other <close> = assert(container.open("/"))
    assert.equal(number, other:fileno())
    assert.is_true(fd:close())
    assert.is_truthy(flags(number))
  end)

  it("is closed at the end of its scope, also by an error", function()
    local number
    pcall(function()
      local fd <close> = assert(container.open("/"))
      number = fd:fileno()
      assert.is_truthy(flags(number))
      error("out")
    end)
    assert.is_nil(flags(number))
  end)

  it("is closed by the collector", function()
    local number = assert(container.open("/")):fileno()
    collectgarbage()
    collectgarbage()
    assert.is_nil(flags(number))
  end)

  it("raises when it is used after it was closed", function()
    local fd = closed()
    support.raises("fd is closed", container.read, fd)
    support.raises("fd is closed", container.write, fd, "x")
    support.raises("fd is closed", container.flock, fd)
    support.raises("[1]: open fd expected, got a closed one", container.ppoll, { fd }, 0)
    support.raises("fd is closed", container.stat, fd)
    support.raises("fd is closed", container.chdir, fd)
    support.raises("fd is closed", container.open, "x", "rdonly", nil, fd)
    support.raises("fd is closed", container.open_beneath, fd, "x")
    support.raises("fd is closed", container.mkdir, "x", nil, fd)
    support.raises("[2]: open fd expected, got a closed one", container.close_others, { 0, fd })
    support.raises("fd is closed", container.wait, fd)
    support.raises("fd is closed", container.isatty, fd)
  end)

  it("has methods for nothing else", function()
    local fd <close> = assert(container.open("/"))
    support.raises("container.fd expected", fd.close, {})
    support.raises("container.fd expected", fd.close, io.stdout)
    support.raises("container.fd expected", fd.fileno, 0)
    support.raises("container.fd expected", getmetatable(fd).__gc, "x")
  end)

  it("is close-on-exec, whatever made it", function()
    local makers = {
      open = function() return container.open("/") end,
      pipe = container.pipe,
      socketpair = container.socketpair,
      memfd = function() return container.memfd("x", "") end,
      signalfd = function() return container.signalfd({ "USR1" }) end,
      pidfd_open = function() return container.pidfd_open(container.getpid()) end,
      open_beneath = function()
        local root <close> = assert(container.open("/", "path"))
        return container.open_beneath(root, "etc")
      end,
    }
    for name, make in pairs(makers) do
      local first, second, errno = make()
      if errno ~= container.errno.ENOSYS then
        assert.equal(O_CLOEXEC, flags(first:fileno()) & O_CLOEXEC, name)
        first:close()
        if second then
          assert.equal(O_CLOEXEC, flags(second:fileno()) & O_CLOEXEC, name)
          second:close()
        end
      end
    end
  end)

  it("never takes the number of a standard stream that is closed", function()
    local out = support.tmpdir() .. "/out"
    local result = support.run(("%s -e %s 3>%s <&- >&- 2>&-"):format(support.lua,
      support.quote([[
        local container = require "container"
        local numbers = ""
        for _ = 1, 2 do
          local a, b = container.pipe()
          local c, d = container.socketpair()
          for _, fd in ipairs { container.open("/"), a, b, c, d, container.memfd("x", ""),
            container.signalfd({ "USR1" }), container.pidfd_open(container.getpid()) } do
            numbers = numbers .. fd:fileno() .. " "
          end
        end
        container.write(3, numbers)]]), out))
    assert.equal(0, result.status)
    local count = 0
    for number in container.read_file(out):gmatch("%d+") do
      count = count + 1
      assert.is_true(tonumber(number) > 3, number)
    end
    assert.equal(16, count)
  end)
end)

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

describe("container.close_others", function()
  -- In a child that is left with nothing over which it could say more than its status.
  local function apart(fn)
    local pid = assert(container.clone({}, function()
      fn()
      return 7
    end))
    assert.same({ "exit", 7 }, { support.wait(pid) })
  end

  local function open_files()
    local found = {}
    for _, number in ipairs(container.list("/proc/self/fd")) do
      found[tonumber(number)] = container.readlink("/proc/self/fd/" .. number)
    end
    return found
  end

  it("leaves 0, 1, 2 and the fds of the list, in its order from 3", function()
    support.needs("native")
    apart(function()
      local before = open_files()
      local a = assert(container.memfd("a", ""))
      local b = assert(container.memfd("b", ""))
      local c = assert(container.memfd("c", ""))
      -- Each may sit where another has to go.
      assert.is_true(container.close_others { c, a, b, c })
      assert.same({
        [0] = before[0], before[1], before[2], "/memfd:c (deleted)", "/memfd:a (deleted)",
        "/memfd:b (deleted)", "/memfd:c (deleted)",
      }, open_files())
      assert.is_true(container.close_others { 6, 5, 4, 3 })
      assert.same({
        [0] = before[0], before[1], before[2], "/memfd:c (deleted)", "/memfd:b (deleted)",
        "/memfd:a (deleted)", "/memfd:c (deleted)",
      }, open_files())
      assert.is_true(container.close_others {})
      assert.same({ [0] = before[0], before[1], before[2] }, open_files())
    end)
  end)

  it("hands them over to the program that is executed", function()
    assert.equal("contents", support.script([[
      assert(container.close_others { container.memfd("x", "contents") })
      container.exec { "cat", "/proc/self/fd/3" }]]).stdout)
  end)

  it("keeps them from the collector, which finds their old owners", function()
    assert.equal("0\n", support.script([[
      collectgarbage()
      local kept = container.memfd("kept", "")
      -- Owned by nobody from the start, and closed when the collector comes by.
      for _ = 1, 4 do
        container.open("/")
      end
      print(select(2, container.wait(container.clone({}, function()
        container.close_others { kept, kept, kept, kept }
        for i = 1, 1000000 do
          local _ = { i }
        end
        local lost = 0
        for number = 3, 6 do
          lost = lost + (container.stat(number) and 0 or 1)
        end
        return lost
      end))))]]).stdout)
  end)

  it("has those after the first `pass` of them closed by the next program", function()
    assert.equal("contents\n1\n", support.script([[
      local a, b = container.memfd("a", "contents"), container.memfd("b", "")
      assert(container.close_others({ a, b }, 1))
      assert(container.stat(4))
      container.exec { "sh", "-c", "cat /proc/self/fd/3; echo; cat /proc/self/fd/4 2>&1 >&2 "
        .. "| grep -c 'No such file'" }]]).stdout)
  end)

  it("begins at another number, and closes what is below", function()
    support.needs("native")
    apart(function()
      local before = open_files()
      local a = assert(container.memfd("a", ""))
      local b = assert(container.memfd("b", ""))
      assert.is_true(container.close_others({ a, b }, 0, 40))
      assert.same({ [0] = before[0], before[1], before[2], [40] = "/memfd:a (deleted)",
        [41] = "/memfd:b (deleted)" }, open_files())
      assert.is_true(container.close_others({ 41, 40 }, 0, 4))
      assert.same({ [0] = before[0], before[1], before[2], [4] = "/memfd:b (deleted)",
        [5] = "/memfd:a (deleted)" }, open_files())
    end)
    support.raises("out of range", container.close_others, {}, 0, 2)
  end)

  it("takes 256 fds", function()
    apart(function()
      local list = {}
      for i = 1, 256 do
        list[i] = 0
      end
      assert(container.close_others(list))
      assert.is_truthy(flags(258))
      assert.is_nil(flags(259))
    end)
  end)

  it("raises for more, and for what is no fd", function()
    local list = {}
    for i = 1, 257 do
      list[i] = 0
    end
    support.raises("too many fds", container.close_others, list)
    support.raises("out of range", container.close_others, { 0 }, 2)
    support.raises("table expected", container.close_others)
    support.raises("[1]: open fd expected, got table", container.close_others, { {} })
    support.raises("[1]: open fd expected, got number", container.close_others, { -1 })
  end)
end)

describe("container.dup2", function()
  it("gives an open file another number, which the next program gets", function()
    assert.equal("contents", support.script([[
      assert(container.dup2(container.memfd("a", "contents"), 9))
      container.exec { "cat", "/proc/self/fd/9" }]]).stdout)
  end)

  it("is refused a number beyond the limit", function()
    support.refused("dup2: Bad file descriptor", 9,
      support.child(function() return container.dup2(0, 1 << 30) end))
  end)

  it("raises for what is no fd and no number", function()
    support.raises("container.fd expected", container.dup2, "0", 1)
    support.raises("fd is closed", container.dup2, closed(), 1)
    support.raises("out of range", container.dup2, 0, -1)
  end)
end)

describe("container.open_stdio", function()
  it("opens /dev/null in place of each closed standard stream, and of no other", function()
    for how, expected in pairs {
      ["<&- >&- 2>&-"] = { "/dev/null", "/dev/null", "/dev/null" },
      [">&- </dev/zero 2>/dev/zero"] = { "/dev/zero", "/dev/null", "/dev/zero" },
      ["</dev/zero >/dev/zero 2>/dev/zero"] = { "/dev/zero", "/dev/zero", "/dev/zero" },
    } do
      local out = support.tmpdir() .. "/out"
      support.run(("%s -e %s 3>%s %s"):format(support.lua, support.quote([[
        local container = require "container"
        assert(container.open_stdio() == true)
        for number = 0, 2 do
          container.write(3, container.readlink("/proc/self/fd/" .. number) .. "\n")
        end]]), out, how))
      assert.equal(table.concat(expected, "\n") .. "\n", container.read_file(out))
    end
  end)
end)

describe("container.dup", function()
  it("is another number for the same file, above 2 and close-on-exec", function()
    local reader <close>, writer = container.pipe()
    local copy = container.dup(writer)
    writer:close()
    container.write(copy, "x")
    assert.equal("x", container.read(reader))
    assert.is_true(copy:fileno() > 2)
    assert.matches("flags:%s+0?2%d%d%d%d%d%d",
      container.read_file("/proc/self/fdinfo/" .. copy:fileno()))
    copy:close()
    support.refused("fcntl F_DUPFD_CLOEXEC: Bad file descriptor", "EBADF", container.dup(100000))
  end)

  it("takes a file of Lua's", function()
    local temporary <close> = io.tmpfile()
    local copy <close> = container.dup(temporary)
    assert.equal(container.stat(temporary).ino, container.stat(copy).ino)
  end)
end)

describe("container.dup2 and close", function()
  it("give a child other standard streams, and none", function()
    local reader, writer = container.pipe()
    local _ <close> = reader
    local _ <close> = writer
    local pid = container.clone({}, function()
      container.dup2(writer, 1)
      container.close(0)
      return container.exec { "sh", "-c", "echo out; [ -e /proc/self/fd/0 ] || echo none" }
    end)
    support.wait(pid)
    writer:close()
    assert.equal("out\nnone\n", container.read(reader))
  end)

  it("keep a file over exec that has its number already", function()
    local reader, writer = container.pipe()
    local _ <close> = reader
    local _ <close> = writer
    local pid = container.clone({}, function()
      container.dup2(writer, writer:fileno())
      return container.exec { "sh", "-c", "[ -e /proc/self/fd/" .. writer:fileno() .. " ]" }
    end)
    assert.same({ "exit", 0 }, { support.wait(pid) })
  end)

  it("answer what the kernel refuses", function()
    support.refused("dup2: Bad file descriptor", "EBADF", container.dup2(100000, 100001))
    support.refused("close: Bad file descriptor", "EBADF", container.close(100000))
  end)
end)
