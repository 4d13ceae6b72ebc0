-- Makes what the kernel takes out of a profile of system calls, by libseccomp. It and all that it
-- requires are loaded on use: a start finds its filter, which was compiled before.

local default_profile = require "container.linux.seccomp.default"
local json = require "container.json"
local numbers = require "container.linux.seccomp.number"
local profile = require "container.linux.seccomp.profile"
local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"

local compile = {}

-- What it takes to compile a profile: one such as podman's takes 0.015 seconds.
local SECONDS_MAX <const> = 10

--- libseccomp's face, or a reason in one sentence.
local function libseccomp_module()
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

--- Makes a program out of a profile.
-- @tparam table given in OCI's form or docker's
-- @tparam table capabilities array of names
-- @bool[opt] bundle it is of an OCI bundle
-- @treturn table { program, flags } for sys.seccomp; or nil, a message and perhaps an errno
function compile.profile(given, capabilities, bundle)
  local resolved, message = profile.resolve(given, {
    capabilities = set_of(capabilities), arch = sys.seccomp_arch(), kernel = sys.uname().release,
    listener = bundle and given.listenerPath ~= nil, lenient = bundle,
  })
  if not resolved then
    return nil, message
  end
  local libseccomp
  libseccomp, message = libseccomp_module()
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

--- Compiles a profile in JSON.
-- @string source
-- @tparam table capabilities array of names
-- @treturn table { program, flags }; or nil, a message and perhaps an errno
function compile.json(source, capabilities)
  local given, message = profile.json(source)
  if not given then
    return nil, message
  end
  return compile.profile(given, capabilities)
end

--- Compiles the default profile.
-- @tparam table capabilities array of names
-- @treturn table { program, flags }; or nil, a message and perhaps an errno
function compile.default(capabilities)
  return compile.profile(default_profile, capabilities)
end

--- The default profile as text, the same for the same profile.
-- @treturn string
function compile.default_text()
  return json.encode(default_profile)
end

return compile
