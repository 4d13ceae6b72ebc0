local sys = require "container.sys"
local support = require "spec.support"

-- Runs a piece of Lua on a terminal of its own, which script(1) makes, and answers what it printed.
local function on_terminal(text, command)
  support.needs("script")
  local program = support.tmpdir() .. "/program"
  local file <close> = io.open(program, "w")
  file:write("local sys = require 'container.sys'\n", text)
  file:close()
  local result = support.run(("script -qec %s /dev/null"):format(support.quote(
    (command or "%s"):format(support.lua .. " " .. program))))
  return (result.stdout:gsub("\r", ""))
end

describe("sys.isatty", function()
  it("knows a terminal", function()
    assert.equal("true\ttrue\ttrue\n", on_terminal(
      "print(sys.isatty(0), sys.isatty(1), sys.isatty(2))"))
  end)

  it("knows what is none", function()
    local fd <close> = assert(sys.open("/dev/null"))
    assert.is_false(sys.isatty(fd))
    assert.is_false(sys.isatty(100000))
  end)

  it("raises for what is no fd", function()
    support.raises("container.fd expected", sys.isatty)
    support.raises("container.fd expected", sys.isatty, "1")
  end)
end)

describe("sys.is_canonical", function()
  it("knows whether lines are read, or bytes", function()
    assert.equal("true\tfalse\n", on_terminal([[
      local settings = sys.tcgetattr(0)
      print(sys.is_canonical(settings), sys.is_canonical(sys.cfmakeraw(settings)))]]))
  end)

  it("raises for what is no settings", function()
    support.raises("not the settings of a terminal", sys.is_canonical, "x")
    support.raises("string expected", sys.is_canonical)
  end)
end)

describe("sys.tcgetpgrp", function()
  it("answers the group that proc says the terminal belongs to", function()
    local said = on_terminal([[
      local rest = sys.read_file("/proc/self/stat"):match("%) (.*)")
      print(sys.tcgetpgrp(0), rest:match("^%S+ %S+ %S+ %S+ %S+ (%d+)"))]])
    local group, seen = said:match("^(%d+)\t(%d+)\n$")
    assert.is_string(group, said)
    assert.equal(seen, group)
  end)

  it("is refused what is no terminal", function()
    local fd <close> = assert(sys.open("/dev/null"))
    support.refused("tcgetpgrp: Inappropriate ioctl for device", 25, sys.tcgetpgrp(fd))
  end)

  it("raises for what is no fd", function()
    support.raises("container.fd expected", sys.tcgetpgrp, "tty")
  end)
end)

describe("sys.tcsetpgrp", function()
  it("gives the terminal to a group, from the background, without being stopped", function()
    -- With -m, sh gives each job a group of its own and keeps the terminal.
    local said = on_terminal([[
      local group = math.tointeger(sys.read_file("/proc/self/stat"):match("%) %S+ %S+ (%d+)"))
      local mask = sys.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)")
      print(sys.tcgetpgrp(0) == group, sys.tcsetpgrp(0, group),
        sys.tcgetpgrp(0) == group,
        mask == sys.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)"))]],
      "sh -mc \"%s </dev/tty & wait\"")
    assert.matches("false\ttrue\ttrue\ttrue\n", said)
  end)

  it("is refused a group that is not there", function()
    assert.equal("nil\ttcsetpgrp: No such process\t3\n", on_terminal(
      "print(sys.tcsetpgrp(0, 1 << 30))"))
  end)

  it("is refused what is no terminal, and leaves the mask of signals as it was", function()
    local fd <close> = assert(sys.open("/dev/null"))
    local before = sys.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)")
    support.refused("tcsetpgrp: Inappropriate ioctl for device", 25, sys.tcsetpgrp(fd, 1))
    assert.equal(before, sys.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)"))
  end)

  it("raises for what is no fd and no group", function()
    support.raises("container.fd expected", sys.tcsetpgrp, {}, 1)
    support.raises("number out of range", sys.tcsetpgrp, 0, 0)
    support.raises("number out of range", sys.tcsetpgrp, 0, 1 << 31)
    support.raises("number expected", sys.tcsetpgrp, 0)
  end)
end)

-- A pseudoterminal: its two sides, held by the first.
local function pair()
  local master = assert(sys.open("/dev/ptmx", "rdwr,noctty"))
  assert(sys.unlockpt(master))
  local slave = assert(sys.open_slave(master))
  return setmetatable({}, { __close = function()
    slave:close()
    master:close()
  end }), slave, master
end

-- What stty says of it.
local function modes(fd)
  return support.run(("stty -a -F /proc/%d/fd/%d"):format(sys.getpid(),
    fd:fileno())).stdout
end

describe("sys.tcgetattr, tcsetattr and cfmakeraw", function()
  it("take a terminal's settings, make them raw, and put them back", function()
    local _ <close>, slave, master = pair()
    local settings = assert(sys.tcgetattr(slave))
    local before = modes(slave)
    assert.matches("[^-]icanon", before)
    assert.is_true(sys.tcsetattr(slave, sys.cfmakeraw(settings)))
    local raw = modes(slave)
    for _, word in ipairs { "icanon", "echo", "isig", "opost", "icrnl", "ixon" } do
      assert.matches("%-" .. word, raw)
    end
    assert.is_true(sys.tcsetattr(master, settings)) -- either side
    assert.equal(before, modes(slave))
    assert.equal(settings, sys.tcgetattr(slave))
  end)

  it("are refused what is no terminal", function()
    local _ <close>, slave = pair()
    local settings = sys.tcgetattr(slave)
    local fd <close> = assert(sys.open("/dev/null"))
    support.refused("tcgetattr: Inappropriate ioctl for device", 25, sys.tcgetattr(fd))
    support.refused("tcsetattr: Inappropriate ioctl for device", 25,
      sys.tcsetattr(fd, settings))
  end)

  it("raise for what are no settings", function()
    support.raises("not the settings of a terminal", sys.tcsetattr, 0, "raw")
    support.raises("not the settings of a terminal", sys.cfmakeraw, "")
    support.raises("string expected", sys.cfmakeraw)
    support.raises("container.fd expected", sys.tcgetattr, "tty")
    support.raises("container.fd expected", sys.tcsetattr, nil, "")
  end)
end)

describe("sys.tcgetwinsize and tcsetwinsize", function()
  it("tell and set the size of a terminal, from either side", function()
    local _ <close>, slave, master = pair()
    assert.same({ 0, 0 }, { sys.tcgetwinsize(slave) })
    assert.is_true(sys.tcsetwinsize(master, 24, 80))
    assert.same({ 24, 80 }, { sys.tcgetwinsize(slave) })
    assert.matches("rows 24; columns 80;", modes(slave))
    assert.is_true(sys.tcsetwinsize(slave, 65535, 1))
    assert.same({ 65535, 1 }, { sys.tcgetwinsize(master) })
  end)

  it("are refused what is no terminal", function()
    local fd <close> = assert(sys.open("/dev/null"))
    support.refused("ioctl TIOCGWINSZ: Inappropriate ioctl for device", 25,
      sys.tcgetwinsize(fd))
    support.refused("ioctl TIOCSWINSZ: Inappropriate ioctl for device", 25,
      sys.tcsetwinsize(fd, 24, 80))
  end)

  it("raise for what is no size", function()
    support.raises("number out of range", sys.tcsetwinsize, 0, -1, 80)
    support.raises("number out of range", sys.tcsetwinsize, 0, 24, 65536)
    support.raises("number expected", sys.tcsetwinsize, 0, 24)
  end)
end)

describe("sys.unlockpt and open_slave", function()
  it("open the other side of a pseudoterminal, which is no controlling terminal", function()
    local master <close> = assert(sys.open("/dev/ptmx", "rdwr,noctty"))
    support.refused("ioctl TIOCGPTPEER: Input/output error", "EIO", sys.open_slave(master))
    assert.is_true(sys.unlockpt(master))
    local slave <close> = assert(sys.open_slave(master))
    assert.matches("^/dev/pts/%d+$", sys.readlink("/proc/self/fd/" .. slave:fileno()))
    sys.write(master, "a line\n")
    assert.equal("a line\n", sys.read(slave))
    assert.equal("0", support.child(function()
      sys.setsid()
      local other <close> = assert(sys.open_slave(master))
      assert(sys.isatty(other))
      return sys.read_file("/proc/self/stat"):match("%) %S+ %S+ %S+ %S+ (%S+)")
    end))
  end)

  it("are refused what is no master", function()
    local _ <close>, slave = pair()
    local fd <close> = assert(sys.open("/dev/null"))
    for _, wrong in ipairs { slave, fd } do
      local ok, message, errno = sys.open_slave(wrong)
      assert.is_nil(ok)
      assert.matches("^ioctl TIOCGPTPEER: ", message)
      assert.is_truthy(errno == 5 or errno == 25)
    end
    support.refused("ioctl TIOCSPTLCK: Inappropriate ioctl for device", 25,
      sys.unlockpt(fd))
  end)

  it("raise for what is no fd", function()
    support.raises("container.fd expected", sys.unlockpt, {})
    support.raises("container.fd expected", sys.open_slave)
  end)
end)

describe("sys.tiocsctty", function()
  it("makes a terminal that of a new session", function()
    local _ <close>, slave = pair()
    assert.same({ true, true, true }, { support.child(function()
      local session = sys.setsid()
      local done = sys.tiocsctty(slave)
      return done, sys.tcgetpgrp(slave) == session, sys.open("/dev/tty") ~= nil
    end) })
  end)

  it("is refused to who leads no session, and leaves another its terminal", function()
    local _ <close>, slave = pair()
    assert.same({ 1, true, 1 }, { support.child(function()
      local early = select(3, sys.tiocsctty(slave))
      sys.setsid()
      assert(sys.tiocsctty(slave))
      local late = select(3, support.child(function()
        sys.setsid()
        return sys.tiocsctty(slave)
      end))
      return early, sys.tcgetpgrp(slave) == sys.getpgrp(), late
    end) })
  end)

  it("is refused what is no terminal, and raises for what is no fd", function()
    local fd <close> = assert(sys.open("/dev/null"))
    support.refused("ioctl TIOCSCTTY: Inappropriate ioctl for device", 25,
      sys.tiocsctty(fd))
    support.raises("container.fd expected", sys.tiocsctty, "tty")
  end)
end)
