local devices = require "container.linux.cgroup.devices"
local sys = require "container.sys"

local RULES <const> = {
  { allow = false, type = "a", access = "rwm" },
  { allow = true, type = "c", access = "m" }, { allow = true, type = "b", access = "m" },
  { allow = true, type = "c", major = 1, minor = 3, access = "rwm" },
  { allow = true, type = "b", major = 7, access = "r" },
}

describe("devices.program", function()
  it("is one that the kernel takes, of rules for both types of device #root", function()
    local program <close> = assert(sys.bpf_device(devices.program(RULES)))
    assert.truthy(program)
  end)

  -- What the kernel's machine would answer: kind and access as in struct bpf_cgroup_dev_ctx.
  local function ask(rules, kind, access, major, minor)
    local code, r, at = devices.program(rules), {}, 1
    local request = { [0] = kind | access << 16, [4] = major, [8] = minor }
    while true do
      local op, registers, offset, value = ("<BBi2i4"):unpack(code, at)
      local dst, src = registers & 15, registers >> 4
      at = at + 8
      if op == 0x61 then r[dst] = request[offset]
      elseif op == 0xb4 then r[dst] = value
      elseif op == 0xbc then r[dst] = r[src]
      elseif op == 0x54 then r[dst] = r[dst] & value
      elseif op == 0x74 then r[dst] = r[dst] >> value
      elseif op == 0x55 then at = at + (r[dst] ~= value and offset * 8 or 0)
      elseif op == 0x15 then at = at + (r[dst] == value and offset * 8 or 0)
      else
        return assert(op == 0x95) and r[0] == 1
      end
    end
  end

  local BLOCK <const>, CHAR <const> = 1, 2
  local MAKE <const>, READ <const>, WRITE <const> = 1, 2, 4

  it("lets nothing through when no rule allows it", function()
    assert.is_false(ask({}, CHAR, READ, 1, 3))
    assert.is_false(ask({ RULES[1] }, CHAR, READ, 1, 3))
  end)

  it("looks at the type, the numbers and the access", function()
    assert.is_true(ask(RULES, CHAR, MAKE, 9, 9))
    assert.is_true(ask(RULES, CHAR, READ | WRITE, 1, 3))
    assert.is_false(ask(RULES, BLOCK, READ, 1, 3))
    assert.is_false(ask(RULES, CHAR, READ, 1, 4))
    assert.is_true(ask(RULES, BLOCK, READ, 7, 250))
    assert.is_false(ask(RULES, BLOCK, READ | WRITE, 7, 250))
  end)

  it("lets the last rule that speaks of an access decide", function()
    local rules = {
      { allow = true, type = "a", access = "rwm" },
      { allow = false, type = "b", major = 8, access = "w" },
      { allow = true, type = "b", major = 8, minor = 1, access = "rw" },
    }
    assert.is_true(ask(rules, CHAR, READ | WRITE, 8, 0))
    assert.is_true(ask(rules, BLOCK, READ, 8, 0))
    assert.is_false(ask(rules, BLOCK, READ | WRITE, 8, 0))
    assert.is_true(ask(rules, BLOCK, READ | WRITE, 8, 1))
  end)

  it("adds up what several rules allow", function()
    local rules = { { allow = true, type = "c", major = 1, access = "r" },
      { allow = true, type = "c", minor = 3, access = "w" } }
    assert.is_true(ask(rules, CHAR, READ | WRITE, 1, 3))
    assert.is_false(ask(rules, CHAR, READ | WRITE, 1, 4))
  end)
end)
