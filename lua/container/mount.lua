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

--- Mounts a filesystem of the kernel's. Its place may not be a link: an image whose /proc is one
-- wants something else to be /proc.
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
    ok, message, errno = file.bind(root, entry.destination, entry.source, words)
  else
    ok, message, errno = filesystem(root, entry, flags, data)
  end
  if not ok and message:find("/proc/self/fd/", 1, true) then
    message = ("mount %s: %s"):format(entry.destination, container.strerror(errno))
  end
  return ok, message, errno
end

--- Runs while the old root is still attached: the sources of volumes are there, and a user
-- namespace may mount proc only where a full one is visible.
function mount.child(c)
  for _, entry in ipairs(c.config.mounts) do
    local ok, message, errno = one(c.root, entry)
    if not ok then
      return nil, message, errno
    end
    if entry.destination == "/dev" and not c.dev then
      -- Held now, for a volume may come to lie on it.
      c.dev, message, errno = container.open_beneath(c.root, "/dev", "path,directory")
      if not c.dev then
        return nil, message, errno
      end
    end
  end
  return true
end

return mount
