local sys = require "container.sys"
local support = require "spec.support"

local function octal(text)
  return tonumber(text, 8)
end

-- As stat(1) sees it.
local function seen(path, format)
  return (support.run(("stat -c %s %s"):format(support.quote(format), path)).stdout:gsub("\n", ""))
end

local function open_directory(path)
  return assert(sys.open(path, "path,directory"))
end

describe("sys.mkdir", function()
  it("makes a directory with the mode that is given, less the umask", function()
    local path = support.tmpdir()
    assert.is_true(sys.mkdir(path .. "/a"))
    assert.is_true(sys.mkdir(path .. "/b", octal("1777")))
    assert.equal("directory 755", seen(path .. "/a", "%F %a"))
    assert.equal("directory 1755", seen(path .. "/b", "%F %a"))
  end)

  it("starts from a directory that is given", function()
    local path = support.tmpdir()
    local dir <close> = open_directory(path)
    assert.is_true(sys.mkdir("a", nil, dir))
    assert.equal("directory", seen(path .. "/a", "%F"))
  end)

  it("is refused what is there, and what has no parent", function()
    support.refused("mkdir /: File exists", "EEXIST", sys.mkdir("/"))
    support.refused("mkdir /nope/x: No such file or directory", "ENOENT",
      sys.mkdir("/nope/x"))
  end)

  it("raises for what is no path, mode or directory", function()
    support.raises("string expected, got number", sys.mkdir, 5)
    support.raises("NUL byte", sys.mkdir, "/a\0b")
    support.raises("number out of range", sys.mkdir, "/", octal("10000"))
    support.raises("number expected", sys.mkdir, "/", "rwx")
    support.raises("container.fd expected", sys.mkdir, "x", nil, "/")
  end)
end)

describe("sys.rmdir", function()
  it("takes an empty directory away", function()
    local path = support.tmpdir()
    local dir <close> = open_directory(path)
    sys.mkdir(path .. "/a")
    sys.mkdir(path .. "/b")
    assert.is_true(sys.rmdir(path .. "/a"))
    assert.is_true(sys.rmdir("b", dir))
    assert.equal("", support.run("ls -A " .. path).stdout)
  end)

  it("is refused one that is not empty, and what is none", function()
    local path = support.tmpdir()
    sys.mkdir(path .. "/a")
    support.refused(("rmdir %s: Directory not empty"):format(path), 39, sys.rmdir(path))
    support.refused("rmdir /nope: No such file or directory", "ENOENT", sys.rmdir("/nope"))
    sys.mknod(path .. "/file", "file", 0)
    support.refused(("rmdir %s/file: Not a directory"):format(path), "ENOTDIR",
      sys.rmdir(path .. "/file"))
  end)

  it("raises for what is no path or directory", function()
    support.raises("string expected", sys.rmdir)
    support.raises("NUL byte", sys.rmdir, "\0")
    support.raises("container.fd expected", sys.rmdir, "x", {})
  end)
end)

describe("sys.symlink and readlink", function()
  it("make a link and say what it says", function()
    local path = support.tmpdir()
    local dir <close> = open_directory(path)
    assert.is_true(sys.symlink("/any/where", path .. "/a"))
    assert.is_true(sys.symlink("a", "b", dir))
    assert.equal("/any/where\na\n", support.run(("cd %s && readlink a && readlink b"):format(path))
      .stdout)
    assert.equal("/any/where", sys.readlink(path .. "/a"))
    assert.equal("a", sys.readlink("b", dir))
  end)

  it("answer the longest there is", function()
    local path, target = support.tmpdir() .. "/a", ("x"):rep(4095)
    assert(sys.symlink(target, path))
    assert.is_true(sys.readlink(path) == target)
  end)

  it("are refused what is there, and what is no link", function()
    support.refused("symlink /: File exists", "EEXIST", sys.symlink("x", "/"))
    support.refused("readlink /: Invalid argument", "EINVAL", sys.readlink("/"))
    support.refused("readlink /nope: No such file or directory", "ENOENT",
      sys.readlink("/nope"))
  end)

  it("raise for what is no path or directory", function()
    support.raises("string expected, got number", sys.symlink, 5, "x")
    support.raises("string expected, got number", sys.symlink, "x", 5)
    support.raises("NUL byte", sys.symlink, "a\0b", "x")
    support.raises("NUL byte", sys.symlink, "x", "a\0b")
    support.raises("container.fd expected", sys.symlink, "x", "y", "/")
    support.raises("string expected", sys.readlink)
    support.raises("NUL byte", sys.readlink, "a\0b")
    support.raises("container.fd expected", sys.readlink, "x", "/")
  end)
end)

describe("sys.chown", function()
  it("gives a file, and not what a link leads to, to a user and a group #root", function()
    local path = support.tmpdir()
    local dir <close> = open_directory(path)
    sys.mknod(path .. "/file", "file", octal("600"))
    sys.symlink("file", path .. "/link")
    assert.is_true(sys.chown(path .. "/link", 1, 2))
    assert.equal("0 0", seen(path .. "/file", "%u %g"))
    assert.equal("1 2", seen(path .. "/link", "%u %g"))
    assert.is_true(sys.chown("file", 3, (1 << 32) - 2, dir))
    assert.equal("3 4294967294", seen(path .. "/file", "%u %g"))
  end)

  it("gives an open file to them #root", function()
    local path = support.tmpdir() .. "/file"
    local fd <close> = assert(sys.open(path, "wronly,creat"))
    assert.is_true(sys.chown(fd, 4, 5))
    assert.equal("4 5", seen(path, "%u %g"))
    local held <close> = assert(sys.open(path, "path"))
    support.refused("fchown: Bad file descriptor", 9, sys.chown(held, 4, 5))
  end)

  it("is refused a file that is not there, and to an ordinary user", function()
    local uid, gid = sys.geteuid()
    support.refused("chown /nope: No such file or directory", "ENOENT",
      sys.chown("/nope", uid, gid))
    assert.equal("nil\tchown /: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").chown("/", 1, 1))']]).stdout)
  end)

  it("raises for an id that is none: -1 would mean to leave it as it is", function()
    support.raises("number out of range", sys.chown, "/nope", -1, 0)
    support.raises("number out of range", sys.chown, "/nope", 0, -1)
    support.raises("number out of range", sys.chown, "/nope", (1 << 32) - 1, 0)
    support.raises("number expected", sys.chown, "/nope", "root", 0)
    support.raises("number expected", sys.chown, "/nope", 0)
    support.raises("container.fd expected", sys.chown, "x", 0, 0, "/")
  end)
end)

describe("sys.chmod", function()
  it("sets the bits of an open file, which may be a pipe", function()
    local path = support.tmpdir() .. "/file"
    local fd <close> = assert(sys.open(path, "wronly,creat"))
    assert.is_true(sys.chmod(fd, octal("4640")))
    assert.equal("4640", seen(path, "%a"))
    local reader <close>, writer = assert(sys.pipe())
    local _ <close> = writer
    assert.is_true(sys.chmod(writer, octal("622")))
    assert.equal(octal("622"), sys.stat(reader, "mode"))
    local held <close> = assert(sys.open(path, "path"))
    support.refused("fchmod: Bad file descriptor", 9, sys.chmod(held, 0))
  end)

  it("is refused to another user", function()
    assert.equal("nil\tfchmod: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'local sys = require "container.sys" print(sys.chmod(sys.open("/"), 511))']]).stdout)
  end)

  it("raises for what are no bits, and for a path", function()
    support.raises("number out of range", sys.chmod, 0, -1)
    support.raises("number out of range", sys.chmod, 0, octal("10000"))
    support.raises("number expected", sys.chmod, 0, "x")
    support.raises("container.fd expected", sys.chmod, "/nope", 0)
  end)
end)

describe("sys.mknod", function()
  it("makes a file and a fifo with the mode that is given, less the umask", function()
    local path = support.tmpdir()
    local dir <close> = open_directory(path)
    assert.is_true(sys.mknod(path .. "/file", "file", octal("4666")))
    assert.is_true(sys.mknod("fifo", "fifo", octal("777"), nil, nil, dir))
    assert.equal("regular empty file 4644", seen(path .. "/file", "%F %a"))
    assert.equal("fifo 755", seen(path .. "/fifo", "%F %a"))
  end)

  it("makes device nodes #root", function()
    local path = support.tmpdir()
    assert.is_true(sys.mknod(path .. "/null", "char", octal("666"), 1, 3))
    assert.is_true(sys.mknod(path .. "/block", "block", octal("600"), 250, 300))
    assert.equal("character special file 644 1 3", seen(path .. "/null", "%F %a %t %T"))
    assert.equal("block special file 600 fa 12c", seen(path .. "/block", "%F %a %t %T"))
  end)

  it("is refused what is there, and a device to an ordinary user", function()
    support.refused("mknod /: File exists", "EEXIST", sys.mknod("/", "file", 0))
    assert.equal("nil\tmknod /tmp/null: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").mknod("/tmp/null", "char", 0, 1, 3))']]).stdout)
  end)

  it("raises for what is no path, type, mode or directory", function()
    support.raises("string expected, got number", sys.mknod, 5, "file", 0)
    support.raises("NUL byte", sys.mknod, "\0", "file", 0)
    support.raises("'socket'", sys.mknod, "/nope/x", "socket", 0)
    support.raises("number expected", sys.mknod, "/nope/x", "file")
    support.raises("number out of range", sys.mknod, "/nope/x", "file", -1)
    support.raises("container.fd expected", sys.mknod, "x", "file", 0, 0, 0, "/")
  end)

  it("raises for the number of a device that is none", function()
    for _, number in ipairs { -1, 1 << 32, (1 << 32) + 1 } do
      support.raises("number out of range", sys.mknod, "/nope/x", "char", 0, number, 3)
      support.raises("number out of range", sys.mknod, "/nope/x", "char", 0, 1, number)
    end
  end)
end)

describe("sys.umask", function()
  it("sets the mask and answers the one before", function()
    local before, within, after = support.child(function()
      local before = sys.umask(octal("077"))
      local within = sys.read_file("/proc/self/status"):match("Umask:%s+(%d+)")
      return before, within, sys.umask(0)
    end)
    assert.equal(octal("022"), before)
    assert.equal("0077", within)
    assert.equal(octal("077"), after)
  end)

  it("raises for what is no mask", function()
    support.raises("number out of range", sys.umask, octal("1000"))
    support.raises("number out of range", sys.umask, -1)
    support.raises("number expected", sys.umask)
  end)
end)

describe("sys.list", function()
  it("answers the names in a directory, hidden ones too, but not . and ..", function()
    local path = support.tmpdir()
    assert.same({}, sys.list(path))
    for _, name in ipairs { "a", ".b", "..c", "d e" } do
      assert(sys.mknod(path .. "/" .. name, "file", 0))
    end
    local names = sys.list(path)
    table.sort(names)
    assert.same({ "..c", ".b", "a", "d e" }, names)
  end)

  it("is refused what is not there, and what is no directory", function()
    support.refused("opendir /nope: No such file or directory", "ENOENT", sys.list("/nope"))
    support.refused("opendir /proc/version: Not a directory", "ENOTDIR",
      sys.list("/proc/version"))
  end)

  it("raises for what is no path", function()
    support.raises("string expected", sys.list)
    support.raises("NUL byte", sys.list, "/\0")
  end)
end)

describe("sys.read_file", function()
  it("answers the whole of a file, without asking for its size", function()
    local path = support.tmpdir() .. "/file"
    sys.mknod(path, "file", octal("600"))
    for _, contents in ipairs { "", "a\0b\n", ("x"):rep(1 << 20) } do
      assert(sys.write_file(path, contents))
      assert.is_true(sys.read_file(path) == contents)
    end
    assert.equal(support.run("cat /proc/version").stdout, sys.read_file("/proc/version"))
  end)

  it("is refused what is not there, and a directory", function()
    support.refused("read /nope: No such file or directory", "ENOENT",
      sys.read_file("/nope"))
    support.refused("read /: Is a directory", 21, sys.read_file("/"))
  end)

  it("raises for what is no path", function()
    support.raises("string expected, got number", sys.read_file, 1)
    support.raises("NUL byte", sys.read_file, "/\0")
  end)
end)

describe("sys.write_file", function()
  it("writes over the start of a file that is there", function()
    local path = support.tmpdir()
    local dir <close> = open_directory(path)
    sys.mknod(path .. "/file", "file", octal("600"))
    assert.is_true(sys.write_file(path .. "/file", "contents"))
    assert.is_true(sys.write_file("file", "C\0", dir))
    assert.equal("C\0ntents", sys.read_file(path .. "/file"))
  end)

  it("writes in a single write", function()
    local path = support.tmpdir() .. "/fifo"
    sys.mknod(path, "fifo", octal("600"))
    local fifo <close> = assert(sys.open(path, "rdwr"))
    assert.is_true(sys.write_file(path, ("x"):rep(10000)))
    assert.equal(10000, #sys.read(fifo, 1 << 20))
  end)

  it("is refused what is not there, and what cannot be written", function()
    support.refused("write /nope: No such file or directory", "ENOENT",
      sys.write_file("/nope", ""))
    support.refused("write /: Is a directory", 21, sys.write_file("/", ""))
    support.refused("write /dev/full: No space left on device", "ENOSPC",
      sys.write_file("/dev/full", "x"))
  end)

  it("raises for what is no path, data or directory", function()
    support.raises("string expected, got number", sys.write_file, 1, "x")
    support.raises("NUL byte", sys.write_file, "/\0", "x")
    support.raises("string expected, got no value", sys.write_file, "/dev/null")
    support.raises("string expected, got table", sys.write_file, "/dev/null", {})
    support.raises("container.fd expected", sys.write_file, "x", "x", "/")
  end)
end)
