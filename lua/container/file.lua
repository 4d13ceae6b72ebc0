-- Files beneath a directory that is not trusted, and the table of mounts. Knows no containers.

local container = require "container"

local file = {}

--- Opens `path` beneath `root`, and makes it with its parents when it is missing. Nothing
-- outside of `root` is opened or made, whatever links lie on the way.
-- @param root fd of a directory
-- @string path
-- @string kind "directory" or "file", what to make
-- @string[opt] resolve "nosymlinks" refuses even links that stay inside
-- @return an fd, or nil, message, errno
function file.beneath(root, path, kind, resolve)
  local fd, message, errno = container.open_beneath(root, path, "path", resolve)
  if fd or errno ~= container.errno.ENOENT then
    return fd, message, errno
  end
  local above, name = path:match("^(.-)/*([^/]+)/*$")
  local parent <close> = above == "" and container.open_beneath(root, ".", "path")
    or file.beneath(root, above, "directory", resolve)
  if not parent then
    return nil, message, errno
  end
  local ok
  if kind == "directory" then
    ok, message, errno = container.mkdir(name, 0x1ed, parent) -- 0755
  else
    ok, message, errno = container.mknod(name, "file", 0x1a4, 0, 0, parent) -- 0644
  end
  if not ok then
    return nil, message, errno
  end
  return container.open_beneath(root, path, "path", resolve)
end

--- The path by which this process reaches an open file.
function file.path(fd)
  return "/proc/self/fd/" .. fd:fileno()
end

local function unescape(field)
  return (field:gsub("\\(%d%d%d)", function(octal)
    return string.char(tonumber(octal, 8))
  end))
end

--- What is mounted, in the order of mountinfo. proc(5)
-- @treturn table array of { target = path, type = filesystem }; or nil, message, errno
function file.mounts()
  local text, message, errno = container.read_file("/proc/self/mountinfo")
  if not text then
    return nil, message, errno
  end
  local mounts = {}
  for target, kind in text:gmatch("%S+ %S+ %S+ %S+ (%S+) [^\n]- %- (%S+) [^\n]*") do
    mounts[#mounts + 1] = { target = unescape(target), type = kind }
  end
  return mounts
end

return file
