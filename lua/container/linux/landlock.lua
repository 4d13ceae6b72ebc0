-- A second wall around files, beside mounts and permissions: the program may read and execute only
-- what lies beneath some paths, and write only beneath others. landlock(7), Linux 5.13

local sys = require "container.sys"

local landlock = {}

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
  for _, name in ipairs { "read", "write" } do
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
