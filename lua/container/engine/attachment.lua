-- The network of a container that is attached by the plugins of CNI. It is detached when the
-- container ends; or by the next container with such a network, where a launcher was killed: a file
-- says what there is to detach, with a lock that ends with the launcher.

local file = require "container.fs.path"
local json = require "container.json"
local lock = require "container.fs.lock"
local loopback = require "container.linux.network"
local resolver = require "container.fs.resolver"
local search = require "container.search"
local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"
local sysctl = require "container.linux.sysctl"

local attachment = {}

-- The files of an attachment: what there is to detach; and the namespace, bound as ip-netns(8) does
-- it, so that the plugins find it though its processes are gone.
local PLACE <const>, PREFIX <const>, NAMESPACE <const> = "/run/lua-container", "cni:", "netns:"

local ID_BYTES <const> = 8

--- In a new process: makes the network namespace, and hands it over.
local function make(socket)
  local ok = loopback.child()
  for name, value in pairs(sysctl.NETWORK) do
    sys.write_file("/proc/sys/" .. name:gsub("%.", "/"), value)
  end
  local fd = ok and sys.open("/proc/self/ns/net")
  if fd then
    sys.send_fd(socket, fd)
    fd:close() -- here, for the memory is the caller's, where the number is another file's
  end
end

--- Makes the namespace, before there is a process in it that stays.
-- @return an fd; or nil, message, errno
local function new_namespace()
  local mine <const>, other <const>, errno = sys.socketpair()
  if not mine then
    return nil, other, errno
  end
  local _ <close> = mine
  local _ <close> = other
  local pid, message, number = subprocess.start({ "network" }, function()
    make(other)
    sys._exit(0)
  end)
  if not pid then
    return nil, message, number
  end
  sys.wait(pid)
  other:close()
  local fd, why, code = sys.receive_fd(mine)
  return fd, why and "a network namespace could not be made: " .. why, code
end

--- Finds the network's plugins and makes the namespace.
function attachment.prepare(ctx)
  local cni, message = search.load "container.linux.cni"
  if not cni then
    return nil, message
  end
  ctx.plugins, message = cni.find(ctx.network_name)
  if not ctx.plugins then
    return nil, message, sys.errno.ENOENT
  end
  local fd, why, errno = new_namespace()
  if not fd then
    return nil, why, errno
  end
  ctx.undo:push(fd.close, fd)
  ctx.attached = { fd = fd, network = ctx.plugins }
  for _, entry in ipairs(ctx.config.linux.namespaces) do
    if entry.type == "network" then
      entry.path, entry.about = ("/proc/self/fd/%d"):format(fd:fileno()), ctx.network_name
    end
  end
  return true
end

local function path_of(prefix, id)
  return ("%s/%s%s"):format(PLACE, prefix, id)
end

--- Detaches it. If that fails, both files stay for the next container with such a network.
local function detach(cni, network, attached)
  if cni.delete(network, attached) then
    os.remove(path_of(PREFIX, attached.id))
    sys.umount(attached.namespace, "detach")
    os.remove(attached.namespace)
  end
end

--- What a launcher that was killed has left is detached. What cannot be is tried again later.
local function sweep(cni)
  lock.sweep(PLACE, function(name) return name:sub(1, #PREFIX) == PREFIX end, function(path)
    local last
    for line in (sys.read_file(path) or ""):gmatch("([^\n]*)\n") do
      last = line
    end
    local found = last and json.decode(last)
    if found then
      detach(cni, found.network, found.attached)
    else
      os.remove(path)
    end
  end)
end

--- Writes down what there is to detach, as far as it is known.
local function note(ctx, fd)
  local one = ctx.attached
  local text = json.encode { network = ctx.plugins, attached = { id = one.id, name = one.name,
    version = one.version, namespace = one.namespace, ports = one.ports, result = one.result } }
  text = text:gsub("\n *", "") .. "\n"
  local size, message, errno = sys.write(fd, text)
  return size == #text or nil, message or "there is no room for it", errno
end

local function random_id()
  local fd <close> = assert(sys.open("/dev/urandom"))
  return (assert(sys.read(fd, ID_BYTES)):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

--- Gives the namespace a path.
local function bind(ctx)
  local one = ctx.attached
  local place <close>, message, errno = sys.open(one.namespace, "rdonly,creat,excl,nofollow", 0)
  if not place then
    return nil, message, errno
  end
  return sys.mount(file.path(one.fd), one.namespace, nil, "bind")
end

--- Makes the file, with its lock.
local function claim(ctx)
  local dir <close>, message, errno = file.own_directory(PLACE)
  if not dir then
    return nil, message, errno
  end
  local fd
  fd, message, errno = lock.file(dir, PREFIX .. ctx.attached.id, true)
  if fd then
    ctx.undo:push(fd.close, fd)
  end
  return fd, message, errno
end

--- Published ports are mapped by a plugin that can do it. The sockets that listen on them keep
-- other processes from them.
local function map_ports(ctx)
  local list, can = {}, false
  for _, plugin in ipairs(ctx.plugins.plugins) do
    can = can or plugin.capabilities.portMappings == true
  end
  for i, entry in ipairs(can and ctx.published or {}) do
    entry.by_plugins = true
    list[i] = { hostIP = entry.address, hostPort = entry.host_port, containerPort = entry.port,
      protocol = "tcp" }
  end
  return list
end

--- Runs the plugins, and takes note of what they say.
function attachment.attach(ctx)
  local cni, network, one = search.load "container.linux.cni", ctx.plugins, ctx.attached
  one.id, one.name, one.version = random_id(), network.name, network.version
  one.namespace, one.ports = path_of(NAMESPACE, one.id), map_ports(ctx)
  sweep(cni)
  local fd, message, errno = claim(ctx)
  local ok = fd
  if ok then
    ctx.undo:push(detach, cni, network, one)
    ok, message, errno = note(ctx, fd)
  end
  if ok then
    ok, message, errno = bind(ctx)
  end
  if ok then
    ok, message, errno = cni.add(network, one)
  end
  if ok then
    ok, message, errno = note(ctx, fd)
  end
  if not ok then
    return nil, ("%s: %s"):format(network.name, message), errno
  end
  local found = cni.read_result(one.result)
  ctx.address = found.addresses[1] or false
  ctx.name_servers = found.nameservers[1] and resolver.text(found) or resolver.of_host() or false
  return true
end

--- Has the plugins check that the container is attached as they left it.
-- @return true; or nil, message, errno
function attachment.check(ctx)
  local one = ctx.attached
  if not one then
    return nil, "the container is not in a network of CNI", sys.errno.EINVAL
  end
  local ok, message, errno = search.load "container.linux.cni".check(one.network, one)
  return ok, message and ("%s: %s"):format(one.name, message), errno
end

return attachment
