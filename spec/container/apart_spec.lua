local apart = require "container.apart"
local container = require "container"
local support = require "spec.support"

describe("apart.hear", function()
  it("answers all that the child writes, more than a pipe holds too", function()
    assert.equal("here and there", apart.hear({}, function(writer)
      assert(container.write(writer, "here "))
      assert(container.write(writer, "and there"))
    end))
    local zeros = apart.hear({}, function(writer)
      container.dup2(writer, 1)
      container.exec { "head", "-c", "200000", "/dev/zero" }
    end)
    assert.equal(("\0"):rep(200000), zeros)
  end)

  it("answers what was said before the child was killed", function()
    assert.equal("I am", apart.hear({}, function(writer)
      container.write(writer, "I am")
      container.kill(container.getpid(), "KILL")
    end))
  end)

  it("runs it in the namespaces, and none of it here #root", function()
    local name = container.gethostname()
    assert.equal("apart", apart.hear({ "uts" }, function(writer)
      container.sethostname("apart")
      container.write(writer, container.gethostname())
    end))
    assert.equal(name, container.gethostname())
  end)

  it("leaves the signal mask as it was", function()
    local before = container.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)")
    apart.hear({}, function() end)
    assert.equal(before, container.read_file("/proc/thread-self/status"):match("SigBlk:%s*(%x+)"))
  end)

  it("answers the refusal where no child can be made", function()
    local clone = container.clone_vm
    container.clone_vm = function()
      return nil, "clone: Resource temporarily unavailable", container.errno.EAGAIN
    end
    local answer = table.pack(apart.hear({}, function() end))
    container.clone_vm = clone
    support.refused("clone: Resource temporarily unavailable", "EAGAIN",
      table.unpack(answer, 1, answer.n))
  end)
end)
