local sys = require "container.sys"
local support = require "spec.support"

-- r0 = 0; exit
local NOTHING <const> = "\xb4\0\0\0\0\0\0\0\x95\0\0\0\0\0\0\0"

describe("sys.bpf_device", function()
  it("raises for what is no program", function()
    support.raises("not a program", sys.bpf_device, "")
    support.raises("not a program", sys.bpf_device, "1234567")
    support.raises("string expected", sys.bpf_device)
  end)

  it("is refused a program that has no end #root", function()
    local fd, message, errno = sys.bpf_device(NOTHING:sub(1, 8))
    assert.is_nil(fd)
    assert.matches("^bpf BPF_PROG_LOAD: ", message)
    assert.equal("integer", math.type(errno))
  end)

  it("is refused to an ordinary user", function()
    local result = support.as_user(support.lua .. [[ -e 'print(require("container.sys").bpf_device(
      "\xb4\0\0\0\0\0\0\0\x95\0\0\0\0\0\0\0"))']])
    assert.matches("^nil\tbpf BPF_PROG_LOAD: Operation not permitted\t1\n$", result.stdout)
  end)

  it("decides for a cgroup #root #cgroup2", function()
    local program <close> = assert(sys.bpf_device(NOTHING))
    local path = sys.cgroup_place("pids") .. "/" .. support.name()
    assert(sys.mkdir(path))
    local cgroup <close> = assert(sys.open(path, "directory"))
    assert.is_true(sys.bpf_attach_device(cgroup, program))
    local message = support.child(function()
      assert(sys.write_file(path .. "/cgroup.procs", "0"))
      return select(2, sys.open("/dev/null"))
    end)
    assert(sys.rmdir(path))
    assert.equal("open /dev/null: Operation not permitted", message)
  end)
end)

describe("sys.bpf_attach_device", function()
  it("raises for what is no fd", function()
    support.raises("fd", sys.bpf_attach_device, "x", 0)
  end)

  it("is refused what is no cgroup #root", function()
    local null <close> = sys.open("/dev/null")
    local ok, message = sys.bpf_attach_device(null, null)
    assert.is_nil(ok)
    assert.matches("^bpf BPF_PROG_ATTACH: ", message)
  end)
end)
