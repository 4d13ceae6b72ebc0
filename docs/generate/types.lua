-- types/container.lua: what an editor with LuaCATS knows of the library.

local api = require "generate.api"
local help = require "container.cli.help"
local options = require "container.config.options"

local RUNS <const> = {
  { "container.Options", "run", "The options of container.run and container.spawn.", true },
  { "container.CallOptions", "call", "The options of container.call and container.spawn_call." },
  { "container.ExecOptions", "exec", "The options of c:exec.", true },
  { "container.UpdateOptions", "update", "The options of c:update." },
}

local function describe(entry)
  local default = help.default(entry)
  return entry.help .. (entry.unit and (" In %s."):format(entry.unit) or "")
    .. (default and (" Default: %s."):format(default) or "")
end

--- Adds the lines of a class.
local function add_class(add, one)
  add("")
  add("--- %s", one.help)
  add("---@class %s", one.name)
  for _, field in ipairs(one.fields or {}) do
    add("---@field %s %s %s", field[1], field[2], field[3])
  end
end

--- Adds the lines of a function or a method.
-- @string owner with the dot or colon behind it
local function add_function(add, owner, one)
  add("")
  add("--- %s", one.help)
  local names = {}
  for i, param in ipairs(one.params or {}) do
    names[i] = param[1]:gsub("%?$", "")
    add("---@param %s %s %s", param[1], param[2], param[3])
  end
  for _, result in ipairs(one.returns or {}) do
    add("---@return %s %s", result[1], result[2])
  end
  add("function %s%s(%s) end", owner, one.name, table.concat(names, ", "))
end

--- Adds the class of the options that a kind of run takes.
local function add_options(add, run)
  add("")
  add("--- %s", run[3])
  add("---@class %s", run[1])
  if run[4] then
    add("---@field [integer] string The command and its arguments.")
  end
  for _, entry in ipairs(options.list) do
    if entry.runs[run[2]] then
      add("---@field %s? %s %s", entry.name, entry.type, describe(entry))
    end
  end
end

return function()
  local lines = {
    "---@meta container", "",
    "-- Editor types of lua-container, in the form of LuaCATS. Made by docs/generate.lua.", "",
  }
  local function add(text, ...)
    lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
  end
  for _, alias in ipairs(api.aliases) do
    add("---@alias %s %s", alias[1], alias[2])
  end
  for _, run in ipairs(RUNS) do
    add_options(add, run)
  end
  for _, one in ipairs(api.parts) do
    add_class(add, one)
  end
  for _, one in ipairs(api.classes) do
    add_class(add, one)
    if one.methods then
      local name = one.name:match("%w+$")
      add("local %s = {}", name)
      for _, method in ipairs(one.methods) do
        add_function(add, name .. ":", method)
      end
    end
  end
  add("")
  add("---@class container")
  add("---@field _VERSION string")
  add("local container = {}")
  for _, one in ipairs(api.functions) do
    add_function(add, "container.", one)
  end
  add("")
  add("return container")
  return table.concat(lines, "\n") .. "\n"
end
