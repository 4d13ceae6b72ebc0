-- The layers, read off the files: a module requires modules of lower layers, or of its own. The
-- directory of a file says its layer.

local search = require "container.search"
local support = require "spec.support"

-- From the top down: directories, and the modules beside them. `linux` and `fs` are one layer.
local LAYERS <const> = {
  { "cli", "oci" }, { "api" }, { "runtime" }, { "engine" }, { "config" }, { "linux", "fs" },
  { "check", "error", "json", "report", "search" }, { "sys" },
}

local rank = {}
for i, names in ipairs(LAYERS) do
  for _, name in ipairs(names) do
    rank[name] = #LAYERS - i
  end
end

local top = assert(package.searchpath("container.api", package.path)):match("^(.*)/container/")

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- Every module by name: its file.
local modules = {}
for path in support.run("cd " .. support.quote(top) .. " && find container -name '*.lua'").stdout
  :gmatch("[^\n]+") do
  modules[path:gsub("%.lua$", ""):gsub("/", ".")] = path
end

local function words_after(call, name)
  local text, list = read(top .. "/" .. modules[name]):gsub("%-%-[^\n]*", ""), {}
  for wanted in text:gmatch(call .. "%s*%(?%s*\"([^\"]+)\"") do
    list[#list + 1] = wanted
  end
  return list
end

--- What a module loads: at its start, and on use.
local function requires(name)
  local list, on_use = words_after("require", name), words_after("search%.load", name)
  return table.move(on_use, 1, #on_use, #list + 1, list), on_use
end

local function layer(name)
  return rank[name:match("^container%.([%w_]+)")]
end

describe("the requires of the modules", function()
  it("are found: there are modules, and they require container.sys", function()
    assert.is_string(modules["container.config.spec"])
    assert.same({ "container.sys", "container.linux.cgroup.v1" },
      requires("container.linux.cgroup.v2"))
  end)

  for name in pairs(modules) do
    it("point down in " .. name, function()
      assert.is_truthy(layer(name), name .. " is in no layer")
      for _, wanted in ipairs(requires(name)) do
        assert.is_truthy(wanted == "container.sys" or modules[wanted],
          name .. " requires " .. wanted .. ", which is no module")
        assert.is_truthy(layer(wanted) <= layer(name),
          name .. " requires " .. wanted .. ", which is of a higher layer")
      end
    end)
  end

  it("are all at the top of a file, before anything runs", function()
    for name, path in pairs(modules) do
      for line in read(top .. "/" .. path):gmatch("[^\n]+") do
        assert.is_falsy(line:find("^%s.*require%s*%(?%s*\"container"), name .. ": " .. line)
      end
    end
  end)

  it("load on use what the list of that says, and nothing of it before", function()
    local later, loaded = {}, {}
    for _, name in ipairs(search.ON_USE) do
      later[name] = true
    end
    for name in pairs(modules) do
      local _, on_use = requires(name)
      for _, wanted in ipairs(on_use) do
        assert.is_true(later[wanted], name .. " loads " .. wanted)
        loaded[wanted] = true
      end
      for _, wanted in ipairs(words_after("require", name)) do
        assert.is_nil(later[wanted], name .. " requires " .. wanted)
      end
    end
    assert.same(later, loaded)
  end)

  it("make no circle", function()
    local state = {}
    local function visit(name, trail)
      trail = trail .. " > " .. name
      assert.are_not.equal("open", state[name], trail)
      if state[name] or not modules[name] then
        return
      end
      state[name] = "open"
      for _, wanted in ipairs(requires(name)) do
        visit(wanted, trail)
      end
      state[name] = "done"
    end
    for name in pairs(modules) do
      visit(name, "")
    end
  end)
end)

describe("the modules", function()
  it("do not stand in the way of container.so", function()
    assert.is_nil(io.open(top .. "/container.lua"))
    assert.is_nil(io.open(top .. "/container/init.lua"))
  end)

  it("set no global", function()
    local result = support.script([[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      require "container.cli.main"
      for name in pairs(_G) do
        if not before[name] then print(name) end
      end
    ]])
    assert.same({ status = 0, stdout = "", stderr = "" }, result)
  end)
end)
