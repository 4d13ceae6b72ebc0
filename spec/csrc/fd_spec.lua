local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local function octal(text)
  return tonumber(text, 8)
end

-- Whether the kernel knows a number as an open file, and its flags, from the outside.
local function flags(number)
  local info = sys.read_file("/proc/self/fdinfo/" .. number)
  return info and octal(info:match("flags:%s+(%d+)"))
end

local O_CLOEXEC <const> = octal("2000000")

local function closed()
  local fd = assert(sys.open("/"))
  fd:close()
  return fd
end

describe("an fd", function()
  it("shows its number, and whether it is closed", function()
    local fd = assert(sys.open("/"))
    assert.equal("container.fd (" .. fd:fileno() .. ")", tostring(fd))
    fd:close()
    assert.equal("container.fd (closed)", tostring(fd))
    assert.is_nil(fd:fileno())
  end)

  it("is closed by close, once", function()
    local fd = assert(sys.open("/"))
    local number = fd:fileno()
    assert.is_true(fd:close())
    assert.is_nil(flags(number))
    -- The number is another's now, and not for the old owner to close.
    local other <close> = assert(sys.open("/"))
    assert.equal(number, other:fileno())
    assert.is_true(fd:close())
    assert.is_truthy(flags(number))
  end)

  it("is closed at the end of its scope, also by an error", function()
    local number
    pcall(function()
      local fd <close> = assert(sys.open("/"))
      number = fd:fileno()
      assert.is_truthy(flags(number))
      error("out")
    end)
    assert.is_nil(flags(number))
  end)

  it("is closed by the collector", function()
    local number = assert(sys.open("/")):fileno()
    collectgarbage()
    collectgarbage()
    assert.is_nil(flags(number))
  end)

  it("raises when it is used after it was closed", function()
    local fd = closed()
    support.raises("fd is closed", sys.read, fd)
    support.raises("fd is closed", sys.write, fd, "x")
    support.raises("fd is closed", sys.flock, fd)
    support.raises("[1]: open fd expected, got a closed one", sys.ppoll, { fd }, 0)
    support.raises("fd is closed", sys.stat, fd)
    support.raises("fd is closed", sys.chdir, fd)
    support.raises("fd is closed", sys.open, "x", "rdonly", nil, fd)
    support.raises("fd is closed", sys.open_beneath, fd, "x")
    support.raises("fd is closed", sys.mkdir, "x", nil, fd)
    support.raises("[2]: open fd expected, got a closed one", sys.close_others, { 0, fd })
    support.raises("fd is closed", sys.wait, fd)
    support.raises("fd is closed", sys.isatty, fd)
  end)

  it("has methods for nothing else", function()
    local fd <close> = assert(sys.open("/"))
    support.raises("container.fd expected", fd.close, {})
    support.raises("container.fd expected", fd.close, io.stdout)
    support.raises("container.fd expected", fd.fileno, 0)
    support.raises("container.fd expected", getmetatable(fd).__gc, "x")
  end)

  it("is close-on-exec, whatever made it", function()
    local makers = {
      open = function() return sys.open("/") end,
      pipe = sys.pipe,
      socketpair = sys.socketpair,
      memfd = function() return sys.memfd("x", "") end,
      signalfd = function() return sys.signalfd({ "USR1" }) end,
      pidfd_open = function() return sys.pidfd_open(sys.getpid()) end,
      open_beneath = function()
        local root <close> = assert(sys.open("/", "path"))
        return sys.open_beneath(root, "etc")
      end,
    }
    for name, make in pairs(makers) do
      local first, second, errno = make()
      if errno ~= sys.errno.ENOSYS then
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
        local sys = require "container.sys"
        local numbers = ""
        for _ = 1, 2 do
          local a, b = sys.pipe()
          local c, d = sys.socketpair()
          for _, fd in ipairs { sys.open("/"), a, b, c, d, sys.memfd("x", ""),
            sys.signalfd({ "USR1" }), sys.pidfd_open(sys.getpid()) } do
            numbers = numbers .. fd:fileno() .. " "
          end
        end
        sys.write(3, numbers)]]), out))
    assert.equal(0, result.status)
    local count = 0
    for number in sys.read_file(out):gmatch("%d+") do
      count = count + 1
      assert.is_true(tonumber(number) > 3, number)
    end
    assert.equal(16, count)
  end)
end)

describe("sys.close_others", function()
  -- In a child that is left with nothing over which it could say more than its status.
  local function apart(fn)
    local pid = assert(sys.clone({}, function()
      fn()
      return 7
    end))
    assert.same({ "exit", 7 }, { support.wait(pid) })
  end

  local function open_files()
    local found = {}
    for _, number in ipairs(sys.list("/proc/self/fd")) do
      found[tonumber(number)] = sys.readlink("/proc/self/fd/" .. number)
    end
    return found
  end

  it("leaves 0, 1, 2 and the fds of the list, in its order from 3", function()
    support.needs("native")
    apart(function()
      local before = open_files()
      local a = assert(sys.memfd("a", ""))
      local b = assert(sys.memfd("b", ""))
      local c = assert(sys.memfd("c", ""))
      -- Each may sit where another has to go.
      assert.is_true(sys.close_others { c, a, b, c })
      assert.same({
        [0] = before[0], before[1], before[2], "/memfd:c (deleted)", "/memfd:a (deleted)",
        "/memfd:b (deleted)", "/memfd:c (deleted)",
      }, open_files())
      assert.is_true(sys.close_others { 6, 5, 4, 3 })
      assert.same({
        [0] = before[0], before[1], before[2], "/memfd:c (deleted)", "/memfd:b (deleted)",
        "/memfd:a (deleted)", "/memfd:c (deleted)",
      }, open_files())
      assert.is_true(sys.close_others {})
      assert.same({ [0] = before[0], before[1], before[2] }, open_files())
    end)
  end)

  it("hands them over to the program that is executed", function()
    assert.equal("contents", support.script([[
      assert(sys.close_others { sys.memfd("x", "contents") })
      sys.exec { "cat", "/proc/self/fd/3" }]]).stdout)
  end)

  it("keeps them from the collector, which finds their old owners", function()
    assert.equal("0\n", support.script([[
      collectgarbage()
      local kept = sys.memfd("kept", "")
      -- Owned by no process from the start, and closed when the collector comes by.
      for _ = 1, 4 do
        sys.open("/")
      end
      print(select(2, sys.wait(sys.clone({}, function()
        sys.close_others { kept, kept, kept, kept }
        for i = 1, 1000000 do
          local _ = { i }
        end
        local lost = 0
        for number = 3, 6 do
          lost = lost + (sys.stat(number) and 0 or 1)
        end
        return lost
      end))))]]).stdout)
  end)

  it("has those after the first `pass` of them closed by the next program", function()
    assert.equal("contents\n1\n", support.script([[
      local a, b = sys.memfd("a", "contents"), sys.memfd("b", "")
      assert(sys.close_others({ a, b }, 1))
      assert(sys.stat(4))
      sys.exec { "sh", "-c", "cat /proc/self/fd/3; echo; cat /proc/self/fd/4 2>&1 >&2 "
        .. "| grep -c 'No such file'" }]]).stdout)
  end)

  it("begins at another number, and closes what is below", function()
    support.needs("native")
    apart(function()
      local before = open_files()
      local a = assert(sys.memfd("a", ""))
      local b = assert(sys.memfd("b", ""))
      assert.is_true(sys.close_others({ a, b }, 0, 40))
      assert.same({ [0] = before[0], before[1], before[2], [40] = "/memfd:a (deleted)",
        [41] = "/memfd:b (deleted)" }, open_files())
      assert.is_true(sys.close_others({ 41, 40 }, 0, 4))
      assert.same({ [0] = before[0], before[1], before[2], [4] = "/memfd:b (deleted)",
        [5] = "/memfd:a (deleted)" }, open_files())
    end)
    support.raises("out of range", sys.close_others, {}, 0, 2)
  end)

  it("takes 256 fds", function()
    apart(function()
      local list = {}
      for i = 1, 256 do
        list[i] = 0
      end
      assert(sys.close_others(list))
      assert.is_truthy(flags(258))
      assert.is_nil(flags(259))
    end)
  end)

  it("raises for more, and for what is no fd", function()
    local list = {}
    for i = 1, 257 do
      list[i] = 0
    end
    support.raises("too many fds", sys.close_others, list)
    support.raises("out of range", sys.close_others, { 0 }, 2)
    support.raises("table expected", sys.close_others)
    support.raises("[1]: open fd expected, got table", sys.close_others, { {} })
    support.raises("[1]: open fd expected, got number", sys.close_others, { -1 })
  end)
end)

describe("sys.dup2", function()
  it("gives an open file another number, which the next program gets", function()
    assert.equal("contents", support.script([[
      assert(sys.dup2(sys.memfd("a", "contents"), 9))
      sys.exec { "cat", "/proc/self/fd/9" }]]).stdout)
  end)

  it("is refused a number beyond the limit", function()
    support.refused("dup2: Bad file descriptor", 9,
      support.child(function() return sys.dup2(0, 1 << 30) end))
  end)

  it("raises for what is no fd and no number", function()
    support.raises("container.fd expected", sys.dup2, "0", 1)
    support.raises("fd is closed", sys.dup2, closed(), 1)
    support.raises("out of range", sys.dup2, 0, -1)
  end)
end)

describe("sys.open_stdio", function()
  it("opens /dev/null in place of each closed standard stream, and of no other", function()
    for how, expected in pairs {
      ["<&- >&- 2>&-"] = { "/dev/null", "/dev/null", "/dev/null" },
      [">&- </dev/zero 2>/dev/zero"] = { "/dev/zero", "/dev/null", "/dev/zero" },
      ["</dev/zero >/dev/zero 2>/dev/zero"] = { "/dev/zero", "/dev/zero", "/dev/zero" },
    } do
      local out = support.tmpdir() .. "/out"
      support.run(("%s -e %s 3>%s %s"):format(support.lua, support.quote([[
        local sys = require "container.sys"
        assert(sys.open_stdio() == true)
        for number = 0, 2 do
          sys.write(3, sys.readlink("/proc/self/fd/" .. number) .. "\n")
        end]]), out, how))
      assert.equal(table.concat(expected, "\n") .. "\n", sys.read_file(out))
    end
  end)

  it("does so with one that an exec would close, before an exec", function()
    -- A sanitizer has to be the first of them.
    local result = support.run(("LD_PRELOAD=$LD_PRELOAD:%s %s -e %s </dev/zero"):format(
      command.program "fleeting", support.lua, support.quote([[
        local sys = require "container.sys"
        assert(sys.open_stdio() == true)
        print(sys.readlink("/proc/self/fd/0"))
        assert(sys.open_stdio(true) == true)
        print(sys.readlink("/proc/self/fd/0"), sys.stat("/proc/self/fd/3") == nil)]])))
    assert.equal("/dev/zero\n/dev/null\ttrue\n", result.stdout, result.stderr)
  end)
end)

describe("sys.dup", function()
  it("is another number for the same file, above 2 and close-on-exec", function()
    local reader <close>, writer = sys.pipe()
    local copy = sys.dup(writer)
    writer:close()
    sys.write(copy, "x")
    assert.equal("x", sys.read(reader))
    assert.is_true(copy:fileno() > 2)
    assert.matches("flags:%s+0?2%d%d%d%d%d%d",
      sys.read_file("/proc/self/fdinfo/" .. copy:fileno()))
    copy:close()
    support.refused("fcntl F_DUPFD_CLOEXEC: Bad file descriptor", "EBADF", sys.dup(100000))
  end)

  it("takes a file of Lua's", function()
    local temporary <close> = io.tmpfile()
    local copy <close> = sys.dup(temporary)
    assert.equal(sys.stat(temporary).ino, sys.stat(copy).ino)
  end)
end)

describe("sys.dup2 and close", function()
  it("give a child other standard streams, and none", function()
    local reader, writer = sys.pipe()
    local _ <close> = reader
    local _ <close> = writer
    local pid = sys.clone({}, function()
      sys.dup2(writer, 1)
      sys.close(0)
      return sys.exec { "sh", "-c", "echo out; [ -e /proc/self/fd/0 ] || echo none" }
    end)
    support.wait(pid)
    writer:close()
    assert.equal("out\nnone\n", sys.read(reader))
  end)

  it("keep a file over exec that has its number already", function()
    local reader, writer = sys.pipe()
    local _ <close> = reader
    local _ <close> = writer
    local pid = sys.clone({}, function()
      sys.dup2(writer, writer:fileno())
      return sys.exec { "sh", "-c", "[ -e /proc/self/fd/" .. writer:fileno() .. " ]" }
    end)
    assert.same({ "exit", 0 }, { support.wait(pid) })
  end)

  it("answer what the kernel refuses", function()
    support.refused("dup2: Bad file descriptor", "EBADF", sys.dup2(100000, 100001))
    support.refused("close: Bad file descriptor", "EBADF", sys.close(100000))
  end)
end)
