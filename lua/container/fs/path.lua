-- Files and mounts beneath a directory that is not trusted. Knows no containers.

local links = require "container.fs.links"
local old_kernel = require "container.fs.old_kernel"
local sys = require "container.sys"

local file = {}

local PIECE <const> = 65536

file.beneath, file.last = links.beneath, links.last
file.restrict = old_kernel.restrict

--- The path by which this process reaches an open file.
function file.path(fd)
  return "/proc/self/fd/" .. fd:fileno()
end

--- Reads to the end, or to an error.
-- @param fd
-- @int[opt] most how many bytes are enough; there may be some more
-- @treturn string
function file.read_all(fd, most)
  local text, size = {}, 0
  repeat
    local piece = sys.read(fd, PIECE) or ""
    text[#text + 1] = piece
    size = size + #piece
  until piece == "" or most and size > most
  return table.concat(text)
end

--- Mounts a filesystem of the kernel's. It is mounted on `/` first, whose top `/..` leads to, and
-- moved from there: a process that renames in the root could else have another directory in
-- its place when it is opened.
-- @param target fd of where it is to be
-- @string source
-- @string kind
-- @string[opt] flags
-- @string[opt] data
-- @return an fd of its top; or nil, message, errno
function file.mount(target, source, kind, flags, data)
  local ok, message, errno = sys.mount(source, "/", kind, flags, data)
  if not ok then
    return nil, message, errno
  end
  local top, why, number = sys.open("/..", "path,directory")
  if not top then
    return nil, why, number
  end
  ok, message, errno = old_kernel.move(top, target)
  return ok and top, message, errno
end

--- Where a path is to be looked up: beneath the mount that is held for its beginning, wherever that
-- is by now, or else beneath the root.
-- @tparam[opt] table held fds by paths
-- @param root fd
-- @string path
-- @return fd, and the path beneath it
function file.nearest(held, root, path)
  local place = held and path
  while place do
    local fd = held[place]
    if fd then
      return fd, #place < #path and path:sub(#place + 1) or "."
    end
    place = place:match("^(.*)/")
  end
  return root, path ~= "" and path or "."
end

-- Why a mount is refused: what lies there is the start's own, or masked.
file.BARRED = "mount %s: a link of the root leads into /proc"

--- Whether two open files are of one filesystem.
function file.is_in(fd, other)
  return sys.stat(fd, "dev") == sys.stat(other, "dev")
end

--- Gives a mount what was asked for.
-- @param held fd of it
-- @tparam table how of mount_options.lua: all, top, propagation
-- @return true; or nil, message, errno
function file.set_attributes(held, how)
  local ok, message, errno = true, nil, nil
  local list = { how.all and "rec," .. how.all or false, how.top or false }
  table.move(how.propagation or {}, 1, #(how.propagation or {}), #list + 1, list)
  for _, attributes in ipairs(list) do
    if ok and attributes then
      ok, message, errno = sys.mount_setattr(held, attributes)
    end
  end
  return ok, message, errno
end

--- Shows a file or directory of the host beneath `root`, at a place that is made when missing. A
-- link of the image on the way leads where it leads inside the root.
-- @param root fd
-- @string destination
-- @param source path, or the number of an fd that holds a mount: it is moved here
-- @tparam table how as of mount_options.lua: single, all, top, strict, propagation
-- @param[opt] barred fd: a place in the same filesystem is refused
-- @return an fd of what is mounted there, or its number as it was given; or nil, message, errno
function file.bind(root, destination, source, how, barred)
  local st, message, errno = sys.stat(source)
  if not st then
    return nil, message, errno
  end
  local kind = st.type == "directory" and "directory" or "file"
  local target <close>, why, number = file.beneath(root, destination, kind)
  if not target then
    return nil, why, number
  end
  if barred and file.is_in(target, barred) then
    return nil, file.BARRED:format(destination), sys.errno.EPERM
  elseif kind == "directory" and sys.stat(target, "type") ~= "directory" then
    number = sys.errno.ENOTDIR
    return nil, ("mount %s: %s"):format(destination, sys.strerror(number)), number
  end
  -- Restricted while it is nowhere: a place that is swapped in the root meanwhile is not
  -- looked up again.
  local held = source
  if type(source) == "string" then
    held, message, errno = sys.open_tree(source, not how.single and "rec" or nil)
  end
  local ok = held
  if ok then
    ok, message, errno = file.set_attributes(held, how)
  end
  if ok then
    ok, message, errno = sys.move_mount(held, target)
  end
  if type(source) == "string" and not ok and errno == sys.errno.ENOSYS then
    return old_kernel.bind(root, destination, source, how, target)
  end
  return ok and held, message, errno
end

--- Whether an open file is of this kind, and this user alone can have written it.
function file.is_own(fd, kind)
  local st = sys.stat(fd)
  return st and st.type == kind and st.uid == sys.geteuid() and st.mode & 0x12 == 0 -- 022
end

--- Opens a directory that this user alone can write. It may be made at this moment, or have been
-- made by another user to be in the way.
-- @return an fd, or nil, message, errno
function file.own_directory(path)
  local ok, message, errno = sys.mkdir(path, 0x1c0) -- 0700
  if not ok and errno ~= sys.errno.EEXIST then
    return nil, message, errno
  end
  local dir, why, number = sys.open(path, "path,directory,nofollow")
  if dir and not file.is_own(dir, "directory") then
    dir:close()
    return nil, ("open %s: not a directory that this user alone can write"):format(path),
      sys.errno.EPERM
  end
  return dir, why, number
end

--- Whether there is such a program where exec looks for a name without a slash. execvp(3)
function file.is_program(name)
  for directory in (os.getenv("PATH") or "/bin:/usr/bin"):gmatch("[^:]+") do
    local st = sys.stat(directory .. "/" .. name)
    if st and st.type == "file" and st.mode & 0x49 ~= 0 then -- 0111
      return true
    end
  end
  return false
end

local function unescape(field)
  return (field:gsub("\\(%d%d%d)", function(octal)
    return string.char(tonumber(octal, 8))
  end))
end

--- What is mounted, in the order of mountinfo. proc(5)
-- @treturn table array of { target = path, type = filesystem }; or nil, message, errno
function file.mounts()
  local text, message, errno = sys.read_file("/proc/self/mountinfo")
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
