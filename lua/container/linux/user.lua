-- The user that the program runs as: ids, or names as the container's own files have them.
-- passwd(5), group(5)

local sys = require "container.sys"
local userns = require "container.linux.userns"

local user = {}

local SIZE_MAX <const> = 1 << 20 -- a list of users is not larger
local ID_MAX <const> = 0xffffffff -- (uid_t) -1 is no id

--- A file of the container's root, read in the parent: nothing of the container has run by then.
local function read(root, path)
  local dir <close>, message, errno = sys.open(root, "path,directory")
  if not dir then
    return nil, message, errno
  end
  local fd <close>, why, number = sys.open_beneath(dir, path, "rdonly,nonblock")
  if not fd then
    return nil, why, number
  end
  -- An image may have a device there, or a file without end.
  local st = assert(sys.stat(fd))
  if st.type ~= "file" or st.size > SIZE_MAX then
    return nil, ("read %s: not a file of at most %d bytes"):format(path, SIZE_MAX),
      sys.errno.EINVAL
  end
  return sys.read(fd, SIZE_MAX)
end

--- The line of a name or of an id, as fields.
local function entry(root, path, key)
  for line in (read(root, path) or ""):gmatch("[^\n]+") do
    local fields = {}
    for field in (line .. ":"):gmatch("([^:]*):") do
      fields[#fields + 1] = field
    end
    if fields[1] == key or fields[3] == key then
      return fields
    end
  end
end

local function id(text)
  local number = text and text:find("^%d+$") and math.tointeger(text)
  return number and number < ID_MAX and number
end

local function unknown(name, path, what)
  return nil, ("%s %s: not in the container's %s"):format(what or "user", name, path),
    sys.errno.ENOENT
end

--- The ids of the groups that were asked for.
-- @return array; or nil, message, errno
local function find_groups(ctx)
  local ids = {}
  for i, name in ipairs(ctx.groups) do
    local known = not id(name) and entry(ctx.config.root.path, "/etc/group", name)
    ids[i] = id(name) or known and id(known[3])
    if not ids[i] then
      return unknown(name, "/etc/group", "group")
    elseif not userns.maps(ctx.config.linux.gidMappings, ids[i]) then
      return nil, ("group %s: not mapped into this user namespace"):format(name), sys.errno.EINVAL
    end
  end
  return ids
end

--- Finds the ids of a user and a group, by the container's own files.
-- @string root path
-- @string wanted NAME[:GROUP]
-- @treturn int uid
-- @treturn int gid
-- @treturn table|nil the line of /etc/passwd as fields; or nil, message, errno
function user.ids(root, wanted)
  local name, group = wanted:match("^([^:]*):?(.*)$")
  local known = entry(root, "/etc/passwd", name)
  local uid = id(name) or known and id(known[3])
  if not uid then
    return unknown(name, "/etc/passwd")
  end
  local gid = known and id(known[4]) or 0
  if group ~= "" then
    local of = not id(group) and entry(root, "/etc/group", group)
    gid = id(group) or of and id(of[3])
    if not gid then
      return unknown(group, "/etc/group")
    end
  end
  return uid, gid, known
end

--- Finds the ids out, and the home directory, unless the caller gave one.
function user.prepare(ctx)
  local p = ctx.config.process
  local home = "/root"
  if ctx.user then
    local uid, gid, known = user.ids(ctx.config.root.path, ctx.user)
    if not uid then
      return nil, gid, known -- message and errno
    end
    home = known and known[6] or uid == 0 and home or "/"
    p.user = { uid = uid, gid = gid, umask = p.user.umask }
  end
  if ctx.groups then
    local ids, message, errno = find_groups(ctx)
    if not ids then
      return nil, message, errno
    end
    p.user = { uid = p.user.uid, gid = p.user.gid, umask = p.user.umask, additionalGids = ids }
  end
  local linux = ctx.config.linux
  if not userns.maps(linux.uidMappings, p.user.uid)
    or not userns.maps(linux.gidMappings, p.user.gid)
  then
    return nil, ("user %d:%d: not mapped into this user namespace"):format(p.user.uid,
      p.user.gid), sys.errno.EINVAL
  end
  if ctx.bundle and not ctx.home_given then
    local known = entry(ctx.config.root.path, "/etc/passwd", tostring(p.user.uid))
    home = known and known[6] or "/"
    p.env[#p.env + 1] = "HOME=" .. home
  end
  for i, variable in ipairs(p.env) do
    if variable:find("^HOME=") and not ctx.home_given then
      p.env[i] = "HOME=" .. home
    end
  end
  return true
end

function user.child(ctx)
  local p = ctx.config.process.user
  return userns.become(p.uid, p.gid, ctx.setgroups_denied, p.additionalGids)
end

return user
