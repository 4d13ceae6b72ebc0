local sys = require "container.sys"
local support = require "spec.support"
local v1 = require "container.linux.cgroup.v1"

local place = sys.cgroup_place("pids")

-- A cgroup with processes that do nothing.
local function crowd(number)
  local path, pids = place .. "/" .. support.name(), {}
  assert(sys.mkdir(path))
  for i = 1, number do
    pids[i] = assert(sys.clone({}, function()
      sys.pdeathsig("KILL")
      sys.ppoll({})
    end))
    assert(sys.write_file(path .. "/cgroup.procs", tostring(pids[i])))
  end
  return path, pids
end

describe("container.cgroup.v1 #root #cgroup1", function()
  it("names files that every cgroup has", function()
    local path = crowd(0)
    for _, name in pairs(v1.files) do
      assert.equal("file", sys.stat(path .. "/" .. name).type)
    end
    assert.is_true(sys.rmdir(path))
  end)

  it("lets a process join by itself", function()
    local path = crowd(0)
    assert.matches("/" .. path:match("[^/]*$"), support.child(function()
      assert(sys.write_file(path .. "/" .. v1.files.join, "0"))
      return sys.read_file("/proc/self/cgroup")
    end), 1, true)
    assert.is_true(sys.rmdir(path))
  end)

  it("kills each process", function()
    local path, pids = crowd(3)
    v1.kill(path)
    for _, pid in ipairs(pids) do
      assert.same({ "signal", 9 }, { support.wait(pid) })
    end
    assert.is_true(sys.rmdir(path))
  end)

  it("leaves alone what is not in its PID namespace", function()
    local path, pids = crowd(1)
    support.child(function()
      v1.kill(path)
    end, { "pid" })
    assert.equal("running", sys.wait(pids[1], "nohang"))
    v1.kill(path)
    support.wait(pids[1])
    assert.is_true(sys.rmdir(path))
  end)

  it("kills nothing where there is no such cgroup", function()
    v1.kill(place .. "/" .. support.name())
  end)
end)

describe("container.linux.cgroup.v1", function()
  it("takes 0 for a process that it cannot see, and not for itself", function()
    local read_file, kill, killed = sys.read_file, sys.kill, {}
    sys.read_file = function()
      return "0\n17\n0\n18\n"
    end
    sys.kill = function(pid, signal)
      killed[#killed + 1] = pid .. " " .. signal
    end
    v1.kill("/a/cgroup")
    sys.read_file, sys.kill = read_file, kill
    assert.same({ "17 KILL", "18 KILL" }, killed)
  end)
end)
