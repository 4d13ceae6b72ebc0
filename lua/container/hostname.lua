-- The name of the machine that the container believes to be. uts_namespaces(7)

local container = require "container"

local hostname = {}

function hostname.child(c)
  return container.sethostname(c.config.hostname)
end

return hostname
