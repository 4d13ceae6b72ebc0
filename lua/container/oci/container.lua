-- A container of the OCI runtime that was made: how it is started, held, and taken away by what its
-- state says.

local action = require "container.engine.hooks.action"
local bundle_of = require "container.oci.bundle"
local errors = require "container.error"
local given = require "container.linux.cgroup.given"
local hooks_directory = require "container.oci.hooks_directory"
local json = require "container.json"
local processes = require "container.linux.cgroup.processes"
local seccomp = require "container.linux.seccomp"
local state = require "container.oci.state"
local sys = require "container.sys"
local user = require "container.linux.user"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local try = errors.try

local container = {}

local VERSIONS <const> = { v1, v2 }

-- How long, in seconds, what was killed may take to be gone.
local TIMEOUT <const> = 10

-- What a hook is told of the container at the moments that are not the engine's.
local STATUS <const> = { poststart = "running", poststop = "stopped" }

--- The hooks of a moment, which are not the engine's to call. One that fails is a warning.
-- @treturn table array of messages
function container.hooks(home, moment)
  local text = state.config(home)
  local config = text and json.decode(text) or {}
  local list, warnings = type(config.hooks) == "table" and config.hooks[moment] or {}, {}
  local about = home.about
  local told = { ociVersion = about.ociVersion, id = home.id, status = STATUS[moment],
    pid = moment == "poststart" and about.pid or 0, bundle = about.bundle,
    annotations = about.annotations }
  for i, hook in ipairs(type(list) == "table" and list or {}) do
    local program = { path = hook.path, timeout = hook.timeout, env = hook.env,
      args = hook.args and hook.args[1] and hook.args or { hook.path } }
    local ok, message = action.execute(program, told)
    if not ok then
      warnings[#warnings + 1] = ("%s[%d] (%s): %s"):format(moment, i, hook.path, message)
    end
  end
  local more = hooks_directory.call(moment, told)
  return table.move(more, 1, #more, #warnings + 1, warnings)
end

--- Has a container that waits become its program.
-- @tparam table home, locked
function container.start(home)
  local status = state.status(home)
  if status ~= "created" then
    try(nil, ("cannot start container %s: it is %s"):format(home.id, status), sys.errno.EINVAL)
  end
  local line <close> = try(sys.socket_connect(state.socket(home)))
  local said = ""
  repeat
    local piece = sys.read(line) or ""
    said = said .. piece
  until piece == ""
  state.started(home)
  if #said > 4 then
    local errno, step, message = string.unpack("<i4zz", said)
    local reason = message ~= "" and message
      or errno == sys.errno.ENOENT and "no such file or directory" or sys.strerror(errno):lower()
    try(nil, ("%s: %s: %s"):format(step, home.about.id, reason), errno)
  end
  for _, warning in ipairs(container.hooks(home, "poststart")) do
    warn("lua-container: ", warning)
  end
end

--- The homes that a state says.
local function homes_of(about)
  local list = {}
  for i, entry in ipairs(about.cgroups) do
    local controllers = {}
    for _, name in ipairs(entry.controllers) do
      controllers[name] = true
    end
    list[i] = { path = entry.path, version = entry.version, directories = entry.directories,
      controllers = controllers, settings = {} }
  end
  return list
end

--- Where the namespaces of a process are not the caller's.
local function foreign_namespaces(pid)
  local names = {}
  for name, file in pairs { mount = "mnt", uts = "uts", ipc = "ipc", pid = "pid", user = "user",
    network = "net", time = "time" } do
    local own = sys.readlink("/proc/self/ns/" .. file)
    local its = sys.readlink(("/proc/%d/ns/%s"):format(pid, file))
    names[#names + 1] = its and its ~= own and name or nil
  end
  local cgroup = sys.readlink(("/proc/%d/ns/cgroup"):format(pid))
  return names, cgroup ~= sys.readlink("/proc/self/ns/cgroup")
end

--- The container of a state, as the engine holds one that runs.
-- @tparam table home
-- @treturn table fields of a Context
function container.context(home)
  local about = home.about
  return { pid = about.pid, cgroup = homes_of(about), execs = {}, paused = false,
    config = { linux = { resources = {} } } }
end

--- The same with what a process needs that is to join it.
-- @tparam table home
-- @tparam[opt] table process in the place of the container's own
-- @treturn table what engine/exec.lua takes
function container.joining(home, process)
  local value = json.decode(state.config(home) or "")
  if type(value) ~= "table" then
    try(nil, ("container %s: its configuration is lost"):format(home.id), sys.errno.EINVAL)
  end
  value.process = process or value.process
  local asked = bundle_of.asked(value, home.about.bundle)
  local target = container.context(home)
  target.config = asked.config
  target.pidfd = try(sys.pidfd_open(target.pid))
  if not state.lives(home.about) then
    try(nil, "container not running", sys.errno.ESRCH)
  end
  target.namespaces, target.cgroup_namespace = foreign_namespaces(target.pid)
  asked.target = target
  asked.config.root = { path = ("/proc/%d/root"):format(target.pid) }
  asked.seccomp = seccomp.kept(home.path .. "/seccomp.bpf") or false
  try(user.prepare(asked)) -- for HOME
  return asked
end

--- Sends a signal to the first process, or to all of the container.
-- @tparam table home
-- @int signal
-- @bool[opt] all
function container.kill(home, signal, all)
  local about = home.about
  if all then
    for _, entry in ipairs(about.cgroups) do
      for _, pid in ipairs(container.inside(entry.path)) do
        sys.kill(pid, signal)
      end
    end
  end
  if not state.lives(about) then
    if not all then
      try(nil, "container not running", sys.errno.ESRCH)
    end
    return
  end
  local pidfd <close> = try(sys.pidfd_open(about.pid))
  if state.lives(about) then
    local ok, message, errno = sys.pidfd_send_signal(pidfd, signal)
    if not ok and errno ~= sys.errno.ESRCH then
      try(nil, message, errno)
    end
  end
end

--- The processes in a cgroup and in those below it.
-- @treturn table array of pids
function container.inside(path)
  local list = processes.inside(path) or {}
  for _, name in ipairs(sys.list(path) or {}) do
    if sys.stat(path .. "/" .. name, "type") == "directory" then
      local more = container.inside(path .. "/" .. name)
      table.move(more, 1, #more, #list + 1, list)
    end
  end
  return list
end

--- Kills all that is left of the container, and waits until it is gone.
local function finish(home)
  local about, deadline = home.about, sys.clock_gettime() + TIMEOUT
  local pause = 0.001
  while true do
    local left = state.lives(about)
    if left then
      sys.kill(about.pid, "KILL")
    end
    for _, entry in ipairs(about.cgroups) do
      if container.inside(entry.path)[1] then
        left = true
        for _, pid in ipairs(container.inside(entry.path)) do
          sys.kill(pid, "KILL")
        end
        VERSIONS[entry.version].kill(entry.path)
      end
    end
    if not left then
      return
    elseif sys.clock_gettime() > deadline then
      try(nil, ("container %s: a process that was killed does not end: %s"):format(home.id,
        sys.strerror(sys.errno.EBUSY)), sys.errno.EBUSY)
    end
    sys.ppoll({}, pause)
    pause = math.min(2 * pause, 0.05)
  end
end

--- The cgroups without processes, of those at a path whose creator was killed: all that it had
-- started ends with it, which may take a moment. Processes that stay belong to others, and so does
-- the cgroup that they are in.
local function unused(path)
  local list
  for _ = 1, 50 do
    local all = given.find(path)
    list = {}
    for _, entry in ipairs(all) do
      list[#list + 1] = not container.inside(entry.path)[1] and entry or nil
    end
    if #list == #all then
      break
    end
    sys.ppoll({}, 0.01)
  end
  return list
end

--- Takes a container away: its processes, cgroups and state.
-- @tparam table home, locked
-- @bool[opt] force also one that runs
function container.delete(home, force)
  local status = state.status(home)
  if not force and (status == "running" or status == "paused") then
    try(nil, ("cannot delete container %s that is not stopped: %s"):format(home.id, status),
      sys.errno.EBUSY)
  end
  local about = home.about
  if about.pid then
    finish(home)
  elseif about.cgroupsPath then
    about.cgroups = unused(about.cgroupsPath) -- it could not say yet which there are
  end
  for _, entry in ipairs(about.cgroups) do
    given.remove { path = entry.path, directories = entry.directories or {} }
  end
  local warnings = home.whole and about.pid and container.hooks(home, "poststop") or {}
  state.remove(home)
  for _, warning in ipairs(warnings) do
    warn("lua-container: ", warning)
  end
end

return container
