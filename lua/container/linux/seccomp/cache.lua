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

--- Where this user keeps such files; not in a directory of somebody else, as HOME is with sudo.
local function directory()
  local base = os.getenv("XDG_CACHE_HOME")
  if not base or base:sub(1, 1) ~= "/" then
    base = os.getenv("HOME")
    if not base or base:sub(1, 1) ~= "/" then
      return nil
    end
    base = base .. "/.cache"
  end
  return base, base .. "/lua-container"
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
  local _, path = directory()
  local fd <close> = path and sys.open(path .. "/" .. hash(name), "rdonly,nonblock,nofollow")
  -- Only what this user alone can have written: a filter is what holds a program.
  if fd and file.is_own(fd, "file") then
    return parse(file.read_all(fd, SIZE_MAX), key)
  end
end

local function private(path)
  local fd <close> = sys.open(path, "path,directory")
  return fd and file.is_own(fd, "directory")
end

--- Writes a whole file or none: beside it, under a name that nobody has, then renamed.
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
  local base, path = directory()
  if not base then
    return
  end
  sys.mkdir(base, 0x1c0) -- 0700, as the XDG base directories ask
  if not private(path) then
    local parent = sys.stat(base)
    if not parent or parent.uid ~= sys.geteuid() or not sys.mkdir(path, 0x1c0) then
      return
    end
  end
  cache.save(path .. "/" .. hash(name), key, filter)
end

return cache
