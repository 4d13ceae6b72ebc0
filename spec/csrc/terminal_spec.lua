local container = require "container"
local support = require "spec.support"

-- Runs a piece of Lua on a terminal of its own, which script(1) makes, and answers what it printed.
local function on_terminal(text, command)
  support.needs("script")
  local program = support.tmpdir() .. "/program"
  local file <close> = io.open(program, "w")
  file:write("local container = require 'container'\n", text)
  file:close()
  local result = support.run(("script -qec %s /dev/null"):format(support.quote(
    (command or "%s"):format(support.lua .. " " .. program))))
  return (result.stdout:gsub("\r", ""))
end

describe("container.isatty", function()
  it("knows a terminal", function()
    assert.equal("true\ttrue\ttrue\n", on_terminal(
      "print(container.isatty(0), container.isatty(1), container.isatty(2))"))
  end)

  it("knows what is none", function()
    local fd <close> = assert(container.open("/dev/null"))
    assert.is_false(container.isatty(fd))
    assert.is_false(container.isatty(100000))
  end)

  it("raises for what is no fd", function()
    support.raises("container.fd expected", container.isatty)
    support.raises("container.fd expected", container.isatty, "1")
  end)
end)

describe("container.tcgetpgrp", function()
  it("answers the group that proc says the terminal belongs to", function()
    local said = on_terminal([[
      local rest = container.read_file("/proc/self/stat"):match("%) (.*)")
      print(container.tcgetpgrp(0), rest:match("^%S+ %S+ %S+ %S+ %S+ (%d+)"))]])
    local group, seen = said:match("^(%d+)\t(%d+)\n$")
    assert.is_string(group, said)
    assert.equal(seen, group)
  end)

  it("is refused what is no terminal", function()
    local fd <close> = assert(container.open("/dev/null"))
    support.refused("tcgetpgrp: Inappropriate ioctl for device", 25, container.tcgetpgrp(fd))
  end)

  it("raises for what is no fd", function()
    support.raises("container.fd expected", container.tcgetpgrp, "tty")
  end)
end)

describe("container.tcsetpgrp", function()
  it("gives the terminal to a group, from the background, without being stopped", function()
    -- With -m, sh gives each job a group of its own and keeps the terminal.
    local said = on_terminal([[
      local group = math.tointeger(container.read_file("/proc/self/stat"):match("%) %S+ %S+ (%d+)"))
      local mask = container.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)")
      print(container.tcgetpgrp(0) == group, container.tcsetpgrp(0, group),
        container.tcgetpgrp(0) == group,
        mask == container.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)"))]],
      "sh -mc \"%s </dev/tty & wait\"")
    assert.matches("false\ttrue\ttrue\ttrue\n", said)
  end)

  it("is refused a group that is not there", function()
    assert.equal("nil\ttcsetpgrp: No such process\t3\n", on_terminal(
      "print(container.tcsetpgrp(0, 1 << 30))"))
  end)

  it("is refused what is no terminal, and leaves the mask of signals as it was", function()
    local fd <close> = assert(container.open("/dev/null"))
    local before = container.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)")
    support.refused("tcsetpgrp: Inappropriate ioctl for device", 25, container.tcsetpgrp(fd, 1))
    assert.equal(before, container.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)"))
  end)

  it("raises for what is no fd and no group", function()
    support.raises("container.fd expected", container.tcsetpgrp, {}, 1)
    support.raises("number out of range", container.tcsetpgrp, 0, 0)
    support.raises("number out of range", container.tcsetpgrp, 0, 1 << 31)
    support.raises("number expected", container.tcsetpgrp, 0)
  end)
end)

-- A pseudoterminal: its two sides, held by the first.
local function pair()
  local master = assert(container.open("/dev/ptmx", "rdwr,noctty"))
  assert(container.unlockpt(master))
  local slave = assert(container.open_slave(master))
  return setmetatable({}, { __close = function()
    slave:close()
    master:close()
  end }), slave, master
end

-- What stty says of it.
local function modes(fd)
  return support.run(("stty -a -F /proc/%d/fd/%d"):format(container.getpid(),
    fd:fileno())).stdout
end

describe("container.tcgetattr, tcsetattr and cfmakeraw", function()
  it("take a terminal's settings, make them raw, and put them back", function()
    local _ <close>, slave, master = pair()
    local settings = assert(container.tcgetattr(slave))
    local before = modes(slave)
    assert.matches("[^-]icanon", before)
    assert.is_true(container.tcsetattr(slave, container.cfmakeraw(settings)))
    local raw = modes(slave)
    for _, word in ipairs { "icanon", "echo", "isig", "opost", "icrnl", "ixon" } do
      assert.matches("%-" .. word, raw)
    end
    assert.is_true(container.tcsetattr(master, settings)) -- either side
    assert.equal(before, modes(slave))
    assert.equal(settings, container.tcgetattr(slave))
  end)

  it("are refused what is no terminal", function()
    local _ <close>, slave = pair()
    local settings = container.tcgetattr(slave)
    local fd <close> = assert(container.open("/dev/null"))
    support.refused("tcgetattr: Inappropriate ioctl for device", 25, container.tcgetattr(fd))
    support.refused("tcsetattr: Inappropriate ioctl for device", 25,
      container.tcsetattr(fd, settings))
  end)

  it("raise for what are no settings", function()
    support.raises("not the settings of a terminal", container.tcsetattr, 0, "raw")
    support.raises("not the settings of a terminal", container.cfmakeraw, "")
    support.raises("string expected", container.cfmakeraw)
    support.raises("container.fd expected", container.tcgetattr, "tty")
    support.raises("container.fd expected", container.tcsetattr, nil, "")
  end)
end)

describe("container.tcgetwinsize and tcsetwinsize", function()
  it("tell and set the size of a terminal, from either side", function()
    local _ <close>, slave, master = pair()
    assert.same({ 0, 0 }, { container.tcgetwinsize(slave) })
    assert.is_true(container.tcsetwinsize(master, 24, 80))
    assert.same({ 24, 80 }, { container.tcgetwinsize(slave) })
    assert.matches("rows 24; columns 80;", modes(slave))
    assert.is_true(container.tcsetwinsize(slave, 65535, 1))
    assert.same({ 65535, 1 }, { container.tcgetwinsize(master) })
  end)

  it("are refused what is no terminal", function()
    local fd <close> = assert(container.open("/dev/null"))
    support.refused("ioctl TIOCGWINSZ: Inappropriate ioctl for device", 25,
      container.tcgetwinsize(fd))
    support.refused("ioctl TIOCSWINSZ: Inappropriate ioctl for device", 25,
      container.tcsetwinsize(fd, 24, 80))
  end)

  it("raise for what is no size", function()
    support.raises("number out of range", container.tcsetwinsize, 0, -1, 80)
    support.raises("number out of range", container.tcsetwinsize, 0, 24, 65536)
    support.raises("number expected", container.tcsetwinsize, 0, 24)
  end)
end)

describe("container.unlockpt and open_slave", function()
  it("open the other side of a pseudoterminal, which is no controlling terminal", function()
    local master <close> = assert(container.open("/dev/ptmx", "rdwr,noctty"))
    support.refused("ioctl TIOCGPTPEER: Input/output error", "EIO", container.open_slave(master))
    assert.is_true(container.unlockpt(master))
    local slave <close> = assert(container.open_slave(master))
    assert.matches("^/dev/pts/%d+$", container.readlink("/proc/self/fd/" .. slave:fileno()))
    container.write(master, "a line\n")
    assert.equal("a line\n", container.read(slave))
    assert.equal("0", support.child(function()
      container.setsid()
      local other <close> = assert(container.open_slave(master))
      assert(container.isatty(other))
      return container.read_file("/proc/self/stat"):match("%) %S+ %S+ %S+ %S+ (%S+)")
    end))
  end)

  it("are refused what is no master", function()
    local _ <close>, slave = pair()
    local fd <close> = assert(container.open("/dev/null"))
    for _, wrong in ipairs { slave, fd } do
      local ok, message, errno = container.open_slave(wrong)
      assert.is_nil(ok)
      assert.matches("^ioctl TIOCGPTPEER: ", message)
      assert.is_truthy(errno == 5 or errno == 25)
    end
    support.refused("ioctl TIOCSPTLCK: Inappropriate ioctl for device", 25,
      container.unlockpt(fd))
  end)

  it("raise for what is no fd", function()
    support.raises("container.fd expected", container.unlockpt, {})
    support.raises("container.fd expected", container.open_slave)
  end)
end)

describe("container.tiocsctty", function()
  it("makes a terminal that of a new session", function()
    local _ <close>, slave = pair()
    assert.same({ true, true, true }, { support.child(function()
      local session = container.setsid()
      local done = container.tiocsctty(slave)
      return done, container.tcgetpgrp(slave) == session, container.open("/dev/tty") ~= nil
    end) })
  end)

  it("is refused to who leads no session, and leaves another its terminal", function()
    local _ <close>, slave = pair()
    assert.same({ 1, true, 1 }, { support.child(function()
      local early = select(3, container.tiocsctty(slave))
      container.setsid()
      assert(container.tiocsctty(slave))
      local late = select(3, support.child(function()
        container.setsid()
        return container.tiocsctty(slave)
      end))
      return early, container.tcgetpgrp(slave) == container.getpgrp(), late
    end) })
  end)

  it("is refused what is no terminal, and raises for what is no fd", function()
    local fd <close> = assert(container.open("/dev/null"))
    support.refused("ioctl TIOCSCTTY: Inappropriate ioctl for device", 25,
      container.tiocsctty(fd))
    support.raises("container.fd expected", container.tiocsctty, "tty")
  end)
end)
