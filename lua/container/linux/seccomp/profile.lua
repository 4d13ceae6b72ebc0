-- A profile as it was written, in OCI's form or docker's, becomes one in OCI's form for this
-- machine and these capabilities. Shapes are checked here; the names of calls, actions and
-- operators by container.libseccomp, which knows them.
-- OCI runtime specification, config-linux, "Seccomp"; docker's own: includes, excludes, archMap

local check = require "container.check"
local json = require "container.json"
local notify = require "container.linux.seccomp.notify"

local refuse, expect, plain, array = check.refuse, check.expect, check.plain, check.array

local profile = {}

-- What JSON's numbers, which are floating, say exactly.
local EXACT_MAX <const> = 2 ^ 53
local ERRNO_MAX <const> = 4095
local INDEX_MAX <const> = 5

-- docker's names for architectures.
local DOCKER <const> = { SCMP_ARCH_X86_64 = "amd64", SCMP_ARCH_AARCH64 = "arm64" }

-- The flags, as container.seccomp names them, and the one that takes a listener.
local WAIT <const> = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
local FLAGS <const> = {
  SECCOMP_FILTER_FLAG_LOG = "log", SECCOMP_FILTER_FLAG_SPEC_ALLOW = "spec_allow",
  [WAIT] = "wait_killable",
  SECCOMP_FILTER_FLAG_TSYNC = "", -- the child has one thread
}

local PROFILE <const> = {
  defaultAction = "string", defaultErrnoRet = "number", defaultErrno = "string",
  architectures = "table", archMap = "table", flags = "table", syscalls = "table",
  listenerPath = "string", listenerMetadata = "string",
}
local ENTRY <const> = {
  names = "table", name = "string", action = "string", errnoRet = "number", errno = "string",
  args = "table", comment = "string", includes = "table", excludes = "table",
}
local ARG <const> = { index = "number", value = "number", valueTwo = "number", op = "string" }
local WHEN <const> = { caps = "table", arches = "table", minKernel = "string" }
local MAP <const> = { architecture = "string", subArchitectures = "table" }

--- A table of known fields, each of its type.
local function fields(field, value, known)
  for key, content in next, plain(field, value) do
    local kind = known[key]
    if not kind then
      refuse(field, ("unknown field %s"):format(check.shown(key)))
    end
    expect(type(content) == kind, ("%s.%s"):format(field, key), "a " .. kind, content)
  end
  return value
end

--- Every element of an array, or of none, through `read`.
local function each(field, value, read)
  local list = {}
  for i = 1, value and array(field, value) or 0 do
    list[#list + 1] = read(("%s[%d]"):format(field, i), rawget(value, i))
  end
  return list
end

local function text(field, value)
  return check.text(field, value)
end

local function integer(field, value, low, high)
  local exact = math.tointeger(value)
  expect(exact and (math.type(value) == "integer" or math.abs(value) <= EXACT_MAX), field,
    "an integer that JSON says exactly", value)
  expect(not low or exact >= low and exact <= high, field,
    ("an integer from %d to %d"):format(low or 0, high or 0), value)
  return exact
end

--- What may not be left out.
local function given_as(field, value, expected)
  return expect(value ~= nil, field, expected, value)
end

--- Beside the number there may be its name, which is not read.
local function errno(field, value, name)
  expect(not name or value, field, "the number of " .. tostring(name), value)
  return value and integer(field, value, 0, ERRNO_MAX)
end

local function argument(field, value)
  fields(field, value, ARG)
  return {
    index = integer(field .. ".index", value.index, 0, INDEX_MAX),
    value = integer(field .. ".value", value.value or 0),
    valueTwo = integer(field .. ".valueTwo", value.valueTwo or 0),
    op = given_as(field .. ".op", value.op, "an operator such as SCMP_CMP_EQ"),
  }
end

local function has(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then
      return true
    end
  end
  return false
end

local function version(release)
  local major, minor = release:match("^(%d+)%.(%d+)")
  return major and tonumber(major) * 1000 + tonumber(minor)
end

--- What one condition says of this machine and container: how much of it is so. docker asks all
-- capabilities of `includes`, and any of `excludes`.
local function conditions(field, value, where)
  local said = {}
  if value then
    fields(field, value, WHEN)
    local caps = each(field .. ".caps", value.caps, text)
    local arches = each(field .. ".arches", value.arches, text)
    local held = 0
    for _, name in ipairs(caps) do
      held = held + (where.capabilities[name:upper()] and 1 or 0)
    end
    if #caps > 0 then
      said[#said + 1] = { all = held == #caps, any = held > 0 }
    end
    if #arches > 0 then
      local is = has(arches, DOCKER[where.arch])
      said[#said + 1] = { all = is, any = is }
    end
    if value.minKernel and value.minKernel ~= "" then
      local wanted = version(value.minKernel)
      expect(wanted, field .. ".minKernel", "a version such as \"4.8\"", value.minKernel)
      local is = version(where.kernel) >= wanted
      said[#said + 1] = { all = is, any = is }
    end
  end
  return said
end

local function applies(field, entry, where)
  for _, condition in ipairs(conditions(field .. ".excludes", entry.excludes, where)) do
    if condition.any then
      return false
    end
  end
  for _, condition in ipairs(conditions(field .. ".includes", entry.includes, where)) do
    if not condition.all then
      return false
    end
  end
  return true
end

local function entry_of(field, value, where)
  fields(field, value, ENTRY)
  local names = each(field .. ".names", value.names, text)
  names[#names + 1] = value.name
  expect(names[1], field .. ".names", "names of system calls", value.names)
  local entry = {
    names = names,
    action = given_as(field .. ".action", value.action, "an action such as SCMP_ACT_ALLOW"),
    errnoRet = errno(field .. ".errnoRet", value.errnoRet, value.errno),
    args = each(field .. ".args", value.args, argument),
  }
  return applies(field, value, where) and entry or nil
end

--- What is said again is said once: the compiler's time grows with the cube of the rules.
local function unrepeated(entries)
  local seen, list = {}, {}
  for _, entry in ipairs(entries) do
    local parts = { entry.action, entry.errnoRet or "" }
    for _, one in ipairs(entry.args) do
      parts[#parts + 1] = ("%d %s %d %d"):format(one.index, one.op, one.value, one.valueTwo)
    end
    local rest, names = "\n" .. table.concat(parts, "\n"), {}
    for _, name in ipairs(entry.names) do
      if not seen[name .. rest] then
        seen[name .. rest], names[#names + 1] = true, name
      end
    end
    entry.names = names
    list[#list + 1] = names[1] and entry or nil
  end
  return list
end

--- Those beside the native one.
local function architectures(given, where)
  local list = each("architectures", given.architectures, text)
  for i, map in ipairs(each("archMap", given.archMap, function(field, value)
    return fields(field, value, MAP)
  end)) do
    expect(not given.architectures, "archMap", "no archMap beside architectures", map)
    if map.architecture == where.arch then
      local field = ("archMap[%d].subArchitectures"):format(i)
      table.move(each(field, map.subArchitectures, text), 1, #(map.subArchitectures or {}),
        #list + 1, list)
    end
  end
  return list
end

local function flags(given, where)
  local words = { where.listener and "new_listener" or nil }
  each("flags", given.flags, function(field, value)
    local word = FLAGS[value]
    expect(word and (value ~= WAIT or where.listener), field,
      "a flag such as SECCOMP_FILTER_FLAG_LOG", value)
    words[#words + 1] = word ~= "" and word or nil
  end)
  return table.concat(words, ",")
end

local function resolve(given, where)
  fields("profile", given, PROFILE)
  expect(where.listener or not given.listenerPath or given.listenerPath == "", "listenerPath",
    "none: no process listens", given.listenerPath)
  local syscalls = {}
  -- By index: an entry that does not apply leaves no hole.
  each("syscalls", given.syscalls, function(field, value)
    syscalls[#syscalls + 1] = entry_of(field, value, where)
  end)
  notify(given, where, syscalls)
  return {
    defaultAction = given_as("defaultAction", given.defaultAction,
      "an action such as SCMP_ACT_ERRNO"),
    defaultErrnoRet = errno("defaultErrnoRet", given.defaultErrnoRet,
      given.defaultErrno),
    architectures = architectures(given, where),
    syscalls = unrepeated(syscalls),
    flags = flags(given, where), lenient = where.lenient,
  }
end

--- Reads a profile.
-- @tparam table given in OCI's form or docker's
-- @tparam table where capabilities (a set of names), arch, kernel; and of a bundle: listener,
-- whether a process listens, and lenient: system calls that are not known are passed over
-- @treturn table in OCI's form, but for flags, which are words of container.seccomp; or nil and a
-- message that begins with the field
function profile.resolve(given, where)
  local resolved, refusal = check.run(resolve, given, where)
  if resolved then
    return resolved
  end
  return nil, ("%s: %s"):format(refusal.field, refusal.message)
end

--- JSON's null is nothing.
local function without(null, value)
  if type(value) == "table" then
    for key, content in pairs(value) do
      value[key] = content ~= null and without(null, content) or nil
    end
  end
  return value
end

--- Reads JSON.
-- @treturn table; or nil and a message with the line
function profile.json(source)
  local value, null = json.decode(source)
  if value == nil then
    local at = tonumber(null:match("at character (%d+)"))
    if not at then
      return nil, "a profile in " .. null
    end
    local _, line = source:sub(1, at - 1):gsub("\n", "")
    return nil, ("line %d: %s"):format(line + 1, null)
  elseif type(value) ~= "table" then
    return nil, "line 1: not an object"
  end
  return without(null, value)
end

return profile
