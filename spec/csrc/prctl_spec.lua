local container = require "container"
local support = require "spec.support"

describe("container.pdeathsig", function()
  -- Whether a process that asked for `first`, and then for `second`, outlives the one that made it
  -- by long enough to notice.
  local function outlives(first, second)
    local reader, writer = assert(container.pipe())
    local pid = assert(container.clone({}, function()
      local middle = container.getpid()
      local listen, say = container.pipe()
      container.clone({}, function()
        assert(container.pdeathsig(first))
        assert(not second or container.pdeathsig(second))
        container.write(say, ".")
        repeat
          container.ppoll({}, 0.001)
        until container.getppid() ~= middle
        container.write(writer, "alive")
      end)
      container.read(listen)
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
    support.raises("'TREM'", container.pdeathsig, "TREM")
    support.raises("string expected", container.pdeathsig)
  end)
end)

describe("container.dumpable #root", function()
  -- Whether another process of the same user may see what this one runs.
  local function is_seen(may)
    return support.child(function()
      assert(container.setgid(54321))
      assert(container.setuid(54321))
      assert(container.dumpable(may))
      local pid = container.getpid()
      local other = assert(container.clone({}, function()
        return container.readlink(("/proc/%d/exe"):format(pid)) and 1 or 0
      end))
      return select(2, container.wait(other)) == 1
    end)
  end

  it("lets others of the same user look into this process, or not", function()
    assert.is_true(is_seen(true))
    assert.is_false(is_seen(false))
  end)

  it("raises for what is no boolean", function()
    support.raises("boolean expected", container.dumpable, 1)
    support.raises("boolean expected", container.dumpable)
  end)
end)

describe("container.hide", function()
  local function look(hidden)
    return support.child(function()
      local reader, writer = assert(container.pipe())
      local lasts, held = assert(container.pipe())
      local pid = assert(container.clone({}, function()
        held:close()
        assert(not hidden or container.hide("nobody"))
        container.write(writer, ".")
        container.read(lasts) -- as long as the parent is there
      end))
      container.read(reader)
      -- As another one of the same ids, and of no capabilities.
      assert(container.setuid(54321))
      local path = ("/proc/%d/"):format(pid)
      local words = container.read_file(path .. "cmdline"):gsub("\0", "")
      local name = container.read_file(path .. "comm")
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
        local reader, writer = assert(container.pipe())
        local pid = assert(container.clone({}, function()
          container.pdeathsig("KILL")
          reader:close()
          assert(container.setuid(54321))
          container.pdeathsig("KILL") -- which the change of ids has cleared
          if hidden then
            assert(container.hide("nobody"))
            container.write(writer, ".")
            container.ppoll({}, 60)
          end
          -- The pipe says that it runs: exec closes files before it opens the memory to others.
          assert(container.dup2(writer, 1))
          container.exec { "sh", "-c", "echo .; kill -STOP $$" }
        end))
        writer:close()
        container.read(reader)
        assert(container.setuid(54321))
        local fd = container.open(("/proc/%d/mem"):format(pid), "rdonly")
        container.kill(pid, "KILL")
        return fd ~= nil
      end)
    end
    assert.is_true(opens(false))
    assert.is_false(opens(true))
  end)

  it("takes a name", function()
    support.raises("string expected", container.hide)
  end)
end)
