-- library.lua ROOTFS [--quick]: what containers cost a Lua program that holds them: from spawn to
-- exit, for host programs of several sizes and both ways to a child; many at once; what is alive;
-- and what is captured. README.md beside it says how to read it. bench.lua calls it.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local top = here .. "/.."
package.path = top .. "/lua/?.lua;" .. package.path
package.cpath = top .. "/?.so;" .. package.cpath
local container = require "container"
local file = require "container.file"

local ROOTFS <const> = assert(arg[1], "usage: library.lua ROOTFS [--quick]")
local QUICK <const> = arg[2] == "--quick"

local clock = container.clock_gettime

local function percentile(sorted, p)
  return sorted[math.max(1, math.ceil(#sorted * p / 100))]
end

local function options(more)
  local t = { "/bin/true", rootfs = ROOTFS, stdout = "null" }
  for name, value in pairs(more or {}) do
    t[name] = value
  end
  return t
end

--- Milliseconds from spawn to the end, sorted.
local function times(rounds, more)
  local list = {}
  for i = 1, rounds do
    local before = clock()
    assert(container.run(options(more)))
    list[i] = (clock() - before) * 1000
  end
  table.sort(list)
  return list
end

--- What is resident of this process, in KiB.
local function resident()
  return tonumber(container.read_file("/proc/self/status"):match("VmRSS:%s*(%d+)"))
end

--- Runs in a process of its own, whose memory is that of this measurement alone.
local function apart(fn, ...)
  local reader, writer = container.pipe()
  local given = table.pack(...)
  local pid = assert(container.clone({}, function()
    local text = fn(table.unpack(given, 1, given.n))
    container.write(writer, text)
    return 0
  end))
  writer:close()
  local text = file.read_all(reader)
  reader:close()
  assert(select(2, container.wait(pid)) == 0, "a measurement failed")
  return text
end

-- Host programs of several sizes ----------------------------------------------------------------

local function of_size(mebibytes, way, rounds)
  local held = ("x"):rep(mebibytes << 20)
  if way ~= "as it is" then
    container.clone, container.clone_vm = container[way], container[way]
  end
  times(3)
  local list = times(rounds)
  return ("%9.2f %8.2f %8.2f%s"):format(percentile(list, 50), percentile(list, 10),
    percentile(list, 90), held:sub(1, 0))
end

print(("%-44s %9s %8s %8s"):format("spawn to exit, host program and way to a child", "median ms",
  "p10", "p90"))
for _, size in ipairs(QUICK and { 0, 64, 512 } or { 0, 64, 512, 2048 }) do
  for _, way in ipairs { "clone", "clone_vm", "as it is" } do
    print(("%-44s %s"):format(("%d MiB, %s"):format(size, way),
      apart(of_size, size, way, QUICK and 20 or 50)))
  end
end

-- What makes a start dearer -----------------------------------------------------------------------

local function volumes(count)
  local list = {}
  for i = 1, count do
    list[i] = ("%s:/mnt/%d:ro"):format(ROOTFS, i)
  end
  return { volumes = list, tmpfs = { "/mnt" } }
end

local function environment(count)
  local list = {}
  for i = 1, count do
    list["VARIABLE_" .. i] = "value"
  end
  return { env = list }
end

print(("\n%-44s %9s %8s %8s"):format("spawn to exit, with", "median ms", "p10", "p90"))
for _, case in ipairs {
  { "nothing more", {} }, { "1 volume", volumes(1) }, { "10 volumes", volumes(10) },
  { "100 volumes", volumes(100) }, { "1,000 variables", environment(1000) },
  { "no init", { init = false } }, { "memory, cpus and pids limited",
    { memory = "64M", cpus = 0.5, pids = 20 } },
} do
  local done, text = pcall(apart, function()
    times(2, case[2])
    local list = times(QUICK and 10 or 30, case[2])
    return ("%9.2f %8.2f %8.2f"):format(percentile(list, 50), percentile(list, 10),
      percentile(list, 90))
  end)
  print(("%-44s %s"):format(case[1], done and text or "   failed"))
end

-- Many at once ------------------------------------------------------------------------------------

local function in_flight(width, total)
  local running, started, ended = {}, 0, 0
  local before = clock()
  while ended < total do
    while #running < width and started < total do
      started = started + 1
      running[#running + 1] = assert(container.spawn(options()))
    end
    for _, c in ipairs(assert(container.poll(running))) do
      assert(c:wait())
      ended = ended + 1
      for i, one in ipairs(running) do
        if one == c then
          table.remove(running, i)
          break
        end
      end
    end
  end
  return ("%9.0f"):format(total / (clock() - before))
end

print(("\n%-44s %9s"):format("containers per second, in flight", "per s"))
for _, width in ipairs { 1, 2, 8, 32 } do
  print(("%-44d %s"):format(width, apart(in_flight, width, QUICK and 100 or 400)))
end

--- Many alive: how long all take to start, and what each costs this process.
local function alive(count)
  local list = { assert(container.spawn(options { "/bin/sh", "-c", "read x", stdin = "pipe" })) }
  collectgarbage()
  local before, memory = clock(), resident()
  for i = 1, count do
    list[#list + 1] = assert(container.spawn(options { [1] = "/bin/sleep", [2] = "1000" }))
    if i % 50 == 0 then
      collectgarbage()
    end
  end
  collectgarbage()
  local seconds, kibibytes = clock() - before, resident() - memory
  before = clock()
  for _, c in ipairs(list) do
    c:close()
  end
  return ("%9.2f s to start %8.1f KiB each %8.2f s to end"):format(seconds, kibibytes / count,
    clock() - before)
end

local many <const> = QUICK and 100 or 500
print(("\n%-44s %s"):format(("%d containers alive at once"):format(many), apart(alive, many)))

-- What is captured -------------------------------------------------------------------------------

local SIZE <const> = (QUICK and 256 or 1024) << 20
local PRODUCER <const> = ("head -c %d /dev/zero"):format(SIZE)

local function captured(sink)
  local before = clock()
  assert(container.run { "/bin/sh", "-c", PRODUCER, rootfs = ROOTFS, stdout = sink,
    output_limit = 1 << 20 })
  return ("%9.0f"):format(SIZE / (clock() - before) / 1e6)
end

local function plain()
  local before = clock()
  local pipe = assert(io.popen(PRODUCER))
  while pipe:read(65536) do end
  pipe:close()
  return ("%9.0f"):format(SIZE / (clock() - before) / 1e6)
end

print(("\n%-44s %9s"):format("output of a program", "MB/s"))
print(("%-44s %s"):format("a plain pipe, io.popen", apart(plain)))
print(("%-44s %s"):format("captured", apart(captured, "capture")))
print(("%-44s %s"):format("to a function", apart(captured, function() end)))
