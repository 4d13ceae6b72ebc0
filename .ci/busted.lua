-- The busted command under the Lua that runs this file: the machine's own `busted` runs under
-- whichever Lua its `lua` is, and switches through a shell that loses quotes and signals.

-- Ubuntu 22.04 has parts of busted for Lua 5.3 and older alone. They are as good for 5.4, but for
-- the clock, which is C.
if not pcall(require, "system") then
  package.path = package.path .. ";/usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua"
  package.preload.system = function()
    return {
      gettime = os.time,
      monotime = os.clock,
      sleep = function(seconds)
        os.execute("sleep " .. seconds)
      end,
    }
  end
end

require "busted.runner" { standalone = false }
