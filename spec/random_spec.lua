-- All that is asked for, at random: options and profiles that are right, and then changed in places
-- at random. Each answer is a description or a refusal by field, never an error, and
-- to give it nothing of the host is changed.

local sys = require "container.sys"
local profile = require "container.linux.seccomp.profile"
local spec = require "container.config.spec"

local SEED <const> = math.tointeger(os.getenv("SPEC_SEED") or 1)
local ROUNDS <const> = 4000

-- What a look at options may ask the kernel.
local ASKS <const> = {
  capability_name = true, capability_names = true, capget = true, geteuid = true,
  stat = true,
}

local random = math.random

local function pick(list)
  return list[random(#list)]
end

local function noise()
  local bytes = {}
  for i = 1, random(0, 40) do
    bytes[i] = string.char(random(0, 255))
  end
  return table.concat(bytes)
end

local function hostile()
  local function raise()
    error("asked")
  end
  return setmetatable({ "x" }, { __index = raise, __len = raise, __pairs = raise, __eq = raise,
    __tostring = raise, __name = 1, __concat = raise, __call = raise })
end

-- Values of every type, and the odd ones among them.
local function value(depth)
  local kind = random(1, 14)
  if kind <= 2 then
    return noise()
  elseif kind == 3 then
    return pick { "", "/", "..", "\0", "%s%n%d", "max", "ALL", "\n", ("x"):rep(5000), "/a/../b" }
  elseif kind == 4 then
    return pick { 0, -1, 1, 1 << 31, 1 << 62, math.mininteger, math.maxinteger }
  elseif kind == 5 then
    return pick { 0.5, -0.0, 1e300, math.huge, -math.huge, 0 / 0 }
  elseif kind == 6 then
    return random(2) == 1
  elseif kind == 7 then
    return pick { print, io.stdout, coroutine.create(print), hostile() }
  elseif kind == 8 or depth > 3 then
    return nil
  end
  local t = {}
  for _ = 1, random(0, 4) do
    local key = pick { 1, 2, 3, random(-5, 1000), noise(), 1.5, true, "name", "names", "read" }
    t[key] = value(depth + 1)
  end
  return t
end

-- The same bytes but for a few.
local function bent(text)
  for _ = 1, random(1, 3) do
    local at = random(0, #text)
    local what = pick { "", ":", "/", ",", ".", "\0", "=", "{", "\"", noise() }
    text = text:sub(1, at) .. what .. text:sub(at + random(1, 3))
  end
  return text
end

local function copy(t)
  if type(t) ~= "table" then
    return t
  end
  local new = {}
  for key, entry in pairs(t) do
    new[copy(key)] = copy(entry)
  end
  return new
end

-- Changes one place somewhere in a table.
local function change(t)
  local keys = {}
  for key in next, t do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  local key = #keys > 0 and pick(keys)
  if not key or random(8) == 1 then
    t[pick { 1, #t + 1, #t + 3, "unknown", noise(), 2.5 }] = value(0)
  elseif type(t[key]) == "table" and random(3) > 1 and not getmetatable(t[key]) then
    change(t[key])
  elseif type(t[key]) == "string" and random(2) == 1 then
    t[key] = bent(t[key])
  else
    t[key] = value(0)
  end
end

local OPTIONS <const> = {
  "sh", "-c", "true",
  name = "box", rootfs = "/", hostname = "box", env = { "A=b", C = "d" }, cwd = "/tmp",
  volumes = { "/:/a:ro", "/etc:/b:rro,nocopy" }, pids = 7, init = true, user = "nobody:0",
  cap_add = { "net_admin" }, cap_drop = { "ALL" }, no_new_privileges = true, seccomp = "default",
  masked_paths = { "/proc/x" }, readonly_paths = { "/sys/x" }, privileged = false,
  readonly = true, tmpfs = { "/x:size=64k,mode=700" }, network = "none", announce = false,
}

local PROFILE <const> = {
  defaultAction = "SCMP_ACT_ERRNO", defaultErrnoRet = 1,
  architectures = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86" },
  archMap = { { architecture = "SCMP_ARCH_X86_64", subArchitectures = { "SCMP_ARCH_X86" } } },
  syscalls = {
    { names = { "read", "write" }, action = "SCMP_ACT_ALLOW" },
    { names = { "clone" }, action = "SCMP_ACT_ERRNO", errnoRet = 38,
      args = { { index = 0, value = 2114060288, valueTwo = 0, op = "SCMP_CMP_MASKED_EQ" } },
      includes = { caps = { "CAP_SYS_ADMIN" }, arches = { "amd64" }, minKernel = "4.8" },
      excludes = { caps = { "CAP_SYS_CHROOT" } } },
  },
}

local PROFILE_TEXT <const> = [[{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
  { "names": [ "read", "\u0077rite" ], "action": "SCMP_ACT_ALLOW", "args": [
    { "index": 0, "value": 1e3, "op": "SCMP_CMP_EQ" } ] } ] }]]

-- Runs with the kernel out of reach but for questions.
local function without_kernel(fn)
  local kept = {}
  for name, original in pairs(sys) do
    if type(original) == "function" and not ASKS[name] then
      kept[name] = original
    end
  end
  for name in pairs(kept) do
    sys[name] = function()
      error("calls container." .. name, 0)
    end
  end
  local ok, why = pcall(fn)
  for name, original in pairs(kept) do
    sys[name] = original
  end
  assert(ok, why)
end

-- `answer` gives what a change was answered with; `look` says what is wrong with that, if anything.
local function each(base, answer, look)
  math.randomseed(SEED)
  local taken, refused = 0, 0
  without_kernel(function()
    for round = 1, ROUNDS do
      local given = copy(base)
      for _ = 1, random(1, 2) do
        change(given)
      end
      local got = table.pack(pcall(answer, given))
      local wrong = not got[1] and "raises " .. tostring(got[2]) or look(got[2], got[3])
      if wrong then
        error(("round %d of SPEC_SEED=%d %s"):format(round, SEED, wrong), 0)
      end
      taken, refused = taken + (got[2] and 1 or 0), refused + (got[2] and 0 or 1)
    end
  end)
  -- Neither is always so, or this would try nothing.
  assert.is_true(taken > ROUNDS / 200, "taken: " .. taken)
  assert.is_true(refused > ROUNDS / 50, "refused: " .. refused)
end

-- A message is one sentence for a person: nothing of the interpreter's own.
local function sentence(message)
  if type(message) ~= "string" then
    return "has no message but " .. tostring(message)
  elseif message:find("attempt to ", 1, true) or message:find("%.lua:%d+:") then
    return "says " .. message
  end
end

describe("options at random", function()
  it("are described or refused by their field, and nothing is done", function()
    each(OPTIONS, spec.read, function(c, err)
      if c then
        return type(c.config) ~= "table" and "has no description" or nil
      elseif type(err) ~= "table" or err.step ~= "spec" or type(err.subject) ~= "string"
        or err.subject == "" or err.message:sub(1, #err.subject + 2) ~= err.subject .. ": "
        or tostring(err) ~= "spec: " .. err.message then
        return "is refused by " .. tostring(err)
      end
      return sentence(err.message)
    end)
  end)
end)

describe("profiles of seccomp at random", function()
  it("are resolved or refused in a sentence", function()
    each(PROFILE, function(given)
      return profile.resolve(given, { capabilities = { CAP_CHOWN = true },
        arch = "SCMP_ARCH_X86_64", kernel = "6.1.0" })
    end, function(resolved, message)
      return not resolved and sentence(message) or nil
    end)
  end)

  it("are read or refused in a sentence, as JSON", function()
    if not pcall(require, "cjson") then
      pending("needs lua-cjson")
    end
    each({ PROFILE_TEXT }, function(given)
      local text = given[1]
      for _ = 1, random(0, 3) do
        text = bent(type(text) == "string" and text or PROFILE_TEXT)
      end
      return profile.json(type(text) == "string" and text or PROFILE_TEXT)
    end, function(read, message)
      return not read and sentence(message) or nil
    end)
  end)
end)
