-- The language of the tree: pronouns that stand for programs, and long lines. Prints file:line for
-- each fault, and ends with 1 if there is one.
--
--   lua5.4 .ci/words.lua
--
-- No such pronoun may stand in a document or in a message, which is a string in lua/ or csrc/. All
-- comments together may have BUDGET of them. What a document quotes as code is not looked at.

local BUDGET <const> = 20
local COLUMNS <const> = 100

local PRONOUNS <const> = {
  who = true, whoever = true, nobody = true, somebody = true, whatever = true,
}

-- Strings that have such a word and have to: names that a user or the kernel gave.
local NAMES <const> = { ["nobody"] = true }

local files = dofile ".ci/files.lua"

local faults, counted = 0, 0

local function fault(path, line, message)
  faults = faults + 1
  print(("%s:%d: %s"):format(path, line, message))
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

--- Calls found(line, word) for each pronoun in a text that begins at a line.
local function pronouns(text, line, found)
  for rest in (text .. "\n"):gmatch("([^\n]*)\n") do
    for word in rest:gmatch("%a+") do
      if PRONOUNS[word:lower()] then
        found(line, word)
      end
    end
    line = line + 1
  end
end

--- Splits a file of Lua or C into comments and strings, and calls a function for each.
local function scan(text, is_lua, on_comment, on_string)
  local at, line = 1, 1
  local function take(pattern, on)
    local _, last, inner = text:find("^" .. pattern, at)
    if not last then
      return false
    elseif on then
      on(inner or "", line)
    end
    line = line + select(2, text:sub(at, last):gsub("\n", ""))
    at = last + 1
    return true
  end
  while at <= #text do
    local done
    if is_lua then
      done = take("%-%-%[%[(.-)%]%]", on_comment) or take("%-%-([^\n]*)", on_comment)
        or take("%[%[(.-)%]%]", on_string)
    else
      done = take("/%*(.-)%*/", on_comment) or take("//([^\n]*)", on_comment)
    end
    local quote = not done and text:match("^[\"']", at)
    if quote then
      local last = at + 1
      while last <= #text and text:sub(last, last) ~= quote do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
      on_string(text:sub(at + 1, last - 1), line)
      line = line + select(2, text:sub(at, last):gsub("\n", ""))
      at = last + 1
    elseif not done then
      line = line + (text:byte(at) == 10 and 1 or 0)
      at = at + 1
    end
  end
end

--- What is done with a pronoun in a comment of a file.
local function in_comment(path)
  return function(line, word)
    counted = counted + 1
    if os.getenv("WORDS") then
      print(("%s:%d: %q in a comment"):format(path, line, word))
    end
  end
end

--- A document without what it quotes: the lines stay.
local function prose(text)
  text = text:gsub("\n *```.-\n *```", function(block) return block:gsub("[^\n]", "") end)
  return (text:gsub("``?[^`\n]*``?", ""))
end

for _, path in ipairs(files("%.md$")) do
  pronouns(prose(read(path)), 1, function(line, word)
    fault(path, line, ("%q: name the actor"):format(word))
  end)
end

for _, path in ipairs(files("%.lua$", "%.c$", "%.h$")) do
  local product = path:find("^lua/") or path:find("^csrc/")
  local found = in_comment(path)
  scan(read(path), path:find("%.lua$"), function(text, line)
    pronouns(text, line, found)
  end, function(text, line)
    if product and not NAMES[text] then
      pronouns(text, line, function(at, word)
        fault(path, at, ("%q in a message: name the actor"):format(word))
      end)
    end
  end)
end

for _, path in ipairs(files("^%.ci/[%w-]+$", "Makefile$", "%.sh$")) do
  local number = 0
  for line in read(path):gmatch("([^\n]*)\n?") do
    number = number + 1
    pronouns(line:match("^%s*#(.*)") or "", number, in_comment(path))
  end
end

if counted > BUDGET then
  faults = faults + 1
  print(("comments: %d pronouns stand for programs, and %d may (WORDS=1 lists them)"):format(
    counted, BUDGET))
end

for _, path in ipairs(files("%.md$", "%.lua$", "%.c$", "%.h$")) do
  local number = 0
  for line in (read(path):gsub("\n$", "") .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local table_row = path:find("%.md$") and line:find("^%s*|")
    local editor_type = path == "types/container.lua" -- made so: one line for each field
    if not table_row and not editor_type and (utf8.len(line) or #line) > COLUMNS then
      fault(path, number, ("%d columns, and %d may be"):format(utf8.len(line) or #line, COLUMNS))
    end
  end
end

os.exit(faults == 0 and 0 or 1)
