-- How many instructions the launcher executes, counted by valgrind's callgrind. The count is the
-- same on every machine that has the same Lua and libc, and does not drift with what else runs.

local tool = require "bench.tool"

local instructions = {}

-- Where a run is cut: what the launcher does before its child is made, and what after it.
local CUT <const> = "namespace_clone*"

local function summary(path)
  return tonumber((tool.read(path) or ""):match("\nsummary:%s*(%d+)")) or 0
end

--- What a function and all that it calls took.
local function inclusive(path, name)
  local text = tool.output("callgrind_annotate --inclusive=yes --threshold=100 "
    .. tool.quote(path) .. " 2>/dev/null")
  local most = 0
  for count in text:gmatch("\n%s*([%d,]+) %([^)]*%)%s+[^\n]-:" .. name .. "[@' ]") do
    most = math.max(most, tonumber((count:gsub(",", ""))))
  end
  return most
end

--- Counts a command's own process, up to the cut if it comes to one.
-- @treturn table { total, linker, load }: instructions, and those of them before main and those
-- that load Lua code
local function count(at, name, argv)
  local path = ("%s/callgrind.%s"):format(at.work, name)
  local pid = tool.output("echo $$; exec " .. tool.shell(tool.join({ "valgrind", "--quiet",
    "--tool=callgrind", "--trace-children=no", "--dump-before=" .. CUT,
    "--callgrind-out-file=" .. path .. ".%p" }, argv)) .. " >/dev/null 2>&1 </dev/null")
  -- The child writes one, too. A number behind that of the process is that of a part, of which the
  -- first goes up to the cut; without a cut there are none.
  local file = ("%s.%s"):format(path, pid)
  file = tool.read(file .. ".1") and file .. ".1" or file
  local total = summary(file)
  return { total = total, linker = total - inclusive(file, "__libc_start_main"),
    load = inclusive(file, "lua_load") }
end

--- The section, with one row a command and part.
function instructions.section(at)
  local section = { title = "instructions of the launcher, until it clones", unit = "thousand",
    against = {} }
  if not tool.installed("valgrind") then
    section.note = "left out: valgrind is not installed"
    return section
  end
  local function add(title, whose, number)
    section[#section + 1] = { title = title, whose = whose,
      summary = { median = number / 1000, count = 1 } }
  end
  local function parts(of)
    add("  the dynamic linker", "base", of.linker)
    add("  loading Lua code", "base", of.load)
    add("  all else", "base", of.total - of.linker - of.load)
  end
  local run = { at.lua, at.top .. "/run.lua", "--quiet", "--rootfs", at.rootfs }
  local lua = count(at, "lua", { at.lua, "-e", "" })
  local all = count(at, "run", tool.join(run, at.program))
  local bare = count(at, "bare", tool.join(run, { "--no-init", "--privileged", "--pids-limit",
    "max", table.unpack(at.program) }))
  add(at.lua .. " -e \"\", to its end", "base", lua.total)
  parts(lua)
  add("run.lua", "ours", all.total)
  parts(all)
  add("run.lua, bare", "ours", bare.total)
  return section
end

return instructions
