local command = require "spec.fixtures.command"
local sys = require "container.sys"
local support = require "spec.support"

local function numbers(path)
  local found = {}
  for pid in assert(sys.read_file(path .. "/cgroup.procs")):gmatch("%d+") do
    found[#found + 1] = tonumber(pid)
  end
  return found
end

-- A process that stays until this goes out of scope.
local function hold()
  local reader, writer = assert(sys.pipe())
  local pid = assert(sys.clone({}, function()
    writer:close()
    sys.read(reader)
  end))
  reader:close()
  return setmetatable({ pid = pid }, {
    __close = function()
      writer:close()
      sys.wait(pid)
    end,
  })
end

-- Runs `fn` in a child that may move itself, and takes the cgroup whose path it returns away.
local function within(fn)
  local values = table.pack(support.child(fn))
  assert.is_string(values[1], values[2])
  assert(sys.rmdir(values[1]))
  return table.unpack(values, 2, values.n)
end

-- The same in either version, but for the tag that says where it can run.
for version = 1, 2 do
  describe("sys.cgroup_pids #cgroup" .. version, function()
    it("makes a cgroup with a limit and moves the caller into it", function()
      local name = support.name()
      local limit, mine, alone, own = within(function()
        local path = assert(sys.cgroup_pids(name, 20))
        assert.equal(name, path:match("[^/]*$"))
        local members = numbers(path)
        return path, sys.read_file(path .. "/pids.max"), members[1] == sys.getpid(),
          #members == 1, sys.read_file("/proc/self/cgroup")
      end)
      assert.equal("20\n", limit)
      assert.is_true(mine)
      assert.is_true(alone)
      assert.matches("/" .. name:gsub("%p", "%%%0") .. "\n", own)
    end)

    it("moves the process that is named, and not the caller", function()
      local name = support.name()
      local moved, left = within(function()
        local other <close> = hold()
        local path = assert(sys.cgroup_pids(name, 20, other.pid))
        local members = numbers(path)
        return path, #members == 1 and members[1] == other.pid,
          not sys.read_file("/proc/self/cgroup"):find(name, 1, true)
      end)
      assert.is_true(moved)
      assert.is_true(left)
    end)

    it("holds: one process more than the limit cannot be made", function()
      local message, errno = within(function()
        local path = assert(sys.cgroup_pids(support.name(), 2))
        local _ <close> = hold()
        return path, select(2, sys.clone({}, function() end))
      end)
      assert.equal("clone: Resource temporarily unavailable", message)
      assert.equal(sys.errno.EAGAIN, errno)
    end)

    for expected, limit in pairs { ["1"] = 1, max = "max", ["30"] = 30.0 } do
      it(("knows the limit %s"):format(limit), function()
        assert.equal(expected .. "\n", within(function()
          local path = assert(sys.cgroup_pids(support.name(), limit))
          return path, sys.read_file(path .. "/pids.max")
        end))
      end)
    end

    it("is refused a name that is taken, and leaves that cgroup alone", function()
      local name = support.name()
      local path, taken, message, errno, limit = support.child(function()
        local other <close> = hold()
        local path = assert(sys.cgroup_pids(name, 20, other.pid))
        local taken, message, errno = sys.cgroup_pids(name, 10)
        return path, taken, message, errno, sys.read_file(path .. "/pids.max")
      end)
      assert(sys.rmdir(path))
      support.refused(("mkdir %s: File exists"):format(path), "EEXIST", taken, message, errno)
      assert.equal("20\n", limit)
    end)

    it("leaves no cgroup when the process is not there, or the limit is none", function()
      local place = sys.cgroup_place("pids")
      local name = support.name()
      local pid = assert(sys.clone({}, function() end))
      support.wait(pid)
      support.refused(("write %s/%s/cgroup.procs: No such process"):format(place, name), "ESRCH",
        sys.cgroup_pids(name, 20, pid))
      assert.is_nil(sys.stat(place .. "/" .. name))
      support.refused(("write %s/%s/pids.max: Invalid argument"):format(place, name), "EINVAL",
        sys.cgroup_pids(name, 1 << 62))
      assert.is_nil(sys.stat(place .. "/" .. name))
    end)

    it("is refused to an ordinary user #root", function()
      local result = support.as_user(support.lua
        .. [[ -e 'print(require("container.sys").cgroup_pids("lua-container.user", 20))']])
      assert.matches("^nil\tmkdir .*/lua%-container.user: Permission denied\t13\n$", result.stdout)
    end)
  end)

  describe("sys.cgroup_place #cgroup" .. version, function()
    it("answers a directory with the controller, and the version", function()
      local place, number = sys.cgroup_place("pids")
      assert.equal("directory", sys.stat(place).type)
      assert.equal(version, number)
      assert.is_string(sys.read_file(place .. "/cgroup.procs"))
    end)

    it("finds it where it is mounted, be there white space in the path #root", function()
      local path = support.tmpdir() .. "/a b\tc\\d\ne"
      local found, number, message = support.child(function()
        assert(sys.mkdir(path))
        local _, kind = sys.cgroup_place("pids")
        -- One that is mounted again takes its options from there.
        local delegates = sys.read_file("/proc/self/mountinfo"):find(",nsdelegate", 1, true)
        assert(sys.mount("cgroup", path, kind == 1 and "cgroup" or "cgroup2", nil,
          kind == 1 and "pids" or delegates and "nsdelegate" or nil))
        assert(sys.umount("/sys/fs/cgroup", "detach"))
        local place, version_there, message = sys.cgroup_place("pids")
        return place, version_there, message
      end, { "mount" })
      assert.equal(path, (found or message):sub(1, #path))
      assert.equal(version, number)
    end)

    it("answers the caller's own cgroup, not the top", function()
      local name = support.name()
      local path, place = support.child(function()
        local path = assert(sys.cgroup_pids(name, 20))
        return path, (sys.cgroup_place("pids"))
      end)
      sys.rmdir(path)
      -- In v2 a cgroup with processes cannot have children with controllers.
      assert.equal(version == 1 and path or path:match("(.*)/"), place)
    end)
  end)
end

describe("sys.cgroup_place #root #cgroup2", function()
  -- Calls a function in the lowest of three cgroups, each in the other, of which none has what the
  -- first could have; with `busy` a process is in the highest.
  local function below(busy, fn)
    local paths, path = {}, (sys.cgroup_place("pids"))
    for i = 1, 3 do
      path = path .. "/" .. support.name()
      assert(sys.mkdir(path))
      paths[i] = path
    end
    local values = table.pack(pcall(support.child, function()
      if busy then
        assert(sys.write_file(paths[1] .. "/cgroup.procs", "0"))
        local parent = sys.getpid()
        assert(sys.clone({}, function()
          sys.pdeathsig("KILL")
          if sys.getppid() == parent then -- which may have ended before that
            sys.ppoll({})
          end
        end))
      end
      assert(sys.write_file(paths[3] .. "/cgroup.procs", "0"))
      return fn(paths)
    end))
    for i = 3, 1, -1 do
      command.await("its cgroup is empty", function()
        return sys.rmdir(paths[i])
      end)
    end
    assert(values[1], values[2])
    return table.unpack(values, 2, values.n)
  end

  local function given(path)
    local text = assert(sys.read_file(path .. "/cgroup.subtree_control"))
    return (" " .. text:gsub("\n", " ")):find(" pids ", 1, true) ~= nil
  end

  it("switches it on from the top down, in the cgroup nearest to the caller's own", function()
    local before, place, wanted, first, second, third = below(false, function(paths)
      local before = given(paths[1])
      local place = sys.cgroup_place("pids")
      return before, place, paths[2], given(paths[1]), given(paths[2]), given(paths[3])
    end)
    assert.is_false(before)
    assert.equal(wanted, place)
    assert.same({ true, true, false }, { first, second, third })
  end)

  it("switches nothing on below one that has processes", function()
    local place, wanted, first, second = below(true, function(paths)
      return (sys.cgroup_place("pids")), paths[1]:match("(.*)/"), given(paths[1]),
        given(paths[2])
    end)
    assert.equal(wanted, place)
    assert.same({ false, false }, { first, second })
  end)
end)

describe("sys.cgroup_place #root", function()
  it("is refused when the hierarchy is not mounted", function()
    support.refused("cgroup controller pids: No such file or directory", "ENOENT",
      support.child(function()
        for line in sys.read_file("/proc/self/mountinfo"):gmatch("[^\n]+") do
          local target, kind = line:match("^%S+ %S+ %S+ %S+ (%S+) .* %- (%S+)")
          if kind == "cgroup" or kind == "cgroup2" then
            sys.umount(target, "detach")
          end
        end
        return sys.cgroup_place("pids")
      end, { "mount" }))
  end)

  it("is refused when proc is not mounted", function()
    support.refused("cgroup controller pids: No such file or directory", "ENOENT",
      support.child(function()
        assert(sys.umount("/proc", "detach"))
        return sys.cgroup_place("pids")
      end, { "mount" }))
  end)
end)

describe("sys.cgroup_place", function()
  it("is refused a controller that is not there", function()
    for _, controller in ipairs { "nope", "pid", "pids,cpu", "pids ", "rw", "cgroup" } do
      support.refused(("cgroup controller %s: No such file or directory"):format(controller),
        "ENOENT", sys.cgroup_place(controller))
    end
    support.refused("cgroup controller: No such file or directory", "ENOENT",
      sys.cgroup_place(""))
  end)

  it("raises for what is no string", function()
    support.raises("string expected, got no value", sys.cgroup_place)
    support.raises("string expected, got number", sys.cgroup_place, 5)
    support.raises("NUL byte", sys.cgroup_place, "pids\0")
  end)
end)

-- In a child: what is accepted by mistake moves its caller.
describe("sys.cgroup_pids", function()
  local function raises(words, ...)
    local arguments = table.pack(...)
    support.child(function()
      support.raises(words, sys.cgroup_pids, table.unpack(arguments, 1, arguments.n))
    end)
  end

  it("raises for what is no name of one directory", function()
    for _, name in ipairs { "", ".", "..", "a/b", "/", "../a" } do
      raises("not the name of a cgroup", name, 20)
    end
    raises("string expected, got number", 5, 20)
    raises("NUL byte", "a\0b", 20)
  end)

  it("raises for what is no limit", function()
    local name = support.name()
    raises("number out of range", name, 0)
    raises("number out of range", name, -1)
    raises("no integer representation", name, 1e30)
    raises("no integer representation", name, 1.5)
    raises("no integer representation", name, 0 / 0)
    raises("limit or \"max\"", name, "many")
    raises("limit or \"max\"", name, "20")
    raises("number expected", name)
    raises("number expected", name, true)
  end)

  it("raises for a limit with a NUL byte", function()
    raises("bad argument #2", support.name(), "max\0")
  end)

  it("raises for what is no pid", function()
    local name = support.name()
    raises("number out of range", name, 20, 0)
    raises("number out of range", name, 20, -1)
    raises("number out of range", name, 20, 1 << 31)
    raises("number expected", name, 20, "self")
  end)
end)
