-- How a container of the OCI runtime is made, up to where it waits to be started.

local bundle_of = require "container.oci.bundle"
local cleanup = require "container.engine.cleanup"
local errors = require "container.error"
local seccomp = require "container.linux.seccomp"
local start = require "container.engine.start"
local state = require "container.oci.state"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local try = errors.try

local creation = {}

local function homes_as_data(ctx)
  local list = {}
  for i, entry in ipairs(ctx.cgroup or {}) do
    local controllers = {}
    for name in pairs(entry.controllers) do
      controllers[#controllers + 1] = name
    end
    table.sort(controllers)
    list[i] = { path = entry.path, version = entry.version, directories = entry.directories or {},
      controllers = controllers }
  end
  return list
end

--- The fds that the program gets beside its standard streams: --preserve-fds, and before them those
-- of systemd's socket activation. In the place of one that is not open is /dev/null.
-- sd_listen_fds(3)
function creation.kept_fds(config, count)
  local listening = 0
  local pid = os.getenv("LISTEN_PID")
  if not pid or pid == tostring(sys.getpid()) then
    listening = math.tointeger(os.getenv("LISTEN_FDS") or 0) or 0
  end
  local number = count and math.tointeger(count) or 0
  if number < 0 or number > 200 or count and not math.tointeger(count) then
    try(nil, ("--preserve-fds: expected a number of fds, got %s"):format(count), sys.errno.EINVAL)
  end
  local list = {}
  local nothing
  for fd = 3, 2 + listening + number do
    if not sys.stat(fd) then
      nothing = nothing or try(sys.open("/dev/null", "rdwr"))
    end
    list[#list + 1] = sys.stat(fd) and fd or nothing
  end
  if listening > 0 then
    local env = config.process.env
    env[#env + 1] = "LISTEN_FDS=" .. listening
    env[#env + 1] = "LISTEN_PID=1"
  end
  return list[1] and list or false
end

--- Connects to the socket that the master of a terminal is to be sent to.
-- @return an fd
function creation.console(path, terminal)
  if not terminal then
    if path then
      try(nil, "--console-socket: process.terminal is not set", sys.errno.EINVAL)
    end
    return nil
  elseif not path then
    return nil
  end
  local socket, message, errno = sys.socket_connect(path)
  if not socket then
    try(nil, "--console-socket: " .. message, errno)
  end
  return socket
end

--- Where the socket lies by which the container is started.
local function listen(home)
  return try(sys.socket_bind(state.socket(home)))
end

--- Has the container live on without this process.
local function let_go(ctx)
  try(sync.go(ctx))
  local said, message, errno = sys.read(ctx.channel.line)
  if said ~= "\0" then
    try(nil, "the container ended before it was made" .. (message and ": " .. message or ""),
      errno or sys.errno.ECHILD)
  end
end

--- Undoes a start that was refused behind it.
local function discard(ctx)
  sys.pidfd_send_signal(ctx.pidfd, "KILL")
  sys.wait(ctx.pidfd)
  ctx.undo:run()
end

--- Makes a container that waits to be started. Whatever is refused, nothing of it stays.
-- @tparam table options bundle, config, console_socket, pid_file, preserve_fds, debug
-- @string id
-- @string root of the states
-- @treturn table home, as of state.open
-- @treturn userdata|nil the master of its terminal, where no console socket takes it
function creation.create(options, id, root)
  local directory = options.bundle or "."
  local absolute <close> = try(sys.open(directory, "path,directory"))
  directory = sys.readlink("/proc/self/fd/" .. absolute:fileno())
  local text, value = bundle_of.read(directory, options.config)
  local asked = bundle_of.asked(value, directory)
  local console <close> = creation.console(options.console_socket, asked.terminal)
  if asked.terminal and not console and not options.foreground then
    try(nil, "process.terminal: takes --console-socket, which gets the other side of it",
      sys.errno.EINVAL)
  end
  local home = state.claim(root, id)
  local unmade <close> = cleanup.new()
  unmade:push(state.remove, home)
  local linux = asked.config.linux
  linux.cgroupsPath = linux.cgroupsPath or "oci.lua-container/" .. id
  asked.id = id
  asked.kept = creation.kept_fds(asked.config, options.preserve_fds)
  asked.debug = options.debug
  local socket <close> = listen(home)
  asked.start_socket = socket
  local about = { id = id, ociVersion = asked.config.ociVersion, bundle = directory,
    rootfs = asked.config.root.path, annotations = asked.config.annotations or {},
    created = os.date("!%Y-%m-%dT%H:%M:%SZ"), owner = tostring(sys.geteuid()), cgroups = {},
    cgroupsPath = linux.cgroupsPath }
  state.save(home, about, text)
  local ctx, err = start.start(asked)
  if not ctx then
    try(nil, tostring(err), err.errno)
  end
  unmade:push(discard, ctx)
  about.pid, about.born = ctx.pid, state.born(ctx.pid)
  about.cgroups = homes_as_data(ctx)
  if ctx.seccomp then
    seccomp.keep(home.path .. "/seccomp.bpf", ctx.seccomp)
  end
  if options.pid_file then
    state.write(options.pid_file, tostring(ctx.pid))
  end
  if console then
    try(sys.send_fd(console, ctx.tty))
  end
  state.save(home, about)
  let_go(ctx)
  home.about, home.whole = about, true
  unmade:release()
  return home, ctx
end

return creation
