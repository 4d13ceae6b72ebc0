local container = require "container"
local file = require "container.file"
local support = require "spec.support"
local v2 = require "container.cgroup.v2"

-- Where version 2 is, with any controller or none: what is asked here is of no controller.
local top
for _, mount in ipairs(file.mounts()) do
  top = top or mount.type == "cgroup2" and mount.target
end

-- A cgroup with processes that do nothing.
local function crowd(number)
  local path, pids = (top or "") .. "/" .. support.name(), {}
  local ok, message = container.mkdir(path)
  if not (top and ok) then
    pending("needs a cgroup of version 2: " .. (top and message or "none is mounted"))
  end
  for i = 1, number do
    pids[i] = assert(container.clone({}, function()
      container.pdeathsig("KILL")
      container.ppoll({})
    end))
    assert(container.write_file(path .. "/cgroup.procs", tostring(pids[i])))
  end
  return path, pids
end

local function assert_killed(path, pids)
  for _, pid in ipairs(pids) do
    assert.same({ "signal", 9 }, { support.wait(pid) })
  end
  assert.is_true(container.rmdir(path))
end

describe("container.cgroup.v2 #root", function()
  it("lets a process join by itself", function()
    local path = crowd(0)
    assert.matches("0::/[^\n]*" .. path:match("[^/]*$"):gsub("%p", "%%%0"), support.child(function()
      assert(container.write_file(path .. "/" .. v2.files.join, "0"))
      return container.read_file("/proc/self/cgroup")
    end))
    assert.is_true(container.rmdir(path))
  end)

  it("kills everything at once", function()
    local path, pids = crowd(3)
    local kill, killed = container.kill, 0
    container.kill = function(...)
      killed = killed + 1
      return kill(...)
    end
    v2.kill(path)
    container.kill = kill
    assert.equal(container.stat(path .. "/cgroup.kill") and 0 or 3, killed)
    assert_killed(path, pids)
  end)

  it("kills one after the other where the kernel has no word for it", function()
    local path, pids = crowd(3)
    local write_file = container.write_file
    container.write_file = function(name)
      return nil, "write " .. name .. ": No such file or directory", container.errno.ENOENT
    end
    v2.kill(path)
    container.write_file = write_file
    assert_killed(path, pids)
  end)
end)

describe("container.cgroup.v2 #root #cgroup2", function()
  it("names a file that holds the limit", function()
    local path = container.cgroup_place("pids") .. "/" .. support.name()
    assert(container.mkdir(path))
    assert.equal("max\n", container.read_file(path .. "/" .. v2.files.pids))
    assert.is_true(container.rmdir(path))
  end)
end)

-- A container of docker's and the like: in the root of a cgroup namespace, which has processes.
describe("container.cgroup.v2.make_room #root #cgroup2", function()
  -- Runs `fn` in a child that is alone in a cgroup of its own, below one that gives it controllers;
  -- with `alone_at_top` that is all that it can see.
  local function alone(alone_at_top, fn)
    local path = container.cgroup_place("pids") .. "/" .. support.name()
    assert(container.mkdir(path))
    local values = table.pack(pcall(support.child, function()
      assert(container.write_file(path .. "/cgroup.procs", "0"))
      if alone_at_top then
        assert(container.unshare("cgroup"))
        assert(container.umount("/sys/fs/cgroup", "detach"))
        assert(container.mount("cgroup", "/sys/fs/cgroup", "cgroup2"))
      end
      return fn(path)
    end, { "mount" }))
    for _, name in ipairs(container.list(path)) do
      container.rmdir(path .. "/" .. name)
    end
    assert(container.rmdir(path))
    assert(values[1], values[2])
    return table.unpack(values, 2, values.n)
  end

  -- A process that does nothing as long as this one lives.
  local function idle()
    return assert(container.clone({}, function()
      container.pdeathsig("KILL")
      container.ppoll({})
    end))
  end

  -- Runs a container that is in the caller's own cgroup, and says where the caller is then.
  local function run()
    -- Nothing above can give anything: it is not seen, or taken for full.
    local result, err = require("container.library").run { "true", pids = 7 }
    return result and result.status or tostring(err),
      container.read_file("/proc/self/cgroup"):match("0::([^\n]*)")
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
      local other = container.read_file(("/proc/%d/cgroup"):format(pid)):match("0::([^\n]*)")
      container.kill(pid, "KILL")
      container.wait(pid)
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
      container.kill(pid, "KILL")
      container.wait(pid)
      return v2.make_room { "pids" }, ok == nil and message, number
    end)
    assert.is_true(moved)
    assert.matches("other processes than the launcher are in it", refused)
    assert.equal(container.errno.EBUSY, errno)
  end)

  it("does nothing where the controller is not the caller's to give", function()
    assert.is_false(alone(false, function()
      return v2.make_room { "nosuch" }
    end))
  end)
end)
