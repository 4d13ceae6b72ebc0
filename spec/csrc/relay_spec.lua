-- Pairs of sockets whose bytes a relay passes on. Socket pairs stand for connections.

local sys = require "container.sys"
local support = require "spec.support"

local opened = {}

--- A pair in a relay, and what the programs at both ends have of it.
local function pair(relay)
  local a, first = assert(sys.socketpair())
  local b, second = assert(sys.socketpair())
  sys.nonblock(a)
  sys.nonblock(b)
  table.move({ a, b }, 1, 2, #opened + 1, opened)
  return a, b, assert(relay:add(first, second))
end

--- Serves a relay until nothing is to do at once. What is over by then.
local function serve(relay)
  local over = {}
  while sys.ppoll({ relay:fileno() }, 0)[1] do
    for _, one in ipairs(assert(relay:turn(1 << 20))) do
      over[#over + 1] = one
    end
  end
  return over
end

local function fill(fd)
  local piece, size = ("x"):rep(65536), 0
  while true do
    local n = sys.write(fd, piece)
    if not n then
      return size
    end
    size = size + n
  end
end

local function drain(fd, relay)
  local size = 0
  while true do
    serve(relay)
    local piece = sys.read(fd, 65536)
    if not piece then
      return size
    end
    size = size + #piece
  end
end

--- A test with a relay, after which everything is closed.
local function with(fn)
  return function()
    local relay <close> = assert(sys.relay(100))
    local _ <close> = setmetatable({}, { __close = function()
      for _, fd in ipairs(opened) do
        fd:close()
      end
      opened = {}
    end })
    fn(relay)
  end
end

describe("a relay", function()
  it("passes bytes on in both directions, and counts them", with(function(relay)
    local a, b = pair(relay)
    assert(sys.write(a, "to b"))
    assert(sys.write(b, "and to a"))
    assert.same({}, serve(relay))
    assert.same({ "to b", "and to a" }, { sys.read(b), sys.read(a) })
    assert.same({ 1, 4, 8 }, { relay:counts() })
  end))

  it("passes on the end of one direction, while the other one stays", with(function(relay)
    local a, b, number = pair(relay)
    assert(sys.write(a, "question"))
    sys.shutdown(a)
    assert.same({}, serve(relay))
    assert.same({ "question", "" }, { sys.read(b), sys.read(b) })
    assert(sys.write(b, "answer"))
    assert.same({}, serve(relay))
    assert.equal("answer", sys.read(a))
    b:close()
    assert.same({ { number, 8, 6 } }, serve(relay))
    assert.equal("", sys.read(a))
    assert.same({ 0, 8, 6 }, { relay:counts() })
  end))

  it("holds little for a reader that is slow, and loses nothing of it", with(function(relay)
    local a, b = pair(relay)
    local size, more = 0
    repeat
      more = fill(a)
      size = size + more
      serve(relay)
    until more == 0
    assert.is_true(size < 4 << 20)
    assert.is_nil(sys.ppoll({ relay:fileno() }, 0)[1]) -- and does not wake without end
    assert.equal(size, drain(b, relay))
  end))

  it("serves many slow readers, for which there are no pipes", with(function(relay)
    local ends, sizes = {}, {}
    local before = #sys.list("/proc/self/fd")
    for i = 1, 100 do
      ends[i] = { pair(relay) }
      sizes[i] = 0
    end
    for _ = 1, 3 do
      for i, one in ipairs(ends) do
        sizes[i] = sizes[i] + fill(one[1])
      end
      serve(relay)
    end
    assert.is_true(#sys.list("/proc/self/fd") <= before + 4 * 100 + 64)
    for i, one in ipairs(ends) do
      assert.equal(sizes[i], drain(one[2], relay))
    end
    for _, fd in ipairs(opened) do
      fd:close()
    end
    assert.equal(100, #serve(relay))
  end))

  it("tells of a reader that is gone", with(function(relay)
    local a, b, number = pair(relay)
    b:close()
    sys.write(a, "more")
    local over = serve(relay)
    if #over == 0 then -- the end of b came first, and a has not ended
      sys.write(a, "more")
      over = serve(relay)
    end
    assert.equal(number, over[1][1])
    assert.equal(sys.errno.EPIPE, over[1][4])
    assert.same({ true, "" }, { sys.ppoll({ a }, 1)[1], sys.read(a) })
  end))

  it("moves no more in a turn than it is told, or little more", with(function(relay)
    local a, b = pair(relay)
    fill(a)
    relay:turn(1)
    local _, moved = relay:counts()
    assert.is_true(moved <= 1 << 20)
    assert.is_true(moved > 0 and #sys.read(b) > 0)
  end))

  it("takes as many pairs as it may, and again when one is over", with(function()
    local small = assert(sys.relay(1))
    local a, b = pair(small)
    local c, d = assert(sys.socketpair())
    support.refused("relay: No buffer space available", "ENOBUFS", small:add(c, d))
    a:close()
    b:close()
    assert.equal(1, #serve(small))
    assert.equal(1, small:add(c, d))
    small:close()
    assert.is_nil(c:fileno())
  end))

  it("passes on what the first sockets have sent, when it is flushed", with(function(relay)
    local a, b = pair(relay)
    sys.write(a, "last words")
    a:close()
    assert.is_true(relay:flush())
    relay:close()
    assert.same({ "last words", "" }, { sys.read(b), sys.read(b) })
  end))

  it("closes all that it has, once", with(function(relay)
    local a, b = pair(relay)
    assert.is_true(relay:close())
    assert.is_true(relay:close())
    assert.same({ "", "" }, { sys.read(a), sys.read(b) })
    support.raises("relay is closed", relay.turn, relay, 1)
  end))

  it("rejects what is no pair", with(function(relay)
    support.raises("container.fd", relay.add, relay, "a", "b")
    support.raises("out of range", sys.relay, 0)
  end))
end)
