-- docs/reference-options.md and docs/reference-objects.md.

local api = require "generate.api"
local help = require "container.cli.help"
local options = require "container.config.options"

local reference = {}

local MADE <const> = "<!-- Made by docs/generate.lua: edit %s instead. -->\n"

local RUNS <const> = { "run", "call", "exec", "update" }

local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function code(text)
  return "`" .. cell(text) .. "`"
end

local function runs(entry)
  local list = {}
  for _, run in ipairs(RUNS) do
    list[#list + 1] = entry.runs[run] and run or nil
  end
  return table.concat(list, ", ")
end

local function spellings(entry)
  local list = {}
  for i, spelling in ipairs(entry.cli or {}) do
    list[i] = code(help.spelling(spelling))
  end
  return table.concat(list, "<br>")
end

local function row(entry)
  local default = help.default(entry)
  local text = entry.help .. (entry.more and " " .. entry.more or "")
    .. (entry.lua and " " .. entry.lua or "")
  return ("| `%s` | %s | %s%s | %s | %s | %s | %s |"):format(entry.name, cell(text),
    code(entry.type), entry.unit and ", " .. entry.unit or "", default and cell(default) or "",
    spellings(entry), runs(entry), entry.oci and code(entry.oci) or "")
end

local COLUMNS <const> = [[
| option | what it does | type | default | command line | for | config.json |
|---|---|---|---|---|---|---|]]

function reference.options()
  local lines = { MADE:format("lua/container/config/options/"), [[
# The options

Each option of the library, with its spelling on the command line. "For" says which functions take
it: `run` is container.run and container.spawn, `call` is container.call and container.spawn_call,
`exec` is c:exec, `update` is c:update. The last column is the place of the option in OCI's
config.json. A size in bytes is an integer or a string such as "64M".

The command and its arguments are `[1]`, `[2]` and so on.]] }
  local group
  for _, entry in ipairs(options.list) do
    if entry.group ~= group then
      group = entry.group
      lines[#lines + 1] = ("\n## %s\n\n%s"):format(group, COLUMNS)
    end
    lines[#lines + 1] = row(entry)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function call_of(prefix, one)
  local names = {}
  for i, param in ipairs(one.params or {}) do
    names[i] = param[1]:gsub("^(.*)%?$", "[%1]")
  end
  return code(("%s%s(%s)"):format(prefix, one.name, table.concat(names, ", ")))
end

local function returned(one)
  local names = {}
  for i, result in ipairs(one.returns or {}) do
    names[i] = result[1]
  end
  return names[1] and code(table.concat(names, ", ")) or "nothing"
end

local function functions(lines, prefix, list)
  lines[#lines + 1] = "\n| function | what it does | returns |\n|---|---|---|"
  for _, one in ipairs(list) do
    lines[#lines + 1] = ("| %s | %s | %s |"):format(call_of(prefix, one), cell(one.help),
      returned(one))
  end
end

function reference.objects()
  local lines = { MADE:format("docs/generate/api.lua"), [[
# Functions, results and objects

Types are written as LuaCATS has them: `integer?` is an integer or nil. The module's own functions
are called with a dot, the methods of objects with a colon.

## Functions]] }
  functions(lines, "container.", api.functions)
  for _, class in ipairs(api.classes) do
    lines[#lines + 1] = ("\n## %s\n\n`%s`: %s"):format(class.title or class.name, class.name,
      class.help)
    if class.fields then
      lines[#lines + 1] = "\n| field | type | content |\n|---|---|---|"
      for _, field in ipairs(class.fields) do
        lines[#lines + 1] = ("| `%s` | %s | %s |"):format(field[1], code(field[2]), cell(field[3]))
      end
    end
    if class.methods then
      functions(lines, "c:", class.methods)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return reference
