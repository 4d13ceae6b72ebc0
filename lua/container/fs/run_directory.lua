-- What links of a host overlay need in its /run, which is empty otherwise.

local sys = require "container.sys"
local file = require "container.fs.path"

local run_directory = {}

local RESOLVER <const> = "/etc/resolv.conf"

-- More than that no resolver reads. resolv.conf(5)
local RESOLVER_MAX <const> = 1 << 16

-- Where programs lock devices and databases: by the Filesystem Hierarchy Standard; a link to
-- /run/lock in most distributions. tmpfiles.d(5), "legacy.conf"
local LOCK <const> = "/var/lock"

--- What the host's resolver reads, for a container that shares its network.
-- @treturn string; or nil
function run_directory.resolver()
  local st = sys.stat(RESOLVER)
  return st and st.type == "file" and st.size <= RESOLVER_MAX and sys.read_file(RESOLVER) or nil
end

--- Makes the directory of locks where /var/lock leads.
local function lock(root)
  local parent <close>, name = file.last(root, LOCK)
  local mode = sys.stat(LOCK, "mode")
  if not parent then
    return true -- no /var, or it leads nowhere
  end
  local ok, message, errno = sys.mkdir(name, (mode or 0x3ff) & 0x3ff, parent) -- 01777
  return ok or errno == sys.errno.EEXIST or errno == sys.errno.EACCES
    or errno == sys.errno.EROFS, message, errno
end

--- Makes the resolver's file where its link leads: in a place that the overlay shows empty, as
-- /run/systemd/resolve.
local function resolver(root, text)
  local there <close>, _, number = sys.open_beneath(root, RESOLVER, "path")
  if there or number ~= sys.errno.ENOENT then
    return true
  end
  local made <close>, message, errno = file.beneath(root, RESOLVER, "file")
  if not made then
    return nil, message, errno
  end
  return sys.write_file(file.path(made), text)
end

--- @param root fd of the overlay
-- @string[opt] text what the resolver is to read
-- @return true; or nil, message, errno
function run_directory.fill(root, text)
  local ok, message, errno = lock(root)
  if ok and text then
    ok, message, errno = resolver(root, text)
  end
  return ok, message, errno
end

return run_directory
