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
    support.raises("container.fd expected", container.isatty, io.stdout)
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
