-- Host programs of every kind, and what a container is to them: the same by a child that is a copy
-- of the program, and by one that shares its memory.

local command = require "spec.fixtures.command"
local contained = require "spec.fixtures.contained"
local support = require "spec.support"

-- Runs a host program that makes its children in one way. It has `run(n)`: n containers that say
-- hello, and end with their number.
local function host(way, text, preload)
  return support.run(("%s %s -e %s"):format(preload and "LD_PRELOAD=" .. preload or "", support.lua,
    support.quote(([[
      local container = require "container"
      local sys = require "container.sys"
      require("container.engine.spawn").mode = %q
      local function run(n)
        for i = 1, n do
          local result = assert(container.run { "sh", "-c", "echo hello; exit $0", tostring(i),
            rootfs = %q, pids = %q, stdout = "capture" })
          assert(result.stdout == "hello\n" and result.status == i, result.reason)
        end
      end
      run(1) -- loads what it takes
    ]]):format(way, support.busybox_rootfs(), contained.PIDS) .. text)))
end

for _, way in ipairs(contained.MODES) do
  describe("a host program whose children are made by " .. way .. " #root", function()
    local function expect(text, preload)
      assert.same({ status = 0, stdout = "well\n", stderr = "" }, host(way, text, preload))
    end

    it("may have threads, which ask for memory meanwhile", function()
      support.needs("native", "addresses")
      expect([[
        assert(sys.stat("/proc/self/task").nlink == 4)
        run(40)
        collectgarbage()
        print "well"]], command.program "threads")
    end)

    it("may handle signals: no handler runs in a child, and none disturbs a start", function()
      support.needs("native", "addresses")
      expect([[
        local parent = sys.getpid()
        local children = ("/proc/%d/task/%d/children"):format(parent, parent)
        -- Sends to every child there is what its parent handles, and others ignore.
        local sender = assert(sys.clone({}, function()
          sys.sigprocmask("block", "all")
          sys.pdeathsig("KILL")
          while true do
            for pid in sys.read_file(children):gmatch("%d+") do
              sys.kill(tonumber(pid), "URG")
            end
          end
        end))
        run(40)
        sys.kill(sender, "KILL")
        sys.wait(sender)
        print "well"]], command.program "handlers")
    end)

    it("may have a debug hook, which is not called in a child", function()
      expect [[
        local parent, called = sys.getpid(), 0
        debug.sethook(function()
          called = called + 1
          if sys.getpid() ~= parent then
            sys.write(2, "the hook runs in a child\n")
          end
        end, "crl", 1)
        run(2)
        debug.sethook()
        print(called > 0 and "well")]]
    end)

    it("may start them from a coroutine, and go on in it after a yield", function()
      expect [[
        local thread = coroutine.wrap(function()
          run(3)
          local c <close> = assert(container.spawn { "cat", rootfs = "/", stdin = "pipe",
            stdout = "pipe", pids = "max" })
          coroutine.yield(c)
          assert(c.stdin:write("more"))
          c.stdin:close()
          return c.stdout:read("a") .. c:wait().status
        end)
        assert(thread().pid)
        collectgarbage()
        print(thread() == "more0" and "well")]]
    end)

    for _, mode in ipairs { "generational", "incremental" } do
      it("may have a collector in " .. mode .. " mode, which works as before", function()
        expect(([[
          collectgarbage %q
          local seen, count = setmetatable({}, { __mode = "k" }), 0
          local kept = {}
          for i = 1, 30 do
            -- Old ones that point to new ones, and finalizers that are due.
            for j = 1, 2000 do
              kept[j] = { kept[j] and kept[j][1], i .. " " .. j }
            end
            for _ = 1, 20 do
              seen[setmetatable({}, { __gc = function() count = count + 1 end })] = true
            end
            run(1)
          end
          assert(kept[2000][2] == "30 2000")
          local mode = collectgarbage "incremental"
          collectgarbage()
          collectgarbage()
          print(mode == %q and count == 600 and not next(seen) and "well")]]):format(mode, mode))
      end)
    end

    it("leaves a program no file, no signal mask, no signal ignored, no umask", function()
      local result = support.run("trap '' INT USR1 PIPE; " .. support.lua .. " -e "
        .. support.quote(([[
          local container = require "container"
          local sys = require "container.sys"
          require("container.engine.spawn").mode = %q
          local fds = {}
          for i = 1, 20 do
            fds[i] = assert(sys.open("/"))
            sys.dup2(fds[i], 100 + i) -- which is open after an exec
          end
          sys.sigprocmask("block", "all")
          sys.umask(63)
          for _, init in ipairs { true, false } do
            local result = assert(container.run { "sh", "-c", [=[
              echo /proc/self/fd/*
              grep '^Sig[BI]' /proc/self/status | tr '\t' ' '
              umask]=], rootfs = %q, pids = %q, init = init })
            assert(result.status == 0)
          end]]):format(way, support.busybox_rootfs(), contained.PIDS)))
      -- The last is the listing's own.
      local one = "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n"
        .. "SigBlk: 0000000000000000\nSigIgn: 0000000000000000\n0022\n"
      assert.same({ status = 0, stdout = one .. one, stderr = "" }, result)
    end)
  end)
end
