-- The state of the containers of the OCI runtime: a directory for each, which claims the id, with
-- state.json, the bundle's config.json as it was, a lock, and the socket by which the container is
-- started. How a container stands is computed from its process, and never stored.
-- OCI runtime specification, runtime, "State"

local errors = require "container.error"
local json = require "container.json"
local process_tree = require "container.linux.process_tree"
local sys = require "container.sys"

local try = errors.try

local state = {}

-- As crun and runc take them.
local ID <const> = "^[%w_+.-]+$"
local ID_MAX <const> = 1024

local NAME <const>, CONFIG <const>, SOCKET <const> = "state.json", "config.json", "start.sock"

-- What is an array also when it is empty.
local ARRAYS <const> = { cgroups = true, directories = true, controllers = true, namespaces = true }

-- What the file behind a process is called that has not become its program yet.
local WAITING <const> = "^/memfd:lua%-container%-"

--- Where the states are unless --root says.
-- @treturn string
function state.root()
  local place = sys.geteuid() ~= 0 and os.getenv("XDG_RUNTIME_DIR")
  return (place and place ~= "" and place or "/run") .. "/lua-container-oci"
end

--- Makes a directory and those above it.
local function make_directories(path)
  local made, message, errno = sys.mkdir(path, 0x1c0) -- 0700
  if not made and errno == sys.errno.ENOENT then
    make_directories(path:match("^(.+)/") or "/")
    made, message, errno = sys.mkdir(path, 0x1c0)
  end
  if not made and errno ~= sys.errno.EEXIST then
    try(nil, message, errno)
  end
end

local function check_id(id)
  if not id:find(ID) or #id > ID_MAX or id == "." or id == ".." then
    try(nil, ("container id %s: expected letters, digits and _ + - ."):format(errors.plain(id)),
      sys.errno.EINVAL)
  end
end

--- Locks the directory, which goes with its owner.
local function hold(path)
  local fd, message, errno = sys.open(path, "rdonly,directory,nofollow")
  if fd then
    try(sys.flock(fd, "ex"))
  end
  return fd, message, errno
end

--- Claims an id.
-- @string root
-- @string id
-- @treturn table { id, path, lock }; raises a refusal where the id is in use
function state.claim(root, id)
  check_id(id)
  make_directories(root)
  local path = root .. "/" .. id
  local made, message, errno = sys.mkdir(path, 0x1c0)
  if not made then
    try(nil, errno == sys.errno.EEXIST and ("container %s exists already"):format(id) or message,
      errno)
  end
  return { id = id, path = path, lock = try(hold(path)) }
end

--- The sockets and files of a directory, by an fd: a path of a socket may not be long. unix(7)
local function by_fd(home, name)
  return ("/proc/self/fd/%d/%s"):format(home.lock:fileno(), name)
end

--- Where the container waits to be started.
function state.socket(home)
  return by_fd(home, SOCKET)
end

--- Writes a file in one step: what reads it sees the old one or the new.
-- @string path
-- @string text
function state.write(path, text)
  local new = path .. ".new"
  os.remove(new)
  local fd <close> = try(sys.open(new, "wronly,creat,excl,nofollow", 0x1a4)) -- 0644
  local from = 1
  while from <= #text do
    from = from + try(sys.write(fd, text, from))
  end
  local ok, why = os.rename(new, path)
  try(ok, why)
end

--- Keeps what the container is made of.
-- @tparam table home
-- @tparam table about
-- @string[opt] config text of config.json, the first time
function state.save(home, about, config)
  if config then
    state.write(home.path .. "/" .. CONFIG, config)
  end
  state.write(home.path .. "/" .. NAME, json.encode(about, ARRAYS))
end

--- JSON's numbers are floating.
local function whole_numbers(about)
  about.pid = about.pid and math.tointeger(about.pid)
  for _, entry in ipairs(about.cgroups) do
    entry.version = math.tointeger(entry.version)
  end
  return about
end

--- Opens the state of a container.
-- @string root
-- @string id
-- @bool[opt] locked no other command changes it meanwhile
-- @treturn table { id, path, lock, about }; raises a refusal where there is none
function state.open(root, id, locked)
  check_id(id)
  local path = root .. "/" .. id
  local fd, message, errno
  if locked then
    fd, message, errno = hold(path)
  else
    fd, message, errno = sys.open(path, "rdonly,directory,nofollow")
  end
  if not fd or not sys.stat(path) then
    try(nil, (not fd and errno ~= sys.errno.ENOENT) and message
      or ("container %s does not exist"):format(id), errno or sys.errno.ENOENT)
  end
  local home = { id = id, path = path, lock = fd }
  local text = sys.read_file(path .. "/" .. NAME)
  home.about = text and whole_numbers(json.decode(text))
    or { id = id, cgroups = {}, annotations = {} }
  home.whole = text ~= nil
  return home
end

--- The configuration that the container was made of, as it was written.
function state.config(home)
  return sys.read_file(home.path .. "/" .. CONFIG)
end

--- When a process was born, in ticks since the machine's start; nil where there is none, or where
-- it has ended.
-- @int pid
-- @treturn string|nil
function state.born(pid)
  local seen = process_tree.look(pid)
  return seen and not seen.zombie and seen.start or nil
end

--- Whether the container's first process is there.
function state.lives(about)
  return about.pid ~= nil and state.born(about.pid) == about.born
end

local function is_frozen(about)
  for _, entry in ipairs(about.cgroups) do
    if (sys.read_file(entry.path .. "/freezer.state") or ""):find("^FR")
        or (sys.read_file(entry.path .. "/cgroup.events") or ""):find("frozen 1", 1, true) then
      return true
    end
  end
  return false
end

--- How a container stands.
-- @tparam table home
-- @treturn string "creating", "created", "running", "paused" or "stopped"
function state.status(home)
  local about = home.about
  if not home.whole or not about.pid then
    return home.whole and about.failed and "stopped" or "creating"
  elseif not state.lives(about) then
    return "stopped"
  end
  local waits = sys.stat(home.path .. "/" .. SOCKET) ~= nil
  -- With hooks of startContainer the process that waits is no init, and its file another.
  if waits and not about.hooked then
    local file = sys.readlink(("/proc/%d/exe"):format(about.pid))
    waits = not file or file:find(WAITING) ~= nil
  end
  if waits then
    return "created"
  end
  return is_frozen(about) and "paused" or "running"
end

--- What the specification has of it.
-- @tparam table home
-- @treturn table
function state.public(home)
  local about, status = home.about, state.status(home)
  return {
    ociVersion = about.ociVersion or "1.0.2", id = home.id, status = status,
    pid = status ~= "stopped" and about.pid or 0, bundle = about.bundle or "",
    rootfs = about.rootfs, created = about.created, owner = about.owner,
    annotations = about.annotations or {},
  }
end

--- The container has been started: nothing waits any more.
function state.started(home)
  os.remove(home.path .. "/" .. SOCKET)
end

--- Takes the directory away, and frees the id.
function state.remove(home)
  for _, name in ipairs(sys.list(home.path) or {}) do
    os.remove(home.path .. "/" .. name)
  end
  sys.rmdir(home.path)
end

--- All ids.
-- @string root
-- @treturn table array of strings, in order
function state.ids(root)
  local list = {}
  for _, name in ipairs(sys.list(root) or {}) do
    list[#list + 1] = name:find(ID) and name or nil
  end
  table.sort(list)
  return list
end

return state
