-- Files of /etc that a container has its own of: hosts, resolv.conf.

local file = require "container.fs.path"
local sys = require "container.sys"

local etc_file = {}

local MODE <const> = 0x1a4 -- 0644

--- Whether the caller has put something there itself.
-- @tparam Context ctx
-- @string name of a file in /etc
function etc_file.is_given(ctx, name)
  local path = "/etc/" .. name
  for _, entry in ipairs(ctx.volumes) do
    local place = entry.destination:gsub("/+$", "")
    if place == path or path:sub(1, #place + 1) == place .. "/" then
      return true
    end
  end
  return false
end

--- Writes a new file in a directory of ours.
-- @return an fd; or nil, message, errno
local function write(directory, name, text)
  local fd, message, errno = sys.open(name, "wronly,creat,excl,nofollow", MODE, directory)
  if fd and sys.write(fd, text) == #text then
    return fd
  elseif fd then
    fd:close()
    message, errno = "write: " .. sys.strerror(sys.errno.ENOSPC), sys.errno.ENOSPC
  end
  return nil, message, errno
end

--- Puts a new file in the place of the old one, in a layer that ends with the container.
local function replace(root, name, text)
  local etc <close> = sys.open_beneath(root, "/etc", "path,directory")
  local made = etc and "." .. name .. ".new"
  local fd <close> = etc and write(etc, made, text) or nil
  local new = fd and file.path(etc) .. "/" .. made
  if not new then
    return false
  elseif os.rename(new, file.path(etc) .. "/" .. name) then
    return true
  end
  os.remove(new) -- the old one is a mount
  return false
end

--- Mounts a new file over the old one, which is not the container's to change. It is in the
-- container's own /dev and has no name there.
local function cover(ctx, name, text)
  local dev = ctx.held["/dev"]
  if not dev then
    return nil, "the container has no /dev of its own", sys.errno.ENOENT
  end
  local fd <close>, message, errno = write(dev, "." .. name, text)
  if not fd then
    return nil, message, errno
  end
  local top
  top, message, errno = file.bind(ctx.root, "/etc/" .. name, file.path(fd), { nosuid = true,
    nodev = true, noexec = true })
  if type(top) == "userdata" then
    top:close()
  end
  os.remove(file.path(dev) .. "/." .. name)
  return top and true, message, errno
end

--- Gives the container a file of its own, when its /dev is mounted. Nothing of a root directory is
-- changed, but for a place to mount on where there is none.
-- @tparam Context ctx
-- @string name of a file in /etc
-- @string text
-- @return true; or nil, message, errno
function etc_file.put(ctx, name, text)
  if (ctx.view or ctx.copy_on_write) and replace(ctx.root, name, text) then
    return true
  end
  return cover(ctx, name, text)
end

--- Whether the root has an /etc.
function etc_file.has_directory(ctx)
  local etc <close> = sys.open_beneath(ctx.root, "/etc", "path,directory")
  return etc ~= nil
end

return etc_file
