-- The life of a child: from its birth in the new namespaces to the exec of init. It never comes
-- back: it becomes init, or it tells what failed and is gone. engine/order.lua says what it does.

local order = require "container.engine.order"
local steps = require "container.engine.steps"
local sync = require "container.engine.sync"
local sys = require "container.sys"

local child = {}

--- Runs the steps of a child, as one protected call. All that they need is loaded: after the pivot
-- a require would run code of the container's files, and dlopen or a name service would too.
-- @tparam Context ctx
-- @tparam[opt] table list of steps; those of a start
-- @string[opt="child"] side
-- @func[opt] last runs behind them: answers nothing, or a step's name, message and errno
function child.main(ctx, list, side, last)
  local done, why = pcall(function()
    local ok, step, message, errno = steps.run(ctx, list or order.start, side or "child")
    if not ok then
      sync.report(ctx, steps.subject(step), message, errno)
    elseif last then
      sync.report(ctx, last(ctx))
    end
  end)
  if not done then
    sync.report(ctx, "child", tostring(why))
  end
  sys._exit(125)
end

return child
