-- The mounts of a container: OCI's list of them, and the volumes at its end. mount(2);
-- OCI runtime specification, config, "Mounts"

local container = require "container"
local file = require "container.file"

local mount = {}

-- Options that are flags of mount(2); any other is the filesystem's own.
local FLAGS <const> = {
  bind = true, rbind = true, ro = true, nosuid = true, nodev = true, noexec = true,
  noatime = true, nodiratime = true, relatime = true, strictatime = true, sync = true,
  dirsync = true, nosymfollow = true,
}

local function split(options)
  local flags, data, words = {}, {}, {}
  for _, word in ipairs(options or {}) do
    words[word] = true
    local list = FLAGS[word] and flags or data
    list[#list + 1] = word
  end
  return table.concat(flags, ","), table.concat(data, ","), words
end

--- Makes everything private first: nothing that is mounted from here on shows on the host, also
-- where the host's mounts are shared, as systemd has them. mount_namespaces(7)
function mount.private()
  return container.mount(nil, "/", nil, "rprivate")
end

--- Makes the mount at `path` and all below it read-only. Before 5.12 that could be done for one
-- mount only, so there the bind is done again without what is mounted below.
local function read_only(path, source)
  local ok, message, errno = container.mount_setattr(path, "ro")
  if ok or errno ~= container.errno.ENOSYS then
    return ok, message, errno
  end
  ok, message, errno = container.umount(path, "detach")
  if ok then
    ok, message, errno = container.mount(source, path, nil, "bind")
  end
  if ok then
    ok, message, errno = container.mount(nil, path, nil, "remount,bind,ro")
  end
  return ok, message, errno
end

--- Shows a file or directory of the host beneath `root`, at a place that is made when missing. A link
-- of the image on the way leads where it leads inside the root.
-- @param root fd
-- @string destination
-- @string source
-- @tparam table words options as keys: ro, and bind for this mount without those below it
function mount.bind(root, destination, source, words)
  local st, message, errno = container.stat(source)
  if not st then
    return nil, message, errno
  end
  local kind = st.type == "directory" and "directory" or "file"
  local target <close>, why, number = file.beneath(root, destination, kind)
  if not target then
    return nil, why, number
  end
  local ok
  ok, message, errno = container.mount(source, file.path(target), nil,
    words.bind and "bind" or "rbind")
  if ok and words.ro then
    -- The fd is of what lies below: what was mounted on it is looked up anew.
    local top <close> = assert(container.open_beneath(root, destination, "path"))
    ok, message, errno = read_only(file.path(top), source)
  end
  return ok, message, errno
end

--- Mounts a filesystem of the kernel's. Its place may not be a link: an image whose /proc is one wants
-- something else to be /proc.
local function filesystem(root, entry, flags, data)
  local target <close>, message, errno =
    file.beneath(root, entry.destination, "directory", "nosymlinks")
  if not target then
    if errno == container.errno.ELOOP then
      message = ("mount %s: it is, or lies behind, a symbolic link in the root")
        :format(entry.destination)
    end
    return nil, message, errno
  end
  return container.mount(entry.source, file.path(target), entry.type, flags, data)
end

local function one(root, entry)
  local flags, data, words = split(entry.options)
  local ok, message, errno
  if words.bind or words.rbind then
    ok, message, errno = mount.bind(root, entry.destination, entry.source, words)
  else
    ok, message, errno = filesystem(root, entry, flags, data)
  end
  if not ok and message:find("/proc/self/fd/", 1, true) then
    message = ("mount %s: %s"):format(entry.destination, container.strerror(errno))
  end
  return ok, message, errno
end

--- Runs while the old root is still attached: the sources of volumes are there, and a user namespace
-- may mount proc only where a full one is visible.
function mount.child(c)
  for _, entry in ipairs(c.config.mounts) do
    local ok, message, errno = one(c.root, entry)
    if not ok then
      return nil, message, errno
    end
  end
  return true
end

return mount
