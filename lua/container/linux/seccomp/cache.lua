-- Compiled filters on disk, so that a profile is compiled once. One file holds one filter and, as
-- its key, everything that it was made of, in full: what does not agree to the byte is not
-- used, so nothing that is old or of another machine ever is.

local sys = require "container.sys"
local file = require "container.fs.path"

local cache = {}

local MAGIC <const> = "lua-container seccomp 1\n"
local SIZE_MAX <const> = 1 << 22

--- The filter in a file, if it was made for this key.
-- @treturn string flags, program; or nil
local function parse(text, key)
  local ok, magic, same, flags, program, rest = pcall(string.unpack, "<!1zs4s4s4", text)
  if ok and magic == MAGIC and same == key and rest == #text + 1 and #program > 0
    and #program % 8 == 0 then
    return { program = program, flags = flags }
  end
end

local function format(key, filter)
  return string.pack("<!1zs4s4s4", MAGIC, key, filter.flags, filter.program)
end

--- Reads a file of the installation, which is as trustworthy as the module beside it.
-- @treturn table { program, flags }; or nil
function cache.beside(path, key)
  local text = sys.read_file(path)
  return text and parse(text, key)
end

-- The bits of a mode: group or others may write; only owners may rename and remove.
local WRITABLE <const>, STICKY <const> = 0x12, 0x200 -- 022, 01000

--- Whether only this user and root decide what an open directory has.
local function is_safe(fd)
  local st = sys.stat(fd)
  return st and st.type == "directory" and (st.uid == 0 or st.uid == sys.geteuid())
    and (st.mode & WRITABLE == 0 or st.mode & STICKY ~= 0)
end

--- A directory in another, by an fd that no link led to.
-- @bool make it is made, with mode 0700, if it is missing: as the XDG base directories ask
local function step(above, name, make)
  if make then
    sys.mkdir(file.path(above) .. "/" .. name, 0x1c0)
  end
  local fd = sys.open(name, "path,directory,nofollow", nil, above)
  if fd and not is_safe(fd) then
    fd:close()
    fd = nil
  end
  return fd
end

-- Where root keeps them whose environment does not say: a daemon has no HOME.
local OF_ROOT <const> = "/var/cache"

--- Opens where this user keeps such files: in XDG_CACHE_HOME, or .cache in HOME. No link leads
-- there and no directory above is another user's, as HOME is with sudo.
-- @bool make the last two directories are made if they are missing
-- @treturn userdata|nil
local function open_directory(make)
  local base = os.getenv("XDG_CACHE_HOME")
  if not base or base:sub(1, 1) ~= "/" then
    base = os.getenv("HOME")
    base = base and base .. "/.cache" or sys.geteuid() == 0 and OF_ROOT or nil
  end
  local names = {}
  for name in (base or ""):gmatch("[^/]+") do
    names[#names + 1] = name
  end
  if not base or base:sub(1, 1) ~= "/" or (base .. "/"):find("/../", 1, true) then
    return nil
  end
  names[#names + 1] = "lua-container"
  local fd = sys.open("/", "path,directory")
  for i, name in ipairs(names) do
    local above <close> = fd
    fd = step(above, name, make and i >= #names - 1)
    if not fd then
      return nil
    end
  end
  if not file.is_own(fd, "directory") then
    fd:close()
    return nil
  end
  return fd
end

--- A short name out of a long one: 64-bit FNV-1a. Two that share it take turns in one file.
local function hash(text)
  local h = 0xcbf29ce484222325
  for i = 1, #text do
    h = (h ~ text:byte(i)) * 0x100000001b3
  end
  return ("%016x"):format(h)
end

--- Reads a filter of the user's own cache.
-- @string name what the filter is for; there is one file for each
-- @string key everything that it is made of
-- @treturn table { program, flags }; or nil
function cache.read(name, key)
  local dir <close> = open_directory(false)
  local fd <close> = dir and sys.open(hash(name), "rdonly,nonblock,nofollow", nil, dir) or nil
  -- Only what this user alone can have written: a filter is what holds a program.
  if fd and file.is_own(fd, "file") then
    return parse(file.read_all(fd, SIZE_MAX), key)
  end
end

--- Writes a whole file or none: beside it, under a name of its own, then renamed.
-- @return true; or nil and a message
function cache.save(path, key, filter)
  local temporary = ("%s.%d"):format(path, sys.getpid())
  os.remove(temporary) -- of one that had this pid and was killed
  local fd <close>, message = sys.open(temporary, "wronly,creat,excl", 0x1a4) -- 0644
  if not fd then
    return nil, message
  end
  local text = format(key, filter)
  local ok
  ok, message = sys.write(fd, text)
  if ok and ok ~= #text then
    ok, message = nil, "written in part"
  end
  if ok then
    ok, message = os.rename(temporary, path)
  end
  if not ok then
    os.remove(temporary)
  end
  return ok, message
end

--- Keeps a filter, where that can be done. That it cannot is no failure.
function cache.write(name, key, filter)
  local dir <close> = open_directory(true)
  if dir then
    cache.save(file.path(dir) .. "/" .. hash(name), key, filter)
  end
end

return cache
