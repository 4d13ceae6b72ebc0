-- How large things may be: files, functions, and how deep statements are nested in them. Prints
-- file:line for each fault, and ends with 1 if there is one. Specs are lists and may be long; what
-- is generated is as long as it is.
--
--   lua5.4 .ci/sizes.lua
--
-- It relies on the layout: a level is two spaces in Lua and a tab in C, and a line that begins with
-- the word of a statement begins a statement.

local FILE <const>, FUNCTION <const>, NESTING <const> = 300, 50, 4

local files = dofile ".ci/files.lua"

local faults = 0

local function fault(path, line, message, ...)
  faults = faults + 1
  print(("%s:%d: %s"):format(path, line, message:format(...)))
end

local function function_size(path, first, last)
  if last - first + 1 > FUNCTION then
    fault(path, first, "a function of %d lines, and %d may be", last - first + 1, FUNCTION)
  end
end

--- Lua's compiler lists the functions of a file with their lines.
local function lua_functions(path)
  local command = ("%s -l -p %s"):format(os.getenv("LUAC") or "luac5.4", path)
  local pipe <close> = assert(io.popen(command))
  for line in pipe:lines() do
    local first, last = line:match("^function <[^>]*:(%d+),(%d+)>")
    if first then
      function_size(path, tonumber(first), tonumber(last))
    end
  end
end

--- A function of C is from the line of its brace to that of the other, both without indentation.
local function c_functions(path)
  local number, first = 0, nil
  for line in io.lines(path) do
    number = number + 1
    if line == "{" then
      first = number
    elseif line == "}" and first then
      function_size(path, first, number)
      first = nil
    end
  end
end

local BLOCKS <const> = {
  ["if"] = true, ["for"] = true, ["while"] = true, ["do"] = true, ["repeat"] = true,
  ["switch"] = true,
}

--- The size of a file, and the nesting in it. A statement of a function's body is nested once.
local function lines(path, level)
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local indentation, word = line:match("^(%s*)(%l+)%f[^%w_]")
    local depth = BLOCKS[word] and #indentation // #level or 0
    if depth > NESTING then
      fault(path, number, "nested %d deep, and %d may be", depth, NESTING)
    end
  end
  if number > FILE then
    fault(path, number, "a file of %d lines, and %d may be", number, FILE)
  end
end

for _, path in ipairs(files("%.lua$", "%.[ch]$")) do
  if not path:find("^spec/") and not path:find("^types/") then
    local is_lua = path:find("%.lua$")
    lines(path, is_lua and "  " or "\t")
    local functions = is_lua and lua_functions or c_functions
    functions(path)
  end
end

os.exit(faults == 0 and 0 or 1)
