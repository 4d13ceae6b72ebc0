-- What a second program in a container is unless an option says otherwise: what the container's own
-- was, and never more.

local sys = require "container.sys"
local check = require "container.check"
local options = require "container.config.options"
local rights = require "container.config.capabilities"

local second = {}

local function copy(list)
  return table.move(list, 1, #list, 1, {})
end

--- A new one, which the options then change.
-- @tparam table target the container's, as run.start left it
function second.new(target)
  local p, linux = target.config.process, target.config.linux
  -- Where the kernel says for good that the groups stay: user_namespaces(7).
  local groups = (target.user_namespace or target.lacks_host)
    and sys.read_file(("/proc/%d/setgroups"):format(target.pid)) or ""
  return {
    target = target,
    config = {
      process = {
        args = {}, env = copy(p.env), cwd = p.cwd, user = p.user, rlimits = p.rlimits,
        capabilities = p.capabilities, noNewPrivileges = p.noNewPrivileges,
        oomScoreAdj = p.oomScoreAdj, scheduler = p.scheduler, ioPriority = p.ioPriority,
        execCPUAffinity = p.execCPUAffinity,
      },
      -- By its pid 1, whose number is no other's until we have waited for it.
      root = { path = ("/proc/%d/root"):format(target.pid) },
      linux = { uidMappings = linux.uidMappings, gidMappings = linux.gidMappings,
        memoryPolicy = linux.memoryPolicy, personality = linux.personality },
    },
    userns = target.userns,
    setgroups_denied = groups:find("^deny") ~= nil,
    asked_capabilities = {},
    cpu_limit = target.cpu_limit,
    nproc = target.nproc,
    seccomp = target.seccomp,
    landlock = target.landlock,
    schedule = target.schedule,
    stop_timeout = options.entries.stop_timeout.default,
  }
end

--- What was asked for is among what the container's root has.
function second.narrow(ctx, target)
  local held = target.config.process.capabilities
  local given = ctx.config.process.capabilities
  local set = {}
  for _, name in ipairs(held and held.bounding or sys.capability_names()) do
    set[name] = true
  end
  for _, name in ipairs(ctx.capabilities_given and given.bounding or {}) do
    if not set[name] then
      check.refuse("capabilities", ("the container has not got %s"):format(name))
    end
  end
  if ctx.capabilities_given and ctx.cap_drop then
    check.refuse("capabilities", "says all that there are; it does not go with cap_drop")
  elseif ctx.cap_drop then
    for name in pairs(ctx.cap_drop) do
      set[name] = nil
    end
    rights.set(ctx, set)
  end
end

return second
