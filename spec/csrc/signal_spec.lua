local container = require "container"
local support = require "spec.support"

-- The signals that this thread holds back, as a number, from the outside.
local function blocked()
  return tonumber(container.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)"), 16)
end

local function bit(number)
  return 1 << number - 1
end

describe("container.signal_name", function()
  it("answers the name that kill(1) knows", function()
    support.needs("busybox")
    local names = support.run("for i in $(seq 1 31); do busybox kill -l $i; done").stdout
    local number = 0
    for name in names:gmatch("%S+") do
      number = number + 1
      -- Which has two names.
      assert.equal(name == "POLL" and "IO" or name, container.signal_name(number))
    end
    assert.equal(31, number)
  end)

  it("answers the number where there is no name", function()
    for _, number in ipairs { 0, 32, 34, 64 } do
      assert.equal(tostring(number), container.signal_name(number))
    end
  end)

  it("raises for what is no signal", function()
    support.raises("number out of range", container.signal_name, -1)
    support.raises("number out of range", container.signal_name, 65)
    support.raises("number expected", container.signal_name, "TERM")
  end)
end)

describe("container.sigdefault", function()
  it("gives those signals their default back, and no others", function()
    local text = "trap '' USR1 USR2 TERM; exec " .. support.lua .. " -e " .. support.quote([[
      local container = require "container"
      assert(container.sigdefault { "USR1", "TERM" } == true)
      io.write(container.read_file("/proc/self/status"):match("SigIgn:%s+(%x+)"))]])
    local ignored = tonumber(support.run(text).stdout, 16)
    assert.equal(bit(12), ignored & (bit(10) | bit(12) | bit(15)))
  end)

  it("answers what the kernel refuses: of KILL nothing can be changed", function()
    support.refused("sigaction: Invalid argument", "EINVAL", container.sigdefault { "KILL" })
  end)

  it("raises for what is no set of signals", function()
    support.raises("not a set of signals", container.sigdefault, "TERM")
    support.raises("table expected", container.sigdefault, 1)
  end)
end)

describe("container.sigprocmask", function()
  it("blocks, unblocks and sets, and answers the mask before", function()
    local usr, both, term, back, before = support.child(function()
      local before = blocked()
      local mask = assert(container.sigprocmask("setmask", {}))
      container.sigprocmask("block", { "USR1" })
      local usr = blocked()
      container.sigprocmask("block", { "SIGTERM" })
      local both = blocked()
      container.sigprocmask("unblock", { 10 })
      local term = blocked()
      container.sigprocmask("setmask", mask)
      return usr, both, term, blocked(), before
    end)
    assert.same({ bit(10), bit(10) | bit(15), bit(15) }, { usr, both, term })
    assert.equal(before, back)
  end)

  it("answers a mask in which nothing is left to chance", function()
    local mask = assert(container.sigprocmask("block", {}))
    assert.equal(("<I8"):pack(blocked()), mask:sub(1, 8))
    assert.is_nil(mask:find("[^\0]", 9))
  end)

  it("holds back all but KILL and STOP, and what the C library keeps for itself", function()
    support.needs("native")
    local all = support.child(function()
      container.sigprocmask("block", "all")
      return blocked()
    end)
    assert.equal(-1 & ~(bit(9) | bit(19) | bit(32) | bit(33)), all)
  end)

  it("raises for how, a set or a signal it does not know", function()
    support.raises("'add'", container.sigprocmask, "add", {})
    support.raises("not a set of signals", container.sigprocmask, "block", "TERM")
    support.raises("'TREM'", container.sigprocmask, "block", { "TREM" })
    support.raises("number out of range", container.sigprocmask, "block", { 65 })
    support.raises("table expected", container.sigprocmask, "block")
  end)

  it("raises for 0, which is no signal that could be held back", function()
    support.raises("bad argument #2", container.sigprocmask, "block", { 0 })
  end)

  it("names the argument in which a wrong signal stands", function()
    support.raises("bad argument #2", container.sigprocmask, "block", { "TERM", {} })
    support.raises("bad argument #1", container.signalfd, { "TERM", {} })
  end)
end)

describe("container.signalfd and read_signal", function()
  it("answer the signals that came, with their senders", function()
    local number, how, sender, me, ready = support.child(function()
      container.sigprocmask("block", { "USR1", "USR2" })
      local fd = assert(container.signalfd { "USR1" })
      assert(not container.ppoll({ fd }, 0)[1])
      container.kill(container.getpid(), "USR2")
      assert(not container.ppoll({ fd }, 0)[1])
      container.kill(container.getpid(), "USR1")
      local ready = container.ppoll({ fd }, 0)[1]
      local number, how, sender = container.read_signal(fd)
      return number, how, sender, container.getpid(), ready
    end)
    assert.same({ 10, "process" }, { number, how })
    assert.equal(me, sender)
    assert.is_true(ready)
  end)

  it("tell a key of the terminal from a process", function()
    support.needs("script")
    local path = support.tmpdir()
    container.mknod(path .. "/ready", "fifo", tonumber("600", 8))
    local program = path .. "/program"
    local file <close> = io.open(program, "w")
    file:write(([[
      local container = require "container"
      container.sigprocmask("block", { "INT" })
      local fd = container.signalfd { "INT" }
      io.open(%q, "w"):close()
      container.ppoll({ fd }, 20)
      print(container.read_signal(fd))]]):format(path .. "/ready"))
    file:close()
    local key = ("{ read x <%s/ready; printf '\\003'; }"):format(path)
    local result = support.run(("%s | script -qec '%s %s' /dev/null"):format(key, support.lua,
      program))
    assert.matches("2\tkernel\t0", result.stdout)
  end)

  it("are refused where there is none", function()
    local fd <close> = assert(container.signalfd { "USR1" })
    support.refused("read signalfd: Resource temporarily unavailable", "EAGAIN",
      container.read_signal(fd))
  end)

  it("are refused an fd that is none of a signalfd", function()
    local reader, writer = assert(container.pipe())
    container.write(writer, "x")
    support.refused("read signalfd: Invalid argument", "EINVAL", container.read_signal(reader))
    writer:close()
    support.refused("read signalfd: Invalid argument", "EINVAL", container.read_signal(reader))
    reader:close()
  end)

  it("raise for what is no set and no fd", function()
    support.raises("table expected", container.signalfd)
    support.raises("not a set of signals", container.signalfd, "USR1")
    support.raises("'USR3'", container.signalfd, { "USR3" })
    support.raises("container.fd expected", container.read_signal, "x")
  end)
end)
