-- A process for `exec` out of options, and how its refusal is said.

local sys = require "container.sys"

local process = {}

local function number(word)
  return word and math.tointeger(tonumber(word)) or nil
end

-- Those that a further capability is added to.
local SETS <const> = { "bounding", "effective", "permitted" }

--- Sets one variable, in the place of what it was.
local function set_variable(env, entry)
  local name = entry:match("^[^=]*=") or entry
  for i, one in ipairs(env) do
    if one:sub(1, #name) == name then
      env[i] = entry
      return
    end
  end
  env[#env + 1] = entry
end

--- The container's own process with what options of `exec` say.
-- @tparam table given of config.json; it is changed
-- @tparam table asked as of arguments.read: the id, the program's words, options
-- @treturn table
function process.changed(given, asked)
  given.args = table.move(asked, 2, #asked, 1, {})
  given.terminal = asked.tty or false
  given.consoleSize = nil
  given.cwd = asked.cwd or given.cwd
  if asked.user then
    local uid, gid = asked.user:match("^(%d+):?(%d*)$")
    given.user = { uid = number(uid) or -1, gid = number(gid) or 0 }
  end
  if asked.groups then
    given.user = given.user or {}
    given.user.additionalGids = {}
    for i, word in ipairs(asked.groups) do
      given.user.additionalGids[i] = number(word) or -1
    end
  end
  given.env = given.env or {}
  for _, entry in ipairs(asked.env or {}) do
    set_variable(given.env, entry)
  end
  for _, name in ipairs(asked.caps or {}) do
    given.capabilities = given.capabilities or {}
    for _, set in ipairs(SETS) do
      local list = given.capabilities[set] or {}
      list[#list + 1] = name
      given.capabilities[set] = list
    end
  end
  given.noNewPrivileges = asked.no_new_privs or given.noNewPrivileges
  return given
end

--- Says why a program does not run in the words that clients look for.
-- @tparam table err of step "exec"
-- @treturn string
function process.refusal(err)
  local reason = err.errno and sys.strerror(err.errno):lower() or err.message
  if err.errno == sys.errno.ENOENT and not err.subject:find("/", 1, true) then
    reason = "executable file not found in $PATH"
  end
  return ("exec: \"%s\": %s"):format(err.subject, reason)
end

return process
