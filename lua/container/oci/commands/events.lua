-- `events`: what a container uses, and when it was out of memory, as lines of JSON.

local container = require "container.oci.container"
local control = require "container.runtime.control"
local errors = require "container.error"
local json = require "container.json"
local make = require "container.oci.make"
local state = require "container.oci.state"
local statistics = require "container.oci.statistics"
local sys = require "container.sys"

-- Seconds between two lines.
local INTERVAL <const> = 5

local function line(id, kind, data)
  io.stdout:write((json.encode { type = kind, id = id, data = data }:gsub("\n%s*", " ")), "\n")
  io.stdout:flush()
end

return {
  arguments = "ID",
  help = "Print what a container uses, and when it is out of memory.",
  options = {
    { "--interval", value = "SECONDS", field = "interval", help = "Between two lines; 5." },
    { "--stats", field = "stats", help = "Print one line and end." },
  },
  run = function(asked, global)
    local id = make.id(asked, "events")
    local home = state.open(global.root, id)
    if not state.lives(home.about) then
      errors.try(nil, "container not running", sys.errno.ESRCH)
    end
    local ctx = container.context(home)
    if asked.stats then
      line(id, "stats", statistics.read(ctx))
      return 0
    end
    local seconds = asked.interval and tonumber((asked.interval:gsub("s$", ""))) or INTERVAL
    local oom <close> = control.watch(ctx)
    local seen = control.oom(ctx) or 0
    while state.lives(home.about) do
      line(id, "stats", statistics.read(ctx))
      local ready = sys.ppoll({ oom or nil }, seconds)
      if oom and ready and ready[1] then
        sys.read(oom, 4096)
        local kills = control.oom(ctx) or 0
        if kills > seen then
          line(id, "oom", nil)
        end
        seen = kills
      end
    end
    return 0
  end,
}
