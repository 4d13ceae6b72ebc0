local api = require "container.api"
local contained = require "spec.fixtures.contained"
local order = require "container.engine.order"
local spawn = require "container.engine.spawn"
local support = require "spec.support"

setup(function()
  contained.run { "true" } -- the image of init stays open
end)

-- The names of the steps in a trace, by process; and its last line.
local function read(lines)
  local found, last = {}, nil
  for _, line in ipairs(lines) do
    local side, name = line:match("^lua%-container: (%l+) +(%S+) +%d+ us")
    assert.is_string(name, line)
    found[side .. " " .. name] = true
    last = line
  end
  return found, last
end

for _, mode in ipairs(contained.MODES) do
  describe("the trace of a start whose child is made by " .. mode .. " #root", function()
    local function trace(options)
      local before, lines = spawn.mode, {}
      spawn.mode = mode
      options.pids = contained.PIDS
      options.debug = function(line)
        lines[#lines + 1] = line
      end
      local result, err = api.run(options)
      spawn.mode = before
      return lines, result, err
    end

    it("has a line for each step of the plan, with its process and its time", function()
      local lines, result = trace { "true" }
      assert.equal(0, result.status)
      local found = read(lines)
      local count = 0
      for _, step in ipairs(assert(api.plan { "true", pids = contained.PIDS })) do
        -- The last one becomes another program.
        assert.is_truthy(found[step.side .. " " .. step.name] or step.name == "exec.init",
          step.name)
        count = count + 1
      end
      assert.is_true(count > 30)
    end)

    it("ends with the refusal where there was one", function()
      local lines, result = trace { "true", rootfs = "/no/such" }
      assert.is_nil(result)
      local _, last = read(lines)
      assert.matches("prepare rootfs.check +%d+ us: open /no/such: No such file or directory$",
        last)
      lines = trace { "/no/such" }
      assert.is_truthy(read(lines)["child seccomp.filter"])
    end)

    it("is of an exec process, too", function()
      local c <close> = contained.spawn({ "sleep", "1000" }, mode)
      local lines = {}
      local e = assert(c:exec { "true", debug = function(line) lines[#lines + 1] = line end })
      assert.equal(0, e:wait(contained.DEADLINE).status)
      local found = read(lines)
      for _, step in ipairs(order.exec) do
        assert.is_truthy(found[step.side .. " " .. step.name] or step.only
          or step.name == "exec.init", step.name)
      end
    end)
  end)
end

describe("--debug", function()
  for _, line in ipairs { "--debug -q true", "-q true" } do
    it("prints a line for each step: " .. line, function()
      local set = line:find("debug") and "" or "LUA_CONTAINER_DEBUG=1 "
      local result = support.run(set .. support.lua .. " run.lua --pids-limit max " .. line)
      assert.equal(0, result.status, result.stderr)
      for _, name in ipairs { "prepare rootfs.check", "parent  channel.release",
        "child   mount.all", "child   seccomp.filter" } do
        assert.is_truthy(result.stderr:find("lua-container: " .. name, 1, true), name)
      end
    end)
  end

  it("is off unless it is asked for", function()
    local result = support.run(support.lua .. " run.lua --pids-limit max -q true")
    assert.equal("", result.stderr)
  end)
end)

describe("--plan", function()
  it("prints the steps in their order with their reasons, and does nothing", function()
    local result = support.run(support.lua .. " run.lua --plan -q touch /tmp/nothing-is-done")
    assert.same({ 0, "" }, { result.status, result.stderr })
    assert.matches("^prepare  namespace%.choose +others ask", result.stdout)
    assert.matches("\nchild +exec%.init[^\n]*\n$", result.stdout)
    assert.is_nil(result.stdout:find("terminal.open", 1, true))
    result = support.run(support.lua .. " run.lua --plan -t true")
    assert.is_truthy(result.stdout:find("terminal.open", 1, true))
  end)

  it("is refused as a start is", function()
    local result = support.run(support.lua .. " run.lua --plan --pids-limit many true")
    assert.same({ 125, "" }, { result.status, result.stdout })
    assert.matches("^lua%-container: %-%-pids%-limit: ", result.stderr)
  end)
end)
