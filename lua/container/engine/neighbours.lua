-- Namespaces of other containers, which are found by their names.

local names = require "container.engine.names"
local sys = require "container.sys"

local neighbours = {}

--- Finds them, before they are joined. They are held open: a number may come to mean another
-- process.
function neighbours.find(ctx)
  for _, entry in ipairs(ctx.config.linux.namespaces) do
    if entry.neighbour then
      local network, pid, errno = names.network(entry.neighbour)
      if not network then
        return nil, pid, errno
      end
      network:close()
      local fd, message, number = sys.open(("/proc/%d/ns/%s"):format(pid, entry.file))
      if not fd then
        return nil, message, number
      end
      ctx.undo:push(fd.close, fd)
      entry.path = "/proc/self/fd/" .. fd:fileno()
      entry.about = "container:" .. entry.neighbour
    end
  end
  return true
end

return neighbours
