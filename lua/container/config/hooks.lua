-- The option hooks: for each moment an array of functions, and of OCI's tables.
-- OCI runtime specification, config, "POSIX-platform Hooks"

local check = require "container.check"

local room = {}

local MOMENTS <const> = {
  prestart = true, createRuntime = true, createContainer = true, startContainer = true,
  poststart = true, poststop = true,
}

local FIELDS <const> = { path = true, args = true, env = true, timeout = true }

local function strings(field, value)
  local list = {}
  for i = 1, check.array(field, value, "an array of strings") do
    list[i] = check.text(("%s[%d]"):format(field, i), rawget(value, i))
  end
  return list
end

local function read_program(field, value)
  check.expect(type(value) == "table", field, "a function or a table", value)
  for key in next, check.plain(field, value) do
    check.expect(FIELDS[key], field, "path, args, env or timeout", key)
  end
  local path = check.text(field .. ".path", rawget(value, "path"), "an absolute path")
  check.expect(path:sub(1, 1) == "/", field .. ".path", "an absolute path", path)
  local program = { path = path, args = { path }, env = {}, timeout = rawget(value, "timeout") }
  if rawget(value, "args") ~= nil then
    program.args = strings(field .. ".args", value.args)
    check.expect(program.args[1], field .. ".args[1]", "the program's name", nil)
  end
  if rawget(value, "env") ~= nil then
    program.env = strings(field .. ".env", value.env)
    for i, entry in ipairs(program.env) do
      check.expect(entry:find("^[^=]+="), ("%s.env[%d]"):format(field, i), "NAME=value", entry)
    end
  end
  local timeout = program.timeout
  check.expect(timeout == nil or type(timeout) == "number" and timeout > 0 and timeout < math.huge,
    field .. ".timeout", "a number of seconds above 0", timeout)
  return program
end

function room.hooks(ctx, value)
  local hooks = {}
  for moment, list in next, check.plain("hooks", value) do
    check.expect(MOMENTS[moment], "hooks", "prestart, createRuntime, createContainer, "
      .. "startContainer, poststart or poststop", moment)
    local field = "hooks." .. moment
    for i = 1, check.array(field, list, "an array of hooks") do
      local one = rawget(list, i)
      hooks[moment] = hooks[moment] or {}
      hooks[moment][i] = type(one) == "function" and one
        or read_program(("%s[%d]"):format(field, i), one)
    end
  end
  if next(hooks) then
    ctx.config.hooks = hooks
  end
end

return room
