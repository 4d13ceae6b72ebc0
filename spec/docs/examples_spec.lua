-- The examples of README.md and docs/: each is run, and has to print what the page shows.
--
-- ```console: a line that begins with "$ " or "# " is a command, run in the tree; the lines up to
-- the next one are its output. ```lua followed by ```text: a program and its output. Numbers may
-- differ. Other blocks are not run.

local sys = require "container.sys"
local support = require "spec.support"

local function read(path)
  return assert(sys.read_file(path))
end

--- A page's examples: { line, command, output }.
local function examples(path)
  local list, language, program, line_number = {}, nil, nil, 0
  local block
  for line in read(path):gmatch("([^\n]*)\n") do
    line_number = line_number + 1
    local fence = line:match("^%s*```(.*)$")
    if fence and not language then
      language = fence
      if language == "text" and program then
        list[#list + 1] = { line = program.line, program = program.text, output = {} }
      end
      block = { line = line_number, text = {} }
    elseif fence then
      program = language == "lua" and block or nil
      language = nil
    elseif language == "lua" then
      block.text[#block.text + 1] = line
    elseif language == "text" and program then
      table.insert(list[#list].output, line)
    elseif language == "console" then
      local command, last = line:match("^[$#] (.*)$"), list[#list]
      if command then
        list[#list + 1] = { line = line_number, command = command, output = {} }
      elseif last.command:sub(-1) == "\\" then
        last.command = last.command .. "\n" .. line
      else
        table.insert(last.output, line)
      end
    elseif line:find("%S") then
      program = nil
    end
  end
  return list
end

--- Numbers, and how far apart columns are, differ from run to run.
local function normal(text)
  return (text:gsub("%d[%d.]*", "0"):gsub("0[KM]%f[%W]", "0K"):gsub("  +", "  "):gsub("%s+$", ""))
end

--- The command that runs a program, under a name that every run has.
local function script(text)
  local path = support.tmpdir() .. "/example.lua"
  do
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
  end
  return ("%s -e %s"):format(support.lua, support.quote(
    ("assert(load(io.open(%q):read('a'), '@example.lua'))()"):format(path)))
end

local pages = { "README.md" }
for _, name in ipairs(assert(sys.list("docs"))) do
  if name:find("%.md$") and name ~= "event-loops.md" then -- event_loops_spec.lua
    pages[#pages + 1] = "docs/" .. name
  end
end

describe("an example of the documents #root", function()
  for _, page in ipairs(pages) do
    for _, example in ipairs(examples(page)) do
      it(("prints what %s shows, line %d"):format(page, example.line), function()
        if support.patience > 1 then
          return pending("needs a machine of usual speed")
        end
        local command = example.command or table.concat(example.program, "\n")
        if command:find("--memory", 1, true) then
          support.needs("cgroup")
        end
        for _, program in ipairs { "ip", "nsenter" } do
          if command:find(program .. " ", 1, true) then
            support.needs(program)
          end
        end
        command = example.program and script(command) or command
        local result = support.run("exec 2>&1; " .. command)
        assert.equal(normal(table.concat(example.output, "\n")), normal(result.stdout))
      end)
    end
  end
end)
