-- A second wall around files, beside mounts and permissions: the program may read and execute only
-- what lies beneath some paths, and write only beneath others. landlock(7), Linux 5.13

local check = require "container.check"
local sys = require "container.sys"

local landlock = {}

local FIELDS <const> = { "read", "write" }

-- What each version of landlock knows more than the one before: landlock(7), "VERSIONS".
local SINCE <const> = {
  { "execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file", "make_char",
    "make_dir", "make_reg", "make_sock", "make_fifo", "make_block", "make_sym" },
  { "refer" },
  { "truncate" },
  {}, -- about the network, which is a namespace's business here
  { "ioctl_dev" },
}

local READ <const> = { execute = true, read_file = true, read_dir = true }
-- Those that mean something for what is no directory; the kernel refuses the others there.
local OF_FILES <const> = {
  execute = true, write_file = true, read_file = true, truncate = true, ioctl_dev = true,
}

-- Devices that keep nothing, and that hardly a program goes without.
local ALWAYS <const> = {
  "/dev/full", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero",
}

local function paths(field, value)
  local list = {}
  for i = 1, value ~= nil and check.array(field, value, "an array of paths") or 0 do
    local at = ("%s[%d]"):format(field, i)
    local path = check.text(at, rawget(value, i), "an absolute path")
    list[i] = check.expect(path:sub(1, 1) == "/", at, "an absolute path", path)
  end
  return list
end

--- Reads the option, and asks the kernel whether it can hold.
-- @string field
-- @tparam table value { read = array of absolute paths in the container, write = the same }
-- @treturn table { read, write, abi } for the child
function landlock.read(field, value)
  for key in next, check.plain(field, value) do
    check.expect(key == "read" or key == "write", field, "read or write", key)
  end
  local wanted = {}
  for _, name in ipairs(FIELDS) do
    wanted[name] = paths(field .. "." .. name, rawget(value, name))
  end
  local abi, message, errno = sys.landlock_abi()
  if not abi then
    check.refuse(field, ("this kernel has no landlock (%s); it takes Linux 5.13 or later with "
      .. "landlock among its security modules (lsm=landlock,... on its command line); without this "
      .. "option mounts and permissions hold alone"):format(message), errno)
  end
  wanted.abi = abi
  return wanted
end

--- The rights that this kernel knows, as words.
-- @int abi
-- @bool[opt] reading those of them only that change nothing
-- @bool[opt] file those of them only that are for what is no directory
local function words(abi, reading, file)
  local list = {}
  for version = 1, math.min(abi, #SINCE) do
    for _, right in ipairs(SINCE[version]) do
      if (READ[right] or not reading) and (OF_FILES[right] or not file) then
        list[#list + 1] = right
      end
    end
  end
  return table.concat(list, ",")
end

local function allow(ruleset, abi, path, reading)
  local fd <close>, message, errno = sys.open(path, "path")
  if not fd then
    return nil, message, errno
  end
  local file = assert(sys.stat(fd)).type ~= "directory"
  return sys.landlock_add_rule(ruleset, fd, words(abi, reading, file))
end

--- Builds the wall and goes behind it, in the container's own root: a link in a path leads where it
-- leads inside. Init runs from memory, which has no path, and what is open stays open.
function landlock.child(ctx)
  local wanted = ctx.landlock
  local ruleset <close>, message, errno = sys.landlock_create_ruleset(words(wanted.abi))
  if not ruleset then
    return nil, message, errno
  end
  for _, name in ipairs(FIELDS) do
    for i, path in ipairs(wanted[name]) do
      local ok, _, number = allow(ruleset, wanted.abi, path, name == "read" and READ)
      if not ok then
        return nil, ("landlock.%s[%d] %s: %s"):format(name, i, path, sys.strerror(number)),
          number
      end
    end
  end
  for _, path in ipairs(ALWAYS) do
    local ok, why, number = allow(ruleset, wanted.abi, path)
    if not ok and number ~= sys.errno.ENOENT then
      return nil, why, number
    end
  end
  return sys.landlock_restrict_self(ruleset)
end

return landlock
