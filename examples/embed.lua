-- A Lua program that runs a command it does not trust, and goes on with what came of it.
-- Called from anywhere: lua5.4 examples/embed.lua [ROOTFS]

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/../lua/?.lua;" .. package.path
package.cpath = here .. "/../?.so;" .. package.cpath

local container = require "container"

local script = [[
  echo "I am $(hostname), process $$"
  echo "changed" > /etc/hostname && echo "I wrote to /etc/hostname"
  exit 7
]]

local result, err = container.run {
  "/bin/sh", "-c", script,
  rootfs = arg[1], -- nil: a copy-on-write overlay of the host's own files
  hostname = "box",
  env = { LANG = "C" },
  pids = 16,
}

-- No container is a value, not an exception: it says which step refused, and why.
if not result then
  print("no container: " .. tostring(err))
  os.exit(1)
end

print(("it ended by %s with status %d"):format(result.reason, result.status))

-- One that goes on beside this program. It ends with the block, also after an error in it.
do
  local c <close> = assert(container.spawn { "sleep", "60", rootfs = arg[1] })
  print("a second one runs: " .. tostring(c.pid > 0))
  c:kill("TERM")
  local second = assert(c:wait())
  print(("it ended by %s %s"):format(second.reason, second.signal))
end

os.exit(result.status == 7 and 0 or 1)
