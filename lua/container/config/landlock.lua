-- The option landlock: paths beneath which the program may read, and write. landlock(7), Linux 5.13

local check = require "container.check"
local sys = require "container.sys"

local landlock = {}

local FIELDS <const> = { "read", "write" }

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

return landlock
