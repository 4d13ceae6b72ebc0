-- `spec`: a configuration to begin with.

local json = require "container.json"
local sys = require "container.sys"
local template = require "container.oci.template"

return {
  arguments = "",
  help = "Write a config.json to begin with into the bundle.",
  options = {
    { "--bundle", "-b", value = "DIR", field = "bundle",
      help = "The bundle; the current directory without it." },
    { "--rootless", field = "rootless", help = "For an ordinary user." },
  },
  run = function(asked)
    local path = (asked.bundle or ".") .. "/config.json"
    local fd <close>, message = sys.open(path, "wronly,creat,excl", 0x1a4) -- 0644
    if not fd then
      return nil, message
    end
    sys.write(fd, json.encode(template.config(asked.rootless), template.ARRAYS) .. "\n")
    return 0
  end,
}
