-- Hooks in Lua for the containers of everybody: the files of a directory that root alone can write.
-- Each returns a table of functions by OCI's moments, and `config`, which may change a container's
-- configuration before anything is made.

local errors = require "container.error"
local json = require "container.json"
local sys = require "container.sys"

local try = errors.try

local hooks_directory = {}

local PLACE <const> = "/etc/lua-container/hooks.d"

local MOMENTS <const> = { "prestart", "createRuntime", "createContainer", "startContainer",
  "poststart", "poststop" }
local KNOWN <const> = { config = true }
for _, moment in ipairs(MOMENTS) do
  KNOWN[moment] = true
end

local WRITABLE <const> = 0x12 -- 022

--- Refuses what another user than root could have written.
local function check_owner(path)
  local st = try(sys.stat(path))
  if st.uid ~= 0 or st.mode & WRITABLE ~= 0 then
    try(nil, ("%s: it is not root's, or others can write it, so no hook of %s is used"):format(path,
      PLACE), sys.errno.EPERM)
  end
end

local function read(path)
  check_owner(path)
  local chunk, message = loadfile(path, "t")
  local done, hooks
  if chunk then
    done, hooks = pcall(chunk)
    message = not done and tostring(hooks) or nil
  end
  if not message and type(hooks) ~= "table" then
    message = path .. ": returns no table of functions"
  end
  for name, fn in pairs(not message and hooks or {}) do
    if not KNOWN[name] or type(fn) ~= "function" then
      message = ("%s: %s is no moment with a function"):format(path, tostring(name))
    end
  end
  if message then
    try(nil, "hooks.d: " .. message, sys.errno.EINVAL)
  end
  return { path = path, hooks = hooks }
end

--- Reads all of them, in the order of their names. Raises a refusal where one is no hook.
-- @treturn table array of { path, hooks }
function hooks_directory.load()
  local names, list = {}, {}
  for _, name in ipairs(sys.list(PLACE) or {}) do
    names[#names + 1] = name:find("%.lua$") and name or nil
  end
  if not names[1] then
    return list
  end
  local path = ""
  for part in PLACE:gmatch("/[^/]+") do
    path = path .. part
    check_owner(path)
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[i] = read(PLACE .. "/" .. name)
  end
  return list
end

--- JSON's null is nothing.
local function without_null(value)
  for key, content in pairs(value) do
    if type(content) == "userdata" then
      value[key] = nil
    elseif type(content) == "table" then
      without_null(content)
    end
  end
  return value
end

--- Has each `config` change the configuration.
-- @tparam table list of load
-- @string text of config.json
-- @tparam table value the same, read
-- @tparam table about { id, bundle }
-- @treturn string the text of what it is now
function hooks_directory.configure(list, text, value, about)
  local changed = false
  for _, one in ipairs(list) do
    if one.hooks.config then
      if not changed then
        without_null(value)
      end
      changed = true
      local ok, why = pcall(one.hooks.config,
        { config = value, id = about.id, bundle = about.bundle })
      if not ok then
        try(nil, ("hooks.d: %s: config: %s"):format(one.path, tostring(why)), sys.errno.EPERM)
      end
    end
  end
  return changed and json.encode(value) or text
end

--- Adds the functions of the moments that are the engine's, behind those of the bundle.
-- @tparam table config as the engine takes it
-- @tparam table list of load
function hooks_directory.add(config, list)
  for _, one in ipairs(list) do
    for _, moment in ipairs(MOMENTS) do
      local fn = one.hooks[moment]
      if fn then
        config.hooks = config.hooks or {}
        config.hooks[moment] = config.hooks[moment] or {}
        table.insert(config.hooks[moment], fn)
      end
    end
  end
end

--- Calls the functions of a moment at which nothing can be stopped any more.
-- @string moment
-- @tparam table state of the container
-- @treturn table array of what went wrong
function hooks_directory.call(moment, state)
  local warnings = {}
  local list, message = errors.caught(hooks_directory.load)
  for _, one in ipairs(list or {}) do
    local fn = one.hooks[moment]
    local ok, why = true, nil
    if fn then
      ok, why = pcall(fn, state)
    end
    if not ok then
      warnings[#warnings + 1] = ("%s: %s: %s"):format(one.path, moment, tostring(why))
    end
  end
  warnings[#warnings + 1] = message
  return warnings
end

return hooks_directory
