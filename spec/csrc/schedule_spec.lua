local support = require "spec.support"
local sys = require "container.sys"

local function status(field)
  return sys.read_file("/proc/self/status"):match(field .. ":%s*([^\n]*)")
end

describe("sys.sched_setaffinity", function()
  it("leaves the processors that it names", function()
    assert.equal("0", support.child(function()
      assert(sys.sched_setaffinity { 0 })
      return status "Cpus_allowed_list"
    end))
  end)

  it("refuses what is none", function()
    local ok, message, errno = sys.sched_setaffinity { 1023 }
    assert.is_nil(ok)
    assert.matches("^sched_setaffinity: ", message)
    assert.equal(sys.errno.EINVAL, errno)
    support.raises("out of range", sys.sched_setaffinity, { 1024 })
    support.raises("out of range", sys.sched_setaffinity, { -1 })
  end)
end)

describe("sys.sched_setattr", function()
  it("sets a policy and how nice it is", function()
    assert.same({ "3", "5" }, { support.child(function()
      assert(sys.sched_setattr("batch", 5, 0, "reset_on_fork"))
      local fields = {}
      for field in sys.read_file("/proc/self/stat"):match(".*%) (.*)"):gmatch("%S+") do
        fields[#fields + 1] = field
      end
      return fields[39], fields[17]
    end) })
  end)

  it("refuses what is none", function()
    support.raises("invalid option 'best'", sys.sched_setattr, "best")
    support.raises("out of range", sys.sched_setattr, "other", 20)
    support.raises("unknown flag 'a'", sys.sched_setattr, "other", 0, 0, "a")
    local ok, message, errno = sys.sched_setattr("deadline")
    assert.is_nil(ok)
    assert.matches("^sched_setattr deadline: ", message)
    assert.is_number(errno)
  end)
end)

describe("sys.ioprio_set", function()
  it("refuses what is none", function()
    support.raises("invalid option 'best'", sys.ioprio_set, "best")
    support.raises("out of range", sys.ioprio_set, "be", 8)
    assert.is_true(support.child(function()
      return sys.ioprio_set("be", 7)
    end))
  end)
end)

describe("sys.set_mempolicy", function()
  it("refuses what is none", function()
    support.raises("invalid option 'best'", sys.set_mempolicy, "best")
    support.raises("out of range", sys.set_mempolicy, "bind", { 1024 })
    local ok, message = sys.set_mempolicy("bind", { 900 })
    assert.is_nil(ok)
    assert.matches("^set_mempolicy bind: ", message)
  end)
end)

describe("sys.personality", function()
  it("changes what machine a process believes to be on", function()
    assert.is_true(support.child(function()
      local before = sys.uname().machine
      assert(sys.personality "linux32")
      return sys.uname().machine ~= before
    end))
    support.raises("invalid option 'bsd'", sys.personality, "bsd")
  end)
end)
