-- bench.lua [--quick | --rounds N]: what a container costs, ours and others', side by side, as a
-- table and as a picture, results.txt and results.svg. README.md says what is measured and how to
-- read it. ROOTFS in the environment names the directory to use as root; else one with nothing but
-- busybox is made and removed again.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local top = here .. "/.."
package.path = top .. "/?.lua;" .. top .. "/lua/?.lua;" .. package.path
package.cpath = top .. "/?.so;" .. package.cpath
local command = require "bench.command"
local derived = require "bench.derived"
local instructions = require "bench.instructions"
local memory = require "bench.memory"
local report = require "bench.report"
local statistics = require "bench.statistics"
local svg = require "bench.svg"
local tool = require "bench.tool"

local check, output, quote = tool.check, tool.output, tool.quote

-- What the library does is asked of programs that hold so much, in MiB.
local SIZES <const> = { 0, 64, 512, 2048 }
local WAYS <const> = {
  { "fork", "a copy" }, { "vfork", "isolated" }, { "chosen", "as it chooses" },
}

-- What makes a container dearer. `each` counts the things of which `growth` tells the cost.
local CASES <const> = {
  { "plain", "nothing more", growth = { volume = 0, variable = 0 } },
  { "bare", "bare: no init, all rights, no limit" },
  { "noinit", "no init" },
  { "cgroup", "a cgroup of all controllers" },
  { "volumes1", "1 volume", growth = { volume = 1 } },
  { "volumes10", "10 volumes", growth = { volume = 10 } },
  { "volumes100", "100 volumes", growth = { volume = 100 }, share = 0.5 },
  { "variables100", "100 variables", growth = { variable = 100 } },
  { "variables1000", "1,000 variables", growth = { variable = 1000 } },
}

local FLIGHTS <const> = { 1, 2, 8, 32 }

--- How many MiB this machine can still give.
local function available()
  return (tonumber(tool.read("/proc/meminfo"):match("MemAvailable:%s*(%d+)")) or 0) // 1024
end

--- A temporary directory, and a pipe on whose closing it is removed: by a shell at its other end,
-- so that it goes however we go, Ctrl-C included. What the runtimes may have left goes before it.
local function temporary(name)
  local path = output("mktemp -d")
  check(path ~= "", "mktemp failed")
  local lines = command.cleaning(path, name)
  table.insert(lines, 1, "trap '' INT TERM HUP; cat >/dev/null")
  return path, check(io.popen(table.concat(lines, "\n"), "w"))
end

local function arguments()
  local rounds = arg[1] == "--quick" and 20 or 100
  if arg[1] == "--rounds" then
    rounds = check(math.tointeger(tonumber(arg[2])), "--rounds wants a number")
  end
  check(rounds > 0 and (not arg[1] or arg[1] == "--quick" or arg[1] == "--rounds"),
    "usage: bench.lua [--quick | --rounds N]")
  return rounds, arg[1] == "--quick"
end

--- The directories and names that all measurements share; the root is made if there is none.
local function place(work, name)
  local rootfs = os.getenv("ROOTFS")
  if rootfs then
    rootfs = output("realpath -e " .. quote(rootfs))
    check(rootfs ~= "", "no such ROOTFS")
  else
    rootfs = work .. "/rootfs"
    command.make_rootfs(rootfs)
  end
  return { bench = here, top = top, rootfs = rootfs, work = work, name = name,
    lua = os.getenv("LUA") or "lua5.4", program = { "/bin/true" } }
end

-- The rows ----------------------------------------------------------------------------------------

-- Each row is { title, worker, question, whose, share }; a section is { title, unit, rows, and the
-- rows that others are compared with: against = { { heading, row } } }.

local function commands_section(at, worker)
  local working, left_out = command.working(command.all(at))
  local section = { title = "start to exit of /bin/true, as a command", unit = "ms", against = {} }
  local queues = { [false] = {}, [true] = {} }
  for i, entry in ipairs(working) do
    local queue = queues[entry.unified == true]
    queue[#queue + 1] = entry
    section[i] = { title = entry.title, key = entry.key, whose = entry.whose, share = entry.share,
      unified = entry.unified, queue = queue, question = tostring(#queue) }
  end
  for unified, queue in pairs(queues) do
    if #queue > 0 then
      local list = at.work .. (unified and "/unified" or "/commands")
      tool.write(list, command.for_timer(queue))
      queue.worker = worker(tool.join(tool.join({ "env", command.SILENCE },
        unified and command.UNIFIED or {}), { here .. "/timer", list }))
    end
  end
  for _, row in ipairs(section) do
    row.worker = row.queue.worker
    if row.key == "limit" then
      table.insert(section.against, 1, { "to C limit", row })
    elseif row.key == "all" then
      table.insert(section.against, { "with all", row })
    end
  end
  return section, left_out
end

local function library_sections(at, worker, quick, against)
  local sizes = { title = "the same by the library, from a program of", unit = "ms",
    against = table.move(against, 1, #against, 1, {}) }
  local small
  for _, size in ipairs(SIZES) do
    if size < (quick and 1024 or available() // 2) then
      local host = worker { at.lua, here .. "/library.lua", at.rootfs, tostring(size) }
      small = small or host
      for _, way in ipairs(WAYS) do
        sizes[#sizes + 1] = { title = ("%d MiB, %s"):format(size, way[2]), worker = host,
          key = way[1], question = ("run %s plain"):format(way[1]), whose = "ours",
          share = size > 1024 and 0.2 or nil }
        if size == 0 and way[1] == "chosen" then
          table.insert(sizes.against, { "to 0 MiB", sizes[#sizes] })
        end
      end
    else
      sizes.note = ("left out: %d MiB"):format(size)
    end
  end
  local cases = { title = "the same, from a small program, with", unit = "ms",
    against = against }
  for _, case in ipairs(CASES) do
    cases[#cases + 1] = { title = case[2], worker = small, growth = case.growth, whose = "ours",
      question = "run chosen " .. case[1], share = case.share }
  end
  local flights = { title = "containers by their number in flight", unit = "per s", against = {} }
  for _, width in ipairs(FLIGHTS) do
    flights[#flights + 1] = { title = tostring(width), worker = small, whose = "ours", share = 0.2,
      question = ("flight %d %d"):format(width, quick and 32 or 64) }
  end
  return { sizes, cases, flights }, small
end

-- Ways to a server, whose they are, and what is asked of each.
local NETWORKS <const> = {
  { "plain", "plain loopback", "base" }, { "allow", "by --allow", "ours" },
  { "pasta", "by pasta", "others" }, { "slirp4netns", "by slirp4netns", "others" },
}
local QUESTIONS <const> = {
  { "a transfer over the network", "MB/s", "transfer 64" },
  { "a new connection, with a byte each way", "us", "connect 100" },
}

local function network_sections(at, worker)
  local host, sections = worker { at.lua, here .. "/network.lua" }, {}
  for i, question in ipairs(QUESTIONS) do
    local section = { title = question[1], unit = question[2], against = {} }
    for j, way in ipairs(NETWORKS) do
      section[j] = { title = way[2], whose = way[3], worker = host, share = 0.1,
        question = way[1] .. " " .. question[3] }
    end
    section.against[1] = { "to loopback", section[1] }
    sections[i] = section
  end
  return sections
end

--- Asks for every row a first time, so that what is loaded once is loaded, and leaves out those
-- that have no answer.
local function warm(sections, left_out)
  for _, section in ipairs(sections) do
    for i = #section, 1, -1 do
      local row = section[i]
      local answer, why = row.worker:ask(row.question)
      if not answer then
        table.remove(section, i)
        left_out[#left_out + 1] = { row, why }
      end
    end
  end
end

--- Asks for a row once.
-- @return nil; or why there is no answer
local function sample(row)
  local answer, why = row.worker:ask(row.question)
  row.samples = row.samples or {}
  table.insert(row.samples, answer)
  return not answer and why or nil
end

--- Round after round asks for every row once, so that a machine that grows slower grows slower for
-- all alike. One of others that fails once is left out from there on; ours may not.
local function measure(sections, rounds, left_out)
  for round = 1, rounds do
    for _, section in ipairs(sections) do
      for i = #section, 1, -1 do
        local row = section[i]
        local due = statistics.due(round, row.share or 1)
        local why = due and sample(row)
        if why then
          check(row.whose == "others", ("%s: %s"):format(row.title, why))
          left_out[#left_out + 1] = { table.remove(section, i), why }
        end
      end
    end
  end
  for _, section in ipairs(sections) do
    for _, row in ipairs(section) do
      row.summary = statistics.summary(row.samples)
    end
  end
end

--- What is asked a few times, after the rounds.
local function few(title, unit, rows, times)
  local section = { title = title, unit = unit, against = {} }
  for _, row in ipairs(rows) do
    local samples = {}
    for i = 1, times do
      samples[i] = check(row.worker:ask(row.question))
    end
    row.whose, row.summary = row.whose or "ours", statistics.summary(samples)
    section[#section + 1] = row
  end
  return section
end

local function main(work, name, workers)
  local rounds, quick = arguments()
  local at = place(work, name)
  local function worker(argv)
    workers[#workers + 1] = tool.worker(argv, ("%s/%d.fifo"):format(work, #workers + 1))
    return workers[#workers]
  end

  local first, left_out = commands_section(at, worker)
  local sections, small = library_sections(at, worker, quick, { first.against[1] })
  local networks = network_sections(at, worker)
  table.move(networks, 1, #networks, #sections + 1, sections)
  local fresh = worker { at.lua, here .. "/library.lua", at.rootfs }
  table.insert(sections, 1, first)
  warm(sections, left_out)
  measure(sections, rounds, left_out)
  sections[3].note = derived.growth(sections[3])

  local many, size = quick and 100 or 500, quick and 256 or 1024
  sections[#sections + 1] = few("what a container alive costs its program", "KiB", {
    { title = ("each of %d"):format(many), worker = fresh, question = "alive " .. many },
  }, 1) -- of a program that has no memory left over from others
  local pipes = {}
  for _, sink in ipairs { "pipe", "capture", "function" } do
    pipes[#pipes + 1] = { title = ({ pipe = "a plain pipe, io.popen", capture = "captured",
      ["function"] = "to a function" })[sink], worker = small,
      whose = sink == "pipe" and "base" or "ours", question = ("output %s %d"):format(sink, size) }
  end
  sections[#sections + 1] = few("what a container writes", "MB/s", pipes, quick and 1 or 3)
  sections[#sections + 1] = memory.section(at, first)
  sections[#sections + 1] = derived.parts(first)
  sections[#sections + 1] = instructions.section(at)

  local machine = ("%d rounds, interleaved; %s, %s processors"):format(rounds,
    output("uname -srm"), output("nproc"))
  local text = report.text(machine, sections, left_out)
  print(text)
  tool.write(here .. "/results.txt", text .. "\n")
  tool.write(here .. "/results.svg", svg.chart(machine, sections))

  for _, entry in ipairs(left_out) do
    if entry[1].whose ~= "others" then
      return false
    end
  end
  return true
end

local name = ("lua-container-bench-%x"):format(os.time())
local work, janitor = temporary(name)
local workers = {}
local done, result = pcall(main, work, name, workers)
for _, worker in ipairs(workers) do
  worker:close()
end
janitor:close()
if not done then
  io.stderr:write("bench: ", tostring(result), "\n")
end
os.exit(done and result, true)
