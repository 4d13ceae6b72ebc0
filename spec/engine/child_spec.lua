local sync = require "container.engine.sync"
local child = require "container.engine.child"
local sys = require "container.sys"
local faulty = require "spec.fixtures.faulty"
local api = require "container.api"
local order = require "container.engine.order"
local spawn = require "container.engine.spawn"
local support = require "spec.support"

-- With a cgroup where there can be one.
local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true", pids = PIDS }
end)

-- The index of the child's first step.
local FIRST
for i, step in ipairs(order.start) do
  FIRST = FIRST or step.side == "child" and i or nil
end

describe("child.main", function()
  -- Runs steps of ours in a child; what they say, what is told, and how it ended.
  local function main(steps)
    local reader, writer = assert(sys.pipe())
    local said, say = assert(sys.pipe())
    local c = { channel = { writer = writer, reader = reader }, tell = writer,
      config = { process = { args = { "x" } } } }
    local pid = assert(sys.clone({}, function()
      local list = {}
      for i, step in ipairs(steps) do
        list[i] = { name = "step" .. ("abc"):sub(i, i) .. ".x", side = "child", fn = function(...)
          sys.write(say, tostring(i))
          return step(...)
        end }
      end
      child.main(c, list)
    end))
    writer:close()
    say:close()
    local how, status = support.wait(pid)
    local list = support.drain(said)
    said:close()
    return list, sync.wait(c), how .. " " .. status
  end

  local function fine()
    return true
  end

  it("goes no further than a step that is refused, and tells of it", function()
    local said, err, ending = main { fine, function() return nil, "call it: No way", 5 end, fine }
    assert.equal("12", said)
    assert.equal("stepb: call it: No way", tostring(err))
    assert.same({ "stepb", "it", 5 }, { err.step, err.subject, err.errno })
    assert.equal("exit 125", ending)
  end)

  it("goes no further than a step that raises, and tells of it", function()
    local said, err, ending = main { fine, function() error("raised", 0) end, fine }
    assert.equal("12", said)
    assert.equal("child: raised", tostring(err))
    assert.is_nil(err.errno)
    assert.equal("exit 125", ending)
  end)

  it("tells of errors that are no strings", function()
    for _, value in ipairs { 5, {}, true, setmetatable({}, { __tostring = function()
      return "a table" end }) } do
      local _, err = main { function() error(value) end }
      assert.equal("child", err.step)
    end
  end)

  it("gives each step the container", function()
    local said = main { function(c) return c.config.process.args[1] == "x" end, fine }
    assert.equal("12", said)
  end)

  it("does not come back when all steps are through", function()
    local said, err, ending = main { fine, fine }
    assert.equal("12", said)
    assert.is_nil(err)
    assert.equal("exit 125", ending)
  end)

  it("collects nothing, for the numbers of closed files are given to others", function()
    local said = main { function() return not collectgarbage("isrunning") end, fine }
    assert.equal("12", said)
  end)
end)

-- A child is a copy of the host program, or has its memory; what happens in it is the same.
for _, mode in ipairs { "fork", "vfork" } do
  describe("a container whose child is made by " .. mode .. " #root", function()
    -- One of a step's faults of faulty.lua, in either.
    local function run(fault, rootfs)
      local clone_isolated, before = sys.clone_isolated, spawn.mode
      local apart = mode == "vfork"
        and assert(sys.isolate(package.path, package.cpath, "spec.fixtures.faulty"))
      local _ <close> = not apart and faulty(fault) or nil
      sys.clone_isolated = function(_, namespaces, c, cgroup)
        c.fault = fault
        return clone_isolated(apart, namespaces, c, cgroup)
      end
      spawn.mode = mode
      local result, err = api.run { "true", pids = PIDS, rootfs = rootfs }
      sys.clone_isolated, spawn.mode = clone_isolated, before
      return result, err
    end

    for i = FIRST, #order.start do
      local name <const> = order.start[i].name

      it("is an error, and nothing is left, when " .. name .. " is refused", function()
        local result, err = run { step = i, kind = "refuse" }
        assert.is_nil(result)
        assert.same({ name:match("^[^.]+"), "x", 1, "injected x: Operation not permitted" },
          { err.step, err.subject, err.errno, err.message })
      end)

      it("is an error, and nothing is left, when " .. name .. " raises", function()
        local result, err = run { step = i, kind = "raise" }
        assert.is_nil(result)
        assert.equal("child: injected", tostring(err))
      end)

      it("leaves nothing when " .. name .. " ends the process", function()
        local result, err = run { step = i, kind = "leave" }
        assert.is_true(err ~= nil or result.status == 3)
      end)
    end

    it("leaves the host program alone when a step calls os.exit", function()
      -- In a host program of its own, which prints what it had in its buffer once.
      local result = support.script(([[
        local order = require "container.engine.order"
        local spawn = require "container.engine.spawn"
        local faulty = require "spec.fixtures.faulty"
        local state = assert(sys.isolate(package.path, package.cpath, "spec.fixtures.faulty"))
        local clone_isolated = sys.clone_isolated
        spawn.mode = %q
        local before = #sys.list("/proc/self/fd")
        io.write("buffered ")
        for i = %d, #order.start do
          local fault = { step = i, kind = "exit" }
          local _ <close> = spawn.mode == "fork" and faulty(fault) or nil
          sys.clone_isolated = function(_, namespaces, c, place)
            c.fault = fault
            return clone_isolated(state, namespaces, c, place)
          end
          local result, err = container.run { "true", pids = %q }
          assert(err or result.status == 3)
          collectgarbage()
        end
        sys.clone_isolated = clone_isolated
        print(assert(container.run { "sh", "-c", "exit 4", pids = %q }).status,
          -- The image of init, which stays.
          #sys.list("/proc/self/fd") - before)
      ]]):format(mode, FIRST, PIDS, PIDS))
      assert.same({ status = 0, stdout = "buffered 4\t1\n", stderr = "" }, result)
    end)

    it("was killed when it is killed before its program runs", function()
      -- The caller may be suspended meanwhile, so that another process has to do it.
      local asked, ask = assert(sys.pipe())
      local parent = sys.getpid()
      local children = ("/proc/%d/task/%d/children"):format(parent, parent)
      local known = {}
      for pid in sys.read_file(children):gmatch("%d+") do
        known[pid] = true
      end
      local killer = assert(sys.clone({}, function()
        sys.pdeathsig("KILL")
        sys.read(asked, 1)
        known[tostring(sys.getpid())] = true
        for pid in sys.read_file(children):gmatch("%d+") do
          if not known[pid] then
            sys.kill(tonumber(pid), "KILL")
          end
        end
      end))
      local result = run { step = FIRST, kind = "wait", ask = ask }
      support.wait(killer)
      asked:close()
      ask:close()
      assert.same({ reason = "signal", status = 137, signal = "KILL" }, support.ending(result))
    end)

    it("requires nothing once its first step has begun", function()
      for _, rootfs in ipairs { "/", support.busybox_rootfs() } do
        local result, err = run({ step = FIRST, kind = "alone" }, rootfs)
        assert.equal(0, result and result.status, tostring(err))
      end
    end)
  end)
end
