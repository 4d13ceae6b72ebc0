-- Judges an untrusted program: compiles it if it is C, and runs it on each test of a task.
--
--   lua5.4 examples/judge.lua TASK.lua PROGRAM.c|PROGRAM.lua
--
-- A task is a file such as judge/sum.lua. The compiler runs in a container as the program does, and
-- neither has a file of this machine that it could write to, or the network. A verdict is AC, or
-- what was wrong first: WA (answer), TLE (time), MLE (memory), OLE (output), RE (end), CE
-- (compiler).

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/../lua/?.lua;" .. package.path
package.cpath = here .. "/../?.so;" .. package.cpath
local container = require "container"

local function fail(message)
  io.stderr:write("judge: ", tostring(message), "\n")
  os.exit(2, true)
end

local function read(path)
  local file <close>, message = io.open(path, "rb")
  return file and file:read("a") or fail(message)
end

--- Runs something with all that holds for the compiler and the program alike.
local function contained(options)
  options.capabilities = {} -- root in name only
  options.pids = options.pids or 8
  options.stderr = options.stderr or "null"
  local result, err = container.run(options)
  return result or fail(err)
end

--- The program that the compiler makes of a source; or nil and what the compiler said.
local function compile(source)
  local result = contained {
    "sh", "-c", "cat >/tmp/p.c && cc -O2 -o /tmp/p /tmp/p.c -lm && cat /tmp/p",
    stdin = { source }, stdout = "capture", stderr = "capture", output_limit = 8 << 20,
    timeout = 20, rlimits = { cpu = 10, as = "1G", fsize = "64M" }, pids = 20,
  }
  if result.status == 0 and result.stdout_size == #result.stdout then
    return result.stdout
  end
  return nil, result.reason == "exit" and result.stderr or "the compiler ended by " .. result.reason
end

--- Runs the program on one input.
local function run(argv, path, task, input)
  local came = 0
  return contained {
    argv[1], argv[2],
    volumes = { path .. ":/program:ro" }, stdin = { input }, stdout = "capture",
    output_limit = task.output,
    -- A program that sleeps uses no processor time: this limit is for it.
    timeout = 2 * task.time + 1, stop_timeout = 0.1,
    -- What is allocated and not used does not count: memory_peak is what does.
    rlimits = { cpu = math.ceil(task.time), as = 4 * task.memory, fsize = task.output, core = 0 },
    on = { output = function(c, _, piece)
      came = came + #piece
      if came > task.output then
        c:kill("KILL")
      end
    end },
  }
end

local function same(said, answer)
  return said:gsub("%s+$", "") == answer:gsub("%s+$", "")
end

local function verdict(result, task, answer)
  local used = result.cpu.user + result.cpu.system
  if result.stdout_size > task.output then
    return "OLE"
  elseif result.reason == "timeout" or result.signal == "XCPU" or used > task.time
    or result.reason == "rlimit" and result.signal == "KILL" then
    return "TLE"
  elseif result.reason == "oom" or (result.memory_peak or 0) > task.memory then
    return "MLE"
  elseif result.status ~= 0 then
    return "RE", result.signal and "signal " .. result.signal or "status " .. result.status
  end
  return same(result.stdout, answer) and "AC" or "WA"
end

local task_path, source_path = arg[1], arg[2]
local kind = source_path and source_path:match("%.(%w+)$")
if kind ~= "c" and kind ~= "lua" then
  fail "usage: judge.lua TASK.lua PROGRAM.c|PROGRAM.lua"
end
local task = (loadfile(task_path) or fail("no task in " .. task_path))()
local program = read(source_path)
if kind == "c" then
  local compiled, complaint = compile(program)
  if not compiled then
    print((complaint:gsub("\n$", "")))
    print "CE"
    os.exit(1, true)
  end
  program = compiled
end

local path = assert(os.tmpname())
local overall = "AC"
do
  local _ <close> = setmetatable({}, { __close = function() os.remove(path) end })
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(program) and file:close())
  assert(os.execute("chmod 755 " .. path))
  for i, test in ipairs(task) do
    local argv = kind == "c" and { "/program" } or { "lua5.4", "/program" }
    local result = run(argv, path, task, test.input)
    local word, why = verdict(result, task, test.answer)
    local used = result.cpu.user + result.cpu.system
    print(("test %d  %-3s  %5.2f s  %5.1f MiB%s"):format(i, word, used,
      (result.memory_peak or 0) / (1 << 20), why and "  " .. why or ""))
    overall = overall == "AC" and word or overall
  end
end
print(overall)
os.exit(overall == "AC" and 0 or 1, true)
