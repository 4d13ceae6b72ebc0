local sys = require "container.sys"
local support = require "spec.support"

local function place()
  return support.tmpdir() .. "/socket"
end

describe("sys.socket_bind, socket_connect and socket_accept", function()
  it("make the two ends of a connection by a path", function()
    local path = place()
    local listener <close> = assert(sys.socket_bind(path))
    assert.equal("socket", sys.stat(path, "type"))
    local one <close> = assert(sys.socket_connect(path))
    local other <close> = assert(sys.socket_accept(listener))
    sys.write(one, "there")
    assert.equal("there", sys.read(other))
    sys.write(other, "back")
    assert.equal("back", sys.read(one))
  end)

  it("tell one that nothing accepts when the listener is gone", function()
    local path = place()
    local listener = assert(sys.socket_bind(path))
    local one <close> = assert(sys.socket_connect(path))
    listener:close()
    support.refused("read: Connection reset by peer", "ECONNRESET", sys.read(one))
    support.refused(("connect %s: Connection refused"):format(path), "ECONNREFUSED",
      sys.socket_connect(path))
  end)

  it("send datagrams", function()
    local path = place()
    local reader <close> = assert(sys.socket_bind(path, "datagram"))
    local writer <close> = assert(sys.socket_connect(path, "datagram"))
    sys.write(writer, "READY=1")
    sys.write(writer, "STOPPING=1")
    assert.equal("READY=1", sys.read(reader))
    assert.equal("STOPPING=1", sys.read(reader))
  end)

  it("answer what the kernel says", function()
    local path = place()
    local _ <close> = assert(sys.socket_bind(path))
    support.refused(("bind %s: Address already in use"):format(path), "EADDRINUSE",
      sys.socket_bind(path))
    support.refused("connect /no/such: No such file or directory", "ENOENT",
      sys.socket_connect("/no/such"))
    local reader <close> = assert(sys.memfd("file", ""))
    support.refused("accept: Socket operation on non-socket", "ENOTSOCK",
      sys.socket_accept(reader))
  end)

  it("raise for a path that is too long, and for another kind", function()
    support.raises("path too long", sys.socket_bind, "/" .. ("a"):rep(107))
    support.raises("path too long", sys.socket_connect, "/" .. ("a"):rep(107))
    support.raises("bad argument #2", sys.socket_bind, "/x", "raw")
    support.raises("bad argument #1", sys.socket_accept, "x")
  end)
end)
