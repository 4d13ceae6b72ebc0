-- library.lua ROOTFS MEBIBYTES: a host program that holds so much memory and makes containers
-- through the library, as often as it is asked to. A question is a line on standard input, the
-- answer a number, or why there is none, in a line on standard output. bench.lua starts and asks.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local top = here .. "/.."
package.path = top .. "/lua/?.lua;" .. package.path
package.cpath = top .. "/?.so;" .. package.cpath
local container = require "container"
local sys = require "container.sys"
local spawn = require "container.engine.spawn"

local ROOTFS <const> = assert(arg[1], "usage: library.lua ROOTFS MEBIBYTES")

-- What it holds: written to, so that it is there, and in pieces, for no string is as long as 2 GiB.
local held = {}
for i = 1, tonumber(arg[2]) or 0 do
  held[i] = ("x"):rep(1 << 20)
end

local clock = sys.clock_gettime

local function options(more)
  local t = { "/bin/true", rootfs = ROOTFS, stdin = "null", stdout = "null" }
  for name, value in pairs(more or {}) do
    t[name] = value
  end
  return t
end

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

-- What a container may have besides.
local CASES <const> = {
  plain = {},
  bare = { init = false, privileged = true, pids = "max" },
  noinit = { init = false },
  cgroup = { memory = "64M", cpus = 0.5, cpu_weight = 512, cpuset_cpus = "0", pids = 20,
    stats = true },
  volumes1 = volumes(1), volumes10 = volumes(10), volumes100 = volumes(100),
  variables100 = environment(100), variables1000 = environment(1000),
}

local answer = {}

--- Milliseconds from the call to the end of the container, whose child is made in that way: "fork",
-- "vfork", or as the library chooses, "chosen".
function answer.run(way, case)
  spawn.mode = way ~= "chosen" and way or nil
  local before = clock()
  assert(container.run(options(assert(CASES[case]))))
  return (clock() - before) * 1000
end

--- Containers per second, with so many in flight at a time.
function answer.flight(width, total)
  width, total = tonumber(width), tonumber(total)
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
  return total / (clock() - before)
end

local function proportional()
  return tonumber(sys.read_file("/proc/self/smaps_rollup"):match("\nPss:%s*(%d+)"))
end

--- KiB by which this process grows for each of so many containers that are alive.
function answer.alive(count)
  local list = { assert(container.spawn(options { "/bin/sleep", "1000" })) }
  collectgarbage()
  local before = proportional()
  for i = 1, tonumber(count) do
    list[#list + 1] = assert(container.spawn(options { "/bin/sleep", "1000" }))
    if i % 50 == 0 then
      collectgarbage()
    end
  end
  collectgarbage()
  local grown = proportional() - before
  for _, c in ipairs(list) do
    c:close()
  end
  return grown / count
end

--- MB per second of what a program of the root writes: through a plain pipe, captured, or given to
-- a function.
function answer.output(sink, mebibytes)
  local size = tonumber(mebibytes) << 20
  local producer = ("dd bs=65536 count=%d </dev/zero 2>/dev/null"):format(size >> 16)
  local before = clock()
  if sink == "pipe" then
    local pipe = assert(io.popen(("chroot '%s' /bin/%s"):format(ROOTFS, producer)))
    while pipe:read(65536) do end
    pipe:close()
  else
    assert(container.run { "/bin/sh", "-c", producer, rootfs = ROOTFS, output_limit = 1 << 20,
      stdout = sink == "function" and function() end or sink })
  end
  return size / (clock() - before) / 1e6
end

io.stdout:setvbuf("line")
for line in io.lines() do
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  local _, result = pcall(answer[words[1]], table.unpack(words, 2))
  print((tostring(result):gsub("\n.*", "")))
end
os.exit(#held == (tonumber(arg[2]) or 0))
