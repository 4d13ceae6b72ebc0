local support = require "spec.support"
local sys = require "container.sys"

-- struct nlmsghdr and struct ifinfomsg; RTM_GETLINK is 18, NLM_F_REQUEST with NLM_F_DUMP 0x301.
local function get_links(flags, kind)
  return ("=I4I2I2I4I4BxI2i4I4I4"):pack(32, kind or 18, flags, 1, 0, 0, 0, 0, 0, 0)
end

describe("sys.rtnetlink", function()
  it("asks the kernel, and gives all of the answer", function()
    local answer = assert(sys.rtnetlink(get_links(0x301)))
    assert.matches("lo\0", answer, 1, true)
  end)

  it("answers what the kernel refuses", function()
    local answer, message, errno = sys.rtnetlink(get_links(0x5))
    assert.is_nil(answer)
    assert.matches("^rtnetlink: ", message)
    assert.is_number(errno)
    assert.is_nil((sys.rtnetlink("")))
  end)

  it("raises for what is no string", function()
    support.raises("string expected", sys.rtnetlink, {})
  end)
end)
