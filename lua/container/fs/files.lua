-- Files that are made of strings: read-only in the container, and on no disk. They lie in the
-- container's own /dev, a tmpfs, without a name there, and are bound to their places.

local errors = require "container.error"
local file = require "container.fs.path"
local sys = require "container.sys"
local user = require "container.linux.user"

local try <const> = errors.try

local files = {}

local HOW <const> = { all = "ro,nosuid,nodev", single = true }

--- In the parent: finds the owners out, by the container's own names.
function files.prepare(ctx)
  for i, entry in ipairs(ctx.files) do
    if entry.user then
      entry.uid, entry.gid = try(user.ids(ctx.config.root.path, entry.user))
    end
    entry.name = (".file%d"):format(i)
  end
  return true
end

local function put(ctx, entry)
  local dev = ctx.held["/dev"]
  if not dev then
    return nil, "files: the container has no /dev of its own", sys.errno.ENOENT
  end
  local fd <close> = try(sys.open(entry.name, "wronly,creat,excl,nofollow", 0x180, dev)) -- 0600
  local from, text = 1, entry.content
  while from <= #text do
    from = from + try(sys.write(fd, text, from))
  end
  if entry.uid then
    try(sys.chown(fd, entry.uid, entry.gid))
  end
  try(sys.chmod(fd, entry.mode))
  local top, message, errno =
    file.bind(ctx.root, entry.destination, file.path(fd), HOW, ctx.held["/proc"])
  if type(top) == "userdata" then
    top:close()
  end
  os.remove(file.path(dev) .. "/" .. entry.name)
  return top and true, message, errno
end

--- In the child, behind the volumes: a file may lie in one.
function files.child(ctx)
  for _, entry in ipairs(ctx.files) do
    try(put(ctx, entry))
  end
  return true
end

return files
