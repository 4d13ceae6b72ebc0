-- Every option of a container, declared once: how it is read, and which kinds of run take it.
--
-- Options, all but the command optional:
--   [1], [2], ...  the command and its arguments
--   name           1 to 128 of A-Z a-z 0-9 _ + - and, but for the first, "."; none
--   rootfs         directory that becomes the root; "/" or none: a throw-away view of the host's
--   hostname       1 to 64 bytes; "container"
--   env            { NAME = "value", "NAME=value" } added to PATH, HOME, HOSTNAME and TERM
--   cwd            absolute path in the container; "/"
--   volumes        array of "SOURCE:DESTINATION[:OPTION,...]", or { [SOURCE] = { bind =
--                  DESTINATION, mode = OPTIONS } }; options rw, ro (with all that is mounted
--                  below, or without it before Linux 5.12), rro (with it, or refused);
--                  idmap: with users = "auto" the ids of the files are inside ids
--                  Outer ones are mounted before inner ones, whatever the order, with those of
--                  tmpfs and devices; a destination that is missing is made, where its links lead
--   pids           largest number of processes, from 1; "max" or -1: any; 20
--   memory         bytes, or "64M"; what is over it ends the container. "max"; none
--   memory_swap    the same for memory and swap together; twice the memory
--   memory_reservation   bytes that it is left when the machine has few
--   cpus           how many processors' time it may use, such as 0.5; all
--   cpu_weight     its share beside others who want it too, 2 to 262144; 1024
--   cpuset_cpus, cpuset_mems   processors and nodes of memory it may use, "0-2,7"; all
--   io             { ["/dev/sda"] = { read_bps = "1M", write_bps, read_iops, write_iops } }
--   io_weight      its share of a disk beside others, 10 to 1000
--   devices        array of "SOURCE[:DESTINATION][:rwm]": devices of the host's, beneath /dev
--   hugepages      { ["2MB"] = bytes }
--   unified        { ["memory.high"] = "32M" }: any file of a controller of cgroup version 2
--   oom_score_adj  -1000 to 1000: who is killed first when the machine has no memory left; the
--                  caller's own
--   stats          true: all that c:stats() can tell is counted
--   init           true: pid 1 is a small init; false: the program is pid 1
--   user           "NAME", "ID", and either with ":GROUP"; root. Names are the root's own
--   users          "auto": a user namespace with 65536 ids that no other container has, for root;
--                  "subid": one with the ids that /etc/subuid and /etc/subgid give to this user, or
--                  for the root of a user namespace all that it has
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
--   tmpfs          array of "DESTINATION[:OPTION,...]", or { [DESTINATION] = OPTIONS }: those of
--                  docker, such as size=1M, mode, uid, gid, ro, exec; nosuid,nodev,noexec
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
--   output_limit   how many bytes of each captured stream are kept, the rest is counted; and how
--                  many `read "a"` of a stream takes; 16 MiB
--   timeout        seconds, from the start of the program, after which it gets TERM; 0: none
--   grace          seconds, from then on, after which the whole container is killed; 1
--   rlimits        { cpu = 2, nofile = { soft = 64, hard = 128 }, fsize = "10M", ... }; -1 or
--                  "unlimited": none, of nofile the most that the kernel allows
--   on             { exit = fn(c, result), output = fn(c, name, piece), timeout = fn(c),
--                  oom = fn(c) }, called while somebody waits for the container
--   hooks          { prestart = list, createRuntime = list, createContainer = list,
--                  startContainer = list, poststart = list, poststop = list }: arrays of functions
--                  of the container's state, and of { path, args, env, timeout }, as OCI has them
--   result_limit   for container.call: how many bytes its values may take; 16 MiB
--   announce       true: says on standard error what runs, and as which pid

local capabilities = require "container.config.capabilities"
local check = require "container.check"
local hooks = require "container.config.hooks"
local landlock = require "container.config.landlock"
local mounts = require "container.config.mounts"
local resources = require "container.config.resources"
local streams = require "container.config.streams"
local terminal = require "container.config.terminal"
local rlimits = require "container.config.rlimits"

local refuse, expect, text = check.refuse, check.expect, check.text
local plain, switch = check.plain, check.switch

local HOSTNAME_MAX <const> = 64
local NAME_MAX <const> = 128
-- (uid_t) -1 is no id.
local ID_MAX <const> = 0xffffffff

-- What a host program can have a function called for.
local EVENTS <const> = { exit = true, oom = true, output = true, timeout = true }

local function absolute(field, value)
  text(field, value, "an absolute path")
  return expect(value:sub(1, 1) == "/", field, "an absolute path", value)
end

local NAMES <const> = "names without = or NUL"

local function read_env(ctx, value)
  local env, position = ctx.config.process.env, {}
  for i, entry in ipairs(env) do
    position[entry:match("^[^=]*")] = i
  end
  local function set(name, entry)
    ctx.home_given = ctx.home_given or name == "HOME"
    local at = position[name] or #env + 1
    position[name], env[at] = at, entry
  end
  for i = 1, check.length("env", plain("env", value)) do
    local field = ("env[%d]"):format(i)
    local entry = text(field, rawget(value, i))
    local name = entry:match("^([^=]+)=")
    expect(name, field, "NAME=value", entry)
    set(name, entry)
  end
  for _, name in ipairs(check.keys("env", value, NAMES)) do
    expect(name ~= "" and not name:find("=", 1, true), "env", NAMES, name)
    set(name, name .. "=" .. text("env." .. name, rawget(value, name)))
  end
end

local function read_seconds(field, value)
  expect(type(value) == "number" and value >= 0 and value < math.huge, field,
    "a number of seconds", value)
  return value
end

-- How each is read: it is checked, and put where OCI has it.
local readers = {
  name = function(ctx, value)
    text("name", value)
    ctx.name = expect(#value <= NAME_MAX and value:find("^[A-Za-z0-9_+-][A-Za-z0-9_+.-]*$"), "name",
      "1 to 128 letters, digits, _, +, - and . (not first)", value) and value
  end,
  rootfs = function(ctx, value)
    text("rootfs", value, "the path of a directory")
    expect(value ~= "", "rootfs", "the path of a directory", value)
    -- However it is written, the host's own root is only ever seen, never handed out.
    ctx.config.root.path = value:find("^/[/.]*$") and "/" or value
  end,
  hostname = function(ctx, value)
    text("hostname", value, "a name of 1 to 64 bytes")
    ctx.config.hostname = expect(#value >= 1 and #value <= HOSTNAME_MAX, "hostname",
      "a name of 1 to 64 bytes", value) and value
  end,
  env = read_env,
  cwd = function(ctx, value)
    ctx.config.process.cwd = check.clean(absolute("cwd", value))
  end,
  pids = function(ctx, value)
    ctx.config.linux.resources.pids.limit = check.pids("pids", value)
  end,
  init = function(ctx, value)
    ctx.init = switch("init", value)
  end,
  user = function(ctx, value)
    text("user", value, "NAME[:GROUP]")
    expect(value:find("^[^:]+:?[^:]*$") and value:sub(-1) ~= ":", "user", "NAME[:GROUP]", value)
    for id in value:gmatch("%d+") do
      if (":" .. value .. ":"):find(":" .. id .. ":", 1, true) then
        expect(#id <= 10 and math.tointeger(id) < ID_MAX, "user", "an id below 4294967295", id)
      end
    end
    ctx.user = value
  end,
  no_new_privileges = function(ctx, value)
    ctx.config.process.noNewPrivileges = switch("no_new_privileges", value)
  end,
  seccomp = function(ctx, value)
    if type(value) == "string" then
      expect(text("seccomp", value) ~= "", "seccomp", "the path of a profile", value)
    elseif value ~= false then
      expect(type(value) == "table", "seccomp", "false, \"default\", a path or a table", value)
    end
    ctx.config.linux.seccomp = value
  end,
  landlock = function(ctx, value)
    ctx.landlock = landlock.read("landlock", value)
  end,
  users = function(ctx, value)
    ctx.users = expect(value == "auto" or value == "subid", "users", "\"auto\" or \"subid\"", value)
      and value
  end,
  privileged = function(ctx, value)
    ctx.privileged = switch("privileged", value)
  end,
  readonly = function(ctx, value)
    ctx.config.root.readonly = switch("readonly", value)
  end,
  network = function(ctx, value)
    expect(value == "none" or value == "host", "network", "\"none\" or \"host\"", value)
    ctx.network = value
  end,
  tty = function(ctx, value)
    if value then
      ctx.terminal = terminal.read("tty", value)
      ctx.config.process.terminal = ctx.terminal ~= nil
      ctx.config.process.consoleSize = ctx.terminal and ctx.terminal.size
    else
      switch("tty", value)
    end
  end,
  debug = function(ctx, value)
    ctx.debug = expect(type(value) == "boolean" or type(value) == "function", "debug",
      "true, false or a function", value) and value
  end,
  announce = function(ctx, value)
    ctx.announce = switch("announce", value)
  end,
  timeout = function(ctx, value)
    local seconds = read_seconds("timeout", value)
    ctx.timeout = seconds > 0 and seconds or nil
  end,
  grace = function(ctx, value)
    ctx.grace = read_seconds("grace", value)
  end,
  rlimits = rlimits.read,
  result_limit = function(ctx, value)
    if not ctx.call then
      refuse("result_limit", "is for container.call")
    end
    local number = check.integer(value)
    ctx.call.limit = expect(number and number > 0 and number < 1 << 31, "result_limit",
      "a number of bytes", value) and number
  end,
  on = function(ctx, value)
    ctx.on = {}
    for event, fn in next, plain("on", value) do
      expect(EVENTS[event], "on", "exit, oom, output or timeout", event)
      ctx.on[event] = expect(type(fn) == "function", "on." .. event, "a function", fn) and fn
    end
  end,
}

-- Those that modules of their own read.
for _, name in ipairs { "volumes", "tmpfs", "masked_paths", "readonly_paths" } do
  readers[name] = mounts[name]
end
for _, name in ipairs { "capabilities", "cap_add", "cap_drop" } do
  readers[name] = capabilities[name]
end
readers.hooks = hooks.hooks

for _, name in ipairs { "stdin", "stdout", "stderr", "output_limit" } do
  readers[name] = function(ctx, value)
    streams.read(ctx, name, value)
  end
end
for _, name in ipairs { "memory", "memory_swap", "memory_reservation", "cpus", "cpu_weight",
  "cpuset_cpus", "cpuset_mems", "io", "io_weight", "hugepages", "unified", "oom_score_adj",
  "stats", "devices" } do
  readers[name] = function(ctx, value)
    ctx.resource = true
    resources.read(ctx, name, value)
  end
end

-- Of the options those that a second program in a container has too.
local OF_EXEC <const> = {
  env = true, cwd = true, user = true, capabilities = true, cap_drop = true, tty = true,
  stdin = true, stdout = true, stderr = true, output_limit = true, timeout = true, grace = true,
  on = true, debug = true,
}

--- Every option by its name: `read`, a function of the context and the value; and `exec`, whether a
-- further program in a running container takes it.
local options = {}
for name, read in pairs(readers) do
  options[name] = { read = read, exec = OF_EXEC[name] or false }
end

return options
