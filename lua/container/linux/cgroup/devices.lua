-- Which devices may be opened and made in a cgroup: OCI's linux.resources.devices as the lines that
-- version 1 wants, or as a program of the kernel's own machine for version 2.
-- cgroup-v1/devices, cgroup-v2 "Device controller"

local sys = require "container.sys"

local devices = {}

-- struct bpf_insn, and what we need of its codes. bpf-helpers(7), "instruction-set"
local INSTRUCTION <const> = "<BBi2i4"
local LOAD <const> = 0x61 -- dst = *(u32 *)(src + offset)
local MOVE <const>, COPY <const> = 0xb4, 0xbc -- of 32 bits: dst = immediate, dst = src
local AND <const>, SHIFT <const> = 0x54, 0x74 -- of 32 bits: dst &= immediate, dst >>= immediate
local UNLESS_EQUAL <const>, EXIT <const> = 0x55, 0x95

-- struct bpf_cgroup_dev_ctx: u32 access_type, major, minor.
local TYPES <const> = { b = 1, c = 2 }
local RIGHTS <const> = { m = 1, r = 2, w = 4 }
local ALL <const> = 7

local function instruction(code, dst, src, offset, immediate)
  return INSTRUCTION:pack(code, dst | src << 4, offset, immediate)
end

--- The program: of a request r2 is the type, r3 the access, r4 the major, r5 the minor number. It
-- is let through by the first rule that has room for it.
-- @tparam table rules OCI's; the first says that nothing is allowed
-- @treturn string
function devices.program(rules)
  local code = {
    instruction(LOAD, 3, 1, 0, 0), instruction(COPY, 2, 3, 0, 0),
    instruction(AND, 2, 0, 0, 0xffff), instruction(SHIFT, 3, 0, 0, 16),
    instruction(LOAD, 4, 1, 4, 0), instruction(LOAD, 5, 1, 8, 0),
  }
  for _, rule in ipairs(rules) do
    if rule.allow then
      local rights = 0
      for letter in rule.access:gmatch(".") do
        rights = rights | RIGHTS[letter]
      end
      -- Tests of this rule, each of which leads to the next rule when it fails.
      local tests = { { 2, TYPES[rule.type] }, { 1, 0 }, rule.major and { 4, rule.major },
        rule.minor and { 5, rule.minor } }
      local count = 2 + (rule.major and 1 or 0) + (rule.minor and 1 or 0)
      if not rule.major then
        tests[3] = tests[4]
      end
      local body = { instruction(COPY, 1, 3, 0, 0), instruction(AND, 1, 0, 0, ALL & ~rights) }
      for i = 1, count do
        body[#body + 1] = instruction(UNLESS_EQUAL, tests[i][1], 0, count - i + 2, tests[i][2])
      end
      code[#code + 1] = table.concat(body)
      code[#code + 1] = instruction(MOVE, 0, 0, 0, 1) .. instruction(EXIT, 0, 0, 0, 0)
    end
  end
  code[#code + 1] = instruction(MOVE, 0, 0, 0, 0) .. instruction(EXIT, 0, 0, 0, 0)
  return table.concat(code)
end

local function line(rule)
  return ("%s %s:%s %s"):format(rule.type, rule.major or "*", rule.minor or "*", rule.access)
end

--- Has the rules hold.
-- @tparam table entry home { version, path, lock }
-- @tparam table rules
-- @return true; or nil, message, errno
function devices.apply(entry, rules)
  if entry.version == 2 then
    local program <close>, message, errno = sys.bpf_device(devices.program(rules))
    if not program then
      return nil, "devices: " .. message, errno, "devices"
    end
    local ok
    ok, message, errno = sys.bpf_attach_device(entry.lock, program)
    return ok, not ok and "devices: " .. message or nil, errno, "devices"
  end
  local ok, message, errno = sys.write_file(entry.path .. "/devices.deny", "a")
  for _, rule in ipairs(ok and rules or {}) do
    if rule.allow then
      ok, message, errno = sys.write_file(entry.path .. "/devices.allow", line(rule))
    end
    if not ok then
      break
    end
  end
  return ok, not ok and "devices: " .. message or nil, errno, "devices"
end

return devices
