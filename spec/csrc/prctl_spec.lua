local sys = require "container.sys"
local support = require "spec.support"

describe("sys.pdeathsig", function()
  -- Whether a process that asked for `first`, and then for `second`, outlives the one that made it
  -- by long enough to notice.
  local function outlives(first, second)
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      local middle = sys.getpid()
      local listen, say = sys.pipe()
      sys.clone({}, function()
        assert(sys.pdeathsig(first))
        assert(not second or sys.pdeathsig(second))
        sys.write(say, ".")
        repeat
          sys.ppoll({}, 0.001)
        until sys.getppid() ~= middle
        sys.write(writer, "alive")
      end)
      sys.read(listen)
    end))
    writer:close()
    local said = support.drain(reader)
    reader:close()
    support.wait(pid)
    return said == "alive"
  end

  it("ends a process with the one that made it", function()
    assert.is_false(outlives("KILL"))
    assert.is_false(outlives("TERM"))
  end)

  it("is taken back with 0", function()
    assert.is_true(outlives("KILL", 0))
  end)

  it("raises for a signal it does not know", function()
    support.raises("'TREM'", sys.pdeathsig, "TREM")
    support.raises("string expected", sys.pdeathsig)
  end)
end)

describe("sys.dumpable #root", function()
  -- Whether another process of the same user may see what this one runs.
  local function is_seen(may)
    return support.child(function()
      assert(sys.setgid(54321))
      assert(sys.setuid(54321))
      assert(sys.dumpable(may))
      local pid = sys.getpid()
      local other = assert(sys.clone({}, function()
        return sys.readlink(("/proc/%d/exe"):format(pid)) and 1 or 0
      end))
      return select(2, sys.wait(other)) == 1
    end)
  end

  it("lets others of the same user look into this process, or not", function()
    assert.is_true(is_seen(true))
    assert.is_false(is_seen(false))
  end)

  it("raises for what is no boolean", function()
    support.raises("boolean expected", sys.dumpable, 1)
    support.raises("boolean expected", sys.dumpable)
  end)
end)

describe("sys.make_undumpable", function()
  local function look(hidden)
    return support.child(function()
      local reader, writer = assert(sys.pipe())
      local lasts, held = assert(sys.pipe())
      local pid = assert(sys.clone({}, function()
        held:close()
        assert(not hidden or sys.make_undumpable("nobody"))
        sys.write(writer, ".")
        sys.read(lasts) -- as long as the parent is there
      end))
      sys.read(reader)
      -- As another one of the same ids, and of no capabilities.
      assert(sys.setuid(54321))
      local path = ("/proc/%d/"):format(pid)
      local words = sys.read_file(path .. "cmdline"):gsub("\0", "")
      local name = sys.read_file(path .. "comm")
      return words ~= "", name, held:close()
    end)
  end

  it("blanks the command line and gives another name", function()
    support.needs("root")
    support.needs("native") -- valgrind is what this process was started as
    assert.is_true((look(false)))
    local words, name = look(true)
    assert.same({ false, "nobody\n" }, { words, name })
  end)

  it("closes the memory to those of the same ids", function()
    support.needs("root")
    support.needs("native") -- valgrind is what this process was started as
    local function opens(hidden)
      return support.child(function()
        local reader, writer = assert(sys.pipe())
        local pid = assert(sys.clone({}, function()
          sys.pdeathsig("KILL")
          reader:close()
          assert(sys.setuid(54321))
          sys.pdeathsig("KILL") -- which the change of ids has cleared
          if hidden then
            assert(sys.make_undumpable("nobody"))
            sys.write(writer, ".")
            sys.ppoll({}, 60)
          end
          -- The pipe says that it runs: exec closes files before it opens the memory to others.
          assert(sys.dup2(writer, 1))
          sys.exec { "sh", "-c", "echo .; kill -STOP $$" }
        end))
        writer:close()
        sys.read(reader)
        assert(sys.setuid(54321))
        local fd = sys.open(("/proc/%d/mem"):format(pid), "rdonly")
        sys.kill(pid, "KILL")
        return fd ~= nil
      end)
    end
    assert.is_true(opens(false))
    assert.is_false(opens(true))
  end)

  it("takes a name", function()
    support.raises("string expected", sys.make_undumpable)
  end)
end)
