local devices = require "container.linux.cgroup.devices"
local sys = require "container.sys"

local RULES <const> = {
  { allow = false, access = "rwm" },
  { allow = true, type = "c", access = "m" }, { allow = true, type = "b", access = "m" },
  { allow = true, type = "c", major = 1, minor = 3, access = "rwm" },
  { allow = true, type = "b", major = 7, access = "r" },
}

describe("devices.program", function()
  it("is one that the kernel takes, of rules for both types of device #root", function()
    local program <close> = assert(sys.bpf_device(devices.program(RULES)))
    assert.truthy(program)
  end)

  it("lets nothing through when no rule allows it", function()
    assert.equal(8 * 8, #devices.program { RULES[1] })
  end)

  it("tests the type of the device of each rule", function()
    local program = devices.program(RULES)
    local types = {}
    for i = 1, #program, 8 do
      local code, registers, _, value = ("<BBi2i4"):unpack(program, i)
      if code == 0x55 and registers == 2 then
        types[#types + 1] = value
      end
    end
    -- BPF_DEVCG_DEV_BLOCK is 1, BPF_DEVCG_DEV_CHAR 2.
    assert.same({ 2, 1, 2, 1 }, types)
  end)
end)
