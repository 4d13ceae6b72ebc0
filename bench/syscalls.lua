-- syscalls.lua [--write]: every system call of `run.lua --quiet --rootfs R /bin/true`, from the
-- exec of the interpreter to the program's, by process and by what it is for. With --write the
-- table takes the place of the one in README.md. A call that no reason below covers is named, and
-- makes it end with 1.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local top = here .. "/.."
package.path = top .. "/?.lua;" .. package.path
local command = require "bench.command"
local reasons = require "bench.reasons"
local tool = require "bench.tool"
local trace = require "bench.trace"

local BEGIN <const> = "<!-- system calls: make -C bench syscalls -->\n"
local END <const> = "<!-- end of the system calls -->"

local function quoted(work)
  local rootfs, log = work .. "/rootfs", work .. "/strace"
  command.make_rootfs(rootfs)
  tool.check(tool.installed("strace"), "strace is not installed")
  local argv = { "strace", "-f", "-y", "-o", log, os.getenv("LUA") or "lua5.4", "run.lua",
    "--quiet", "--rootfs", rootfs, "/bin/true" }
  tool.check(os.execute(("cd %s && %s </dev/null"):format(tool.quote(top), tool.shell(argv))),
    "the run failed")
  return tool.read(log)
end

local function cell(calls)
  local names = {}
  for name in pairs(calls) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return calls[a] > calls[b] or calls[a] == calls[b] and a < b
  end)
  for i, name in ipairs(names) do
    names[i] = calls[name] > 1 and ("%s %d"):format(name, calls[name]) or name
  end
  return table.concat(names, ", ")
end

--- The table in markdown.
local function markdown(processes)
  local lines, sums = {}, {}
  for _, process in ipairs(processes) do
    sums[#sums + 1] = ("- %s: %d"):format(process.title, process.count)
  end
  lines[#lines + 1] = table.concat(sums, "\n")
  for _, process in ipairs(processes) do
    lines[#lines + 1] = ("\n**%s: %d**\n\n| | calls | what for, and why so many |\n|--:|---|---|")
      :format(process.title, process.count)
    for _, group in ipairs(process) do
      lines[#lines + 1] = ("| %d | %s | %s |"):format(group.count, cell(group.calls),
        group.reason.text)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function main(work)
  local processes, unexplained = trace.explain(trace.read(quoted(work)), reasons)
  local text = markdown(processes)
  if arg[1] == "--write" then
    local path = here .. "/README.md"
    local readme = tool.check(tool.read(path), "no README.md")
    local _, from = readme:find(BEGIN, 1, true)
    local to = from and readme:find(END, from, true)
    tool.check(to, "README.md has no place for the table")
    tool.write(path, readme:sub(1, from) .. text .. readme:sub(to))
  else
    io.write(text)
  end
  for _, line in ipairs(unexplained) do
    io.stderr:write("syscalls: no reason for: ", line, "\n")
  end
  return #unexplained == 0
end

local work = tool.output("mktemp -d")
local done, result = pcall(main, work)
os.execute("rm -rf --one-file-system " .. tool.quote(work))
if not done then
  io.stderr:write("syscalls: ", tostring(result), "\n")
end
os.exit(done and result, true)
