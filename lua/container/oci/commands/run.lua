-- `run`: create, start, and delete at the end.

local attend = require "container.oci.attend"
local container = require "container.oci.container"
local creation = require "container.oci.creation"
local errors = require "container.error"
local make = require "container.oci.make"
local state = require "container.oci.state"

local options = table.move(make.options, 1, #make.options, 1, {})
options[#options + 1] = { "--detach", "-d", field = "detach", help = "Do not wait for its end." }
options[#options + 1] = { "--keep", field = "keep", help = "Do not delete it at its end." }

--- Takes it away whatever happened.
local function delete(home)
  errors.caught(container.delete, home, true)
end

return {
  arguments = "ID",
  help = "Make a container, start it, and delete it at its end.",
  options = options,
  run = function(asked, global)
    local id = make.id(asked, "run")
    make.check(asked)
    asked.debug = global.debug
    asked.foreground = not asked.detach
    local home, ctx = creation.create(asked, id, global.root)
    local started, message, errno = errors.caught(function()
      container.start(home)
      return true
    end)
    if not started then
      delete(home)
      return nil, message, errno
    elseif asked.detach then
      return 0
    end
    home.lock:close() -- others may pause it, update it or look at it
    local status = attend.wait(ctx, not asked.console_socket and ctx.tty)
    if not asked.keep then
      local again = errors.caught(state.open, global.root, id, true)
      if again then
        delete(again)
      end
    end
    return status
  end,
}
