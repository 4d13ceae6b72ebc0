-- Which system calls a program may make: seccomp(2). The profile is the default one, a JSON file as
-- docker and podman have, or a table in OCI's form; what the kernel takes is made out of it once
-- and then found: beside the module, as `make` leaves it, or in the user's cache. The command in
-- one file has that of the default profile in memory.

local default_profile = require "container.linux.seccomp.default"
local json = require "container.json"
local numbers = require "container.linux.seccomp.number"
local profile = require "container.linux.seccomp.profile"
local sys = require "container.sys"
local cache = require "container.linux.seccomp.cache"
local subprocess = require "container.linux.subprocess"
local capability = require "container.linux.capabilities"

local seccomp = {}

-- What it takes to compile a profile: one such as podman's takes 0.015 seconds.
local SECONDS_MAX <const> = 10

-- How many bytes a profile may have.
local PROFILE_MAX <const> = 16 << 20

-- Those of the default profile that this Lua state has used, by capabilities.
local used = {}

--- The module that compiles, or a reason in one sentence.
local function compiler()
  local open, why = package.preload["container.libseccomp"], nil -- linked with the command
  if not open then
    open, why = package.loadlib(sys.directory .. "libseccomp.so",
      "luaopen_container_libseccomp")
  end
  if not open then
    return nil, ("this filter is not compiled yet, and what compiles it cannot be loaded: %s")
      :format(why)
  end
  return open()
end

local function set_of(capabilities)
  local set = {}
  for _, name in ipairs(capabilities) do
    set[name] = true
  end
  return set
end

local function kernel()
  return (sys.read_file("/proc/sys/kernel/osrelease") or "0.0"):match("^[^\n]*")
end

--- Makes a program out of a profile.
-- @tparam table given in OCI's form or docker's
-- @tparam table capabilities array of names
-- @treturn table { program, flags } for container.seccomp; or nil and a message
local function compile(given, capabilities)
  local resolved, message = profile.resolve(given, {
    capabilities = set_of(capabilities), arch = sys.seccomp_arch(), kernel = kernel(),
  })
  if not resolved then
    return nil, message
  end
  local libseccomp
  libseccomp, message = compiler()
  if not libseccomp then
    return nil, message
  end
  resolved.numbers = numbers
  -- Apart, for what libseccomp takes to bring several conditions of one call together has no bound.
  local program, refusal, errno = subprocess.compute(SECONDS_MAX, function()
    return libseccomp.compile(resolved)
  end)
  if not program and errno ~= sys.errno.EINVAL then
    refusal = "compiling the profile: " .. refusal
  end
  return program and { program = program, flags = resolved.flags }, refusal, errno
end

--- What the filter is made of that the build leaves beside the module, from the profile of the same
-- build.
local function built_key(capabilities)
  return sys.seccomp_arch() .. "\n" .. table.concat(capabilities, " ")
end

--- The same of one in the user's cache, which may be of an older profile.
local function default_key(capabilities)
  return built_key(capabilities) .. "\n" .. json.encode(default_profile)
end

local function default(capabilities)
  local name = table.concat(capabilities, " ")
  if used[name] then
    return used[name]
  end
  local filter = sys.directory
    and cache.beside(sys.directory .. "seccomp.bpf", built_key(capabilities))
  local key = not filter and default_key(capabilities)
  filter = filter or cache.read(name, key)
  if not filter then
    local message, errno
    filter, message, errno = compile(default_profile, capabilities)
    if not filter then
      return nil, message, errno
    end
    cache.write(name, key, filter)
  end
  used[name] = filter
  return filter
end

--- Reads a profile, which may be a pipe, or a device without end.
local function read_profile(path)
  local fd <close>, message, errno = sys.open(path, "rdonly")
  if not fd then
    return nil, (message:gsub("^open ", "read ", 1)), errno
  end
  local pieces, size = {}, 0
  repeat
    local piece, _, number = sys.read(fd, 1 << 16)
    if not piece then
      return nil, ("read %s: %s"):format(path, sys.strerror(number)), number
    end
    pieces[#pieces + 1], size = piece, size + #piece
    if size > PROFILE_MAX then
      return nil, ("read %s: more than %d bytes"):format(path, PROFILE_MAX), sys.errno.E2BIG
    end
  until piece == ""
  return table.concat(pieces)
end

local function from_file(path, capabilities)
  local source, message, errno = read_profile(path)
  if not source then
    return nil, message, errno
  end
  local name = path .. "\n" .. table.concat(capabilities, " ")
  local key = table.concat({ sys.seccomp_arch(), kernel(), name, source }, "\n")
  local filter = cache.read(name, key)
  if filter then
    return filter
  end
  local given
  given, message = profile.json(source)
  if given then
    filter, message, errno = compile(given, capabilities)
  end
  if not filter then
    return nil, ("%s: %s"):format(path, message), errno or sys.errno.EINVAL
  end
  cache.write(name, key, filter)
  return filter
end

--- Leaves the program for the child, which can look nothing up.
function seccomp.prepare(ctx)
  local wanted = ctx.config.linux.seccomp
  if not wanted then
    return true
  end
  local held = ctx.config.process.capabilities
  local capabilities = held and held.bounding or sys.capability_names()
  local filter, message, errno
  if wanted == "default" then
    filter, message, errno = default(capabilities)
  elseif type(wanted) == "string" then
    filter, message, errno = from_file(wanted, capabilities)
  else
    filter, message, errno = compile(wanted, capabilities)
  end
  if not filter then
    return nil, message, errno or sys.errno.EINVAL
  end
  ctx.seccomp = filter
  return true
end

local function set(ctx)
  return sys.seccomp(ctx.seccomp.program, ctx.seccomp.flags)
end

--- Without the promise to gain no privileges it takes one to set a filter: so while it is there,
-- and the steps that follow have to pass it.
function seccomp.early(ctx)
  if not ctx.config.process.noNewPrivileges then
    return set(ctx)
  end
  return true
end

--- With the promise, as late as can be: what follows is the exec, or a word to the parent.
function seccomp.child(ctx)
  if ctx.config.process.noNewPrivileges then
    return set(ctx)
  end
  return true
end

local function default_capabilities()
  local capabilities = table.move(capability.DEFAULT, 1, #capability.DEFAULT, 1, {})
  table.sort(capabilities) -- as spec.lua leaves them
  return capabilities
end

--- For the build: has this Lua state hold the filter of the default profile and capabilities.
-- @return true; or nil and a message
function seccomp.preload()
  local filter, message = default(default_capabilities())
  return filter and true, message
end

--- For the build: compiles the default profile for the default capabilities.
-- @string path of the file to write
-- @return true; or nil and a message
function seccomp.build(path)
  local capabilities = default_capabilities()
  local filter, message = compile(default_profile, capabilities)
  if not filter then
    return nil, message
  end
  return cache.save(path, built_key(capabilities), filter)
end

return seccomp
