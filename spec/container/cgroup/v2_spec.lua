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
