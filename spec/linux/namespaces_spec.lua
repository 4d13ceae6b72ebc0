local sys = require "container.sys"
local namespace = require "container.linux.namespaces"
local support = require "spec.support"
local cleanup = require "container.engine.cleanup"

local E <const> = sys.errno

local function prepared(...)
  local list = {}
  for i, name in ipairs { ... } do
    list[i] = { type = name }
  end
  local c = { config = { linux = { namespaces = list } } }
  assert.is_true(namespace.prepare(c))
  return c
end

describe("namespace.prepare", function()
  it("has the child born in all but the cgroup namespace", function()
    local c = prepared("mount", "uts", "pid", "cgroup", "ipc", "network")
    assert.same({ "mount", "uts", "pid", "ipc", "network" }, c.namespaces)
  end)

  it("notes a user namespace", function()
    assert.is_true(prepared("mount", "user").user_namespace)
    assert.is_falsy(prepared("mount").user_namespace)
  end)
end)

describe("namespace.parent", function()
  it("holds the child by a pidfd, which the undo closes", function()
    local stack = cleanup.new()
    local c = { undo = stack }
    local pid = assert(sys.clone({}, function() end))
    assert.is_true(namespace.parent(c, pid))
    assert.same({ "exit", 0 }, { sys.wait(c.pidfd) })
    stack:run()
    assert.is_nil(c.pidfd:fileno())
  end)

  it("answers the kernel's refusal", function()
    local pid = assert(sys.clone({}, function() end))
    sys.wait(pid)
    local ok, message, errno = namespace.parent({ undo = cleanup.new() }, pid)
    assert.is_nil(ok)
    assert.matches("^pidfd_open.*: No such process$", message)
    assert.equal(E.ESRCH, errno)
  end)
end)

describe("namespace.explain", function()
  local MESSAGE <const> = "clone mount,user: Operation not permitted"

  it("names the settings that stop an ordinary user", function()
    for _, errno in ipairs { E.EPERM, E.ENOSPC, E.EUSERS } do
      local sentence = namespace.explain({ user_namespace = true }, MESSAGE, errno)
      assert.equal(MESSAGE .. ";", sentence:sub(1, #MESSAGE + 1))
      for _, name in ipairs { "kernel.unprivileged_userns_clone", "user.max_user_namespaces",
        "kernel.apparmor_restrict_unprivileged_userns" } do
        assert.is_truthy(sentence:find(name, 1, true), name)
      end
    end
  end)

  it("names the capability that root may lack", function()
    assert.equal(MESSAGE .. "; it takes CAP_SYS_ADMIN, which root has not in every container",
      namespace.explain({}, MESSAGE, E.EPERM))
  end)

  it("adds nothing to other refusals", function()
    assert.equal("clone mount: Invalid argument",
      namespace.explain({}, "clone mount: Invalid argument", E.EINVAL))
    assert.equal("clone mount,user: Invalid argument",
      namespace.explain({ user_namespace = true }, "clone mount,user: Invalid argument", E.EINVAL))
    assert.equal("clone mount: No space left on device",
      namespace.explain({}, "clone mount: No space left on device", E.ENOSPC))
  end)
end)

describe("the namespaces of a container", function()
  local KINDS <const> = { "cgroup", "ipc", "mnt", "net", "pid", "user", "uts" }
  local LIST <const> = "for kind in " .. table.concat(KINDS, " ")
    .. "; do readlink /proc/self/ns/$kind; done"

  local function shared(run)
    local command = LIST .. "; " .. support.lua .. " run.lua -q --pids-limit max sh -c "
      .. support.quote(LIST)
    local seen, both = {}, {}
    local result = run(command)
    assert.equal(0, result.status, result.stderr)
    local lines = 0
    for link in result.stdout:gmatch("[^\n]+") do
      lines = lines + 1
      if seen[link] then
        both[#both + 1] = link:match("^%w+")
      end
      seen[link] = true
    end
    assert.equal(2 * #KINDS, lines)
    return both
  end

  it("are its own, all but the user namespace #root", function()
    assert.same({ "user" }, shared(support.run))
  end)

  it("are its own, an ordinary user's all of them #userns", function()
    assert.same({}, shared(support.as_user))
  end)

  it("are refused with one sentence where there may be no more of them #root", function()
    local message = support.child(function()
      -- Counted for each user namespace, so that this one alone has no room.
      assert(sys.write_file("/proc/self/setgroups", "deny"))
      assert(sys.write_file("/proc/self/uid_map", "0 0 1"))
      assert(sys.write_file("/proc/self/gid_map", "0 0 1"))
      assert(sys.write_file("/proc/sys/user/max_uts_namespaces", "0"))
      local result, err = require("container.api").run { "true", pids = "max" }
      return not result and tostring(err)
    end, { "user", "mount", "pid" })
    assert.matches("^clone: clone mount,uts,pid,ipc,network,user: No space left on device", message)
  end)
end)
