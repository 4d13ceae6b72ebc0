local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- What spec/fixtures/without.c can take away, of what is asked for here.
local CALLS <const> = { "clone3", "close_range", "execveat", "faccessat2",
  "landlock_create_ruleset", "memfd_create", "mount_setattr", "move_mount", "open_tree", "openat2",
  "pidfd_open", "pidfd_send_signal", "seccomp", "statx" }

--- Asks under a filter for what is not there.
local function missing(calls)
  local result = support.run(("%s %s -- %s -e %s"):format(command.program "without", calls,
    support.lua, support.quote [[
      local sys = require "container.sys"
      for _, name in ipairs(sys.syscall_names()) do
        local ok, message, errno = sys.syscall_known(name)
        if not ok then print(message, errno) end
      end]]))
  assert.equal("", result.stderr)
  return result.stdout
end

describe("sys.syscall_known", function()
  it("answers for each, and does nothing #root #native", function()
    local before = support.snapshot()
    for _, name in ipairs(sys.syscall_names()) do
      local known, message, errno = sys.syscall_known(name)
      if not known then
        support.refused(name .. ": Function not implemented", "ENOSYS", known, message, errno)
      end
    end
    support.assert_same(before)
  end)

  for _, call in ipairs(CALLS) do
    it("answers ENOSYS for " .. call .. " where that is not there #root #native", function()
      assert.matches(call:gsub("%p", "%%%0") .. ": Function not implemented\t38\n", missing(call))
    end)
  end

  it("has uses of a call go with the call #root #native", function()
    assert.equal("clone3: Function not implemented\t38\n\z
      clone_into_cgroup: Function not implemented\t38\n", missing "clone3")
    assert.equal("seccomp: Function not implemented\t38\n\z
      seccomp_user_notification: Function not implemented\t38\n", missing "seccomp")
  end)

  it("raises for a name that is none of its own", function()
    support.raises("unknown system call", sys.syscall_known, "fork")
    support.raises("string expected", sys.syscall_known, 1)
  end)
end)
