local api = require "container.api"
local bundles = require "spec.fixtures.bundle"
local intel_rdt = require "container.linux.intel_rdt"
local support = require "spec.support"
local sys = require "container.sys"

-- A tree of files in the place of resctrl, with one class.
local function tree()
  local root = support.tmpdir()
  assert(os.execute(("cd %s && mkdir mon_groups there there/mon_groups && "
    .. "printf '    L3:0=ff;1=f\\n    MB:0=20;1=70\\n' > there/schemata"):format(root)))
  intel_rdt.root = root
  return root
end

local function with(rdt)
  return function(c)
    c.linux.intelRdt = rdt
  end
end

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

after_each(function()
  intel_rdt.root = nil
end)

describe("linux.intelRdt of a bundle is refused", function()
  for reason, rdt in pairs {
    ["closID: expected \"/\" or a name without a slash, got \"../a\""] = { closID = "../a" },
    ["memBwSchema: expected a line that begins with MB:, got \"L3:0=1\""] =
      { memBwSchema = "L3:0=1" },
    ["schemata[1]: expected a text of one line, got \"b\\nc\""] = { schemata = { "a", "b\nc" } },
  } do
    it(reason, function()
      assert.equal("config: linux.intelRdt." .. reason, bundles.refusal(with(rdt)))
    end)
  end
end)

describe("linux.intelRdt of a bundle #root", function()
  it("is refused where no resctrl is mounted", function()
    assert.matches("^rdt: linux%.intelRdt: no resctrl is mounted", bundles.failure("true", with {}))
  end)

  it("makes a class of its own with what it is to have", function()
    local root = tree()
    local c <close> = assert(bundles.spawn("sleep 60", with { l3CacheSchema = "L3:0=f",
      memBwSchema = "MB:0=50", schemata = { "L2:0=1" }, enableMonitoring = false }))
    local name
    for _, entry in ipairs(sys.list(root)) do
      name = entry ~= "there" and entry ~= "mon_groups" and entry or name
    end
    assert.equal("L3:0=f\nMB:0=50\nL2:0=1\n", sys.read_file(root .. "/" .. name .. "/schemata"))
    assert.equal(tostring(c.pid), sys.read_file(root .. "/" .. name .. "/tasks"))
    c:kill()
  end)

  it("takes a class that is there, if it has what was asked for, and monitors it", function()
    local root = tree()
    local rdt = { closID = "there", l3CacheSchema = "L3:1=0f", enableMonitoring = true }
    local c <close> = assert(bundles.spawn("sleep 60", with(rdt)))
    assert.equal(tostring(c.pid), sys.read_file(root .. "/there/tasks"))
    local group = assert(sys.list(root .. "/there/mon_groups"))[1]
    assert.equal(tostring(c.pid),
      sys.read_file(("%s/there/mon_groups/%s/tasks"):format(root, group)))
    c:kill()
    assert.equal("rdt: linux.intelRdt.memBwSchema: the class there is there and has another",
      bundles.failure("true", with { closID = "there", memBwSchema = "MB:0=30" }))
    assert.equal("rdt: linux.intelRdt.closID: there is no class new, and nothing says what it "
      .. "would have", bundles.failure("true", with { closID = "new" }))
  end)
end)
