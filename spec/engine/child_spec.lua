local sync = require "container.engine.sync"
local child = require "container.engine.child"
local sys = require "container.sys"
local faulty = require "spec.fixtures.faulty"
local api = require "container.api"
local start = require "container.engine.start"
local support = require "spec.support"

-- With a cgroup where there can be one.
local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true", pids = PIDS }
end)

-- The place of a function among the steps.
local function place(room, name)
  local fn = require("container." .. room)[name]
  for i, entry in ipairs(child.order) do
    if entry[2] == fn then
      return i
    end
  end
  error(("%s.%s is no step"):format(room, name))
end

describe("the order in the child", function()
  local before <const> = {
    { "engine.sync", "child", "linux.process", "child",
      "the host program's files are closed first of all" },
    { "engine.sync", "await", "linux.process", "child",
      "what the launcher says is not taken for its end" },
    { "engine.sync", "await", "linux.userns", "child",
      "the launcher has written the maps" },
    { "linux.process", "child", "linux.cgroup", "child",
      "it dies with the launcher, whatever comes" },
    { "linux.cgroup", "child", "linux.userns", "child",
      "the limits count all that is spent" },
    { "linux.userns", "child", "linux.uts", "child",
      "there are ids before something is changed" },
    { "linux.userns", "child", "fs.mounts", "private",
      "there are ids before something is mounted" },
    { "fs.mounts", "private", "fs.rootfs", "child",
      "the host does not see the first mount" },
    { "fs.rootfs", "child", "fs.mounts", "child",
      "what is mounted has a root to be mounted in" },
    { "fs.mounts", "child", "fs.devices", "child",
      "devices are made in the container's own /dev" },
    { "fs.mounts", "child", "fs.rootfs", "pivot",
      "volumes are found while the host's files are there" },
    { "fs.devices", "child", "fs.rootfs", "pivot",
      "the host's devices can be bound" },
    { "fs.rootfs", "pivot", "linux.rlimits", "child",
      "no helper needs more processes than the limit" },
    { "linux.rlimits", "child", "linux.process", "exec",
      "the program has the limits" },
  }

  for _, b in ipairs(before) do
    it(("has %s.%s before %s.%s: %s"):format(table.unpack(b)), function()
      assert.is_true(place(b[1], b[2]) < place(b[3], b[4]))
    end)
  end

  it("has landlock among the last, and before a filter that may refuse it", function()
    local steps = {}
    for i, entry in ipairs(child.order) do
      steps[entry[1]] = steps[entry[1]] or i
    end
    assert.is_true(place("fs.rootfs", "pivot") < steps.landlock) -- the paths are those inside
    assert.is_true(place("linux.process", "enter") < steps.landlock) -- which may make a directory
    assert.is_true(steps.landlock < place("linux.seccomp", "early"))
    -- Until then it has the right to it.
    assert.is_true(steps.landlock < place("linux.capabilities", "bound"))
  end)

  it("begins with the closing of files, and ends with the program", function()
    assert.equal("stream", child.order[1][1]) -- may be of files of the host program
    assert.equal(2, place("engine.sync", "child"))
    assert.equal(#child.order, place("linux.process", "exec"))
  end)

  it("has each function once", function()
    local seen = {}
    for _, entry in ipairs(child.order) do
      assert.is_function(entry[2])
      assert.is_string(entry[1])
      assert.is_nil(seen[entry[2]], entry[1])
      seen[entry[2]] = true
    end
  end)
end)

describe("child.main", function()
  -- Runs steps of ours in a child; what they say, what is told, and how it ended.
  local function main(steps)
    local reader, writer = assert(sys.pipe())
    local said, say = assert(sys.pipe())
    local c = { channel = { writer = writer, reader = reader }, tell = writer,
      config = { process = { args = { "x" } } } }
    local pid = assert(sys.clone({}, function()
      for i = #child.order, 1, -1 do
        child.order[i] = nil
      end
      for i, step in ipairs(steps) do
        child.order[i] = { "step" .. i, function(...)
          sys.write(say, tostring(i))
          return step(...)
        end }
      end
      child.main(c)
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
    assert.equal("step2: call it: No way", tostring(err))
    assert.same({ "step2", "it", 5 }, { err.step, err.subject, err.errno })
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
for _, way in ipairs { "copy", "isolated", "shared" } do
  describe("a container whose child is made by " .. way .. " #root", function()
    -- One of a step's faults of faulty.lua, in either.
    local function run(fault, rootfs)
      local clone_isolated, before = sys.clone_isolated, start.way
      local apart = way == "isolated"
        and assert(sys.isolate(package.path, package.cpath, "spec.fixtures.faulty"))
      local _ <close> = not apart and faulty(fault) or nil
      sys.clone_isolated = function(_, namespaces, c, cgroup)
        c.fault = fault
        return clone_isolated(apart, namespaces, c, cgroup)
      end
      start.way = way
      local result, err = api.run { "true", pids = PIDS, rootfs = rootfs }
      sys.clone_isolated, start.way = clone_isolated, before
      return result, err
    end

    for i, entry in ipairs(child.order) do
      local name <const> = ("step %d of the child, %s,"):format(i, entry[1])

      it("is an error, and nothing is left, when " .. name .. " is refused", function()
        local result, err = run { step = i, kind = "refuse" }
        assert.is_nil(result)
        assert.same({ entry[1], "x", 1, "injected x: Operation not permitted" },
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

    if way == "shared" then
      return -- what follows would be done to this program
    end

    it("leaves the host program alone when a step calls os.exit", function()
      -- In a host program of its own, which prints what it had in its buffer once.
      local result = support.script(([[
        local run = require "container.engine.start"
        local faulty = require "spec.fixtures.faulty"
        local state = assert(sys.isolate(package.path, package.cpath, "spec.fixtures.faulty"))
        local clone_isolated, prepare = sys.clone_isolated, run.order[1][2].prepare
        run.way = %q
        local before = #sys.list("/proc/self/fd")
        io.write("buffered ")
        for i in ipairs(require("container.engine.child").order) do
          local fault = { step = i, kind = "exit" }
          local _ <close> = run.way == "copy" and faulty(fault) or nil
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
      ]]):format(way, PIDS, PIDS))
      assert.same({ status = 0, stdout = "buffered 4\t1\n", stderr = "" }, result)
    end)

    it("was killed when it is killed before its program runs", function()
      -- The caller may be suspended meanwhile, so that somebody else has to do it.
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
      local result = run { step = 1, kind = "wait", ask = ask }
      support.wait(killer)
      asked:close()
      ask:close()
      assert.same({ reason = "signal", status = 137, signal = "KILL" }, support.ending(result))
    end)

    it("requires nothing once its first step has begun", function()
      for _, rootfs in ipairs { "/", support.busybox_rootfs() } do
        local result, err = run({ step = 1, kind = "alone" }, rootfs)
        assert.equal(0, result and result.status, tostring(err))
      end
    end)
  end)
end

describe("a program whose memory its child shares #root", function()
  -- Runs one, in which a step of the child says that it is time to kill it, and waits.
  local function killed(step)
    return support.script(([[
      local run = require "container.engine.start"
      local entry = require("container.engine.child").order[%d]
      local asked, ask = sys.pipe()
      local own = sys.getpid()
      local children = ("/proc/%%d/task/%%d/children"):format(own, own)
      sys.clone({}, function()
        sys.pdeathsig("KILL")
        sys.read(asked, 1)
        for pid in sys.read_file(children):gmatch("%%d+") do
          if tonumber(pid) ~= sys.getpid() then
            sys.kill(tonumber(pid), "KILL")
          end
        end
      end)
      sys.dup2(ask, 0) -- which no step closes
      entry[2] = function()
        sys.write(0, "x")
        sys.ppoll({}, 10)
      end
      run.way = "shared"
      io.write("once ")
      container.run { "true", pids = %q }
      print("not reached")
    ]]):format(step, PIDS))
  end

  it("ends as the child does that is killed in the middle, and leaves no cgroup", function()
    for _, step in ipairs { 1, #child.order // 2, #child.order } do
      assert.same({ status = 137, stdout = "once ", stderr = "" }, killed(step))
    end
  end)
end)
