local container = require "container"
local command = require "spec.fixtures.command"
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

  it("does so with one that an exec would close, before an exec", function()
    -- A sanitizer has to be the first of them.
    local result = support.run(("LD_PRELOAD=$LD_PRELOAD:%s %s -e %s </dev/zero"):format(
      command.program "fleeting", support.lua, support.quote([[
        local container = require "container"
        assert(container.open_stdio() == true)
        print(container.readlink("/proc/self/fd/0"))
        assert(container.open_stdio(true) == true)
        print(container.readlink("/proc/self/fd/0"), container.stat("/proc/self/fd/3") == nil)]])))
    assert.equal("/dev/zero\n/dev/null\ttrue\n", result.stdout, result.stderr)
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
