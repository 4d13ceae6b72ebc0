local spec = require "container.config.spec"

local function read(...)
  local ctx, err = spec.read { "true", publish = { ... } }
  return ctx and ctx.published, err and err.message
end

describe("publish", function()
  it("takes ports as docker writes them, at 127.0.0.1 by default", function()
    assert.same({ { address = "127.0.0.1", host_port = 8080, port = 80 } }, (read "8080:80"))
    assert.same({ { address = "127.0.0.1", host_port = 0, port = 80 } }, (read "0:80/tcp"))
    assert.same({ { address = "127.0.0.1", host_port = 0, port = 80 } }, (read ":80"))
    assert.same({ { address = "0.0.0.0", host_port = 1, port = 65535 } }, (read "0.0.0.0:1:65535"))
    assert.same({ { address = "192.0.2.1", host_port = 0, port = 80 } }, (read "192.0.2.1::80"))
    assert.same({ { address = "::1", host_port = 8080, port = 80 } }, (read "[::1]:8080:80"))
    assert.same({ { address = "::", host_port = 0, port = 80 } },
      (read { address = "::", port = 80 }))
    assert.is_nil((read()))
  end)

  for value, message in pairs {
    ["80"] = "publish[1]: expected [ADDRESS:]HOSTPORT:PORT",
    ["8080:80/udp"] = "publish[1]: udp: only TCP can be published",
    ["8080:0"] = "publish[1]: expected a port from 1 to 65535",
    ["65536:80"] = "publish[1]: expected a port from 0 to 65535",
    ["300.0.0.1:1:1"] = "publish[1]: expected an address",
    ["localhost:1:1"] = "publish[1]: expected [ADDRESS:]HOSTPORT:PORT",
    ["1-2:1-2"] = "publish[1]: expected [ADDRESS:]HOSTPORT:PORT",
  } do
    it("refuses " .. value, function()
      local list, said = read(value)
      assert.is_nil(list)
      assert.is_truthy(said:find(message, 1, true), said)
    end)
  end

  it("refuses what does not go with it", function()
    local _, err = spec.read { "true", publish = { "1:1" }, network = "host" }
    assert.is_truthy(err.message:find("does not go with the host's network", 1, true))
    _, err = spec.read { "true", publish = { "1:80" }, allow = { "example.org" } }
    assert.is_truthy(err.message:find("publish[1]: port 80 is one that allow names", 1, true))
    _, err = spec.read { "true", publish = { { port = 80, protocol = "tcp" } } }
    assert.is_truthy(err.message:find("got \"protocol\"", 1, true))
  end)
end)
