local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"
local support = require "spec.support"

describe("apart.hear", function()
  it("answers all that the child writes, more than a pipe holds too", function()
    assert.equal("here and there", subprocess.output({}, function(writer)
      assert(sys.write(writer, "here "))
      assert(sys.write(writer, "and there"))
    end))
    local zeros = subprocess.output({}, function(writer)
      sys.dup2(writer, 1)
      sys.exec { "head", "-c", "200000", "/dev/zero" }
    end)
    assert.equal(("\0"):rep(200000), zeros)
  end)

  it("answers what was said before the child was killed", function()
    assert.equal("I am", subprocess.output({}, function(writer)
      sys.write(writer, "I am")
      sys.kill(sys.getpid(), "KILL")
    end))
  end)

  it("runs it in the namespaces, and none of it here #root", function()
    local name = sys.gethostname()
    assert.equal("apart", subprocess.output({ "uts" }, function(writer)
      sys.sethostname("apart")
      sys.write(writer, sys.gethostname())
    end))
    assert.equal(name, sys.gethostname())
  end)

  it("leaves the signal mask as it was", function()
    local before = sys.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)")
    subprocess.output({}, function() end)
    assert.equal(before, sys.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)"))
  end)

  it("answers the refusal where no child can be made", function()
    local clone = sys.clone_vm
    sys.clone_vm = function()
      return nil, "clone: Resource temporarily unavailable", sys.errno.EAGAIN
    end
    local answer = table.pack(subprocess.output({}, function() end))
    sys.clone_vm = clone
    support.refused("clone: Resource temporarily unavailable", "EAGAIN",
      table.unpack(answer, 1, answer.n))
  end)
end)

describe("apart.compute", function()
  local function children()
    return sys.read_file("/proc/thread-self/children")
  end

  it("answers what the function returns, and its refusal", function()
    local long = ("x"):rep(300000)
    assert.equal(long, subprocess.compute(30, function() return long end))
    assert.equal("", subprocess.compute(30, function() return "" end))
    support.refused("no such thing", "EINVAL", subprocess.compute(30, function()
      return nil, "no such thing"
    end))
  end)

  it("changes nothing here: memory, files, signal mask, children", function()
    local before, value = sys.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)"), 1
    local old, fds = children(), #sys.list("/proc/self/fd")
    subprocess.compute(30, function()
      value = 2
      return "done"
    end)
    assert.equal(1, value)
    assert.equal(fds, #sys.list("/proc/self/fd"))
    assert.equal(old, children())
    assert.equal(before, sys.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)"))
  end)

  it("ends what takes longer than it may", function()
    local old = children()
    support.refused("not done after 1 seconds", "ETIMEDOUT", subprocess.compute(1, function()
      while true do end
    end))
    assert.equal(old, children())
  end)

  it("says which signal ended it", function()
    support.refused("ended by SEGV", "EIO", subprocess.compute(30, function()
      sys.sigprocmask("unblock", "all")
      sys.kill(sys.getpid(), "SEGV")
    end))
  end)

  it("gives it a bounded amount of memory", function()
    local value, message = subprocess.compute(60, function()
      local ok, why = pcall(string.rep, "x", 3 << 29)
      return nil, ok and "there is no bound" or tostring(why)
    end)
    assert.is_nil(value)
    assert.equal("not enough memory", message)
  end)

  it("has no file of this process's but the standard ones and the one to write to", function()
    local file <close> = assert(sys.open("/proc/self/status"))
    assert.is_true(file:fileno() > 2)
    assert.equal("0 1 2 3", subprocess.compute(30, function()
      local names = sys.list("/proc/self/fd")
      table.sort(names)
      return table.concat(names, " ", 1, 4)
    end))
  end)
end)
