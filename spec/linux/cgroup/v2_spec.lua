local sys = require "container.sys"
local file = require "container.fs.path"
local support = require "spec.support"
local v2 = require "container.linux.cgroup.v2"

-- Where version 2 is, with any controller or none: what is asked here is of no controller.
local top
for _, mount in ipairs(file.mounts()) do
  top = top or mount.type == "cgroup2" and mount.target
end

-- A cgroup with processes that do nothing.
local function crowd(number)
  local path, pids = (top or "") .. "/" .. support.name(), {}
  local ok, message = sys.mkdir(path)
  if not (top and ok) then
    pending("needs a cgroup of version 2: " .. (top and message or "none is mounted"))
  end
  for i = 1, number do
    pids[i] = assert(sys.clone({}, function()
      sys.pdeathsig("KILL")
      sys.ppoll({})
    end))
    assert(sys.write_file(path .. "/cgroup.procs", tostring(pids[i])))
  end
  return path, pids
end

local function assert_killed(path, pids)
  for _, pid in ipairs(pids) do
    assert.same({ "signal", 9 }, { support.wait(pid) })
  end
  assert.is_true(sys.rmdir(path))
end

describe("container.cgroup.v2 #root", function()
  it("lets a process join by itself", function()
    local path = crowd(0)
    assert.matches("0::/[^\n]*" .. path:match("[^/]*$"):gsub("%p", "%%%0"), support.child(function()
      assert(sys.write_file(path .. "/" .. v2.files.join, "0"))
      return sys.read_file("/proc/self/cgroup")
    end))
    assert.is_true(sys.rmdir(path))
  end)

  it("kills everything at once", function()
    local path, pids = crowd(3)
    local kill, killed = sys.kill, 0
    sys.kill = function(...)
      killed = killed + 1
      return kill(...)
    end
    v2.kill(path)
    sys.kill = kill
    assert.equal(sys.stat(path .. "/cgroup.kill") and 0 or 3, killed)
    assert_killed(path, pids)
  end)

  it("kills one after the other where the kernel has no word for it", function()
    local path, pids = crowd(3)
    local write_file = sys.write_file
    sys.write_file = function(name)
      return nil, "write " .. name .. ": No such file or directory", sys.errno.ENOENT
    end
    v2.kill(path)
    sys.write_file = write_file
    assert_killed(path, pids)
  end)
end)

describe("container.cgroup.v2 #root #cgroup2", function()
  it("names a file that holds the limit", function()
    local path = sys.cgroup_place("pids") .. "/" .. support.name()
    assert(sys.mkdir(path))
    assert.equal("max\n", sys.read_file(path .. "/" .. v2.files.pids))
    assert.is_true(sys.rmdir(path))
  end)
end)

-- A container of docker's and the like: in the root of a cgroup namespace, which has processes.
describe("container.cgroup.v2.make_room #root #cgroup2", function()
  -- Runs `fn` in a child that is alone in a cgroup of its own, below one that gives it controllers;
  -- with `alone_at_top` that is all that it can see.
  local function alone(alone_at_top, fn)
    local path = sys.cgroup_place("pids") .. "/" .. support.name()
    assert(sys.mkdir(path))
    local values = table.pack(pcall(support.child, function()
      assert(sys.write_file(path .. "/cgroup.procs", "0"))
      if alone_at_top then
        assert(sys.unshare("cgroup"))
        assert(sys.umount("/sys/fs/cgroup", "detach"))
        assert(sys.mount("cgroup", "/sys/fs/cgroup", "cgroup2"))
      end
      return fn(path)
    end, { "mount" }))
    for _, name in ipairs(sys.list(path)) do
      sys.rmdir(path .. "/" .. name)
    end
    assert(sys.rmdir(path))
    assert(values[1], values[2])
    return table.unpack(values, 2, values.n)
  end

  -- A process that does nothing as long as this one lives.
  local function idle()
    return assert(sys.clone({}, function()
      sys.pdeathsig("KILL")
      sys.ppoll({})
    end))
  end

  -- Runs a container that is in the caller's own cgroup, and says where the caller is then.
  local function run()
    -- Nothing above can give anything: it is not seen, or taken for full.
    local result, err = require("container.api").run { "true", pids = 7 }
    return result and result.status or tostring(err),
      sys.read_file("/proc/self/cgroup"):match("0::([^\n]*)")
  end

  it("moves who is alone in the top of all that it sees into a leaf", function()
    local status, own = alone(true, run)
    assert.equal(0, status)
    assert.equal("/lua-container.launcher", own)
  end)

  it("moves all that are there", function()
    local status, own, other = alone(true, function()
      local pid = idle()
      local status, own = run()
      local other = sys.read_file(("/proc/%d/cgroup"):format(pid)):match("0::([^\n]*)")
      sys.kill(pid, "KILL")
      sys.wait(pid)
      return status, own, other
    end)
    assert.equal(0, status)
    assert.equal("/lua-container.launcher", own)
    assert.equal(own, other)
  end)

  it("moves who is alone in its cgroup, and nobody else", function()
    local moved, refused, errno = alone(false, function()
      local pid = idle()
      local ok, message, number = v2.make_room { "pids" }
      sys.kill(pid, "KILL")
      sys.wait(pid)
      return v2.make_room { "pids" }, ok == nil and message, number
    end)
    assert.is_true(moved)
    assert.matches("other processes than the launcher are in it", refused)
    assert.equal(sys.errno.EBUSY, errno)
  end)

  it("does nothing where the controller is not the caller's to give", function()
    assert.is_false(alone(false, function()
      return v2.make_room { "nosuch" }
    end))
  end)
end)
