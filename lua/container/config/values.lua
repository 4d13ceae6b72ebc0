-- Readers of the options that need no module of their own. Each checks a value and stores it at its
-- place in OCI's config.json, or in the context.

local check = require "container.check"
local landlock = require "container.config.landlock"
local terminal = require "container.config.terminal"

local refuse, expect, text = check.refuse, check.expect, check.text
local plain, switch = check.plain, check.switch

local HOSTNAME_MAX <const> = 64
-- (uid_t) -1 is not an id.
local ID_MAX <const> = 0xffffffff

local UMASK_MAX <const> = 0x1ff -- 0777

-- The events for which the caller can give a function.
local EVENTS <const> = { connect = true, exit = true, oom = true, output = true, timeout = true }

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

local values = {
  name = function(ctx, value)
    ctx.name = check.name("name", value)
  end,
  rootfs = function(ctx, value)
    text("rootfs", value, "the path of a directory")
    local directory = value:match("^(.*):O$")
    value, ctx.copy_on_write = directory or value, directory ~= nil
    expect(value ~= "", "rootfs", "the path of a directory", value)
    -- The host's root is shown as an overlay, never itself, however its path is written.
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
  userns = function(ctx, value)
    ctx.userns = expect(value == "auto" or value == "subid", "userns",
      "\"auto\" or \"subid\"", value) and value
  end,
  privileged = function(ctx, value)
    ctx.privileged = switch("privileged", value)
  end,
  readonly = function(ctx, value)
    ctx.config.root.readonly = switch("readonly", value)
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
  umask = function(ctx, value)
    local mask = type(value) == "string" and value:find("^[0-7]+$") and #value <= 4
      and math.tointeger(tonumber(value, 8)) or check.integer(value)
    ctx.config.process.user.umask = expect(mask and mask >= 0 and mask <= UMASK_MAX, "umask",
      "octal digits such as \"022\"", value) and mask
  end,
  additional_groups = function(ctx, value)
    ctx.groups = {}
    for i = 1, check.array("additional_groups", value) do
      local field, one = ("additional_groups[%d]"):format(i), rawget(value, i)
      one = check.integer(one) and tostring(check.integer(one)) or text(field, one, "NAME or id")
      expect(one ~= "" and not one:find(":", 1, true)
        and (not one:find("^%d+$") or #one <= 10 and math.tointeger(one) < ID_MAX), field,
        "NAME or an id below 4294967295", one)
      ctx.groups[i] = one
    end
  end,
  annotations = function(ctx, value)
    local annotations = {}
    plain("annotations", value)
    for _, name in ipairs(check.keys("annotations", value, "names without NUL")) do
      expect(name ~= "", "annotations", "names that are not empty", name)
      annotations[name] =
        text(("annotations[%s]"):format(check.shown(name)), rawget(value, name))
    end
    ctx.config.annotations = annotations
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
  stop_timeout = function(ctx, value)
    ctx.stop_timeout = read_seconds("stop_timeout", value)
  end,
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
      expect(EVENTS[event], "on", "connect, exit, oom, output or timeout", event)
      ctx.on[event] = expect(type(fn) == "function", "on." .. event, "a function", fn) and fn
    end
  end,
}

return values
