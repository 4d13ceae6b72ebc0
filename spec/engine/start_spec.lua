local sys = require "container.sys"
local api = require "container.api"
local order = require "container.engine.order"
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

-- A step does something else as long as the returned value is in scope. It runs in any case.
local function inject(step, fn)
  local original, only = step.fn, step.only
  step.fn, step.only = fn, nil
  return setmetatable({}, { __close = function() step.fn, step.only = original, only end })
end

-- What the step does itself, where it would be run.
local function does(step, ctx)
  return (step.only and not ctx[step.only]) or step.fn(ctx, ctx.pid)
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

describe("a container #root", function()
  for _, step in ipairs(order.start) do
    local original = { fn = step.fn, only = step.only }

    if step.side == "prepare" then
      it("is an error, and nothing is left or cloned, when " .. step.name .. " is refused",
        function()
          local _ <close> = replace_clones(function() error("a child is made") end)
          local _ <close> = inject(step, refuse)
          expect_refused(step.name:match("^[^.]+"))
        end)

      it("is an error, and nothing is left, when " .. step.name .. " is refused after its part",
        function()
          local _ <close> = inject(step, function(ctx)
            assert(does(original, ctx))
            return refuse()
          end)
          expect_refused(step.name:match("^[^.]+"))
        end)

      it("leaves nothing, and the error passes, when " .. step.name .. " raises", function()
        local _ <close> = inject(step, function(ctx)
          assert(does(original, ctx))
          raise()
        end)
        local ok, message = pcall(api.run, { "true", pids = PIDS })
        assert.is_false(ok)
        assert.equal("injected", message)
      end)
    elseif step.side == "parent" then
      it("is an error, and its child is gone, when " .. step.name .. " is refused", function()
        local _ <close> = inject(step, refuse)
        expect_refused(step.name:match("^[^.]+"))
      end)

      it("leaves no child when " .. step.name .. " raises", function()
        local seen, stub <close> = watch()
        assert(stub)
        local _ <close> = inject(step, raise)
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
    local list, stubs, count = {}, {}, 0
    for i, step in ipairs(order.start) do
      if step.side == "prepare" then
        local original = { fn = step.fn, only = step.only }
        count = i
        stubs[i] = inject(step, function(ctx)
          ctx.undo:push(table.insert, list, i)
          return does(original, ctx)
        end)
      end
    end
    local result = api.run { "true", pids = PIDS }
    for _, stub in ipairs(stubs) do
      getmetatable(stub).__close()
    end
    assert.equal(0, result.status)
    for i = 1, count do
      assert.equal(count - i + 1, list[i])
    end
  end)
end)

describe("start.start #root", function()
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
