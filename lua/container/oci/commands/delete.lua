-- `delete`: a container that has ended is taken away.

local container = require "container.oci.container"
local errors = require "container.error"
local make = require "container.oci.make"
local state = require "container.oci.state"
local sys = require "container.sys"

return {
  arguments = "ID",
  help = "Remove what a container that has ended has left: its cgroups and its state.",
  options = {
    { "--force", "-f", field = "force",
      help = "Kill it first if it runs; a container that is not there is no failure." },
  },
  run = function(asked, global)
    local id = make.id(asked, "delete")
    local home, message, errno = errors.caught(state.open, global.root, id, true)
    if home then
      container.delete(home, asked.force)
    elseif not (asked.force and errno == sys.errno.ENOENT) then
      return nil, message
    end
    return 0
  end,
}
