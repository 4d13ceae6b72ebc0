local container = require "container"
local limit = require "container.limit"
local support = require "spec.support"

local function processes()
  return container.read_file("/proc/self/limits"):match("Max processes +(%w+) +(%w+)")
end

describe("limit.child", function()
  it("leaves the number of processes to the cgroup where there is one", function()
    local soft, hard = processes()
    local inside_soft, inside_hard = support.child(function()
      assert(limit.child { config = { process = {} } })
      return processes()
    end)
    assert.same({ soft, hard }, { inside_soft, inside_hard })
  end)

  it("sets the number of processes where no cgroup holds it", function()
    local soft, hard = support.child(function()
      assert(limit.child { nproc = 7, config = { process = {} } })
      return processes()
    end)
    assert.same({ "7", "7" }, { soft, hard })
  end)

  it("keeps the caller's hard limit where that is lower #userns", function()
    local result = support.as_user(support.lua .. [[ -e '
      local container = require "container"
      assert(container.setrlimit("nproc", 500))
      print(require("container.limit").child { nproc = 501, config = { process = {} } })
      print(container.read_file("/proc/self/limits"):match("Max processes +(%w+) +(%w+)"))']])
    assert.equal("true\n500\t500\n", result.stdout)
  end)

  it("answers any other refusal", function()
    local original = container.setrlimit
    container.setrlimit = function()
      return nil, "setrlimit nproc: Invalid argument", 22
    end
    local result = table.pack(limit.child { nproc = 7, config = { process = {} } })
    container.setrlimit = original
    support.refused("setrlimit nproc: Invalid argument", "EINVAL",
      table.unpack(result, 1, result.n))
  end)
end)

describe("an ordinary user's container #userns", function()
  local command <const> = support.lua .. " run.lua -q --pids-limit 6 "

  it("holds the number of processes, by a cgroup or by the limit of the user namespace", function()
    -- Two are init and the shell.
    local result = support.as_user(command
      .. "sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & echo $i; done'")
    assert.equal("1\n2\n3\n4\n", result.stdout)
    assert.are_not.equal(0, result.status)
  end)

  it("counts only its own processes", function()
    local result = support.as_user("for i in 1 2 3 4 5 6 7 8; do sleep 1000 & p=\"$p $!\"; done; "
      .. command .. "sh -c 'true | echo fine'; kill $p")
    assert.equal("fine\n", result.stdout)
  end)
end)
