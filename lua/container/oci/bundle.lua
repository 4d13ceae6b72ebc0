-- The configuration of a bundle: as text, as JSON, and as the engine takes it.

local bundle = require "container.config.bundle"
local errors = require "container.error"
local json = require "container.json"
local sys = require "container.sys"

local try = errors.try

local bundle_of = {}

--- Reads the configuration of a bundle.
-- @string directory
-- @string[opt] name of the file in it, or a path
-- @treturn string its text
-- @treturn table what JSON makes of it
function bundle_of.read(directory, name)
  name = name or "config.json"
  local path = name:sub(1, 1) == "/" and name or directory .. "/" .. name
  local text = try(sys.read_file(path))
  local value, why = json.decode(text)
  if type(value) ~= "table" then
    try(nil, ("%s: %s"):format(path, value == nil and why or "not an object"), sys.errno.EINVAL)
  end
  return text, value
end

--- The configuration as the engine takes it.
function bundle_of.asked(value, directory)
  local asked, err = bundle.read(value, directory)
  if not asked then
    try(nil, tostring(err), err.errno or sys.errno.EINVAL)
  end
  return asked
end

return bundle_of
