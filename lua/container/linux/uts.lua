-- The name of the machine that the container believes to be. uts_namespaces(7)

local sys = require "container.sys"

local hostname = {}

function hostname.child(c)
  return sys.sethostname(c.config.hostname)
end

return hostname
