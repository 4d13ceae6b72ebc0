-- `update`: what a container may use, changed while it runs: all of it or nothing.

local cgroup = require "container.linux.cgroup"
local container = require "container.oci.container"
local errors = require "container.error"
local json = require "container.json"
local make = require "container.oci.make"
local resources = require "container.oci.resources"
local state = require "container.oci.state"
local sys = require "container.sys"

local try = errors.try

local function given_file(name)
  local text
  if name == "-" then
    text = io.stdin:read("a")
  else
    text = try(sys.read_file(name))
  end
  local value, why = json.decode(text)
  if type(value) ~= "table" then
    try(nil, ("--resources: %s"):format(value == nil and why or "not an object"),
      sys.errno.EINVAL)
  end
  return value
end

return {
  arguments = "ID",
  help = "Change the limits of a container.",
  options = resources.OPTIONS,
  run = function(asked, global)
    local home = state.open(global.root, make.id(asked, "update"), true)
    local status = state.status(home)
    if status == "stopped" or status == "creating" then
      try(nil, "container not running", sys.errno.ESRCH)
    end
    local wanted = asked.resources and given_file(asked.resources) or resources.of_options(asked)
    resources.apply(container.context(home), wanted, cgroup)
    return 0
  end,
}
