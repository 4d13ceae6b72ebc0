local dns = require "container.linux.network.dns"

local QUERY <const> = assert(dns.query(0x1234, "web.example", dns.A))

--- Answers a query as a server does, with these records.
local function answer(query, ...)
  local records = { ... }
  local text = dns.answer(dns.read_query(query), dns.NOERROR)
  return text:sub(1, 6) .. (">I2"):pack(#records) .. text:sub(9) .. table.concat(records)
end

local function record(owner, kind, data)
  return owner .. (">I2I2I4s2"):pack(kind, 1, 300, data)
end

local SAME <const> = "\xc0\x0c"

describe("questions", function()
  it("are read as they are written", function()
    local query = dns.read_query(QUERY)
    assert.same({ 0x1234, "web.example", dns.A, 1 }, { query.id, query.name, query.type,
      query.class })
    assert.is_true(dns.is_internet(query))
  end)

  it("are one name in any case", function()
    assert.equal("web.example", dns.read_query((QUERY:gsub("web", "WeB"))).name)
    -- And the answer has it as it came.
    assert.matches("WeB", dns.answer(dns.read_query((QUERY:gsub("web", "WeB"))), 0))
  end)

  it("have no name with a dot or a NUL in a part of it", function()
    assert.equal("w?b.example", dns.read_query((QUERY:gsub("web", "w.b"))).name)
    assert.equal("w?b.example", dns.read_query((QUERY:gsub("web", "w\0b"))).name)
  end)

  it("are not answered when they are answers or too short, and refused when broken", function()
    assert.is_nil(dns.read_query(""))
    assert.is_nil(dns.read_query(QUERY:sub(1, 11)))
    assert.is_nil(dns.read_query(answer(QUERY)))
    for size = 12, #QUERY - 12 do
      assert.equal(dns.FORMERR, dns.read_query(QUERY:sub(1, size)).refused, size)
    end
    assert.equal(dns.NOTIMP, dns.read_query(QUERY:sub(1, 2) .. "\x28" .. QUERY:sub(4)).refused)
    -- A name that points at itself.
    assert.equal(dns.FORMERR, dns.read_query(QUERY:sub(1, 12) .. "\xc0\x0c\0\1\0\1").refused)
  end)

  it("are not made of what is no name", function()
    for _, name in ipairs { "", ".", "a..b", ("a"):rep(64), ("abc."):rep(70) .. "a" } do
      assert.is_nil(dns.query(1, name, dns.A), name)
    end
  end)
end)

describe("answers", function()
  local function read(message)
    return dns.read_answer(message, 0x1234, "web.example", dns.A)
  end

  it("have addresses, of the name and of those that it is another name of", function()
    local other = "\5other\4test\0"
    local code, list, ttl = read(answer(QUERY, record(SAME, 5, other), record(other, 1, "\1\2\3\4"),
      record("\4evil\4test\0", 1, "\9\9\9\9"), record(SAME, 28, ("x"):rep(16)),
      record(SAME, 1, "\5\6\7\8")))
    assert.same({ dns.NOERROR, { "\1\2\3\4", "\5\6\7\8" }, 300 }, { code, list, ttl })
  end)

  it("of another number, name or kind are none", function()
    local message = answer(QUERY, record(SAME, 1, "\1\2\3\4"))
    assert.is_nil(dns.read_answer(message, 1, "web.example", dns.A))
    assert.is_nil(dns.read_answer(message, 0x1234, "other.example", dns.A))
    assert.is_nil(dns.read_answer(message, 0x1234, "web.example", dns.AAAA))
    assert.is_nil(read(QUERY))
  end)

  it("that are cut anywhere raise nothing", function()
    local message = answer(QUERY, record(SAME, 5, SAME), record(SAME, 1, "\1\2\3\4"))
    for size = 0, #message do
      read(message:sub(1, size))
    end
    assert.same({}, select(2, read(message:sub(1, -2))))
  end)
end)
