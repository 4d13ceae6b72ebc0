local sys = require "container.sys"
local support = require "spec.support"

-- The signals that this thread holds back, as a number, from the outside.
local function blocked()
  return tonumber(sys.read_file("/proc/self/status"):match("SigBlk:%s+(%x+)"), 16)
end

local function bit(number)
  return 1 << number - 1
end

describe("sys.signal_name", function()
  it("answers the name that kill(1) knows", function()
    support.needs("busybox")
    local names = support.run("for i in $(seq 1 31); do busybox kill -l $i; done").stdout
    local number = 0
    for name in names:gmatch("%S+") do
      number = number + 1
      -- Which has two names.
      assert.equal(name == "POLL" and "IO" or name, sys.signal_name(number))
    end
    assert.equal(31, number)
  end)

  it("answers the number where there is no name", function()
    for _, number in ipairs { 0, 32, 34, 64 } do
      assert.equal(tostring(number), sys.signal_name(number))
    end
  end)

  it("raises for what is no signal", function()
    support.raises("number out of range", sys.signal_name, -1)
    support.raises("number out of range", sys.signal_name, 65)
    support.raises("number expected", sys.signal_name, "TERM")
  end)
end)

describe("sys.sigdefault", function()
  it("gives those signals their default back, and no others", function()
    local text = "trap '' USR1 USR2 TERM; exec " .. support.lua .. " -e " .. support.quote([[
      local sys = require "container.sys"
      assert(sys.sigdefault { "USR1", "TERM" } == true)
      io.write(sys.read_file("/proc/self/status"):match("SigIgn:%s+(%x+)"))]])
    local ignored = tonumber(support.run(text).stdout, 16)
    assert.equal(bit(12), ignored & (bit(10) | bit(12) | bit(15)))
  end)

  it("answers what the kernel refuses: of KILL nothing can be changed", function()
    support.refused("sigaction: Invalid argument", "EINVAL", sys.sigdefault { "KILL" })
  end)

  it("raises for what is no set of signals", function()
    support.raises("not a set of signals", sys.sigdefault, "TERM")
    support.raises("table expected", sys.sigdefault, 1)
  end)
end)

describe("sys.sigprocmask", function()
  it("blocks, unblocks and sets, and answers the mask before", function()
    local usr, both, term, back, before = support.child(function()
      local before = blocked()
      local mask = assert(sys.sigprocmask("setmask", {}))
      sys.sigprocmask("block", { "USR1" })
      local usr = blocked()
      sys.sigprocmask("block", { "SIGTERM" })
      local both = blocked()
      sys.sigprocmask("unblock", { 10 })
      local term = blocked()
      sys.sigprocmask("setmask", mask)
      return usr, both, term, blocked(), before
    end)
    assert.same({ bit(10), bit(10) | bit(15), bit(15) }, { usr, both, term })
    assert.equal(before, back)
  end)

  it("answers a mask in which nothing is left to chance", function()
    local mask = assert(sys.sigprocmask("block", {}))
    assert.equal(("<I8"):pack(blocked()), mask:sub(1, 8))
    assert.is_nil(mask:find("[^\0]", 9))
  end)

  it("holds back all but KILL and STOP, and what the C library keeps for itself", function()
    support.needs("native")
    local all = support.child(function()
      sys.sigprocmask("block", "all")
      return blocked()
    end)
    assert.equal(-1 & ~(bit(9) | bit(19) | bit(32) | bit(33)), all)
  end)

  it("raises for how, a set or a signal it does not know", function()
    support.raises("'add'", sys.sigprocmask, "add", {})
    support.raises("not a set of signals", sys.sigprocmask, "block", "TERM")
    support.raises("'TREM'", sys.sigprocmask, "block", { "TREM" })
    support.raises("number out of range", sys.sigprocmask, "block", { 65 })
    support.raises("table expected", sys.sigprocmask, "block")
  end)

  it("raises for 0, which is no signal that could be held back", function()
    support.raises("bad argument #2", sys.sigprocmask, "block", { 0 })
  end)

  it("names the argument in which a wrong signal stands", function()
    support.raises("bad argument #2", sys.sigprocmask, "block", { "TERM", {} })
    support.raises("bad argument #1", sys.signalfd, { "TERM", {} })
  end)
end)

describe("sys.signalfd and read_signal", function()
  it("answer the signals that came, with their senders", function()
    local number, how, sender, me, ready = support.child(function()
      sys.sigprocmask("block", { "USR1", "USR2" })
      local fd = assert(sys.signalfd { "USR1" })
      assert(not sys.ppoll({ fd }, 0)[1])
      sys.kill(sys.getpid(), "USR2")
      assert(not sys.ppoll({ fd }, 0)[1])
      sys.kill(sys.getpid(), "USR1")
      local ready = sys.ppoll({ fd }, 0)[1]
      local number, how, sender = sys.read_signal(fd)
      return number, how, sender, sys.getpid(), ready
    end)
    assert.same({ 10, "process" }, { number, how })
    assert.equal(me, sender)
    assert.is_true(ready)
  end)

  it("tell a key of the terminal from a process", function()
    support.needs("script")
    local path = support.tmpdir()
    sys.mknod(path .. "/ready", "fifo", tonumber("600", 8))
    local program = path .. "/program"
    local file <close> = io.open(program, "w")
    file:write(([[
      local sys = require "container.sys"
      sys.sigprocmask("block", { "INT" })
      local fd = sys.signalfd { "INT" }
      io.open(%q, "w"):close()
      sys.ppoll({ fd }, 20)
      print(sys.read_signal(fd))]]):format(path .. "/ready"))
    file:close()
    local key = ("{ read x <%s/ready; printf '\\003'; }"):format(path)
    local result = support.run(("%s | script -qec '%s %s' /dev/null"):format(key, support.lua,
      program))
    assert.matches("2\tkernel\t0", result.stdout)
  end)

  it("are refused where there is none", function()
    local fd <close> = assert(sys.signalfd { "USR1" })
    support.refused("read signalfd: Resource temporarily unavailable", "EAGAIN",
      sys.read_signal(fd))
  end)

  it("are refused an fd that is none of a signalfd", function()
    local reader, writer = assert(sys.pipe())
    sys.write(writer, "x")
    support.refused("read signalfd: Invalid argument", "EINVAL", sys.read_signal(reader))
    writer:close()
    support.refused("read signalfd: Invalid argument", "EINVAL", sys.read_signal(reader))
    reader:close()
  end)

  it("raise for what is no set and no fd", function()
    support.raises("table expected", sys.signalfd)
    support.raises("not a set of signals", sys.signalfd, "USR1")
    support.raises("'USR3'", sys.signalfd, { "USR3" })
    support.raises("container.fd expected", sys.read_signal, "x")
  end)
end)
