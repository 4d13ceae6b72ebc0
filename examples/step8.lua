-- Step 8: the pids cgroup: at most 20 processes, so that a fork bomb in the container is not one
-- on the host. cgroups(7)

package.cpath = (arg[0]:match(".*/") or "./") .. "../?.so;" .. package.cpath
local container = require "container"

local ENOENT <const> = 2
local rootfs <const> = os.getenv("ROOTFS")
local EBUSY <const> = 16
local cgroup <const> = "step8-" .. container.getpid()

-- Ends the child as well as the launcher: os.exit is there in both.
local function fail(status, message)
  io.stderr:write(arg[0], ": ", message, "\n")
  os.exit(status, true) -- true: what is to be closed is closed, also on this way out
end

-- The kernel's refusal comes as nil and a sentence.
local function check(result, ...)
  if not result then fail(125, (...)) end
  return result, ...
end

local function child(argv)
  print("Running in child [" .. table.concat(argv, " ") .. "] as " .. container.getpid())
  check(container.cgroup_pids(cgroup, 20)) -- while the cgroup filesystem can still be reached
  check(container.sethostname("container"))
  check(container.mount(nil, "/", nil, "rprivate")) -- or the host would get our mounts as well
  check(container.chroot(rootfs))
  check(container.chdir("/")) -- chroot leaves the working directory outside
  check(container.mount_proc("/proc"))
  local _, message, errno = container.exec(argv) -- comes back only when it was refused
  if errno == ENOENT then fail(127, "command not found: " .. argv[1]) end
  fail(126, message)
end

-- wait answers for PID 1 when the kernel has killed all others of its namespace. The last of them
-- may still be on its way out of the cgroup, and until it is, rmdir answers EBUSY.
local function remove(directory)
  local deadline <const> = os.time() + 2
  local removed, message, errno
  repeat
    removed, message, errno = container.rmdir(directory)
  until removed or errno ~= EBUSY or os.time() > deadline
  if not removed and errno ~= ENOENT then fail(125, message) end
end

local function run(argv)
  print("Running [" .. table.concat(argv, " ") .. "] as " .. container.getpid())
  local directory <const> = check(container.cgroup_place("pids")) .. "/" .. cgroup
  local _ <close> = setmetatable({}, { __close = function() remove(directory) end })
  local pid = check(container.clone({ "uts", "pid", "mount" }, function() child(argv) end))
  local how, number = check(container.wait(pid))
  return how == "exit" and number or 128 + number
end

if arg[1] ~= "run" or not arg[2] then
  io.stderr:write("usage: lua5.4 ", arg[0], " run COMMAND [ARG...]\n")
  os.exit(2)
end
if not rootfs then fail(2, "ROOTFS is not set: it names the directory that becomes the root") end
os.exit(run(table.move(arg, 2, #arg, 1, {})))
