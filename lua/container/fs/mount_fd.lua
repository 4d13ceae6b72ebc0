-- Mounts of the host's that a container gets which has a range of ids: held by fds, for its root is
-- no user on the host and finds little there by path. Those that are idmapped have an id on disk as
-- that id in the container, both ways: mount_setattr(2), "ID-mapped mounts".

local sys = require "container.sys"
local userns_fd = require "container.linux.userns_fd"

local mount_fd = {}

-- What the first of them is called in the child: after its ends of the channel and of the line, and
-- the image of init, see engine/files.lua.
mount_fd.FIRST_FD = 6

-- The child keeps no more fds than 256.
local MAX <const> = 250

local function refusal(path, errno)
  local reason = sys.strerror(errno)
  if errno == sys.errno.ENOSYS then
    reason = reason .. "; idmapped mounts take Linux 5.12"
  end
  return nil, ("mount_setattr %s: %s"):format(path, reason), errno
end

local function map(held, userns)
  local how = held.how
  local all = how.rec and how.map_below ~= false
  local ok, _, errno = sys.mount_setattr(held.fd, all and "rec" or nil, userns)
  if ok or errno == sys.errno.EINVAL and how.optional then
    return true
  elseif errno == sys.errno.EINVAL then
    return nil, ("mount_setattr %s: its filesystem, or one that is mounted below it, cannot be "
      .. "idmapped"):format(held.path), errno
  end
  return refusal(held.path, errno)
end

--- Holds one. In the parent, before the clone: the child has it then.
-- @param c
-- @param key by which `mount_fd.of` finds it
-- @string path
-- @tparam table how rec: with what is mounted below; mapped: idmapped, and refused where it
-- cannot be; optional: then not idmapped, so that its files have no owner inside; passed_on: it
-- stays shared with the host, for its options say so; own: what has uidMappings and gidMappings of
-- its own; map_below: what is mounted below it is idmapped as well
-- @return true; or nil, message, errno
function mount_fd.hold(ctx, key, path, how)
  if #ctx.trees == MAX then
    return nil, ("open_tree %s: more than %d mounts"):format(path, MAX), sys.errno.E2BIG
  end
  local fd, message, errno = sys.open_tree(path, how.rec and "rec" or nil)
  if not fd then
    return nil, message, errno
  end
  ctx.undo:push(fd.close, fd)
  -- Where the host's mounts are shared they would show what is mounted in it from here on.
  -- What a container of other ids mounts is never seen on the host.
  local way = how.passed_on and (ctx.userns and "slave" or "") or "private"
  if way ~= "" then
    local ok, _, number = sys.mount_setattr(fd, how.rec and "rec," .. way or way)
    if not ok then
      return refusal(path, number)
    end
  end
  local held = { key = key, fd = fd, path = path, how = how }
  if how.own then
    local userns <close>, why, code = userns_fd(how.own.uidMappings, how.own.gidMappings)
    if not userns then
      return nil, why, code
    end
    local ok
    ok, message, errno = map(held, userns)
    if not ok then
      return nil, message, errno
    end
  end
  ctx.trees[#ctx.trees + 1] = held
  return true
end

--- In the child: the mount that was held by this key, an fd; nil if there is none.
function mount_fd.of(ctx, key)
  for i, held in ipairs(ctx.trees or {}) do
    if held.key == key then
      return mount_fd.FIRST_FD + i - 1
    end
  end
end

--- Runs while the child waits, in whose user namespace there are ids by now.
function mount_fd.parent(ctx, pid)
  if not ctx.trees then
    return true
  end
  local userns <close>, message, errno = sys.open(("/proc/%d/ns/user"):format(pid))
  if not userns then
    return nil, message, errno
  end
  for _, held in ipairs(ctx.trees) do
    local ok, why, number = true, nil, nil
    if held.how.mapped then
      ok, why, number = map(held, userns)
    end
    held.fd:close() -- the child has it
    if not ok then
      return nil, why, number
    end
  end
  return true
end

return mount_fd
