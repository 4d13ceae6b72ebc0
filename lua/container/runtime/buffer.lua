-- Bytes that came and are not taken yet: pieces in a row, so that a caller that takes a few, or
-- waits for many, copies each byte once.

local buffer = {}

-- A piece shorter than this is joined with the next one: a string of one byte takes forty, and the
-- program on the other side says how long the pieces are.
local SHORT <const> = 1024

local methods = {}

--- Adds a piece behind the others.
function methods:push(piece)
  local before = self[self.last]
  self.size = self.size + #piece
  if before and #before < SHORT and #piece < SHORT then
    self[self.last] = before .. piece
    return
  end
  self.last = self.last + 1
  self[self.last] = piece
end

--- Takes the first bytes.
-- @int size at most so many
-- @treturn string
function methods:take(size)
  local taken = {}
  size = math.min(size, self.size)
  self.size, self.taken = self.size - size, self.taken + size
  while size > 0 do
    local part = self[self.first]:sub(self.from, self.from + size - 1)
    taken[#taken + 1] = part
    size, self.from = size - #part, self.from + #part
    if self.from > #self[self.first] then
      self[self.first] = nil
      self.first, self.from = self.first + 1, 1
    end
  end
  return table.concat(taken)
end

--- How many bytes there are up to the first line end, with it; nil if there is none. No byte is
-- searched twice for one line, though another reader may take bytes meanwhile.
-- @tparam table search empty at first, and the same as long as the line is waited for
function methods:line(search)
  if (search.next or 0) < self.first then
    search.next, search.before, search.from = self.first, self.taken - self.from + 1, self.from
  end
  while search.next <= self.last do
    local piece = self[search.next]
    local from = search.next == self.first and math.max(self.from, search.from) or search.from
    local at = piece:find("\n", from, true)
    if at then
      return search.before + at - self.taken
    elseif search.next == self.last then
      search.from = #piece + 1 -- it may be joined with the next one
      return nil
    end
    search.next, search.before, search.from = search.next + 1, search.before + #piece, 1
  end
  return nil
end

--- Makes an empty one.
function buffer.new()
  return setmetatable({ first = 1, last = 0, from = 1, size = 0, taken = 0 },
    { __name = "container.runtime.buffer", __index = methods })
end

return buffer
