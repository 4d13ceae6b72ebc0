-- Which system calls a program may make: seccomp(2). The profile is the default one, a JSON file as
-- docker and podman have, or a table in OCI's form; what the kernel takes is made out of it once
-- and then found: beside the module, as `make` leaves it, or in the user's cache. The command in
-- one file has that of the default profile in memory.

local cache = require "container.linux.seccomp.cache"
local capability = require "container.linux.capabilities"
local errors = require "container.error"
local json = require "container.json"
local search = require "container.search"
local sys = require "container.sys"

local seccomp = {}

-- How many bytes a profile may have.
local PROFILE_MAX <const> = 16 << 20

-- Those of the default profile that this Lua state has used, by capabilities.
local used = {}

--- What compiles: a start that finds its filter does without.
local function compiler()
  return errors.try(search.load("container.linux.seccomp.compile"))
end

--- What the filter is made of that the build leaves beside the module, from the profile of the same
-- build.
local function built_key(capabilities)
  return sys.seccomp_arch() .. "\n" .. table.concat(capabilities, " ")
end

--- The filter of the default profile from the user's cache, or made and left there. What is in the
-- cache may be of an older profile, so its key has the profile too.
local function cached_default(name, capabilities)
  local compile = compiler()
  local key = built_key(capabilities) .. "\n" .. compile.default_text()
  local filter = cache.read(name, key)
  if not filter then
    filter = errors.try(compile.default(capabilities))
    cache.write(name, key, filter)
  end
  return filter
end

local function default(capabilities)
  local name = table.concat(capabilities, " ")
  if not used[name] then
    used[name] = sys.directory
      and cache.beside(sys.directory .. "seccomp.bpf", built_key(capabilities))
      or cached_default(name, capabilities)
  end
  return used[name]
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
  local source = errors.try(read_profile(path))
  local name = path .. "\n" .. table.concat(capabilities, " ")
  local key = table.concat({ sys.seccomp_arch(), sys.uname().release, name, source }, "\n")
  local filter = cache.read(name, key)
  if filter then
    return filter
  end
  local message, errno
  filter, message, errno = compiler().json(source, capabilities)
  if not filter then
    return nil, ("%s: %s"):format(path, message), errno or sys.errno.EINVAL
  end
  cache.write(name, key, filter)
  return filter
end

-- How many files of the cache the profiles of bundles share.
local SLOTS <const> = 64

--- The profile of a bundle: what it is made into is kept by all that it says, for podman's takes
-- longer to compile than all the rest of a start.
local function of_bundle(wanted)
  local key = table.concat({ sys.seccomp_arch(), sys.uname().release, json.encode(wanted) }, "\n")
  local name = ("bundle %d"):format(#key % SLOTS)
  local filter = cache.read(name, key)
  if filter then
    return filter
  end
  local message, errno
  filter, message, errno = compiler().profile(wanted, {}, true)
  if filter then
    cache.write(name, key, filter)
    return filter
  end
  -- The indices of JSON begin with 0.
  return nil, "linux.seccomp." .. message:gsub("%[(%d+)%]", function(index)
    return ("[%d]"):format(index - 1)
  end), errno
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
  elseif ctx.bundle then
    filter, message, errno = of_bundle(wanted)
  else
    filter, message, errno = compiler().profile(wanted, capabilities)
  end
  if not filter then
    return nil, message, errno or sys.errno.EINVAL
  end
  ctx.seccomp = filter
  if ctx.bundle and wanted.listenerPath then
    ctx.listener = errors.try(sys.socket_connect(wanted.listenerPath))
    ctx.undo:push(ctx.listener.close, ctx.listener)
  end
  return true
end

--- In the child, while the host's /proc is there: notes which process it is outside.
function seccomp.note(ctx)
  local pid, message, errno = sys.readlink("/proc/self")
  ctx.outer_pid = math.tointeger(pid)
  return pid and true, message, errno
end

--- Tells the process that listens of the container, as OCI has it, and gives it the fd by which it
-- answers. config-linux, "The Container Process State"
local function hand_over(ctx, notify)
  local config, pid = ctx.config, ctx.outer_pid
  local state = {
    ociVersion = config.ociVersion, fds = { "seccompFd" }, pid = pid,
    metadata = config.linux.seccomp.listenerMetadata,
    state = {
      ociVersion = config.ociVersion, id = ctx.id or ctx.name or "", status = "creating", pid = pid,
      bundle = ctx.bundle, annotations = config.annotations,
    },
  }
  local ok, message, errno = sys.send_fd(ctx.listener_number, notify, json.encode(state))
  notify:close()
  sys.close(ctx.listener_number)
  return ok, message and "listenerPath: " .. message, errno
end

--- Keeps a filter beside the state of its container, for the processes that join it.
-- @string path
-- @tparam table filter { program, flags }
function seccomp.keep(path, filter)
  return errors.try(cache.save(path, "", filter))
end

--- The filter that was kept; nil where there is none.
function seccomp.kept(path)
  return cache.beside(path, "")
end

local function set(ctx)
  local made, message, errno = sys.seccomp(ctx.seccomp.program, ctx.seccomp.flags)
  if not made or made == true then
    return made, message, errno
  end
  return hand_over(ctx, made)
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
function seccomp.preload()
  default(default_capabilities())
end

--- For the build: compiles the default profile for the default capabilities.
-- @string path of the file to write
-- @return true; or nil and a message
function seccomp.build(path)
  local capabilities = default_capabilities()
  local filter = errors.try(compiler().default(capabilities))
  return cache.save(path, built_key(capabilities), filter)
end

return seccomp
