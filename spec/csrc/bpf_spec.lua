local container = require "container"
local support = require "spec.support"

-- r0 = 0; exit
local NOTHING <const> = "\xb4\0\0\0\0\0\0\0\x95\0\0\0\0\0\0\0"

describe("container.bpf_device", function()
  it("raises for what is no program", function()
    support.raises("not a program", container.bpf_device, "")
    support.raises("not a program", container.bpf_device, "1234567")
    support.raises("string expected", container.bpf_device)
  end)

  it("is refused a program that has no end #root", function()
    local fd, message, errno = container.bpf_device(NOTHING:sub(1, 8))
    assert.is_nil(fd)
    assert.matches("^bpf BPF_PROG_LOAD: ", message)
    assert.equal("integer", math.type(errno))
  end)

  it("is refused to an ordinary user", function()
    local result = support.as_user(support.lua .. [[ -e 'print(require("container").bpf_device(
      "\xb4\0\0\0\0\0\0\0\x95\0\0\0\0\0\0\0"))']])
    assert.matches("^nil\tbpf BPF_PROG_LOAD: Operation not permitted\t1\n$", result.stdout)
  end)

  it("decides for a cgroup #root #cgroup2", function()
    local program <close> = assert(container.bpf_device(NOTHING))
    local path = container.cgroup_place("pids") .. "/" .. support.name()
    assert(container.mkdir(path))
    local cgroup <close> = assert(container.open(path, "directory"))
    assert.is_true(container.bpf_attach_device(cgroup, program))
    local message = support.child(function()
      assert(container.write_file(path .. "/cgroup.procs", "0"))
      return select(2, container.open("/dev/null"))
    end)
    assert(container.rmdir(path))
    assert.equal("open /dev/null: Operation not permitted", message)
  end)
end)

describe("container.bpf_attach_device", function()
  it("raises for what is no fd", function()
    support.raises("fd", container.bpf_attach_device, "x", 0)
  end)

  it("is refused what is no cgroup #root", function()
    local null <close> = container.open("/dev/null")
    local ok, message = container.bpf_attach_device(null, null)
    assert.is_nil(ok)
    assert.matches("^bpf BPF_PROG_ATTACH: ", message)
  end)
end)
