-- Step 4: the child is in its new namespace before the command is: the moment to init_cpuset it.
-- It sets the host name, and only then becomes the command. sethostname(2)

package.cpath = (arg[0]:match(".*/") or "./") .. "../?.so;" .. package.cpath
local container = require "container"

local ENOENT <const> = 2

-- Ends the child as well as the launcher: os.exit is there in both.
local function fail(status, message)
  io.stderr:write(arg[0], ": ", message, "\n")
  os.exit(status)
end

-- The kernel's refusal comes as nil and a sentence.
local function check(result, ...)
  if not result then fail(125, (...)) end
  return result, ...
end

local function child(argv)
  print("Running in child [" .. table.concat(argv, " ") .. "]")
  check(container.sethostname("container"))
  local _, message, errno = container.exec(argv) -- comes back only when it was refused
  if errno == ENOENT then fail(127, "command not found: " .. argv[1]) end
  fail(126, message)
end

local function run(argv)
  print("Running [" .. table.concat(argv, " ") .. "]")
  local pid = check(container.clone({ "uts" }, function() child(argv) end))
  local how, number = check(container.wait(pid))
  return how == "exit" and number or 128 + number
end

if arg[1] ~= "run" or not arg[2] then
  io.stderr:write("usage: lua5.4 ", arg[0], " run COMMAND [ARG...]\n")
  os.exit(2)
end
os.exit(run(table.move(arg, 2, #arg, 1, {})))
