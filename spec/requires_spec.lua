-- The layers, read off the files: doors, then spec, run, child, the subjects, the tools and the C
-- module. A require points down; only a subject may ask another subject.

local support = require "spec.support"

local DOOR <const>, SPEC <const>, RUN <const>, CHILD <const> = 6, 5, 4, 3
local SUBJECT <const>, TOOL <const>, MODULE <const> = 2, 1, 0

-- A room that is not named here is about one thing: a subject.
local LAYERS <const> = {
  ["container"] = MODULE,
  ["container.runtime.buffer"] = TOOL, ["container.engine.sync"] = TOOL, ["container.config.check"] = TOOL,
  ["container.fs.path"] = TOOL, ["container.json"] = TOOL,
  ["container.engine.cleanup"] = TOOL, ["container.engine.codec"] = TOOL,
  ["container.engine.child"] = CHILD, ["container.engine.start"] = RUN, ["container.engine.exec"] = RUN,
  ["container.engine.isolated"] = RUN,
  ["container.config.spec"] = SPEC,
  ["container.cli.main"] = DOOR, ["container.linux.features"] = DOOR, ["container.api"] = DOOR,
}

local function layer(name)
  return LAYERS[name] or SUBJECT
end

local top = assert(package.searchpath("container.config.spec", package.path)):match("^(.*)/container/")

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- Every room by name: where it is, and what it requires.
local rooms = {}
for path in support.run("cd " .. support.quote(top) .. " && find container -name '*.lua'").stdout
  :gmatch("[^\n]+") do
  rooms[path:gsub("%.lua$", ""):gsub("/", ".")] = path
end

-- A name that is put together at run time, as that of a version is, stands for all that begin so.
local function requires(name)
  local text, list = read(top .. "/" .. rooms[name]):gsub("%-%-[^\n]*", ""), {}
  for wanted, rest in text:gmatch("require%s*%(?%s*\"([^\"]+)\"([^\n]*)") do
    if rest:find("^%s*%.%.") then
      for other in pairs(rooms) do
        list[#list + 1] = other:sub(1, #wanted) == wanted and other or nil
      end
    else
      list[#list + 1] = wanted
    end
  end
  return list
end

describe("the requires of the rooms", function()
  it("are found: there are rooms, and they require the C module", function()
    assert.is_string(rooms["container.config.spec"])
    assert.same({ "container", "container.linux.cgroup.v1" }, requires("container.linux.cgroup.v2"))
  end)

  for name in pairs(rooms) do
    it("point down in " .. name, function()
      for _, wanted in ipairs(requires(name)) do
        assert.is_truthy(wanted == "container" or rooms[wanted],
          name .. " requires " .. wanted .. ", which is no room")
        local subjects = layer(name) == SUBJECT and layer(wanted) == SUBJECT
        assert.is_truthy(layer(wanted) < layer(name) or subjects,
          name .. " requires " .. wanted .. ", which does not lie below it")
      end
    end)
  end

  it("make no circle", function()
    local state = {}
    local function visit(name, trail)
      trail = trail .. " > " .. name
      assert.are_not.equal("open", state[name], trail)
      if state[name] or not rooms[name] then
        return
      end
      state[name] = "open"
      for _, wanted in ipairs(requires(name)) do
        visit(wanted, trail)
      end
      state[name] = "done"
    end
    for name in pairs(rooms) do
      visit(name, "")
    end
  end)

  it("are of the C module alone in the door for the command line, but for what it shows", function()
    assert.same({ "container", "container.engine.sync", "container.cli.tty", "container.cli.stats_line" },
      requires("container.cli.main"))
  end)
end)

describe("the rooms", function()
  it("do not stand in the way of container.so", function()
    assert.is_nil(io.open(top .. "/container.lua"))
    assert.is_nil(io.open(top .. "/container/init.lua"))
  end)

  it("set no global", function()
    local result = support.script([[
      local before, names = {}, { "container.linux.cgroup.v1", "container.linux.cgroup.v2", "container.cli.main" }
      for name in pairs(_G) do before[name] = true end
      require "container.api"
      require "container.linux.features"
      require "container.fs.host_overlay"
      for _, name in ipairs(names) do require(name) end
      for name in pairs(_G) do
        if not before[name] then print(name) end
      end
    ]])
    assert.same({ status = 0, stdout = "", stderr = "" }, result)
  end)
end)
