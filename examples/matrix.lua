-- Runs commands in parallel, each in a container that is thrown away, for every combination of
-- some variables: a test suite that can neither break this machine nor find what another one left.
--
--   lua5.4 examples/matrix.lua [-j N] [-t SECONDS] [-e NAME=VALUE,VALUE,...]... [--] COMMAND...
--
-- A command is a line for the shell. It runs in a copy-on-write overlay of the host's files, in
-- /src, which is the working directory, read-only. Ends with 1 if one of them failed.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/../lua/?.lua;" .. package.path
package.cpath = here .. "/../?.so;" .. package.cpath
local container = require "container"

local function fail(message)
  io.stderr:write("matrix: ", tostring(message), "\n")
  os.exit(2, true)
end

local USAGE <const> =
  "usage: matrix.lua [-j N] [-t SECONDS] [-e NAME=VALUE,VALUE,...]... [--] COMMAND..."

local function read_arguments()
  local asked = { jobs = 2, seconds = 600, axes = {}, commands = {} }
  local i = 1
  while arg[i] and arg[i]:find("^%-") and arg[i] ~= "--" do
    local name, values = (arg[i + 1] or ""):match("^([^=]+)=(.*)$")
    if arg[i] == "-j" then
      asked.jobs = math.tointeger(tonumber(arg[i + 1]))
    elseif arg[i] == "-t" then
      asked.seconds = tonumber(arg[i + 1])
    elseif arg[i] == "-e" and name then
      local axis = { name = name }
      for value in values:gmatch("[^,]+") do
        axis[#axis + 1] = value
      end
      asked.axes[#asked.axes + 1] = axis
    else
      fail(USAGE)
    end
    i = i + 2
  end
  table.move(arg, arg[i] == "--" and i + 1 or i, #arg, 1, asked.commands)
  if not asked.commands[1] or (asked.jobs or 0) < 1 or not asked.seconds then
    fail(USAGE)
  end
  return asked
end

--- Every combination of the values of some variables, as environments with a title.
local function combinations(axes)
  local list = { { env = {}, title = "" } }
  for _, axis in ipairs(axes) do
    local longer = {}
    for _, one in ipairs(list) do
      for _, value in ipairs(axis) do
        local env = { [axis.name] = value }
        for name, other in pairs(one.env) do
          env[name] = other
        end
        longer[#longer + 1] = { env = env,
          title = ("%s%s=%s "):format(one.title, axis.name, value) }
      end
    end
    list = longer
  end
  return list
end

local asked = read_arguments()
local jobs = {}
for _, one in ipairs(combinations(asked.axes)) do
  for _, command in ipairs(asked.commands) do
    jobs[#jobs + 1] = { command = command, env = one.env, title = one.title .. command }
  end
end

local function start(job)
  local c, err = container.spawn {
    "sh", "-c", job.command, env = job.env, cwd = "/src",
    volumes = { ".:/src:ro" },
    stdin = "null", stdout = "capture", stderr = "stdout", output_limit = 1 << 20,
    timeout = asked.seconds, pids = 200,
  }
  return c or fail(err)
end

local function report(job, result, err)
  job.fine = result and result.status == 0
  job.how = not result and tostring(err) or result.reason == "exit" and "status " .. result.status
    or result.reason .. (result.signal and " " .. result.signal or "")
  job.wall = result and result.wall or 0
  if not job.fine then
    print(("--- %s: %s"):format(job.title, job.how))
    io.write(result and result.stdout or "")
  end
end

local running, job_of, next_job, failed = {}, {}, 1, 0
while next_job <= #jobs or running[1] do
  while #running < asked.jobs and next_job <= #jobs do
    local c = start(jobs[next_job])
    running[#running + 1], job_of[c], next_job = c, jobs[next_job], next_job + 1
  end
  container.poll(running)
  for i = #running, 1, -1 do
    local c = running[i]
    local result, err = c:poll()
    if result ~= false then
      report(job_of[c], result, err)
      table.remove(running, i)
    end
  end
end

print(("%-6s %8s  %-12s %s"):format("", "seconds", "end", "command"))
for _, job in ipairs(jobs) do
  failed = failed + (job.fine and 0 or 1)
  print(("%-6s %8.2f  %-12s %s"):format(job.fine and "ok" or "FAILED", job.wall, job.how,
    job.title))
end
print(("%d of %d failed"):format(failed, #jobs))
os.exit(failed == 0 and 0 or 1, true)
