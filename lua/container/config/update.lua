-- The options of `update`: new limits for a container that runs.

local check = require "container.check"
local options = require "container.config.options"
local resources = require "container.config.resources"

local update = {}

--- Reads them.
-- @tparam table given
-- @treturn table OCI's linux.resources
-- @treturn string the option that was added to those given; or nil and a refusal with field,
-- message, errno
function update.read(given)
  local implied
  local found, refusal = check.run(function()
    local ctx = { config = { process = {}, linux = { resources = { pids = {} } } } }
    for name in next, check.plain("options", given) do
      local option = options.entries[name]
      if not (option and option.runs.update) then
        check.refuse("options", ("%s cannot be changed while a container runs")
          :format(check.shown(name)))
      end
    end
    options.read(ctx, given)
    local list = ctx.config.linux.resources
    list.pids = list.pids.limit and list.pids or nil
    resources.finish(ctx)
    implied = ctx.implied
    return list
  end)
  return found, implied or refusal
end

return update
