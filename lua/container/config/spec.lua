-- The table that describes a container. What a person writes comes in; what goes out has the names
-- and shapes of OCI's config.json, with every default filled in. What is wrong is refused here,
-- by its field, before the first system call that changes anything; behind this, rooms trust.
-- OCI runtime specification, config and config-linux
--
-- The options stand in options.lua.

local capabilities = require "container.config.capabilities"
local check = require "container.check"
local defaults = require "container.config.defaults"
local errors = require "container.error"
local exec = require "container.config.exec"
local options = require "container.config.options"
local privileged = require "container.config.privileged"
local resources = require "container.config.resources"
local userns = require "container.linux.userns"

local refuse, text, plain = check.refuse, check.text, check.plain

local spec = {}

-- The group of terminals.
local TTY <const> = 5

--- Checks ids that have to be mapped: a user that was named by id, and the group of terminals.
local function check_ids(ctx)
  local linux = ctx.config.linux
  local user, group = (ctx.user or ""):match("^([^:]*):?(.*)$")
  for _, pair in ipairs { { user, linux.uidMappings }, { group, linux.gidMappings } } do
    local id, mappings = pair[1], pair[2]
    if id:find("^%d+$") and not userns.maps(mappings, math.tointeger(id)) then
      refuse("user", ("the user namespace has no id %s"):format(id))
    end
  end
  for _, entry in ipairs(ctx.config.mounts) do
    if entry.type == "devpts" and userns.maps(linux.gidMappings, TTY) then
      table.insert(entry.options, "gid=" .. TTY)
    end
  end
  for i, entry in ipairs(ctx.volumes) do
    if ctx.users ~= "auto" and table.concat(entry.options, " "):find("idmap", 1, true) then
      refuse(ctx.volume_fields[i], "idmap is for a range of ids: users = \"auto\"")
    end
  end
end

--- Whether the container's root could make nodes of any device.
local function has_mknod(names)
  for _, name in ipairs(names) do
    if name == "CAP_MKNOD" then
      return true
    end
  end
  return false
end

local function read_args(ctx, given)
  local count = check.length("args", given)
  for i = 1, count do
    ctx.config.process.args[i] = text(("args[%d]"):format(i), rawget(given, i))
  end
  if count == 0 then
    refuse("args", "no command")
  end
end

--- Refuses what is no option, before anything else is said.
local function check_names(given, in_exec)
  for name in next, given do
    if math.type(name) ~= "integer" then
      if type(name) ~= "string" or not options[name] then
        refuse("options", ("unknown option %s"):format(check.shown(name)))
      elseif in_exec and not options[name].exec then
        refuse(name, "is the container's, and no option of a program in it")
      end
    end
  end
end

local function read_options(ctx, given)
  for name, value in next, given do
    if math.type(name) ~= "integer" then
      options[name].read(ctx, value)
    end
  end
end

--- What a container has no option for in which a function runs.
local function check_call(given)
  for field, why in pairs { [1] = "a function runs, and no command", init = "the function is pid 1",
    tty = "takes container.spawn", hooks = "takes container.run" } do
    if rawget(given, field) ~= nil then
      refuse(field == 1 and "args" or field, why)
    end
  end
end

local function read(given, call)
  check_names(plain("options", given))
  local ctx = defaults()
  local config = ctx.config
  if call then
    check_call(given)
    ctx.call, ctx.init = call, false
    ctx.grace = 0 -- pid 1 does not end of TERM
  else
    read_args(ctx, given)
  end
  -- These two before the others, for the environment says them.
  options.hostname.read(ctx, rawget(given, "hostname") or "container")
  local env = config.process.env
  env[#env + 1] = "HOSTNAME=" .. config.hostname
  local term = os.getenv("TERM")
  if term then
    env[#env + 1] = "TERM=" .. term
  end
  ctx.debug = os.getenv("LUA_CONTAINER_DEBUG") == "1"
  read_options(ctx, given)
  userns.read(ctx)
  check_ids(ctx)
  if ctx.resource then
    resources.finish(ctx)
  end
  if config.linux.seccomp == nil then
    config.linux.seccomp = not ctx.privileged and "default"
  end
  if ctx.capabilities_given and (ctx.cap_add or ctx.cap_drop) then
    refuse("capabilities", "says all that there are; it does not go with cap_add and cap_drop")
  elseif ctx.privileged then
    privileged.privileged(ctx)
  elseif ctx.cap_add or ctx.cap_drop then
    capabilities.change(ctx, ctx.cap_add or {}, ctx.cap_drop or {})
  end
  if ctx.devices or (ctx.cap_add or ctx.capabilities_given) and not ctx.privileged
    and has_mknod(config.process.capabilities.bounding) then
    resources.close_devices(ctx)
  end
  if ctx.network == "host" then
    privileged.share_network(ctx)
  end
  return ctx
end

local function read_exec(given, target)
  check_names(plain("options", given), true)
  local ctx = exec.new(target)
  read_args(ctx, given)
  read_options(ctx, given)
  exec.narrow(ctx, target)
  return ctx
end

local function answer(fn, ...)
  local ctx, refusal = check.run(fn, ...)
  if ctx then
    return ctx
  end
  local field = errors.plain(refusal.field, 50)
  local message = ("%s: %s"):format(field, refusal.message)
  return nil, errors.refusal("spec", message, refusal.errno, field)
end

--- Reads what a person wrote.
-- @tparam table given see options.lua
-- @treturn table { config = in OCI's form, init = boolean, announce = boolean }; or nil and an
-- error whose step is "spec" and whose subject is the field
-- @tparam[opt] table call of call.lua: a function runs instead of a command
function spec.read(given, call)
  return answer(read, given, call)
end

--- Reads what a person wrote of a second program in a container.
-- @tparam table given see options.lua; those that an exec has
-- @tparam table target what this room made of the container, as run.start left it
-- @treturn table for join.lua; or nil and an error
function spec.exec(given, target)
  return answer(read_exec, given, target)
end

return spec
