local sys = require "container.sys"
local spec = require "container.config.spec"

describe("the option rlimits", function()
  local function read(rlimits)
    local c, err = spec.read { "true", rlimits = rlimits }
    return c and c.config.process.rlimits, err
  end

  it("takes one number for both, soft and hard, and both as docker writes them", function()
    local both = { { type = "RLIMIT_NOFILE", soft = 64, hard = 128 } }
    assert.same(both, read { nofile = { soft = 64, hard = 128 } })
    assert.same(both, read { nofile = "64:128" })
    local one = { { type = "RLIMIT_NOFILE", soft = 64, hard = 64 } }
    for _, value in ipairs { 64, "64", { soft = 64 }, { hard = 64 } } do
      assert.same(one, read { nofile = value })
    end
  end)

  it("takes bytes with a unit, where a limit is one of bytes", function()
    for text, bytes in pairs { ["10"] = 10, ["10b"] = 10, ["10K"] = 10 << 10, ["10m"] = 10 << 20,
      ["1G"] = 1 << 30 } do
      assert.equal(bytes, read({ fsize = text })[1].soft)
    end
    assert.same({ { type = "RLIMIT_STACK", soft = 1 << 20, hard = 8 << 20 } },
      read { stack = "1M:8M" })
    assert.is_nil(read { nofile = "1K" })
  end)

  it("takes no limit, which is above every other", function()
    for _, value in ipairs { "unlimited", -1, { soft = "unlimited" } } do
      assert.same({ { type = "RLIMIT_CORE", soft = -1, hard = -1 } }, read { core = value })
    end
    for _, value in ipairs { "-1", "-1:-1", "unlimited:-1" } do
      assert.same({ { type = "RLIMIT_MEMLOCK", soft = -1, hard = -1 } }, read { memlock = value })
    end
    assert.same({ { type = "RLIMIT_CPU", soft = 1, hard = -1 } }, read { cpu = "1:unlimited" })
    assert.is_nil(read { cpu = "unlimited:1" })
  end)

  it("takes every name that the kernel has a limit for, in one order", function()
    local all = {}
    for _, name in ipairs(sys.rlimit_names()) do
      all[name] = 7
    end
    local list = read(all)
    assert.equal(16, #list)
    for i = 2, #list do
      assert.is_true(list[i - 1].type < list[i].type)
    end
  end)

  it("is refused by the field", function()
    local name = "rlimits: expected the name of a limit such as cpu or nofile, got "
    local number = ": expected a whole number or \"unlimited\", got "
    local bytes = ": expected a number of bytes such as 10485760 or \"10M\", or \"unlimited\", got "
    for message, value in pairs {
      [name .. "\"files\""] = { files = 1 },
      [name .. "1"] = { "nofile=1" },
      ["rlimits: expected a table, got 1"] = 1,
      ["rlimits.cpu" .. number .. "1.5"] = { cpu = 1.5 },
      ["rlimits.cpu" .. number .. "-2"] = { cpu = -2 },
      ["rlimits.cpu" .. number .. "\"\""] = { cpu = "" },
      ["rlimits.cpu" .. number .. "\"2s\""] = { cpu = "2s" },
      ["rlimits.cpu" .. number .. "true"] = { cpu = true },
      ["rlimits.as" .. bytes .. "\"1X\""] = { as = "1X" },
      ["rlimits.as" .. bytes .. "\"1 M\""] = { as = "1 M" },
      ["rlimits.as" .. bytes .. "nil"] = { as = {} },
      ["rlimits.nofile: the soft limit is above the hard one"] = { nofile = "2:1" },
      ["rlimits.nofile: expected soft and hard, got \"max\""] = { nofile = { max = 1 } },
      ["rlimits.nofile: expected a plain table, got one with a metatable"] =
        { nofile = setmetatable({}, {}) },
    } do
      local list, err = read(value)
      assert.is_nil(list)
      assert.equal("spec: " .. message, tostring(err))
    end
  end)
end)
