local sys = require "container.sys"
local api = require "container.api"
local start = require "container.engine.start"
local spec = require "container.config.spec"
local support = require "spec.support"

-- With a cgroup where there can be one.
local PIDS <const> = sys.cgroup_place("pids") and 20 or "max"

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true", pids = PIDS }
end)

local function replace(name, fn)
  local original = sys[name]
  sys[name] = fn
  return setmetatable({}, { __close = function() sys[name] = original end })
end

-- The function gets the clone that was called as its first argument.
local function replace_clones(fn)
  local original = sys.clone
  return replace("clone", function(...)
    return fn(original, ...)
  end)
end

-- One verb of a subject does something else as long as the returned value is in scope.
local function inject(entry, verb, fn)
  local original = entry[2]
  entry[2] = setmetatable({ [verb] = fn }, { __index = original })
  return setmetatable({}, { __close = function() entry[2] = original end })
end

local function refuse()
  return nil, "injected x: Operation not permitted", 1
end

local function raise()
  error("injected", 0)
end

-- The mask of this process, as the kernel has it.
local function blocked()
  return sys.read_file("/proc/self/status"):match("SigBlk:%s*(%x+)")
end

-- Notes the child that is cloned, so that a test can end what should not be there any more.
local function watch()
  local seen = {}
  return seen, replace_clones(function(clone, ...)
    local pid, message, errno = clone(...)
    seen.pid = pid
    return pid, message, errno
  end)
end

local function is_gone(pid)
  local how = sys.wait(pid, "nohang")
  if how == "running" then
    sys.kill(pid, "KILL")
    sys.wait(pid)
  end
  return how == nil
end

local function expect_refused(step)
  local result, err = api.run { "true", pids = PIDS }
  assert.is_nil(result)
  assert.same({ step, "x", 1, "injected x: Operation not permitted" },
    { err.step, err.subject, err.errno, err.message })
end

describe("the order in the parent", function()
  local function place(name)
    for i, entry in ipairs(start.order) do
      if entry[2] == require("container." .. name) then
        return i
      end
    end
    error(name .. " is no step")
  end

  it("decides on the namespaces before anybody asks for them", function()
    assert.equal(1, place("linux.namespaces"))
  end)

  it("looks for the likeliest mistake before anything is made", function()
    assert.is_true(place("fs.rootfs") < place("linux.cgroup"))
    assert.is_true(place("fs.rootfs") < place("linux.process"))
  end)

  it("gives mounts their ids when there are some", function()
    assert.is_true(place("linux.userns") < place("fs.mount_fd"))
  end)

  it("opens the lines last, and lets a child that waits go on", function()
    assert.equal(#start.order - 1, place("engine.sync")) -- hooks: it waits once more
  end)
end)

describe("a container #root", function()
  for i, entry in ipairs(start.order) do
    if entry[2].prepare then
      local name <const> = ("step %d of the parent, %s,"):format(i, entry[1])

      it("is an error, and nothing is left or cloned, when " .. name .. " is refused", function()
        local _ <close> = replace_clones(function() error("a child is made") end)
        local _ <close> = inject(entry, "prepare", refuse)
        expect_refused(entry[1])
      end)

      it("is an error, and nothing is left, when " .. name .. " is refused after it did its part",
        function()
          local prepare = entry[2].prepare
          local _ <close> = inject(entry, "prepare", function(c)
            assert(prepare(c))
            return refuse()
          end)
          expect_refused(entry[1])
        end)

      it("leaves nothing, and the error passes, when " .. name .. " raises", function()
        local prepare = entry[2].prepare
        local _ <close> = inject(entry, "prepare", function(c)
          assert(prepare(c))
          raise()
        end)
        local ok, message = pcall(api.run, { "true", pids = PIDS })
        assert.is_false(ok)
        assert.equal("injected", message)
      end)
    end

    if entry[2].parent then
      local name <const> = ("step %d of the parent, %s,"):format(i, entry[1])

      it("is an error, and its child is gone, when " .. name .. " is refused after the clone",
        function()
          local _ <close> = inject(entry, "parent", refuse)
          expect_refused(entry[1])
        end)

      it("leaves no child when " .. name .. " raises after the clone", function()
        local seen, stub <close> = watch()
        assert(stub)
        local _ <close> = inject(entry, "parent", raise)
        local ok, message = pcall(api.run, { "true", pids = PIDS })
        assert.is_false(ok)
        assert.equal("injected", message)
        assert.is_true(is_gone(seen.pid))
      end)
    end
  end

  it("is an error when the clone is refused, and says what that may come from", function()
    local _ <close> = replace_clones(function(_, namespaces)
      return nil, "clone " .. table.concat(namespaces, ",") .. ": Operation not permitted", 1
    end)
    local before = blocked()
    local result, err = api.run { "true", pids = PIDS }
    assert.is_nil(result)
    assert.same({ "clone", 1 }, { err.step, err.errno })
    assert.matches(": Operation not permitted; it takes CAP_SYS_ADMIN", err.message, 1, true)
    assert.equal(before, blocked())
  end)

  it("has every signal held back while its child is made, and then as it was", function()
    sys.sigprocmask("block", { "USR2" })
    local before, during = blocked(), nil
    do
      local _ <close> = replace_clones(function(clone, ...)
        during = blocked()
        return clone(...)
      end)
      assert(api.run { "true", pids = PIDS })
    end
    local after = blocked()
    sys.sigprocmask("unblock", { "USR2" })
    assert.equal(before, after)
    -- KILL and STOP cannot be, and two that glibc keeps for itself are not.
    assert.equal(-1, tonumber(during, 16) | 1 << 8 | 1 << 18 | 3 << 31)
  end)

  it("does what is to be undone in the order opposite to that of the making", function()
    local list = {}
    local stubs = {}
    for i, entry in ipairs(start.order) do
      local prepare = entry[2].prepare
      stubs[i] = inject(entry, "prepare", function(c)
        c.undo:push(table.insert, list, i)
        return not prepare or prepare(c)
      end)
    end
    local result = api.run { "true", pids = PIDS }
    for _, stub in ipairs(stubs) do
      getmetatable(stub).__close()
    end
    assert.equal(0, result.status)
    for i = 1, #start.order do
      assert.equal(#start.order - i + 1, list[i])
    end
  end)
end)

describe("run.start #root", function()
  it("answers what its caller owns from then on", function()
    local c = assert(start.start(assert(spec.read { "sleep", "1000", pids = PIDS })))
    assert.equal("integer", math.type(c.pid))
    assert.equal("running", sys.wait(c.pidfd, "nohang"))
    assert.is_true(sys.pidfd_send_signal(c.pidfd, "KILL"))
    sys.wait(c.pidfd)
    c.undo:run()
  end)

  it("answers when the program runs, and not before", function()
    local c = assert(start.start(assert(spec.read { "sleep", "1000", pids = PIDS, init = false })))
    assert.equal("sleep\0001000\0", sys.read_file(("/proc/%d/cmdline"):format(c.pid)))
    sys.pidfd_send_signal(c.pidfd, "KILL")
    sys.wait(c.pidfd)
    c.undo:run()
  end)

  it("leaves no child when the program cannot be executed", function()
    local seen, stub <close> = watch()
    assert(stub)
    for _, init in ipairs { true, false } do
      local c, err = start.start(assert(spec.read { "/no/such", pids = PIDS, init = init }))
      assert.is_nil(c)
      assert.equal("exec", err.step)
      assert.is_true(is_gone(seen.pid))
    end
  end)

  it("leaves alone a child of the caller's", function()
    local mine = assert(sys.clone({}, function() end))
    assert(api.run { "true", pids = PIDS })
    assert(api.run { "/no/such", pids = PIDS } == nil)
    assert.same({ "exit", 0 }, { support.wait(mine) })
  end)
end)
