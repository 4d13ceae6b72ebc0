-- Collects the LDoc comments of the public functions for `make docs`: those of the library and of
-- the objects out of Lua, those of the primitives out of C. LDoc reads one file for each, as it
-- would not find the public ones among all functions.
--
--   lua5.4 .ci/reference.lua DIRECTORY

local container = require "container"

local directory = assert(arg[1], "usage: reference.lua DIRECTORY")

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

--- The comments of a Lua file: array of { name, text }; the name is that of an @function tag,
-- or of the function behind the comment.
local function of_lua(path)
  local list, block = {}, nil
  for line in read(path):gmatch("([^\n]*)\n") do
    local first, more = line:match("^%-%-%-%s?([^-].*)$"), line:match("^%-%-%s?(.*)$")
    if first then
      block = { first }
    elseif block and more then
      block[#block + 1] = more
    elseif block then
      local text = table.concat(block, "\n")
      local name = text:match("@function ([%w_:.]+)")
        or line:match("^function [%w_]+[.:]([%w_]+)%(")
      if name then
        list[#list + 1] = { name = name:gsub("^container%.", ""),
          text = text:gsub("\n?@function [%w_:.]+", ""),
          tagged = text:find("@function ", 1, true) }
      end
      block = nil
    end
  end
  return list
end

--- The same of a C file: a comment that begins with /*** and has an @function tag.
local function of_c(path)
  local list = {}
  for text in read(path):gmatch("/%*%*%*\n(.-)%*/") do
    local name = text:match("@function ([%w_]+)")
    list[#list + 1] = name and { name = name, text = text:gsub("@function [%w_]+\n", "") } or nil
  end
  return list
end

local faults = 0

--- Writes one page.
local function page(name, kind, head, sections)
  local out = { "--- " .. head:gsub("\n", "\n-- "), "-- @" .. kind .. " " .. name, "" }
  local done = {}
  for _, section in ipairs(sections) do
    out[#out + 1] = "--- " .. section.title
    out[#out + 1] = "-- @section " .. section.title:lower():gsub("%W+", "_") .. "\n"
    table.sort(section, function(a, b) return a.name < b.name end)
    for _, entry in ipairs(section) do
      done[entry.name] = true
      out[#out + 1] = "--- " .. entry.text:gsub("%s+$", ""):gsub("\n", "\n-- ")
      out[#out + 1] = "-- @function " .. entry.name .. "\n"
    end
  end
  local file <close> = assert(io.open(("%s/%s.lua"):format(directory, name), "w"))
  file:write(table.concat(out, "\n"), "\nreturn {}\n")
  return done
end

local library = { title = "Library" }
local object = { title = "Methods" }
for _, entry in ipairs(of_lua("lua/container/api.lua")) do
  local method = entry.name:match("^container:(.*)")
  if method then
    entry.name = method
    object[#object + 1] = entry
  else
    library[#library + 1] = entry
  end
end
for _, entry in ipairs(of_lua("lua/container/linux/features.lua")) do
  library[#library + 1] = entry.name == "features" and entry or nil
end
for _, name in ipairs { "methods", "container" } do
  local path = ("lua/container/runtime/%s.lua"):format(name)
  local text = read(path)
  for _, entry in ipairs(of_lua(path)) do
    object[#object + 1] = text:find("function methods:" .. entry.name, 1, true) and entry
      or entry.tagged and entry or nil
  end
end
local stream = { title = "Methods" }
for _, entry in ipairs(of_lua("lua/container/runtime/pipe.lua")) do
  stream[#stream + 1] = entry.name ~= "new" and entry or nil
end

local primitives = { title = "Primitives" }
for _, path in ipairs { "cgroup", "clone", "exec", "file", "io", "mount", "namespace", "process",
  "signal", "time", "uts" } do
  for _, entry in ipairs(of_c(("csrc/%s.c"):format(path))) do
    primitives[#primitives + 1] = rawget(container, entry.name) and entry or nil
  end
end

local done = page("container", "module", [[
What `require "container"` offers.
A mistake of the caller in a primitive raises an error; a refusal by the kernel is nil, a message
and an errno. A function of the library returns nil and an error object, which prints as one
sentence and has the fields `step`, `subject`, `errno` and `message`. docs/library.md explains the
options and results with examples.]], { library, primitives })
page("object", "classmod", [[
A running container, or a program of `exec` in one, as `container.spawn` returns it.
Fields: `pid`, `name`, the streams `stdin`, `stdout` and `stderr` that are "pipe", and `tty`.]],
  { object })
page("stream", "classmod", [[
The caller's end of a stream that is "pipe", or of a terminal.]], { stream })

for name in pairs(container) do
  if not done[name] and name ~= "_VERSION" then
    faults = faults + 1
    io.stderr:write(("reference: container.%s has no LDoc comment\n"):format(name))
  end
end
os.exit(faults == 0)
