-- rockspec.lua FILE: whether a rockspec builds and installs exactly the files that there are:
-- every csrc/*.c as a source of one of the C modules, every room of lua/container as the
-- module that `require` calls it by. Says each difference and exits with 1.

local file = arg[1]
local rock = {}
assert(loadfile(file, "t", rock))()

local differences = 0
local function differ(...)
  differences = differences + 1
  io.stderr:write(file, ": ", string.format(...), "\n")
end

local function files(directory, pattern)
  local list <close> = assert(io.popen("find " .. directory .. " -name '" .. pattern .. "' | sort"))
  local set = {}
  for path in list:lines() do
    set[path] = true
  end
  return set
end

local sources = files("csrc", "*.c")
for name, module in pairs(rock.build.modules) do
  local previous = ""
  for _, path in ipairs(type(module) == "table" and module.sources or {}) do
    if not sources[path] then
      differ("%s: no such source of %s, or listed twice", path, name)
    end
    if path < previous then
      differ("%s: not in order", path)
    end
    sources[path], previous = nil, path
  end
end
for path in pairs(sources) do
  differ("%s: not a source of a module", path)
end

local rooms = files("lua/container", "*.lua")
for name, path in pairs(rock.build.modules) do
  if type(path) == "string" then
    if not rooms[path] then
      differ("%s: no such file, or listed twice", path)
    elseif path ~= "lua/" .. name:gsub("%.", "/") .. ".lua" then
      differ("%s: `require` would not find it as %s", path, name)
    end
    rooms[path] = nil
  end
end
for path in pairs(rooms) do
  differ("%s: not a module", path)
end

os.exit(differences == 0, true)
