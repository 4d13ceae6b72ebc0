-- The config.json of an OCI bundle becomes what the engine takes: the same table as spec.lua makes
-- of the library's options. What this kernel does not have is refused by its path.
-- OCI runtime specification, bundle, config and config-linux

local check = require "container.check"
local errors = require "container.error"
local fields = require "container.config.bundle.fields"
local ids = require "container.config.bundle.ids"
local mounts = require "container.config.bundle.mounts"
local namespaces = require "container.config.bundle.namespaces"
local options = require "container.config.options"
local process = require "container.config.bundle.process"
local resources = require "container.config.bundle.resources"

local refuse, expect = check.refuse, check.expect

local bundle = {}

--- Hooks as engine/hooks.lua takes them.
local function read_hooks(config)
  for _, list in pairs(config.hooks or {}) do
    for _, one in ipairs(list) do
      one.args = one.args and one.args[1] and one.args or { one.path }
    end
  end
  if config.hooks and not next(config.hooks) then
    config.hooks = nil
  end
end

local function read_version(config)
  local major = config.ociVersion:match("^(%d+)%.%d+%.%d+")
  expect(major, "ociVersion", "a version such as \"1.0.2\"", config.ociVersion)
  if major ~= "1" then
    refuse("ociVersion", ("%s is not of the versions 1"):format(errors.plain(config.ociVersion)))
  end
end

local function absolute(directory, path)
  return path:sub(1, 1) == "/" and path or directory .. "/" .. path
end

local function read(given, directory)
  local config = fields("", given)
  read_version(config)
  if not config.root then
    refuse("root", "is missing")
  elseif config.root.path == "" then
    refuse("root.path", "is empty")
  end
  config.root.path = absolute(directory, config.root.path)
  config.root.readonly = config.root.readonly or false
  local linux = config.linux or {}
  config.linux, config.mounts = linux, config.mounts or {}
  linux.namespaces, linux.resources = linux.namespaces or {}, linux.resources or {}
  linux.maskedPaths, linux.readonlyPaths = linux.maskedPaths or {}, linux.readonlyPaths or {}
  local ctx = {
    config = config, bundle = directory, init = false, announce = false, home_given = false,
    stop_timeout = options.entries.stop_timeout.default, asked_capabilities = {},
    volumes = {}, volume_fields = {},
  }
  process.read(ctx)
  local own = namespaces.read(ctx)
  ids.read(ctx, own.user)
  mounts.read(ctx, directory, own.user)
  resources.read(ctx)
  read_hooks(config)
  return ctx
end

--- Reads the configuration of a bundle.
-- @tparam table given config.json, as a JSON module made it; it is not changed
-- @string directory absolute path of the bundle, to which its paths are relative
-- @treturn table what engine/start.lua takes; or nil and an error whose step is "config" and whose
-- subject is the path of the field, such as "mounts[2].options[0]"
function bundle.read(given, directory)
  local ctx, refusal = check.run(read, given, directory)
  if ctx then
    return ctx
  end
  local field = errors.plain(refusal.field ~= "" and refusal.field or "config.json", 100)
  return nil, errors.refusal("config", ("%s: %s"):format(field, refusal.message), refusal.errno,
    field)
end

return bundle
