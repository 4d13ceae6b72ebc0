-- What code the command and the library load: their own, from where they are, and none of the
-- current directory's.

local sys = require "container.sys"
local support = require "spec.support"

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

-- A directory with modules that would be loaded by their names, and say so; and a profile in JSON.
local function hostile()
  local path = support.tmpdir()
  for _, name in ipairs { "container", "cjson", "container/sys", "container/api",
    "container/cli/main", "container/linux/seccomp", "container/engine/isolated" } do
    os.execute(("mkdir -p $(dirname %s/%s)"):format(path, name))
    write(("%s/%s.lua"):format(path, name), "io.stderr:write('loaded')")
  end
  write(path .. "/container.so", "no module")
  write(path .. "/profile.json", [[{ "defaultAction": "SCMP_ACT_ALLOW" }]])
  return path
end

-- Where the shell is when it runs the line; no path of Lua's in the environment.
local function run(directory, line, ...)
  return support.run(("unset LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4; top=$PWD; \z
    cd %s && %s"):format(directory, line:format(...)))
end

describe("the command #root", function()
  for _, command in ipairs { support.lua .. " $top/run.lua", support.lua .. " ./link",
    "$top/lua-container" } do
    it("loads nothing from the current directory: " .. command, function()
      support.needs("./lua-container")
      local path = hostile()
      assert(os.execute(("ln -s $PWD/run.lua %s/link"):format(path)))
      for _, line in ipairs { "-q echo well", "-q --pids-limit max echo well",
        "-q --security-opt seccomp=profile.json echo well" } do
        local result = run(path, "%s %s", command, line)
        assert.same({ status = 0, stdout = "well\n", stderr = "" }, result, line)
      end
    end)
  end

  it("loads nothing from there where LUA_PATH says so", function()
    local path = hostile()
    local result = run(path, "LUA_PATH='./?.lua;;' %s $top/run.lua -q echo well", support.lua)
    assert.same({ status = 0, stdout = "well\n", stderr = "" }, result)
  end)
end)

describe("the library #root", function()
  it("looks for nothing in what package.path is later, or in another directory", function()
    local path = hostile()
    local result = support.run(("%s -e %s"):format(support.lua, support.quote(([[
      local container = require "container"
      local sys = require "container.sys"
      package.path, package.cpath = "./?.lua", "./?.so"
      assert(sys.chdir(%q))
      for i = 1, 3 do
        assert(container.run { "true", pids = "max" })
      end
      assert(container.run { "true", pids = "max", seccomp = "profile.json" })
      assert(container.run { "true", pids = "max", cap_drop = { "KILL" } })
      print "well"]]):format(path))))
    assert.same({ status = 0, stdout = "well\n", stderr = "" }, result)
  end)
end)

describe("the cache of compiled filters #root", function()
  -- A start whose filter has to be compiled, with a cache there.
  local function start(environment)
    return support.run(("%s %s run.lua -q --pids-limit max --cap-drop KILL true"):format(
      environment, support.lua)).status
  end

  it("is made in a directory of the user's own", function()
    local path = support.tmpdir()
    assert.equal(0, start("XDG_CACHE_HOME=" .. path))
    assert.equal(1, #sys.list(path .. "/lua-container"))
    assert.equal(0, start("env -u XDG_CACHE_HOME HOME=" .. path))
    assert.equal(1, #sys.list(path .. "/.cache/lua-container"))
  end)

  it("is none where a link or another user's directory is on the way", function()
    local mine, other = support.tmpdir(), support.tmpdir()
    assert(sys.mkdir(mine .. "/target"))
    assert(sys.symlink(mine .. "/target", mine .. "/link"))
    assert(sys.mkdir(mine .. "/cache"))
    assert(sys.symlink(mine .. "/target", mine .. "/cache/lua-container"))
    assert(sys.mkdir(other .. "/theirs"))
    assert(sys.mkdir(other .. "/theirs/.cache"))
    assert(sys.chown(other .. "/theirs", 54321, 54321))
    assert(os.execute(("mkdir %s/open && chmod 777 %s/open"):format(other, other)))
    for _, environment in ipairs { "XDG_CACHE_HOME=" .. mine .. "/link",
      "XDG_CACHE_HOME=" .. mine .. "/cache", "XDG_CACHE_HOME=" .. mine .. "/target/../target",
      "env -u XDG_CACHE_HOME HOME=" .. other .. "/theirs",
      "XDG_CACHE_HOME=" .. other .. "/theirs/.cache", "XDG_CACHE_HOME=" .. other .. "/open" } do
      assert.equal(0, start(environment), environment)
    end
    assert.same({}, sys.list(mine .. "/target"))
    assert.same({}, sys.list(other .. "/theirs/.cache"))
    assert.same({}, sys.list(other .. "/open"))
  end)
end)
