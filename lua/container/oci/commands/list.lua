-- `list`: the containers that there are.

local errors = require "container.error"
local json = require "container.json"
local state = require "container.oci.state"

local function table_of(list)
  local lines = { ("%-24s %-8s %-9s %s\n"):format("ID", "PID", "STATUS", "BUNDLE") }
  for _, one in ipairs(list) do
    lines[#lines + 1] =
      ("%-24s %-8d %-9s %s\n"):format(one.id, one.pid or 0, one.status, one.bundle)
  end
  return table.concat(lines)
end

return {
  arguments = "",
  help = "List the containers.",
  options = {
    { "--format", "-f", value = "table|json", field = "format", help = "The form of the list." },
    { "--quiet", "-q", field = "quiet", help = "Print the ids alone." },
  },
  run = function(asked, global)
    local list = {}
    for _, id in ipairs(state.ids(global.root)) do
      -- One may be deleted meanwhile.
      local home = errors.caught(state.open, global.root, id)
      list[#list + 1] = home and state.public(home) or nil
    end
    if asked.quiet then
      for _, one in ipairs(list) do
        io.stdout:write(one.id, "\n")
      end
    elseif asked.format == "json" then
      io.stdout:write(list[1] and json.encode(list) or "[]", "\n")
    elseif asked.format and asked.format ~= "table" then
      return nil, ("--format: expected table or json, got %s"):format(asked.format)
    else
      io.stdout:write(table_of(list))
    end
    return 0
  end,
}
