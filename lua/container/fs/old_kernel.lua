-- What stands in for newer system calls: open_tree(2) and move_mount(2), Linux 5.2, and
-- mount_setattr(2), Linux 5.12. The only file that knows how mounts were changed before.

local sys = require "container.sys"

local old_kernel = {}

--- The path by which this process reaches an open file.
local function path_of(fd)
  return "/proc/self/fd/" .. fd:fileno()
end

--- Gives a mount, and none below it, attributes such as "ro,nodev" by mounting it again, as before
-- 5.12. What it forbids already has to be said again, or it would be allowed.
-- @param fd of its top
function old_kernel.remount(fd, attributes)
  local flags, message, errno = sys.mount_flags(fd)
  if not flags then
    return nil, message, errno
  end
  return sys.mount(nil, path_of(fd), nil, ("remount,bind,%s,%s"):format(attributes, flags))
end

--- Gives what has been bound on `target`, and all below it, attributes. Before 5.12 that could be
-- done for one mount only, so there the bind is done again without what is mounted below, or, with
-- `all`, refused.
-- @string target path of what lies under it
-- @string source
-- @string attributes
-- @func open gives an fd of the top of what is mounted there
-- @bool[opt] all whether less than all below it will not do
-- @return an fd of that top; or nil, message, errno
function old_kernel.restrict(target, source, attributes, open, all)
  local top, message, errno = open()
  if not top then
    return nil, message, errno
  end
  local ok
  ok, message, errno = sys.mount_setattr(top, "rec," .. attributes)
  if ok then
    return top
  end
  local _ <close> = top
  if errno ~= sys.errno.ENOSYS then
    return nil, message, errno
  elseif all then
    return nil, ("mount_setattr %s: what is mounted in it can be restricted from Linux 5.12 on")
      :format(source), sys.errno.EINVAL
  end
  ok, message, errno = sys.umount(path_of(top), "detach")
  if ok then
    ok, message, errno = sys.mount(source, target, nil, "bind")
  end
  if not ok then
    return nil, message, errno
  end
  local single, why, number = open()
  if not single then
    return nil, why, number
  end
  ok, message, errno = old_kernel.remount(single, attributes)
  return ok and single, message, errno
end

--- The attributes that forbid something: what would be taken away is not there on most mounts.
local function forbidding(attributes)
  local list = {}
  for word in (attributes or ""):gmatch("[^,]+") do
    list[#list + 1] = (word == "ro" or word:find("^no")) and word or nil
  end
  return table.concat(list, ",")
end

--- What is passed on, as mount(2) has it: "rec,slave" is rslave there.
local function pass_on(top, how)
  local ok, message, errno = true, nil, nil
  for _, words in ipairs(how.propagation or {}) do
    if ok then
      ok, message, errno = sys.mount(nil, path_of(top), nil, (words:gsub("^rec,", "r")))
    end
  end
  return ok and top, message, errno
end

--- Binds as `bind` of path.lua does: what was mounted is found again by its path, and has to be
-- what was to be mounted.
function old_kernel.bind(root, destination, source, how, target)
  local function open()
    local top, message, errno = sys.open_beneath(root, destination, "path")
    local is = top and sys.stat(top)
    local wanted = sys.stat(source)
    if is and wanted and (is.dev ~= wanted.dev or is.ino ~= wanted.ino) then
      top:close()
      return nil, ("mount %s: another process changes the root"):format(destination),
        sys.errno.EAGAIN
    end
    return top, message, errno
  end
  local all, own = forbidding(how.all), forbidding(how.top)
  local ok, message, errno =
    sys.mount(source, path_of(target), nil, how.single and "bind" or "rbind")
  if not ok then
    return nil, message, errno
  end
  local top
  if all ~= "" then
    top, message, errno = old_kernel.restrict(path_of(target), source, all, open, how.strict)
  else
    top, message, errno = open()
  end
  if top and own ~= "" then
    ok, message, errno = old_kernel.remount(top, own)
  end
  if not top or not ok then
    return nil, message, errno
  end
  return pass_on(top, how)
end

--- Moves a mount to a place.
-- @param top fd of it
-- @param target fd of the place
function old_kernel.move(top, target)
  local ok, message, errno = sys.move_mount(top, target)
  if not ok and errno == sys.errno.ENOSYS then
    ok, message, errno = sys.mount(path_of(top), path_of(target), nil, "move")
  end
  return ok, message, errno
end

--- Gives a mount, and none below it, attributes.
-- @param fd of its top
-- @string attributes
function old_kernel.set(fd, attributes)
  local ok, message, errno = sys.mount_setattr(path_of(fd), attributes)
  if not ok and errno == sys.errno.ENOSYS then
    ok, message, errno = old_kernel.remount(fd, attributes)
  end
  return ok, message, errno
end

return old_kernel
