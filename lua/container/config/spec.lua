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
local kernel = require "container.config.kernel"
local namespaces = require "container.config.namespaces"
local network = require "container.config.network"
local options = require "container.config.options"
local outgoing = require "container.config.outgoing"
local privileged = require "container.config.privileged"
local publish = require "container.config.publish"
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
    if ctx.userns ~= "auto" and table.concat(entry.options, " "):find("idmap", 1, true) then
      refuse(ctx.volume_fields[i], "idmap is for a range of ids: userns = \"auto\"")
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

-- What is said of an option that a kind of run does not take, unless its entry has a reason.
local NOT_OF <const> = {
  call = "is not an option of a call",
  exec = "is an option of the container, and not of a process in it",
}

local function entry_of(name)
  local renamed = options.renamed[name]
  if renamed then
    refuse(name, ("is now called %s"):format(renamed))
  end
  return type(name) == "string" and options.entries[name] or nil
end

--- Refuses what is no option of this kind of run, before anything else is said.
-- @tparam table given
-- @string run "run", "call" or "exec"
local function check_names(given, run)
  for name in next, given do
    if math.type(name) ~= "integer" then
      local option = entry_of(name)
      if not option then
        refuse("options", ("unknown option %s"):format(check.shown(name)))
      elseif not option.runs[run] then
        refuse(name, option.refused and option.refused[run] or NOT_OF[run])
      end
    end
  end
end

local function read(given, call)
  check_names(plain("options", given), call and "call" or "run")
  local ctx = defaults()
  local config = ctx.config
  if call then
    if rawget(given, 1) ~= nil then
      refuse("args", "a function runs, and no command")
    end
    ctx.call, ctx.init = call, false
    ctx.stop_timeout = 0 -- pid 1 does not end of TERM
  else
    read_args(ctx, given)
  end
  -- These two before the others, for the environment says them.
  local hostname = options.entries.hostname
  hostname.read(ctx, rawget(given, "hostname") or hostname.default)
  local env = config.process.env
  env[#env + 1] = "HOSTNAME=" .. config.hostname
  local term = os.getenv("TERM")
  if term then
    env[#env + 1] = "TERM=" .. term
  end
  ctx.debug = os.getenv("LUA_CONTAINER_DEBUG") == "1"
  options.read(ctx, given)
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
  namespaces.finish(ctx, rawget(given, "hostname") ~= nil)
  publish.finish(ctx)
  network.finish(ctx)
  outgoing.finish(ctx)
  kernel.finish(ctx)
  return ctx
end

local function read_exec(given, target)
  check_names(plain("options", given), "exec")
  local ctx = exec.new(target)
  read_args(ctx, given)
  options.read(ctx, given)
  exec.narrow(ctx, target)
  if ctx.on and ctx.on.connect then
    refuse("on.connect", "is an event of the container, and not of a process in it")
  end
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
