-- What the host overlay hides of the host: hashes of passwords, private keys, tokens, logs and the
-- state of services. All of it can be written, and goes with the container's layer:
--
-- * A directory is covered by an empty one with its owner and mode. /var/log and /var/spool have
--   the directories and links that the host's packages expect there, and no file.
-- * A file is replaced by a regular one with its owner and mode, so that a program can rename
--   another over it, as useradd(8) does. It is empty, or says of accounts that they are locked.
--
-- Runs while the root is put together, before anything that the user named is mounted: a volume in
-- such a place, or below it, is seen. All is best made in the upper directory before the overlay is
-- mounted: to remove and make it later takes the kernel five times as long.

local errors = require "container.error"
local sys = require "container.sys"
local file = require "container.fs.path"

local try <const> = errors.try

local secrets = {}

local PATHS <const> = {
  "/etc/NetworkManager/system-connections", "/etc/docker", "/etc/gshadow", "/etc/gshadow-",
  "/etc/ipsec.secrets", "/etc/krb5.keytab", "/etc/kubernetes", "/etc/letsencrypt",
  "/etc/ppp/chap-secrets", "/etc/ppp/pap-secrets", "/etc/rancher", "/etc/security/opasswd",
  "/etc/shadow", "/etc/shadow-", "/etc/ssh/ssh_host_dsa_key", "/etc/ssh/ssh_host_ecdsa_key",
  "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key", "/etc/ssl/private",
  "/etc/sudoers", "/etc/sudoers.d", "/etc/wireguard", "/etc/wpa_supplicant", "/var/backups",
  "/var/lib/cloud", "/var/lib/containerd", "/var/lib/containers", "/var/lib/docker",
  "/var/lib/krb5kdc", "/var/lib/kubelet", "/var/lib/mysql", "/var/lib/postgresql",
  "/var/lib/private", "/var/lib/rancher", "/var/lib/samba/private", "/var/lib/sss",
  "/var/lib/systemd/random-seed", "/var/lib/waagent", "/var/log", "/var/mail", "/var/spool",
}

-- Those that keep their directories, and how deep: below that it is state, such as the queues of a
-- mail server. And how many a host can have there before a start takes notably longer.
local KEPT <const> = { ["/var/log"] = 1, ["/var/spool"] = 2 }
local KEPT_MAX <const> = 256

-- Permission bits and the sticky bit, all that mkdir(2) takes.
local MODE <const> = 0x3ff

--- Entries of one of the host's databases of accounts. passwd(5), group(5)
local function entries(path)
  return (sys.read_file(path) or ""):gmatch("([^:\n]+):([^:\n]*):([^\n]*)")
end

--- Every account without a password that would let it in. shadow(5)
local function shadow()
  local lines = {}
  for name, password in entries "/etc/passwd" do
    lines[#lines + 1] = password == "x" and name .. ":*:::::::\n" or nil
  end
  return table.concat(lines)
end

--- The same for groups, with the members that group(5) says. gshadow(5)
local function gshadow()
  local lines = {}
  for name, password, rest in entries "/etc/group" do
    lines[#lines + 1] = password == "x"
      and ("%s:*::%s\n"):format(name, rest:match("[^:]*$")) or nil
  end
  return table.concat(lines)
end

--- What makes sudo(8) work for root, and for accounts that a package brings.
local function sudoers()
  return [[
Defaults env_reset
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
#includedir /etc/sudoers.d
]]
end

local CONTENTS <const> = {
  ["/etc/shadow"] = shadow, ["/etc/gshadow"] = gshadow, ["/etc/sudoers"] = sudoers,
}

--- Gives what was made in a directory of ours the owner of what it stands for, if that owner exists
-- in the container's user namespace, and is not root, to which it belongs already.
local function own(v, name, st, directory)
  if v.composed or st.uid == 0 and st.gid == 0 then
    return true
  end
  return sys.chown(name, st.uid, st.gid, directory)
end

--- Makes the directories and links of one directory in another.
-- @string from path
-- @param to fd
-- @int depth how many levels
-- @int room how many more there may be
-- @treturn int room; or nil, message, errno
local function skeleton(v, from, to, depth, room)
  for _, name in ipairs(sys.list(from) or {}) do
    local path = from .. "/" .. name
    local link = sys.readlink(path)
    local st = not link and sys.stat(path)
    local ok, message, errno = true, nil, nil
    if room == 0 then
      break
    elseif link then
      room = room - 1
      ok, message, errno = sys.symlink(link, name, to)
    elseif st and st.type == "directory" then
      room = room - 1
      ok, message, errno = sys.mkdir(name, st.mode & MODE, to)
      if ok then
        ok, message, errno = own(v, name, st, to)
      end
      if ok and depth > 1 then
        local below <close> = assert(sys.open(name, "path,directory,nofollow", nil, to))
        room, message, errno = skeleton(v, path, below, depth - 1, room)
        ok = room
      end
    end
    if not ok then
      return nil, message, errno
    end
  end
  return room
end

--- Makes the directory that stands for the one at `path`, with what is kept of that.
-- @string path
-- @string name
-- @param target fd of that one
-- @tparam table st of it
-- @param directory fd
local function make_directory(v, path, name, target, st, directory)
  local ok, message, errno = sys.mkdir(name, st.mode & MODE, directory)
  if ok then
    ok, message, errno = own(v, name, st, directory)
  end
  if ok and KEPT[path] then
    local made <close> = assert(sys.open(name, "path,directory,nofollow", nil, directory))
    ok, message, errno = skeleton(v, file.path(target), made, KEPT[path], KEPT_MAX)
  end
  return ok, message, errno
end

local function cover_directory(v, path, target, st)
  local name = v:new_name "empty"
  try(make_directory(v, path, name, target, st, v.scratch))
  return sys.mount(file.path(v.scratch) .. "/" .. name, file.path(target), nil, "bind")
end

--- Makes the regular file that stands for the one at `path`.
local function make_file(v, path, name, st, directory)
  local text = CONTENTS[path] and CONTENTS[path]() or ""
  local ok, message, errno = sys.mknod(name, "file", st.mode & MODE, 0, 0, directory)
  if ok then
    ok, message, errno = own(v, name, st, directory)
  end
  if ok and text ~= "" then
    ok, message, errno = sys.write_file(name, text, directory)
  end
  return ok, message, errno
end

--- Covers a file that cannot be replaced, for it is a mount point, or in a directory that this user
-- cannot change.
local function cover_file(v, path, target, st)
  local name = v:new_name "hidden"
  try(make_file(v, path, name, st, v.scratch))
  return sys.mount(file.path(v.scratch) .. "/" .. name, file.path(target), nil, "bind")
end

local function replace_file(v, path, target, st)
  local parent <close>, name = file.last(v.root, path)
  if parent and os.remove(file.path(parent) .. "/" .. name) then
    return make_file(v, path, name, st, parent)
  end
  return cover_file(v, path, target, st)
end

local function hide(v, path)
  -- A link of the host leads to what has to be hidden.
  local target <close>, message, errno = sys.open_beneath(v.root, path, "path")
  if not target then
    -- What is not there, or cannot be reached by this user, needs no mask; anything else stops the
    -- start.
    return errno == sys.errno.ENOENT or errno == sys.errno.EACCES or errno == sys.errno.ENOTDIR,
      message, errno
  end
  local st = assert(sys.stat(target))
  if st.type == "directory" then
    return cover_directory(v, path, target, st)
  end
  return replace_file(v, path, target, st)
end

local function refusal(path, message, errno)
  return nil, ("mask %s: %s"):format(path, message), errno
end

--- Opens a directory of the upper one that is made as the host's is where it is missing.
-- @return an fd; nil where the host's is a link, is mounted, or has a mode that cannot be made
local function upper_directory(lower, upper, path)
  if path == "" then
    return sys.dup(upper)
  end
  local fd = sys.open_beneath(upper, path, "path,directory", "nosymlinks")
  if fd then
    return fd
  end
  local above, name = path:match("^(.*)/([^/]+)$")
  local parent <close> = upper_directory(lower, upper, above)
  local like <close> = parent and sys.open_beneath(lower, path, "path,directory", "nosymlinks")
  local st = like and sys.stat(like)
  if not st or st.mode & ~MODE ~= 0 or st.dev ~= sys.stat(lower, "dev")
    or not sys.mkdir(name, st.mode, parent) or not sys.chown(name, st.uid, st.gid, parent) then
    return nil
  end
  return sys.open(name, "path,directory,nofollow", nil, parent)
end

local function is_mounted(v, path)
  for _, place in ipairs(v.filesystems) do
    if place == path or path:sub(1, #place + 1) == place .. "/" then
      return true
    end
  end
end

--- Makes one in the upper directory, if that can be done there: a directory without what the lower
-- one has. Kernel document filesystems/overlayfs, "whiteouts and opaque directories"
local function prepare(v, path, target, st, lower, upper)
  local above, name = path:match("^(.*)/([^/]+)$")
  local parent <close> = upper_directory(lower, upper, above)
  if not parent then
    return true
  elseif st.type == "file" then
    v.hidden[path] = true
    return make_file(v, path, name, st, parent)
  end
  try(make_directory(v, path, name, target, st, parent))
  -- Before Linux 6.6 only root can say so on a tmpfs: the directory is covered then.
  v.hidden[path] = sys.setxattr(file.path(parent) .. "/" .. name,
    (v.userns and "user" or "trusted") .. ".overlay.opaque", "y")
  return true
end

--- Makes all that it can in the upper directory of an overlay of `/`, before it is mounted; and
-- finds what is not there, which takes an overlay longer.
-- @tparam table v of host_overlay.lua; `hidden` says what is done
-- @param lower fd
-- @param upper fd
-- @return true; or nil, message, errno
function secrets.prepare(v, lower, upper)
  v.hidden = {}
  for _, path in ipairs(PATHS) do
    if not is_mounted(v, path) then
      local target <close>, _, number = sys.open_beneath(lower, path, "path", "nosymlinks")
      local st = target and sys.stat(target)
      local ok, message, errno = true, nil, nil
      if number == sys.errno.ENOENT then
        v.hidden[path] = true
      elseif st and (st.type == "file" or st.type == "directory") then
        ok, message, errno = prepare(v, path, target, st, lower, upper)
      end
      if not ok then
        return refusal(path, message, errno)
      end
    end
  end
  return true
end

--- Hides all others in a host overlay that is being put together.
-- @tparam table v
-- @return true; or nil, message, errno
function secrets.hide(v)
  for _, path in ipairs(PATHS) do
    local ok, message, errno = true, nil, nil
    if not (v.hidden and v.hidden[path]) then
      ok, message, errno = hide(v, path)
    end
    if not ok then
      return refusal(path, message, errno)
    end
  end
  return true
end

return secrets
