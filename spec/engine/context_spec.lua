local context = require "container.engine.context"
local support = require "spec.support"

local top = assert(package.searchpath("container.api", package.path)):match("^(.*)/container/")

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

describe("the context of a start", function()
  local listed = {}
  for name in read(top .. "/container/engine/context.lua"):gmatch("%-%-%- @field ([%w_]+) ") do
    listed[name] = true
  end
  local made = context.new({ config = {} }, {})

  it("has each field that is listed, but for what is asked and has no default", function()
    for name in pairs(listed) do
      assert.is_truthy(made[name] ~= nil or name == "stop_timeout"
        or name == "asked_capabilities", name)
    end
    for name in pairs(made) do
      assert.is_true(listed[name], name)
    end
  end)

  it("is given no other field anywhere", function()
    local found = support.run("cd " .. support.quote(top) .. " && grep -rnoE \z
      '(^|[^A-Za-z_.])(c|ctx)[.][A-Za-z_]+' container").stdout
    local count, others = 0, {}
    for line in found:gmatch("[^\n]+") do
      local name = line:match("([%w_]+)$")
      count = count + 1
      others[#others + 1] = not listed[name] and not line:find("container/cli/", 1, true) and line
        or nil
    end
    assert.same({}, others)
    assert.is_true(count > 300, count .. " uses are found")
  end)
end)
