local order = require "container.engine.order"

-- The sides of each list, in the order in which they begin.
local SIDES <const> = {
  start = { prepare = 1, parent = 2, join = 2, child = 2 },
  exec = { prepare = 1, join = 2, child = 3 },
}

for name, sides in pairs(SIDES) do
  describe("the order of " .. name, function()
    local place = {}
    for i, step in ipairs(order[name]) do
      place[step.name] = place[step.name] or i
    end

    it("has steps with a name of their own, a side, a function and a reason", function()
      for i, step in ipairs(order[name]) do
        assert.equal(i, place[step.name], step.name .. " stands there twice")
        assert.matches("^%l+%.[%l_]+$", step.name)
        assert.is_number(sides[step.side], step.name)
        assert.is_function(step.fn, step.name)
        assert.is_string(step.why, step.name)
      end
    end)

    it("has what a step needs before it", function()
      for i, step in ipairs(order[name]) do
        for _, needed in ipairs(step.needs or {}) do
          local at = assert(place[needed], step.name .. " needs " .. needed .. ", which is no step")
          assert.is_true(at < i, step.name .. " comes before " .. needed)
        end
      end
    end)

    it("has the sides one after the other", function()
      local reached = 0
      for _, step in ipairs(order[name]) do
        assert.is_true(sides[step.side] >= reached, step.name)
        reached = sides[step.side]
      end
    end)

    it("ends with the program", function()
      assert.equal("exec.init", order[name][#order[name]].name)
    end)
  end)
end

-- What the reasons say, as facts of their own: a change that forgets a need fails here.
describe("a start", function()
  local place = {}
  for i, step in ipairs(order.start) do
    place[step.name] = i
  end

  for _, pair in ipairs {
    { "stream.place", "channel.close_others" }, { "channel.close_others", "channel.wait" },
    { "channel.wait", "process.session" }, { "process.session", "cgroup.join" },
    { "cgroup.join", "idmap.become" }, { "idmap.become", "mount.private" },
    { "mount.private", "rootfs.make" }, { "rootfs.make", "mount.all" },
    { "mount.all", "device.make" }, { "device.make", "rootfs.pivot" },
    { "mount.all", "rootfs.pivot" }, { "rootfs.pivot", "limit.set" },
    { "rootfs.pivot", "landlock.restrict" }, { "process.enter", "landlock.restrict" },
    { "landlock.restrict", "seccomp.early" }, { "landlock.restrict", "capability.bound" },
    { "capability.bound", "user.become" }, { "user.become", "capability.set" },
    { "capability.set", "seccomp.filter" }, { "idmap.write", "tree.map" },
    { "tree.map", "channel.release" },
  } do
    it(("has %s before %s"):format(pair[1], pair[2]), function()
      assert.is_true(place[pair[1]] < place[pair[2]])
    end)
  end
end)
