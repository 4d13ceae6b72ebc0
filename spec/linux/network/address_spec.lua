local address = require "container.linux.network.address"
local sys = require "container.sys"

local function special(text)
  return address.special(sys.inet_bytes(text))
end

describe("addresses", function()
  it("are special where a name of the internet has no business", function()
    for text, what in pairs {
      ["0.0.0.0"] = "an address of this network", ["::"] = "an address of this network",
      ["10.255.0.1"] = "a private address", ["172.31.255.255"] = "a private address",
      ["192.168.1.1"] = "a private address", ["100.127.0.1"] = "a private address",
      ["198.19.0.1"] = "a private address", ["fd00:ec2::254"] = "a private address",
      ["127.9.9.9"] = "a loopback address", ["::1"] = "a loopback address",
      ["169.254.169.254"] = "a link-local address", ["fe80::1"] = "a link-local address",
      ["168.63.129.16"] = "an address of a metadata service",
      ["224.0.0.1"] = "a multicast address", ["255.255.255.255"] = "a reserved address",
      ["ff02::1"] = "a multicast address", ["2001::1"] = "a reserved address",
    } do
      assert.equal(what, special(text), text)
    end
    for _, text in ipairs { "9.255.255.255", "11.0.0.1", "172.15.0.1", "172.32.0.1", "100.63.0.1",
      "100.128.0.1", "192.0.2.1", "198.17.0.1", "2606:4700::1", "2001:db8::1" } do
      assert.is_nil(special(text), text)
    end
  end)

  it("are that also when one of IPv4 is written in one of IPv6", function()
    for _, text in ipairs { "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::",
      "::127.0.0.1" } do
      assert.equal("a loopback address", special(text), text)
    end
    assert.is_nil(special("64:ff9b::8.8.8.8"))
    assert.equal("\8\8\8\8", address.plain(sys.inet_bytes("::ffff:8.8.8.8")))
  end)

  it("are read with how many bits a block has", function()
    local block = address.block("10.0.0.0/12")
    assert.is_true(address.is_in(block, "\10\15\255\255"))
    assert.is_false(address.is_in(block, "\10\16\0\0"))
    assert.is_false(address.is_in(block, sys.inet_bytes("::")))
    assert.is_true(address.is_in(address.block("0.0.0.0/0"), "\1\2\3\4"))
    for _, text in ipairs { "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "a/8", "::/129",
      "10.0.0.0/-1" } do
      assert.is_nil(address.block(text), text)
    end
  end)

  it("are this machine's own where a connection would not leave it", function()
    assert.is_true(address.is_own("127.0.0.1"))
    assert.is_false(address.is_own("192.0.2.1"))
  end)
end)
