local container = require "container"
local support = require "spec.support"

-- What /proc/PID/limits calls each, and a value with which a process can live.
local limits = {
  { "as", "Max address space", 1 << 40 },
  { "core", "Max core file size", 7 },
  { "cpu", "Max cpu time", 1000 },
  { "data", "Max data size", 1 << 40 },
  { "fsize", "Max file size", 1 << 20 },
  { "locks", "Max file locks", 7 },
  { "memlock", "Max locked memory", 7 },
  { "msgqueue", "Max msgqueue size", 7 },
  { "nice", "Max nice priority", 0 },
  { "nofile", "Max open files", 97 },
  { "nproc", "Max processes", 7 },
  { "rss", "Max resident set", 7 },
  { "rtprio", "Max realtime priority", 0 },
  { "rttime", "Max realtime timeout", 7 },
  { "sigpending", "Max pending signals", 7 },
  { "stack", "Max stack size", 1 << 20 },
}

local function shown(title)
  return container.read_file("/proc/self/limits"):match(title .. " +(%w+) +(%w+)")
end

describe("container.setrlimit", function()
  for _, limit in ipairs(limits) do
    local name, title, value = table.unpack(limit)
    it("sets " .. name, function()
      if name == "data" or name == "nofile" or name == "stack" then
        support.needs("native")
      end
      if name == "as" or name == "data" then
        support.needs("addresses")
      end
      local soft, hard = support.child(function()
        assert(container.setrlimit(name, value))
        return shown(title)
      end)
      assert.same({ tostring(value), tostring(value) }, { soft, hard })
    end)
  end

  it("sets soft and hard apart", function()
    local soft, hard = support.child(function()
      assert(container.setrlimit("core", 20, 30))
      return shown("Max core file size")
    end)
    assert.same({ "20", "30" }, { soft, hard })
  end)

  it("holds: a file grows no further than fsize", function()
    local path = support.tmpdir() .. "/file"
    support.child(function()
      assert(container.setrlimit("fsize", 10))
      local file <close> = assert(container.open(path, "wronly,creat"))
      assert.equal(10, container.write(file, ("x"):rep(20)))
    end)
    assert.equal(10, container.stat(path).size)
  end)

  it("is refused a hard limit above the one there is, to an ordinary user", function()
    local result = support.as_user(support.lua .. [[ -e 'local container = require "container"
      assert(container.setrlimit("nofile", 20))
      print(container.setrlimit("nofile", 20, 21))']])
    assert.equal("nil\tsetrlimit nofile: Operation not permitted\t1\n", result.stdout)
  end)

  it("is refused a soft limit above the hard one", function()
    support.refused("setrlimit core: Invalid argument", "EINVAL",
      container.setrlimit("core", 2, 1))
  end)

  it("raises for a name it does not know, naming it", function()
    support.raises("'nofiles'", container.setrlimit, "nofiles", 1)
    support.raises("string expected", container.setrlimit, nil, 1)
  end)

  it("raises for what is no number from -1 on", function()
    support.raises("number expected", container.setrlimit, "core")
    support.raises("number expected", container.setrlimit, "core", "unlimited")
    support.raises("number out of range", container.setrlimit, "core", -2)
    support.raises("number out of range", container.setrlimit, "core", 1, -2)
    support.raises("no integer representation", container.setrlimit, "core", 1.5)
    support.raises("no integer representation", container.setrlimit, "core", 1e30)
  end)
end)

describe("container.rlimit_names", function()
  it("are those of setrlimit", function()
    support.child(function()
      for _, name in ipairs(container.rlimit_names()) do
        -- The kernel may know more than this machine lets anybody have; and an emulated one takes
        -- longer here than a process may that is to have no time.
        local ok, _, errno = container.setrlimit(name, name == "cpu" and 1000 or 0)
        assert(ok or errno ~= container.errno.EINVAL, name)
      end
    end)
  end)

  it("take no limit at all", function()
    local hard = support.child(function()
      container.setrlimit("core", 5, -1)
      return container.read_file("/proc/self/limits"):match("Max core file size +5 +(%w+)")
    end)
    assert.is_true(hard == nil or hard == "unlimited")
  end)
end)
