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
local UNLESS_EQUAL <const>, IF_EQUAL <const>, EXIT <const> = 0x55, 0x15, 0x95

-- struct bpf_cgroup_dev_ctx: u32 access_type, major, minor.
local TYPES <const> = { b = 1, c = 2 }
local RIGHTS <const> = { m = 1, r = 2, w = 4 }
local ALL <const> = 7

local function instruction(code, dst, src, offset, immediate)
  return INSTRUCTION:pack(code, dst | src << 4, offset, immediate)
end

--- The code of one rule: the last that speaks of a right decides about it, so what has not been
-- decided yet is in r3. An allowing rule takes its rights out of there, and the request is let
-- through when nothing is left; a denying one refuses a request that still has one of its rights.
local function of_rule(rule)
  local rights = 0
  for letter in rule.access:gmatch(".") do
    rights = rights | RIGHTS[letter]
  end
  local body
  if rule.allow then
    body = { instruction(AND, 3, 0, 0, ALL & ~rights), instruction(UNLESS_EQUAL, 3, 0, 2, 0),
      instruction(MOVE, 0, 0, 0, 1), instruction(EXIT, 0, 0, 0, 0) }
  else
    body = { instruction(COPY, 1, 3, 0, 0), instruction(AND, 1, 0, 0, rights),
      instruction(IF_EQUAL, 1, 0, 2, 0), instruction(MOVE, 0, 0, 0, 0),
      instruction(EXIT, 0, 0, 0, 0) }
  end
  -- Tests, each of which leads behind the rule when it fails.
  local tests, code = {}, {}
  for _, test in ipairs { { 2, TYPES[rule.type] or false }, { 4, rule.major or false },
    { 5, rule.minor or false } } do
    tests[#tests + 1] = test[2] and test or nil
  end
  for i, test in ipairs(tests) do
    code[i] = instruction(UNLESS_EQUAL, test[1], 0, #tests - i + #body, test[2])
  end
  return table.concat(code) .. table.concat(body)
end

--- The program: of a request r2 is the type, r3 the access, r4 the major, r5 the minor number.
-- @tparam table rules OCI's; what none of them allows is refused
-- @treturn string
function devices.program(rules)
  local code = {
    instruction(LOAD, 3, 1, 0, 0), instruction(COPY, 2, 3, 0, 0),
    instruction(AND, 2, 0, 0, 0xffff), instruction(SHIFT, 3, 0, 0, 16),
    instruction(LOAD, 4, 1, 4, 0), instruction(LOAD, 5, 1, 8, 0),
  }
  for i = #rules, 1, -1 do
    code[#code + 1] = of_rule(rules[i])
  end
  code[#code + 1] = instruction(MOVE, 0, 0, 0, 0) .. instruction(EXIT, 0, 0, 0, 0)
  return table.concat(code)
end

--- What version 1 has for a rule. Its "a" means all devices and all rights, whatever stands behind.
-- @treturn table array of lines
local function lines(rule)
  local rights = rule.access
  if not TYPES[rule.type] and not rule.major and not rule.minor and rights:find("r")
    and rights:find("w") and rights:find("m") then
    return { "a" }
  end
  local list = {}
  for _, kind in ipairs(TYPES[rule.type] and { rule.type } or { "b", "c" }) do
    list[#list + 1] = ("%s %s:%s %s"):format(kind, rule.major or "*", rule.minor or "*", rights)
  end
  return list
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
  local ok, message, errno = true, nil, nil
  for _, rule in ipairs(rules) do
    local file = entry.path .. (rule.allow and "/devices.allow" or "/devices.deny")
    for _, line in ipairs(ok and lines(rule) or {}) do
      ok, message, errno = sys.write_file(file, line)
    end
  end
  return ok, not ok and "devices: " .. message or nil, errno, "devices"
end

return devices
