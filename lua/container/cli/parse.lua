-- The command line's options: out of the declaration, how a word becomes an option of the library,
-- and how an error names the word that the user typed.

local declared = require "container.config.options"
local sys = require "container.sys"

local options = {}

-- What only the command line has. `action` is what is done instead of a run.
options.OWN = {
  { name = "interactive", cli = { { "--interactive", short = "i" } },
    help = "Accepted, as docker's; standard input is always open." },
  { name = "rm", cli = { { "--rm" } },
    help = "Accepted, as docker's; nothing of a container stays." },
  { name = "init", cli = { { "--init" } },
    help = "Accepted, as docker's; there is an init unless --no-init says otherwise." },
  { name = "plan", cli = { { "--plan", action = "plan" } },
    help = "Print the steps that the start would take, and do nothing." },
  { name = "features", cli = { { "--features", action = "features" } },
    help = "Print as JSON what this kernel lets this user do." },
  { name = "help", cli = { { "--help", action = "help" } }, help = "Print this text." },
  { name = "version", cli = { { "--version", action = "version" } }, help = "Print the version." },
}

-- How a value is read: functions of the word, the value that the option has so far, and the
-- spelling. What is not understood stays as it is, and the library rejects it. A third result is
-- why a file cannot be read.
local read = {}

function read.text(word)
  return word
end

function read.integer(word)
  return word:find("^%-?%d+$") and math.tointeger(word) or word
end

function read.number(word)
  return math.tointeger(word) or tonumber(word) or word
end

function read.seconds(word)
  return tonumber(word) or word
end

function read.max(word)
  return word == "-1" and "max" or word
end

-- NAME=VALUE, or NAME alone for the caller's own variable; none where the caller has none.
function read.variable(word)
  if word:find("=", 1, true) then
    return word
  end
  local own = os.getenv(word)
  return own and word .. "=" .. own
end

--- What a file has; - is standard input. Answers nil and a message where it cannot be read.
local function content_of(path)
  if path == "-" then
    return io.stdin:read("a")
  end
  local file <close>, message = io.open(path, "rb")
  local text = file and file:read("a")
  return text, message or ("%s: it cannot be read"):format(path)
end

-- docker's file of variables: its lines, without those that are empty or begin with #.
function read.variables(word, list)
  local text, message = content_of(word)
  if not text then
    return nil, nil, message
  end
  list = list or {}
  for line in text:gmatch("[^\r\n]+") do
    if line:find("%S") and not line:find("^%s*#") then
      list[#list + 1] = read.variable(line)
    end
  end
  return list
end

-- DST=PATH: the file's content now.
function read.file(word, files)
  local place, path = word:match("^([^=]*)=(.*)$")
  local text, message
  if place then
    text, message = content_of(path)
  end
  if not text then
    return nil, nil, message or "expected DST=PATH, got " .. word
  end
  files = files or {}
  files[place] = text
  return files
end

-- docker's words. The second result is the option that is meant, if it is not the spelling's first.
function read.security(word)
  local profile = word:match("^seccomp[=:](.*)$")
  if profile then
    return profile ~= "unconfined" and profile, "seccomp"
  end
  local value = word:match("^no%-new%-privileges[=:]?(%a*)$")
  if value == "" or value == "true" then
    return true
  elseif value == "false" then
    return false
  end
  return word
end

-- read=PATH or write=PATH: lists by these words, with the paths that came before.
function read.paths(word, lists)
  local name, path = word:match("^(%a+)=(.*)$")
  lists = lists or {}
  local list = lists[name or word] or {}
  list[#list + 1] = path or ""
  lists[name or word] = list
  return lists
end

function read.limit(word, limits)
  local name, rest = word:match("^([^=]+)=(.*)$")
  limits = limits or {}
  limits[name or word] = rest or ""
  return limits
end

-- DISK:NUMBER: one of the rates of that disk.
function read.rate(word, rates, spelling)
  local disk, text = word:match("^(.+):([^:]*)$")
  rates = rates or {}
  local own = rates[disk or word] or {}
  own[spelling.part] = text and spelling.part:find("iops") and read.number(text) or text or ""
  rates[disk or word] = own
  return rates
end

-- One of the namespaces.
function read.namespace(word, chosen, spelling)
  chosen = chosen or {}
  chosen[spelling.part] = word
  return chosen
end

function read.assignment(word, settings)
  local key, text = word:match("^([^=]*)=(.*)$")
  settings = settings or {}
  settings[key or word] = text or ""
  return settings
end

-- By word, with both dashes, and by letter: { field, spelling }. Where options share a word, the
-- first one has it.
local by_word, by_letter = {}, {}
for _, list in ipairs { declared.list, options.OWN } do
  for _, entry in ipairs(list) do
    for _, spelling in ipairs(entry.cli or {}) do
      local known = { field = list == declared.list and entry.name or nil, spelling = spelling }
      by_word[spelling[1]] = by_word[spelling[1]] or known
      if spelling.short then
        by_letter[spelling.short] = known
      end
    end
  end
end

--- Finds the option that a word is, and the value that stands in it: --name=value, -nvalue.
local function option_of(word)
  local name, value = word:match("^(%-%-[^=]+)=(.*)$")
  if name then
    return by_word[name], value
  end
  local letter, rest = word:match("^%-(%a)(.*)$")
  if letter then
    return by_letter[letter], rest ~= "" and rest or nil
  end
  return by_word[word]
end

--- Separates the first of several switches in one word, as -it, from the others.
local function split(argv, i)
  local letter, others = argv[i]:match("^%-(%a)(%a.*)$")
  local option = letter and by_letter[letter]
  if not option or option.spelling.value then
    return argv
  end
  argv = table.move(argv, i + 1, #argv, i + 2, table.move(argv, 1, i, 1, {}))
  argv[i], argv[i + 1] = "-" .. letter, "-" .. others
  return argv
end

--- Stores the value of an option in the options of the library.
-- @return true; or nil and a message
local function store(found, option, word)
  local spelling = option.spelling
  local value, field, message = read[spelling.as or "text"](word, found[option.field], spelling)
  if message then
    return nil, ("%s: %s"):format(spelling[1], message)
  end
  field = field or option.field
  if spelling.list then
    local list = found[field] or {}
    list[#list + 1] = value
    value = list
  end
  found[field] = value
  return true
end

--- Stores what a switch sets. A few may have one of some values, as --stats=json.
-- @return true; or nil and a message
local function store_switch(found, option, value)
  local spelling = option.spelling
  local known = value == nil
  for _, one in ipairs(spelling.values or {}) do
    known = known or value == one
  end
  if not known then
    return nil, ("option %s takes no value"):format(spelling[1])
  elseif option.field then
    found[option.field] = value or spelling.set
  end
  return true
end

--- Turns argv into the library's options.
-- @tparam table argv
-- @treturn table options; or nil and a message
-- @treturn string|nil what is to be done instead of a run: plan, features, help or version
function options.parse(argv)
  -- The container gets a terminal of its own where the launcher has one to show it on.
  local found = { announce = true, tty = sys.isatty(0) and sys.isatty(1) and "auto" }
  local i, action = 1, nil
  while argv[i] and argv[i]:sub(1, 1) == "-" and argv[i] ~= "-" do
    if argv[i] == "--" then
      i = i + 1
      break
    end
    argv = split(argv, i)
    local option, value = option_of(argv[i])
    if not option then
      return nil, ("unknown option %s (see --help)"):format(argv[i])
    elseif option.spelling.value then
      if not value then
        i = i + 1
        value = argv[i]
      end
      if not value then
        return nil, ("option %s needs a value"):format(option.spelling[1])
      end
      local stored, message = store(found, option, value)
      if not stored then
        return nil, message
      end
    else
      local ok, message = store_switch(found, option, value)
      if not ok then
        return nil, message
      end
      action = option.spelling.action or action
      if action and action ~= "plan" then
        return found, action
      end
    end
    i = i + 1
  end
  table.move(argv, i, #argv, 1, found)
  return found, action
end

--- The sentence for an error. One about an option names the word that the user typed.
function options.sentence(err)
  if err.subject == "args" then
    return "no command given (see --help)"
  end
  local field, place = err.subject:match("^([%a_]+)(.*)$")
  local entry = field and declared.entries[field]
  if entry and (err.step == "spec" or err.message:sub(1, #field + 1) == field .. ":") then
    for _, spelling in ipairs(entry.cli or {}) do
      local part = spelling.part and "." .. spelling.part
      if not part or place:sub(-#part) == part then
        return spelling[1] .. err.message:sub(#field + #place + 1)
      end
    end
  end
  return tostring(err)
end

return options
