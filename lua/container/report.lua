-- Lines on standard error that delay nothing: they are given up where it is full and nothing reads
-- it.

local sys = require "container.sys"

local report = {}

-- What a pipe that can be written takes without blocking: PIPE_BUF. pipe(7)
local PIECE <const> = 4096
-- Seconds that a reader has to make room.
local TIMEOUT <const> = 1

--- Writes text to standard error.
-- @string text
-- @treturn boolean whether all of it was written
function report.write(text)
  local deadline = sys.clock_gettime() + TIMEOUT
  for from = 1, #text, PIECE do
    local left = math.max(deadline - sys.clock_gettime(), 0)
    local _, writable = sys.ppoll({}, left, { 2 })
    if not (writable and writable[1]) or not sys.write(2, text:sub(from, from + PIECE - 1)) then
      return false
    end
  end
  return true
end

return report
