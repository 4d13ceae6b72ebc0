-- Bytes that come in pieces, kept until they are asked for as one string. How long the pieces are
-- says the program that writes them, and small ones take many times their size: so they do not stay
-- small.

local pieces = {}

-- How large the pieces are kept at least, but for the last ones, and how many these may be.
local JOINED <const>, MANY <const> = 65536, 1024

local methods = {}

--- Adds a piece behind the others.
function methods:add(piece)
  self[#self + 1], self.loose = piece, self.loose + #piece
  if self.loose >= JOINED or #self - self.first >= MANY then
    local joined = table.concat(self, "", self.first)
    for i = #self, self.first + 1, -1 do
      self[i] = nil
    end
    self[self.first], self.loose = joined, #joined
    if self.loose >= JOINED then
      self.first, self.loose = self.first + 1, 0
    end
  end
end

--- All of them.
-- @treturn string
function methods:join()
  return table.concat(self)
end

function pieces.new()
  return setmetatable({ first = 1, loose = 0 },
    { __name = "container.engine.pieces", __index = methods })
end

return pieces
