-- How a container of the OCI runtime is made, up to where it waits to be started.

local bundle_of = require "container.oci.bundle"
local cleanup = require "container.engine.cleanup"
local errors = require "container.error"
local given = require "container.linux.cgroup.given"
local hooks_directory = require "container.oci.hooks_directory"
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
-- of systemd's socket activation. In the place of one that is not open is /dev/null. Copies of them
-- are taken before this command opens a file, for one of its own could have such a number, and lead
-- out of the container. sd_listen_fds(3)
-- @string[opt] count of --preserve-fds
-- @treturn table array of fds, with `listening`, how many of them are of socket activation
function creation.kept_fds(count)
  local listening = 0
  local pid = os.getenv("LISTEN_PID")
  if not pid or pid == tostring(sys.getpid()) then
    listening = math.tointeger(os.getenv("LISTEN_FDS") or 0) or 0
  end
  local number = count and math.tointeger(count) or 0
  if number < 0 or number > 200 or listening < 0 or listening > 50
      or count and not math.tointeger(count) then
    try(nil, ("--preserve-fds: expected a number of fds, got %s"):format(count or listening),
      sys.errno.EINVAL)
  end
  local list, nothing = { listening = listening }, {}
  for fd = 3, 2 + listening + number do
    nothing[fd] = not sys.stat(fd) or nil
  end
  for fd = 3, 2 + listening + number do
    list[#list + 1] = try(nothing[fd] and sys.open("/dev/null", "rdwr") or sys.dup(fd))
  end
  return list
end

--- Gives a start these fds.
-- @tparam table asked what the engine takes
-- @tparam table list of kept_fds
function creation.keep_fds(asked, list)
  if list.listening > 0 then
    local env = asked.config.process.env
    env[#env + 1] = "LISTEN_FDS=" .. list.listening
    env[#env + 1] = "LISTEN_PID=1"
  end
  asked.kept = list[1] and list or false
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

--- Sends a client what it has a socket for: the master of the terminal, and a pidfd.
function creation.hand_over(ctx, console, pidfd_socket)
  if console then
    try(sys.send_fd(console, ctx.tty))
  end
  if pidfd_socket then
    local socket, message, errno = sys.socket_connect(pidfd_socket)
    if not socket then
      try(nil, "--pidfd-socket: " .. message, errno)
    end
    local _ <close> = socket
    try(sys.send_fd(socket, ctx.pidfd))
  end
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

--- What the state says before there is a process.
local function first_state(asked, directory)
  return { id = asked.id, ociVersion = asked.config.ociVersion, bundle = directory,
    rootfs = asked.config.root.path, annotations = asked.config.annotations or {},
    hooked = (asked.config.hooks or {}).startContainer ~= nil,
    created = os.date("!%Y-%m-%dT%H:%M:%SZ"), owner = tostring(sys.geteuid()), cgroups = {},
    cgroupsPath = asked.config.linux.cgroupsPath }
end

--- Makes a container that waits to be started. Whatever is refused, nothing of it stays.
-- @tparam table options bundle, config, console_socket, pid_file, preserve_fds, debug
-- @string id
-- @string root of the states
-- @treturn table home, as of state.open
-- @treturn userdata|nil the master of its terminal, where no console socket takes it
function creation.create(options, id, root)
  local kept = creation.kept_fds(options.preserve_fds)
  local directory = options.bundle or "."
  local absolute <close> = try(sys.open(directory, "path,directory"))
  directory = sys.readlink("/proc/self/fd/" .. absolute:fileno())
  local text, value = bundle_of.read(directory, options.config)
  local everybody = hooks_directory.load()
  text = hooks_directory.configure(everybody, text, value, { id = id, bundle = directory })
  local asked = bundle_of.asked(value, directory)
  hooks_directory.add(asked.config, everybody)
  local console <close> = creation.console(options.console_socket, asked.terminal)
  if asked.terminal and not console and not options.foreground then
    try(nil, "process.terminal: takes --console-socket, which gets the other side of it",
      sys.errno.EINVAL)
  end
  local home = state.claim(root, id)
  local unmade <close> = cleanup.new()
  unmade:push(state.remove, home)
  local linux = asked.config.linux
  linux.cgroupsPath = linux.cgroupsPath or given.DEFAULT .. "/" .. id
  asked.id = id
  creation.keep_fds(asked, kept)
  asked.debug = options.debug
  local socket <close> = listen(home)
  asked.start_socket = socket
  local about = first_state(asked, directory)
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
  creation.hand_over(ctx, console, options.pidfd_socket)
  state.save(home, about)
  let_go(ctx)
  home.about, home.whole = about, true
  unmade:release()
  return home, ctx
end

return creation
