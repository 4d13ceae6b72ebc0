-- Sockets of the internet, in a network namespace of their own.

local sys = require "container.sys"
local support = require "spec.support"

local NETWORK <const> = { "network" }

--- Runs `fn` in a child whose loopback interface is up.
local function inside(fn)
  return support.child(function()
    assert(sys.interface_up("lo"))
    return fn()
  end, NETWORK)
end

local function readable(fd)
  return sys.ppoll({ fd }, 5)[1]
end

describe("sys.inet_bytes and inet_text", function()
  it("know addresses of both kinds", function()
    assert.equal("\192\0\2\1", sys.inet_bytes("192.0.2.1"))
    assert.equal(16, #sys.inet_bytes("2001:db8::1"))
    assert.equal("2001:db8::1", sys.inet_text(sys.inet_bytes("2001:0DB8:0:0::1")))
    assert.equal("192.0.2.1", sys.inet_text("\192\0\2\1"))
  end)

  it("know nothing else as an address", function()
    for _, text in ipairs { "", "192.0.2", "192.0.2.256", "192.0.2.1 ", "example.org", "0x7f.1" } do
      assert.is_nil(sys.inet_bytes(text))
    end
    support.raises("4 or 16 bytes", sys.inet_text, "five!")
  end)
end)

describe("sys.inet_bind, inet_connect and inet_accept", function()
  for _, address in ipairs { "127.0.0.1", "::1" } do
    it("make a connection to " .. address .. " #root", function()
      local said, from, port = inside(function()
        local listener <close> = assert(sys.inet_bind(address, 0))
        local _, number = assert(sys.getsockname(listener))
        local out <close> = assert(sys.inet_connect(address, number))
        assert(readable(listener))
        local peer <close> = assert(sys.inet_accept(listener))
        assert(sys.socket_error(out))
        sys.write(out, "hello")
        assert(readable(peer))
        local own, at = sys.getsockname(peer)
        return sys.read(peer), own, at == number
      end)
      assert.same({ "hello", address, true }, { said, from, port })
    end)
  end

  it("do not wait #root", function()
    assert.equal(sys.errno.EAGAIN, inside(function()
      local listener <close> = assert(sys.inet_bind("127.0.0.1", 0))
      return select(3, sys.inet_accept(listener))
    end))
  end)

  it("tell of a refusal when it is known #root", function()
    assert.equal(sys.errno.ECONNREFUSED, inside(function()
      local out <close> = assert(sys.inet_connect("127.0.0.1", 9))
      assert(sys.ppoll({}, 5, { out }))
      return select(3, sys.socket_error(out))
    end))
    assert.equal(sys.errno.ENETUNREACH, inside(function()
      return select(3, sys.inet_connect("192.0.2.1", 9))
    end))
  end)

  it("reject what is no address, port or kind", function()
    support.raises("no address", sys.inet_connect, "example.org", 80)
    support.raises("out of range", sys.inet_bind, "127.0.0.1", 65536)
    support.raises("invalid option", sys.inet_bind, "127.0.0.1", 0, "raw")
  end)
end)

describe("sys.socket_reset", function()
  it("has the other side see an error #root", function()
    assert.equal(sys.errno.ECONNRESET, inside(function()
      local listener <close> = assert(sys.inet_bind("127.0.0.1", 0))
      local out <close> = assert(sys.inet_connect("127.0.0.1", (select(2,
        sys.getsockname(listener)))))
      assert(readable(listener))
      local peer = assert(sys.inet_accept(listener))
      assert(sys.socket_reset(peer))
      peer:close()
      assert(readable(out))
      return select(3, sys.read(out))
    end))
  end)
end)

describe("sys.recvfrom and sendto", function()
  it("pass datagrams with the addresses they come from #root", function()
    assert.same({ "question", "127.0.0.1", true, "answer" }, { inside(function()
      local a <close> = assert(sys.inet_bind("127.0.0.1", 0, "datagram"))
      local b <close> = assert(sys.inet_bind("127.0.0.1", 0, "datagram"))
      local _, of_a = sys.getsockname(a)
      local _, of_b = sys.getsockname(b)
      assert(select(3, sys.recvfrom(a, 10)) == sys.errno.EAGAIN)
      assert(sys.sendto(b, "question", "127.0.0.1", of_a))
      assert(readable(a))
      local said, address, port = sys.recvfrom(a, 512)
      assert(sys.sendto(a, "answer", address, port))
      assert(readable(b))
      return said, address, port == of_b, (sys.recvfrom(b, 512))
    end) })
  end)
end)

describe("sys.route_local", function()
  it("makes a block of addresses local #root", function()
    assert.same({ "198.18.7.9", 80 }, { inside(function()
      assert(sys.route_local("198.18.0.0", 15, "lo"))
      local listener <close> = assert(sys.inet_bind("0.0.0.0", 80))
      local out <close> = assert(sys.inet_connect("198.18.7.9", 80))
      assert(readable(listener))
      local peer <close> = assert(sys.inet_accept(listener))
      assert(sys.socket_error(out))
      return sys.getsockname(peer)
    end) })
  end)

  it("does it for IPv6 too #root", function()
    assert.same({ "2001:db8::77", 80 }, { inside(function()
      assert(sys.route_local("2001:db8::", 64, "lo"))
      local listener <close> = assert(sys.inet_bind("::", 80))
      local out <close> = assert(sys.inet_connect("2001:db8::77", 80))
      assert(readable(listener))
      local peer <close> = assert(sys.inet_accept(listener))
      assert(sys.socket_error(out))
      return sys.getsockname(peer)
    end) })
  end)

  it("tells of a refusal #root", function()
    local _, message, errno = inside(function()
      assert(sys.route_local("192.0.2.0", 24, "lo"))
      return sys.route_local("192.0.2.0", 24, "lo")
    end)
    assert.equal("rtnetlink RTM_NEWROUTE 192.0.2.0: File exists", message)
    assert.equal(sys.errno.EEXIST, errno)
    support.raises("no address", sys.route_local, "example.org", 8, "lo")
    assert.equal(sys.errno.ENODEV, select(3, sys.route_local("192.0.2.0", 24, "none-such")))
  end)
end)
