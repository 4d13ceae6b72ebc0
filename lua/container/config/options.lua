-- Every option of a container, declared once. The checks, the command line and its help, the
-- reference, the editor types, the completions and the man page are all made from this list.
--
-- An entry has these fields:
--   name     the option's name in the library
--   type     its type, as LuaCATS writes it
--   unit     the unit of a number: bytes, seconds, processes, processors
--   default  its value if it is not given; for a default that depends on others, `default_text`
--   oci      its place in OCI's config.json
--   cli      its spellings on the command line: { word, short = letter, value = word of the value,
--            as = how cli/parse.lua turns the word into a value, list = whether several add up,
--            set = what it sets where it takes no value, choices = values to complete, or
--            complete = "file", "directory", "device" or "user", help = instead of the entry's }
--   help     one sentence; `more` has further ones, and `lua` those that are for the library alone
--   runs     which of these take it: run (also spawn), call, exec, update
--   refused  why others do not, by their name
--   formerly an old name, which is rejected with the new one
--   read     the function (ctx, value, name) that checks it and stores it in the context

local container = require "container.config.options.container"
local limits = require "container.config.options.limits"
local network = require "container.config.options.network"
local process = require "container.config.options.process"
local security = require "container.config.options.security"

-- In their order, each with `group`, the subject that it belongs to; by name; and by old names the
-- new ones.
local list, entries, renamed = {}, {}, {}

-- One set of words for all entries that have the same ones.
local sets = {}

local function set_of(text)
  local set = sets[text] or {}
  if not sets[text] then
    for word in text:gmatch("%a+") do
      set[word] = true
    end
    sets[text] = set
  end
  return set
end

for _, group in ipairs { container, process, network, limits, security } do
  for _, entry in ipairs(group) do
    entry.group = group.title
    entry.runs = set_of(entry.runs)
    entries[entry.name] = entry
    list[#list + 1] = entry
    if entry.formerly then
      renamed[entry.formerly] = entry.name
    end
  end
end

--- Reads the options that are given, in the order of the list.
-- @tparam Context ctx
-- @tparam table given every name in it is an option
local function read(ctx, given)
  for _, entry in ipairs(list) do
    local value = rawget(given, entry.name)
    if value ~= nil then
      entry.read(ctx, value, entry.name)
    end
  end
end

return { list = list, entries = entries, renamed = renamed, read = read }
