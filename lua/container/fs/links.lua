-- Symbolic links beneath a directory that is not trusted, which is the root for all of them: also
-- for those that lead to what is not there. openat2(2), path_resolution(7)

local sys = require "container.sys"

local links = {}

-- How many links may lie on one way, as for the kernel itself. path_resolution(7)
local LINKS <const> = 40

--- The directory above, which is "" for a path of one name; and the last name.
local function split(path)
  return path:match("^(.-)/*([^/]+)/*$")
end

--- Where a link leads that lies in the directory `above`.
local function led(link, above)
  return link:sub(1, 1) == "/" and link or above .. "/" .. link
end

local function too_many(path)
  return nil, ("openat2 %s: %s"):format(path, sys.strerror(sys.errno.ELOOP)), sys.errno.ELOOP
end

--- Makes one name in a directory. Another process may have made it meanwhile; what it is shows when
-- it is opened.
local function make(name, kind, parent)
  local ok, message, errno
  if kind == "directory" then
    ok, message, errno = sys.mkdir(name, 0x1ed, parent) -- 0755
  else
    ok, message, errno = sys.mknod(name, "file", 0x1a4, 0, 0, parent) -- 0644
  end
  return ok or errno == sys.errno.EEXIST, message, errno
end

--- @tparam table seen how many links were followed so far, as `links`
local function beneath(root, path, kind, resolve, seen)
  local fd, message, errno = sys.open_beneath(root, path, "path", resolve)
  if fd or errno ~= sys.errno.ENOENT then
    return fd, message, errno
  end
  local above, name = split(path)
  local parent <close>, why, number = beneath(root, above ~= "" and above or ".", "directory",
    resolve, seen)
  if not parent then
    return nil, why, number
  end
  local link = sys.readlink(name, parent)
  if link then
    seen.links = seen.links + 1
    if resolve == "nosymlinks" or seen.links > LINKS then
      return too_many(path)
    end
    return beneath(root, led(link, above), kind, resolve, seen)
  end
  local ok
  ok, message, errno = make(name, kind, parent)
  if not ok then
    return nil, message, errno
  end
  return sys.open_beneath(root, path, "path", resolve)
end

--- Opens `path` beneath `root`, and makes it with its parents when it is missing: where a link
-- leads, if a link leads to what is missing. Nothing outside of `root` is opened or made,
-- with any links on the way, and also if another process renames them meanwhile: each name is made
-- in a directory that is held open.
-- @param root fd of a directory
-- @string path
-- @string kind "directory" or "file", what to make
-- @string[opt] resolve "nosymlinks" refuses even links that stay inside
-- @return an fd, or nil, message, errno
function links.beneath(root, path, kind, resolve)
  return beneath(root, path, kind, resolve, { links = 0 })
end

--- Follows the links at the end of a path, inside the root.
-- @param root fd of a directory
-- @string path
-- @return an fd of the directory that holds what the path leads to, or would hold it; and its name;
-- or nil, message, errno
function links.last(root, path)
  local way = path
  for _ = 0, LINKS do
    local above, name = split(way)
    local parent, message, errno =
      sys.open_beneath(root, above ~= "" and above or "/", "path,directory")
    if not parent then
      return nil, message, errno
    end
    local link = sys.readlink(name, parent)
    if not link then
      return parent, name
    end
    parent:close()
    way = led(link, above)
  end
  return too_many(path)
end

local function where(root, path, seen)
  local fd <close>, message, errno = sys.open_beneath(root, path ~= "" and path or ".", "path")
  if fd then
    return (sys.readlink("/proc/self/fd/" .. fd:fileno()):gsub("/$", ""))
  elseif errno ~= sys.errno.ENOENT then
    return nil, message, errno
  end
  local above, name = split(path)
  local parent <close> = sys.open_beneath(root, above ~= "" and above or ".", "path")
  local link = parent and sys.readlink(name, parent)
  if not link then
    local place, why, number = where(root, above, seen)
    return place and place .. "/" .. name, why, number
  end
  seen.links = seen.links + 1
  if seen.links > LINKS then
    return too_many(path)
  end
  return where(root, led(link, above), seen)
end

--- Where a path leads, or would lead once it is made, with no link in it: to be compared with
-- others.
-- @param root fd of a directory
-- @string path
-- @treturn string; or nil, message, errno
function links.where(root, path)
  return where(root, path, { links = 0 })
end

return links
