local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"
local support = require "spec.support"

describe("apart.hear", function()
  it("answers all that the child writes, more than a pipe holds too", function()
    assert.equal("here and there", subprocess.hear({}, function(writer)
      assert(sys.write(writer, "here "))
      assert(sys.write(writer, "and there"))
    end))
    local zeros = subprocess.hear({}, function(writer)
      sys.dup2(writer, 1)
      sys.exec { "head", "-c", "200000", "/dev/zero" }
    end)
    assert.equal(("\0"):rep(200000), zeros)
  end)

  it("answers what was said before the child was killed", function()
    assert.equal("I am", subprocess.hear({}, function(writer)
      sys.write(writer, "I am")
      sys.kill(sys.getpid(), "KILL")
    end))
  end)

  it("runs it in the namespaces, and none of it here #root", function()
    local name = sys.gethostname()
    assert.equal("apart", subprocess.hear({ "uts" }, function(writer)
      sys.sethostname("apart")
      sys.write(writer, sys.gethostname())
    end))
    assert.equal(name, sys.gethostname())
  end)

  it("leaves the signal mask as it was", function()
    local before = sys.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)")
    subprocess.hear({}, function() end)
    assert.equal(before, sys.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)"))
  end)

  it("answers the refusal where no child can be made", function()
    local clone = sys.clone_vm
    sys.clone_vm = function()
      return nil, "clone: Resource temporarily unavailable", sys.errno.EAGAIN
    end
    local answer = table.pack(subprocess.hear({}, function() end))
    sys.clone_vm = clone
    support.refused("clone: Resource temporarily unavailable", "EAGAIN",
      table.unpack(answer, 1, answer.n))
  end)
end)
