-- The options of outgoing connections: what is understood, and what is refused by its field.

local spec = require "container.config.spec"
local policy = require "container.runtime.network.policy"
local sys = require "container.sys"

local function read(options)
  options[1] = "true"
  local asked, err = spec.read(options)
  return asked or error(err, 0)
end

local function refused(message, options)
  options[1] = "true"
  local asked, err = spec.read(options)
  assert.is_nil(asked)
  assert.equal("spec: " .. message, tostring(err))
end

local function allows(list, name, port)
  return policy.allows_name(read { allow = list }.outgoing, name, port)
end

local function allows_address(list, text, port)
  return policy.allows_address(read { allow = list }.outgoing, sys.inet_bytes(text), port)
end

local ENTRY <const> = "expected HOST[:PORT[,PORT]], such as example.org:443, *.example.org, "
  .. "192.0.2.0/24:80 or unix:PATH, got "

describe("allow", function()
  it("names a host, at the ports of the web unless it says others", function()
    assert.is_true(allows({ "example.org" }, "example.org", 443))
    assert.is_true(allows({ "example.org" }, "example.org", 80))
    assert.is_false(allows({ "example.org" }, "example.org", 22))
    assert.is_true(allows({ "example.org:22,9418" }, "example.org", 9418))
    assert.is_false(allows({ "example.org:22,9418" }, "example.org", 443))
    assert.is_false(allows({ "example.org" }, "www.example.org", 443))
    assert.is_false(allows({ "example.org" }, "example.org.evil.test", 443))
  end)

  it("adds up what is said of a name, also by wildcards", function()
    local list = { "example.org:1", "example.org:2", "*.example.org:3", "*:4" }
    assert.is_true(allows(list, "example.org", 1) and allows(list, "example.org", 2))
    assert.is_false(allows(list, "example.org", 3))
    assert.is_true(allows(list, "a.b.example.org", 3) and allows(list, "a.b.example.org", 4))
    assert.is_true(allows(list, "org", 4))
    assert.is_false(allows({ "*.example.org" }, "badexample.org", 443))
  end)

  it("names addresses and blocks of both kinds", function()
    assert.is_true(allows_address({ "192.0.2.7" }, "192.0.2.7", 443))
    assert.is_false(allows_address({ "192.0.2.7" }, "192.0.2.8", 443))
    assert.is_true(allows_address({ "10.0.0.0/9:5432" }, "10.127.1.1", 5432))
    assert.is_false(allows_address({ "10.0.0.0/9:5432" }, "10.128.1.1", 5432))
    assert.is_true(allows_address({ "[2001:db8::/33]:22" }, "2001:db8:7fff::1", 22))
    assert.is_false(allows_address({ "[2001:db8::/33]:22" }, "2001:db8:8000::1", 22))
    assert.is_true(allows_address({ "2001:db8::1" }, "2001:db8::1", 443))
  end)

  it("takes names in any case, with a final dot, and with letters beyond ASCII", function()
    assert.is_true(allows({ "Example.ORG." }, "example.org", 80))
    assert.is_true(allows({ "*.b\u{fc}cher.example" }, "a.xn--bcher-kva.example", 80))
  end)

  it("rejects what is neither", function()
    for _, entry in ipairs { "", "*.", "*.*.org", "a b", "http://example.org/", "1.2.3",
      "300.1.1.1", "-a_.org..", ("a"):rep(64), "a/b" } do
      refused(("allow[1]: " .. ENTRY .. "%q"):format(entry), { allow = { entry } })
    end
    for _, entry in ipairs { "a.org:0", "a.org:65536", "a.org:80,", "a.org:http" } do
      refused(("allow[1]: expected ports from 1 to 65535, got %q"):format(entry),
        { allow = { entry } })
    end
    refused("allow[1]: expected unix: and an absolute path, got \"unix:socket\"",
      { allow = { "unix:socket" } })
    refused("allow: expected a table, got \"a.org\"", { allow = "a.org" })
  end)

  it("has a limit of ports", function()
    local list = {}
    for i = 1, 65 do
      list[i] = "example.org:" .. i
    end
    refused("allow: names 65 ports, and at most 64 can be served", { allow = list })
  end)

  it("goes with no other network", function()
    refused("allow: takes a network of the container's own, and not host",
      { allow = { "example.org" }, network = "host" })
  end)

  it("is what connections, network_log and on.connect take", function()
    refused("connections: takes allow, which says what is reached", { connections = 7 })
    refused("network_log: takes allow, which says what is reached", { network_log = "/tmp/x" })
    refused("on.connect: takes allow, such as { \"*\" }, which says for which ports it is asked",
      { on = { connect = print } })
    refused("connections: expected a number from 1 to 32768, got 0",
      { allow = { "a.org" }, connections = 0 })
    refused("network_log: expected a path or a function, got true",
      { allow = { "a.org" }, network_log = true })
  end)
end)
