-- The table that describes a container. What a person writes comes in; what goes out has the names
-- and shapes of OCI's config.json, with every default filled in. What is wrong is refused here,
-- by its field, before the first system call that changes anything; behind this, rooms trust.
-- OCI runtime specification, config and config-linux
--
-- Options, all but the command optional:
--   [1], [2], ...  the command and its arguments
--   name           1 to 128 of A-Z a-z 0-9 _ + - and, but for the first, "."; none
--   rootfs         directory that becomes the root; "/" or none: a throw-away view of the host's
--   hostname       1 to 64 bytes; "container"
--   env            { NAME = "value", "NAME=value" } added to PATH, HOME, HOSTNAME and TERM
--   cwd            absolute path in the container; "/"
--   volumes        array of "SOURCE:DESTINATION[:OPTION,...]"; options rw, ro (with all that is
--                  mounted below, or without it before Linux 5.12), rro (with it, or refused);
--                  idmap: with users = "auto" the ids of the files are inside ids
--   pids           largest number of processes, from 1, or "max"; 20
--   init           true: pid 1 is a small init; false: the program is pid 1
--   user           "NAME", "ID", and either with ":GROUP"; root. Names are the root's own
--   users          "auto": a user namespace with 65536 ids that no other container has, for root;
--                  "subid": one with the ids that /etc/subuid and /etc/subgid give to this user
--   capabilities   array of names, all that root is to have; docker's default set without mknod
--   cap_add, cap_drop   arrays of names, or "ALL", to change the default set
--   no_new_privileges   false: set-user-ID programs gain their rights; true
--   seccomp        false: no filter of system calls; "default"; the path of a profile in JSON, such
--                  as docker's; or a table in the form of OCI's linux.seccomp
--   landlock       { read = paths, write = paths }, absolute and inside: the program may read
--                  and execute only beneath them, and write only beneath those of `write`
--   privileged     true: all capabilities, nothing masked or read-only, no promise to gain none, no
--                  filter unless one is asked for
--   masked_paths   array of absolute paths inside that are empty; those of mask.lua
--   readonly_paths   array of those that cannot be written; those of mask.lua
--   readonly       true: the root cannot be written
--   tmpfs          array of "DESTINATION[:OPTION,...]"
--   network        "none": loopback only; "host": the host's own
--   tty            true: a terminal of its own as its standard streams; { height = rows, width =
--                  columns }: of that size, else it is that of the caller's terminal; "auto": if
--                  standard input and output are terminals, in the place of those streams that are;
--                  a stream of which an option says what it is stays that
--   stdin          "inherit"; "null"; "pipe": the object's `stdin` is a stream to write to; any
--                  other string, or a table with one string: what there is to read; a function
--                  that is called for each piece until it returns nil; a file or an fd
--   stdout, stderr "inherit"; "null"; "capture": in the result; "pipe": a stream to read; a
--                  function that is called with each piece; a file or an fd; stderr also "stdout"
--   output_limit   how many bytes of each captured stream are kept, the rest is counted; 16 MiB
--   timeout        seconds, from the start of the program, after which it gets TERM
--   grace          seconds, from then on, after which the whole container is killed; 1
--   rlimits        { cpu = 2, nofile = { soft = 64, hard = 128 }, fsize = "10M", ... }
--   on             { exit = fn(c, result), output = fn(c, name, piece), timeout = fn(c),
--                  oom = fn(c) }, called while somebody waits for the container
--   announce       true: says on standard error what runs, and as which pid

local container = require "container"
local capability = require "container.capability"
local channel = require "container.channel"
local check = require "container.check"
local idmap = require "container.idmap"
local limit = require "container.limit"
local mask = require "container.mask"

local refuse, expect, text = check.refuse, check.expect, check.text
local plain, array, switch = check.plain, check.array, check.switch

local spec = {}

local HOSTNAME_MAX <const> = 64
local NAME_MAX <const> = 128
-- (uid_t) -1 is no id.
local ID_MAX <const> = 0xffffffff
-- The kernel's PID_MAX_LIMIT: what pids.max accepts.
local PIDS_MAX <const> = 1 << 22

local DEFAULT_PATH <const> = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

-- Options of a tmpfs that a person may give, beside its flags. tmpfs(5)
local TMPFS_DATA <const> = { size = true, mode = true, nr_inodes = true, uid = true, gid = true }
local TMPFS_FLAGS <const> = {
  ro = true, rw = true, nosuid = true, nodev = true, noexec = true, noatime = true, relatime = true,
}

-- The group of terminals.
local TTY <const> = 5
-- What a host program can have a function called for.
local EVENTS <const> = { exit = true, oom = true, output = true, timeout = true }

local NAMESPACES <const> = { "mount", "uts", "pid", "ipc", "network", "cgroup" }

-- "Default Filesystems" of config-linux, with the options that runc's own default has.
local function default_mounts()
  return {
    { destination = "/proc", type = "proc", source = "proc",
      options = { "nosuid", "nodev", "noexec" } },
    { destination = "/dev", type = "tmpfs", source = "tmpfs",
      options = { "nosuid", "noexec", "strictatime", "mode=755", "size=65536k" } },
    { destination = "/dev/pts", type = "devpts", source = "devpts",
      options = { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" } },
    { destination = "/dev/shm", type = "tmpfs", source = "shm",
      options = { "nosuid", "nodev", "noexec", "mode=1777", "size=65536k" } },
    { destination = "/dev/mqueue", type = "mqueue", source = "mqueue",
      options = { "nosuid", "nodev", "noexec" } },
    { destination = "/sys", type = "sysfs", source = "sysfs",
      options = { "nosuid", "nodev", "noexec", "ro" } },
    { destination = "/sys/fs/cgroup", type = "cgroup", source = "cgroup",
      options = { "nosuid", "nodev", "noexec", "relatime", "ro" } },
  }
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
    c.home_given = c.home_given or name == "HOME"
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

--- An absolute path without the steps that go nowhere.
local function clean(path)
  local steps = {}
  for step in path:gmatch("[^/]+") do
    if step ~= "." then
      steps[#steps + 1] = step
    end
  end
  return "/" .. table.concat(steps, "/")
end

--- An absolute path inside, which does not go up.
local function read_inside(field, path, what)
  expect(path:sub(1, 1) == "/", field, "an absolute " .. what, path)
  path = clean(path)
  if (path .. "/"):find("/../", 1, true) then
    refuse(field, what .. " goes up by ..")
  end
  return path
end

--- Those that are masked or protected. The root itself has an option of its own.
local function read_paths(field, value)
  local paths = {}
  for i = 1, array(field, plain(field, value)) do
    local at = ("%s[%d]"):format(field, i)
    local path = read_inside(at, text(at, rawget(value, i), "an absolute path"), "path")
    paths[i] = expect(path ~= "/", at, "a path below the root", path)
  end
  return paths
end

--- A place in the container that is not one of those it lives by.
local function read_destination(field, destination)
  destination = read_inside(field, destination, "destination")
  if destination == "/" or (destination .. "/"):find("^/proc/") then
    refuse(field, ("destination %s is the container's own"):format(destination))
  end
  return destination
end

local VOLUME <const> = "SOURCE:DESTINATION[:OPTION,...]"

-- What stands behind a volume's destination: how it may be written; what docker has and is the case
-- here anyway; and what would be a promise that nobody keeps.
local ACCESS <const> = { ro = true, rro = true, rw = true }
local GRANTED <const> = {
  cached = true, consistent = true, delegated = true, nocopy = true, private = true,
  rprivate = true,
}
local LABEL <const> = "asks for an SELinux label, and nothing is labelled here"
local PROPAGATION <const> =
  "asks that mounts pass between host and container, and all of a container's are private"
local NOT_KEPT <const> = {
  z = LABEL, Z = LABEL, U = "asks to give the source another owner, and no file of the host's is "
    .. "changed here",
  shared = PROPAGATION, rshared = PROPAGATION, slave = PROPAGATION, rslave = PROPAGATION,
  unbindable = PROPAGATION, runbindable = PROPAGATION,
}

--- The words behind a volume's destination: how it may be written, and whether its ids are the
-- container's.
local function read_access(field, words)
  local access, idmapped
  for word in (words .. ","):gmatch("([^,]*),") do
    if NOT_KEPT[word] then
      refuse(field, ("option %s %s"):format(word, NOT_KEPT[word]))
    elseif ACCESS[word] then
      expect(not access or access == word, field, "one of ro, rro and rw", words)
      access = word
    elseif word == "idmap" then
      idmapped = word
    else
      expect(GRANTED[word], field, "ro, rro or rw after the destination", word)
    end
  end
  return access ~= "rw" and access or nil, idmapped
end

local function read_volume(field, value)
  text(field, value, VOLUME)
  local source, destination, words = value:match("^([^:]+):([^:]+)(.*)$")
  expect(source and not words:find(":", 2, true), field, VOLUME, value)
  local access, idmapped
  if words ~= "" then
    access, idmapped = read_access(field, words:sub(2))
  end
  expect(source:find("^[./]"), field, "a path as source, such as /srv/data or ./data", source)
  destination = read_destination(field, destination)
  local st, message, errno = container.stat(source)
  if not st then
    refuse(field, message, errno)
  end
  -- A device that is named is wanted; one that lies in a directory is not.
  local options = { "rbind", st.type ~= "char" and st.type ~= "block" and "nodev" or nil }
  options[#options + 1] = access
  options[#options + 1] = idmapped
  return { destination = destination, type = "bind", source = source, options = options }
end

local function read_tmpfs(field, value)
  text(field, value, "DESTINATION[:OPTION,...]")
  local destination, words = value:match("^([^:]+):?(.*)$")
  expect(destination, field, "DESTINATION[:OPTION,...]", value)
  local chosen = { "nosuid", "nodev", "noexec" } -- docker's defaults
  for word in words:gmatch("[^,]+") do
    local name = word:match("^([%w_]+)=%w+%%?$")
    expect(TMPFS_FLAGS[word] or TMPFS_DATA[name], field, "an option of tmpfs", word)
    if word ~= "rw" then
      chosen[#chosen + 1] = word
    end
  end
  return { destination = read_destination(field, destination), type = "tmpfs", source = "tmpfs",
    options = chosen }
end

--- An array of capabilities as a set; ALL is every one there is a name for.
local function read_capabilities(c, field, value)
  local set = {}
  for i = 1, array(field, plain(field, value)) do
    local at = ("%s[%d]"):format(field, i)
    local given = text(at, rawget(value, i))
    if given:upper() == "ALL" then
      for _, name in ipairs(container.capability_names()) do
        set[name] = true
      end
    else
      local name = container.capability_name(given)
      expect(name, at, "the name of a capability", given)
      set[name] = true
      c.asked_capabilities[name] = true
    end
  end
  return set
end

local function set_capabilities(c, set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  c.config.process.capabilities = {
    bounding = list, effective = list, permitted = list, inheritable = {}, ambient = {},
  }
end

--- The default set with what is added and dropped; dropped first when it is ALL, as docker has it.
local function change_capabilities(c, add, drop)
  local set = {}
  for _, name in ipairs(capability.DEFAULT) do
    set[name] = true
  end
  for name in pairs(drop) do
    set[name] = nil
  end
  for name in pairs(add) do
    set[name] = true
  end
  set_capabilities(c, set)
end

local function read_seconds(field, value)
  expect(type(value) == "number" and value >= 0 and value < math.huge, field,
    "a number of seconds", value)
  return value
end

-- Every option: where it lands.
local options = {
  name = function(c, value)
    text("name", value)
    c.name = expect(#value <= NAME_MAX and value:find("^[A-Za-z0-9_+-][A-Za-z0-9_+.-]*$"), "name",
      "1 to 128 letters, digits, _, +, - and . (not first)", value) and value
  end,
  rootfs = function(c, value)
    text("rootfs", value, "the path of a directory")
    expect(value ~= "", "rootfs", "the path of a directory", value)
    -- However it is written, the host's own root is only ever seen, never handed out.
    c.config.root.path = value:find("^/[/.]*$") and "/" or value
  end,
  hostname = function(c, value)
    text("hostname", value, "a name of 1 to 64 bytes")
    c.config.hostname = expect(#value >= 1 and #value <= HOSTNAME_MAX, "hostname",
      "a name of 1 to 64 bytes", value) and value
  end,
  env = read_env,
  cwd = function(c, value)
    c.config.process.cwd = clean(absolute("cwd", value))
  end,
  volumes = function(c, value)
    for i = 1, array("volumes", plain("volumes", value)) do
      local entry = read_volume(("volumes[%d]"):format(i), rawget(value, i))
      c.volumes[i] = entry
      table.insert(c.config.mounts, entry)
    end
  end,
  pids = function(c, value)
    local most = value == "max" and -1
      or math.type(value) == "integer" and value >= 1 and value <= PIDS_MAX and value
    c.config.linux.resources.pids.limit =
      expect(most, "pids", "a positive integer or \"max\"", value) and most
  end,
  init = function(c, value)
    c.init = switch("init", value)
  end,
  user = function(c, value)
    text("user", value, "NAME[:GROUP]")
    expect(value:find("^[^:]+:?[^:]*$") and value:sub(-1) ~= ":", "user", "NAME[:GROUP]", value)
    for id in value:gmatch("%d+") do
      if (":" .. value .. ":"):find(":" .. id .. ":", 1, true) then
        expect(#id <= 10 and math.tointeger(id) < ID_MAX, "user", "an id below 4294967295", id)
      end
    end
    c.user = value
  end,
  capabilities = function(c, value)
    set_capabilities(c, read_capabilities(c, "capabilities", value))
  end,
  cap_add = function(c, value)
    c.cap_add = read_capabilities(c, "cap_add", value)
  end,
  cap_drop = function(c, value)
    local asked = c.asked_capabilities
    c.asked_capabilities = {} -- what is dropped need not be there
    c.cap_drop = read_capabilities(c, "cap_drop", value)
    c.asked_capabilities = asked
  end,
  no_new_privileges = function(c, value)
    c.config.process.noNewPrivileges = switch("no_new_privileges", value)
  end,
  seccomp = function(c, value)
    if type(value) == "string" then
      expect(text("seccomp", value) ~= "", "seccomp", "the path of a profile", value)
    elseif value ~= false then
      expect(type(value) == "table", "seccomp", "false, \"default\", a path or a table", value)
    end
    c.config.linux.seccomp = value
  end,
  landlock = function(c, value)
    -- Here, so that only who asks for it loads it, and not in the child.
    c.landlock = require("container.landlock").read("landlock", value)
  end,
  masked_paths = function(c, value)
    c.config.linux.maskedPaths = read_paths("masked_paths", value)
  end,
  readonly_paths = function(c, value)
    c.config.linux.readonlyPaths = read_paths("readonly_paths", value)
  end,
  users = function(c, value)
    c.users = expect(value == "auto" or value == "subid", "users", "\"auto\" or \"subid\"", value)
      and value
  end,
  privileged = function(c, value)
    c.privileged = switch("privileged", value)
  end,
  readonly = function(c, value)
    c.config.root.readonly = switch("readonly", value)
  end,
  tmpfs = function(c, value)
    for i = 1, array("tmpfs", plain("tmpfs", value)) do
      table.insert(c.config.mounts, read_tmpfs(("tmpfs[%d]"):format(i), rawget(value, i)))
    end
  end,
  network = function(c, value)
    expect(value == "none" or value == "host", "network", "\"none\" or \"host\"", value)
    c.network = value
  end,
  tty = function(c, value)
    if value then
      -- Here, so that only who asks for it loads it, and not in the child.
      c.terminal = require("container.terminal").read("tty", value)
      c.config.process.terminal = c.terminal ~= nil
      c.config.process.consoleSize = c.terminal and c.terminal.size
    else
      switch("tty", value)
    end
  end,
  announce = function(c, value)
    c.announce = switch("announce", value)
  end,
  timeout = function(c, value)
    c.timeout = read_seconds("timeout", value)
  end,
  grace = function(c, value)
    c.grace = read_seconds("grace", value)
  end,
  rlimits = limit.read,
  on = function(c, value)
    c.on = {}
    for event, fn in next, plain("on", value) do
      expect(EVENTS[event], "on", "exit, oom, output or timeout", event)
      c.on[event] = expect(type(fn) == "function", "on." .. event, "a function", fn) and fn
    end
  end,
}

-- Those that a room of its own reads, which is loaded only for them.
for _, name in ipairs { "stdin", "stdout", "stderr", "output_limit" } do
  options[name] = function(c, value)
    require("container.stream").read(c, name, value)
  end
end

local function defaults()
  local namespaces = {}
  for i, name in ipairs(NAMESPACES) do
    namespaces[i] = { type = name }
  end
  return {
    config = {
      ociVersion = "1.0.2",
      process = {
        args = {},
        env = { "PATH=" .. DEFAULT_PATH, "HOME=/root" },
        cwd = "/",
        user = { uid = 0, gid = 0 },
        noNewPrivileges = true,
      },
      root = { path = "/", readonly = false },
      mounts = default_mounts(),
      linux = {
        namespaces = namespaces,
        resources = { pids = { limit = 20 } },
        maskedPaths = mask.MASKED,
        readonlyPaths = mask.READONLY,
      },
    },
    asked_capabilities = {},
    volumes = {}, -- those of the mounts that a person asked for
    init = true,
    grace = 1,
    announce = false,
  }
end

--- What is only there if it is somebody: a user that was named by id, and the group of terminals.
local function check_ids(c)
  local linux = c.config.linux
  local user, group = (c.user or ""):match("^([^:]*):?(.*)$")
  for _, pair in ipairs { { user, linux.uidMappings }, { group, linux.gidMappings } } do
    local id, mappings = pair[1], pair[2]
    if id:find("^%d+$") and not idmap.maps(mappings, math.tointeger(id)) then
      refuse("user", ("the user namespace has no id %s"):format(id))
    end
  end
  for _, entry in ipairs(c.config.mounts) do
    if entry.type == "devpts" and idmap.maps(linux.gidMappings, TTY) then
      table.insert(entry.options, "gid=" .. TTY)
    end
  end
  for i, entry in ipairs(c.volumes) do
    if c.users ~= "auto" and table.concat(entry.options, " "):find("idmap", 1, true) then
      refuse(("volumes[%d]"):format(i), "idmap is for a range of ids: users = \"auto\"")
    end
  end
end

--- Everything that the default takes away from root, left to it; what was asked for holds.
local function make_privileged(c)
  local config, linux = c.config, c.config.linux
  config.process.noNewPrivileges = false
  config.process.capabilities = nil
  linux.maskedPaths = linux.maskedPaths ~= mask.MASKED and linux.maskedPaths or {}
  linux.readonlyPaths = linux.readonlyPaths ~= mask.READONLY and linux.readonlyPaths or {}
  for _, entry in ipairs(config.mounts) do
    if entry.type == "sysfs" then
      entry.options = { "nosuid", "nodev", "noexec" }
    elseif entry.type == "bind" and entry.options[2] == "nodev" and c.users ~= "auto" then
      table.remove(entry.options, 2)
    end
  end
end

--- The host's network: no namespace of its own. A sysfs shows the network of who mounts it, and in
-- a user namespace that may be done for one's own only; the host's is bound instead, with what is
-- mounted in it, which cannot be taken off there.
local function share_network(c)
  local kept, user = {}, false
  for _, entry in ipairs(c.config.linux.namespaces) do
    if entry.type ~= "network" then
      kept[#kept + 1] = entry
    end
    user = user or entry.type == "user"
  end
  c.config.linux.namespaces = kept
  for _, entry in ipairs(c.config.mounts) do
    if entry.type == "sysfs" and user then
      entry.type, entry.source, entry.options = "bind", "/sys", { "rbind", "ro" }
    end
  end
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
        refuse("options", ("unknown option %s"):format(check.shown(name)))
      end
      option(c, value)
    end
  end
  idmap.read(c)
  check_ids(c)
  if config.linux.seccomp == nil then
    config.linux.seccomp = not c.privileged and "default"
  end
  if c.privileged then
    make_privileged(c)
  elseif not config.process.capabilities then
    change_capabilities(c, c.cap_add or {}, c.cap_drop or {})
  elseif c.cap_add or c.cap_drop then
    refuse("capabilities", "says all that there are; it does not go with cap_add and cap_drop")
  end
  if c.network == "host" then
    share_network(c)
  end
  return c
end

--- Reads what a person wrote.
-- @tparam table given see the head of this file
-- @treturn table { config = in OCI's form, init = boolean, announce = boolean }; or nil and an
-- error whose step is "spec" and whose subject is the field
function spec.read(given)
  local c, refusal = check.run(read, given)
  if c then
    return c
  end
  local message = ("%s: %s"):format(refusal.field, refusal.message)
  return nil, channel.failure("spec", message, refusal.errno, refusal.field)
end

return spec
