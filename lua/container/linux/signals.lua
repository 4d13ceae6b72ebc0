-- Signals as a caller names them: TERM, SIGTERM, term, 15, "15". signal(7)

local check = require "container.check"
local sys = require "container.sys"

local signals = {}

local LAST <const> = 64

local NUMBERS <const> = {}
for number = 1, LAST do
  NUMBERS[sys.signal_name(number)] = number
end

--- The number of a signal.
-- @param value name, in either case, with SIG or without; or number, 0 for none but its checks
-- @treturn int; or nil and a message that shows the value
function signals.number(value)
  local number = check.integer(value)
  if type(value) == "string" then
    local name = value:upper():gsub("^SIG", "")
    number = NUMBERS[name] or name:find("^%d+$") and math.tointeger(name)
  end
  if number and number >= 0 and number <= LAST then
    return number
  end
  return nil, ("expected the name or number of a signal, got %s"):format(check.shown(value))
end

return signals
