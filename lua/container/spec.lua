-- The table that describes a container. What a person writes comes in; what goes out has the names
-- and shapes of OCI's config.json, with every default filled in. What is wrong is refused here,
-- by its field, before the first system call that changes anything; behind this, rooms trust.
-- OCI runtime specification, config and config-linux
--
-- Options, all but the command optional:
--   [1], [2], ...  the command and its arguments
--   rootfs         directory that becomes the root; "/" or left out: a throw-away view of the host's
--   hostname       1 to 64 bytes; "container"
--   env            { NAME = "value", "NAME=value", ... } added to PATH, HOME, HOSTNAME and TERM
--   cwd            absolute path in the container; "/"
--   volumes        array of "SOURCE:DESTINATION[:ro|:rw]"
--   pids           largest number of processes, from 1, or "max"; 20
--   init           true: pid 1 is a small init; false: the program is pid 1
--   announce       true: says on standard error what runs, and as which pid

local container = require "container"
local channel = require "container.channel"

local spec = {}

local NAME_MAX <const> = 64
-- The kernel's PID_MAX_LIMIT: what pids.max accepts.
local PIDS_MAX <const> = 1 << 22

local DEFAULT_PATH <const> = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

local NAMESPACES <const> = { "mount", "uts", "pid", "ipc", "network", "cgroup" }

-- "Default Filesystems" of config-linux, with the options that runc's own default has.
local function default_mounts(user)
  return {
    { destination = "/proc", type = "proc", source = "proc",
      options = { "nosuid", "nodev", "noexec" } },
    { destination = "/dev", type = "tmpfs", source = "tmpfs",
      options = { "nosuid", "noexec", "strictatime", "mode=755", "size=65536k" } },
    { destination = "/dev/pts", type = "devpts", source = "devpts",
      -- Group 5 is tty, which a user namespace with a single id has not.
      options = { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
        not user and "gid=5" or nil } },
    { destination = "/dev/shm", type = "tmpfs", source = "shm",
      options = { "nosuid", "nodev", "noexec", "mode=1777", "size=65536k" } },
    { destination = "/dev/mqueue", type = "mqueue", source = "mqueue",
      options = { "nosuid", "nodev", "noexec" } },
    { destination = "/sys", type = "sysfs", source = "sysfs",
      options = { "nosuid", "nodev", "noexec", "ro" } },
  }
end

-- A refusal is thrown inside this file only, and becomes a value at its edge.
local refusal = {}

local function refuse(field, message)
  error(setmetatable({ field = field, message = message }, refusal), 0)
end

local function shown(value)
  local kind = type(value)
  if kind == "string" then
    return #value <= NAME_MAX and ("%q"):format(value):gsub("\\\n", "\\n")
      or ("a string of %d bytes"):format(#value)
  elseif kind == "number" then
    return ("%s"):format(value)
  elseif kind == "boolean" or kind == "nil" then
    return tostring(value)
  end
  return "a " .. kind
end

local function expect(ok, field, expected, value)
  if not ok then
    refuse(field, ("expected %s, got %s"):format(expected, shown(value)))
  end
  return value
end

local function text(field, value, expected)
  expect(type(value) == "string", field, expected or "a string", value)
  if value:find("\0", 1, true) then
    refuse(field, "contains a NUL byte")
  end
  return value
end

local function plain(field, value)
  expect(type(value) == "table", field, "a table", value)
  -- Its fields are read raw, so one that answers by a function would be another table than it seems.
  if getmetatable(value) ~= nil then
    refuse(field, "expected a plain table, got one with a metatable")
  end
  return value
end

--- The array part, which may have no holes.
local function array(field, value)
  local highest, count = 0, 0
  for key in next, value do
    if math.type(key) == "integer" then
      highest = math.max(highest, key)
      count = count + 1
      if key < 1 then
        refuse(("%s[%d]"):format(field, key), "an array begins at 1")
      end
    end
  end
  if highest ~= count then
    for i = 1, highest do
      if rawget(value, i) == nil then
        refuse(("%s[%d]"):format(field, i), "is missing: the array has a hole")
      end
    end
  end
  return count
end

local function absolute(field, value)
  text(field, value, "an absolute path")
  return expect(value:sub(1, 1) == "/", field, "an absolute path", value)
end

local function read_env(c, value)
  local env, position = c.config.process.env, {}
  for i, entry in ipairs(env) do
    position[entry:match("^[^=]*")] = i
  end
  local function set(name, entry)
    local at = position[name] or #env + 1
    position[name], env[at] = at, entry
  end
  for i = 1, array("env", plain("env", value)) do
    local field = ("env[%d]"):format(i)
    local entry = text(field, rawget(value, i))
    local name = entry:match("^([^=]+)=")
    expect(name, field, "NAME=value", entry)
    set(name, entry)
  end
  -- In an order of its own, so that the same table gives the same environment.
  local names = {}
  for name in next, value do
    if math.type(name) ~= "integer" then
      expect(type(name) == "string" and name ~= "" and not name:find("[=\0]"), "env",
        "names without = or NUL", name)
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    set(name, name .. "=" .. text("env." .. name, rawget(value, name)))
  end
end

local function read_volume(field, value)
  text(field, value, "SOURCE:DESTINATION[:ro]")
  local source, destination, mode = value:match("^([^:]+):([^:]+):?([^:]*)$")
  expect(source, field, "SOURCE:DESTINATION[:ro]", value)
  expect(mode == "" and value:sub(-1) ~= ":" or mode == "ro" or mode == "rw", field,
    "ro or rw after the destination", value)
  expect(source:find("^[./]"), field, "a path as source, such as /srv/data or ./data", source)
  expect(destination:sub(1, 1) == "/", field, "an absolute destination", destination)
  local steps = {}
  for step in destination:gmatch("[^/]+") do
    if step == ".." then
      refuse(field, "destination goes up by ..")
    elseif step ~= "." then
      steps[#steps + 1] = step
    end
  end
  destination = "/" .. table.concat(steps, "/")
  if destination == "/" or destination == "/proc" then
    refuse(field, ("destination %s is the container's own"):format(destination))
  end
  local st, message, errno = container.stat(source)
  if not st then
    error(setmetatable({ field = field, message = message, errno = errno }, refusal), 0)
  end
  return { destination = destination, type = "bind", source = source,
    options = { "rbind", mode == "ro" and "ro" or nil } }
end

-- Every option: where it lands.
local options = {
  rootfs = function(c, value)
    text("rootfs", value, "the path of a directory")
    expect(value ~= "", "rootfs", "the path of a directory", value)
    -- However it is written, the host's own root is only ever seen, never handed out.
    c.config.root.path = value:find("^/[/.]*$") and "/" or value
  end,
  hostname = function(c, value)
    text("hostname", value, "a name of 1 to 64 bytes")
    c.config.hostname = expect(#value >= 1 and #value <= NAME_MAX, "hostname",
      "a name of 1 to 64 bytes", value) and value
  end,
  env = read_env,
  cwd = function(c, value)
    c.config.process.cwd = absolute("cwd", value)
  end,
  volumes = function(c, value)
    for i = 1, array("volumes", plain("volumes", value)) do
      table.insert(c.config.mounts, read_volume(("volumes[%d]"):format(i), rawget(value, i)))
    end
  end,
  pids = function(c, value)
    local limit = value == "max" and -1
      or math.type(value) == "integer" and value >= 1 and value <= PIDS_MAX and value
    c.config.linux.resources.pids.limit =
      expect(limit, "pids", "a positive integer or \"max\"", value) and limit
  end,
  init = function(c, value)
    c.init = expect(type(value) == "boolean", "init", "true or false", value) and value
  end,
  announce = function(c, value)
    c.announce = expect(type(value) == "boolean", "announce", "true or false", value) and value
  end,
}

local function defaults()
  local uid, gid = container.geteuid()
  local user = uid ~= 0
  local namespaces = {}
  for i, name in ipairs(NAMESPACES) do
    namespaces[i] = { type = name }
  end
  -- An ordinary user is root in a user namespace of its own, and nobody outside but who it was.
  if user then
    namespaces[#namespaces + 1] = { type = "user" }
  end
  return {
    config = {
      ociVersion = "1.0.2",
      process = { args = {}, env = { "PATH=" .. DEFAULT_PATH, "HOME=/root" }, cwd = "/" },
      root = { path = "/" },
      mounts = default_mounts(user),
      linux = {
        namespaces = namespaces,
        uidMappings = user and { { containerID = 0, hostID = uid, size = 1 } } or nil,
        gidMappings = user and { { containerID = 0, hostID = gid, size = 1 } } or nil,
        resources = { pids = { limit = 20 } },
      },
    },
    init = true,
    announce = false,
  }
end

local function read(given)
  plain("options", given)
  local c = defaults()
  local config = c.config
  local count = array("args", given)
  for i = 1, count do
    config.process.args[i] = text(("args[%d]"):format(i), rawget(given, i))
  end
  if count == 0 then
    refuse("args", "no command")
  end
  -- These two before the others, for the environment says them.
  options.hostname(c, rawget(given, "hostname") or "container")
  local env = config.process.env
  env[#env + 1] = "HOSTNAME=" .. config.hostname
  local term = os.getenv("TERM")
  if term then
    env[#env + 1] = "TERM=" .. term
  end
  for name, value in next, given do
    if math.type(name) ~= "integer" then
      local option = type(name) == "string" and options[name]
      if not option then
        refuse("options", ("unknown option %s"):format(shown(name)))
      end
      option(c, value)
    end
  end
  return c
end

--- Reads what a person wrote.
-- @tparam table given see the head of this file
-- @treturn table { config = in OCI's form, init = boolean, announce = boolean }; or nil and an error
-- whose step is "spec" and whose subject is the field
function spec.read(given)
  local ok, c = pcall(read, given)
  if ok then
    return c
  end
  if getmetatable(c) ~= refusal then
    error(c, 0)
  end
  local message = ("%s: %s"):format(c.field, c.message)
  return nil, channel.failure("spec", message, c.errno, c.field)
end

return spec
