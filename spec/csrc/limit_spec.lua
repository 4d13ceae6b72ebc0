local sys = require "container.sys"
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
  return sys.read_file("/proc/self/limits"):match(title .. " +(%w+) +(%w+)")
end

describe("sys.setrlimit", function()
  for _, limit in ipairs(limits) do
    local name, title, value = table.unpack(limit)
    it("sets " .. name, function()
      if name == "core" then
        support.needs("corefile")
      end
      if name == "data" or name == "nofile" or name == "stack" then
        support.needs("native")
      end
      if name == "as" or name == "data" then
        support.needs("addresses")
      end
      local soft, hard = support.child(function()
        assert(sys.setrlimit(name, value))
        return shown(title)
      end)
      assert.same({ tostring(value), tostring(value) }, { soft, hard })
    end)
  end

  it("sets soft and hard apart", function()
    support.needs("corefile")
    local soft, hard = support.child(function()
      assert(sys.setrlimit("core", 20, 30))
      return shown("Max core file size")
    end)
    assert.same({ "20", "30" }, { soft, hard })
  end)

  it("holds: a file grows no further than fsize", function()
    local path = support.tmpdir() .. "/file"
    support.child(function()
      assert(sys.setrlimit("fsize", 10))
      local file <close> = assert(sys.open(path, "wronly,creat"))
      assert.equal(10, sys.write(file, ("x"):rep(20)))
    end)
    assert.equal(10, sys.stat(path).size)
  end)

  it("is refused a hard limit above the one there is, to an ordinary user", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      assert(sys.setrlimit("nofile", 20))
      print(sys.setrlimit("nofile", 20, 21))']])
    assert.equal("nil\tsetrlimit nofile: Operation not permitted\t1\n", result.stdout)
  end)

  it("is refused a soft limit above the hard one", function()
    support.refused("setrlimit core: Invalid argument", "EINVAL",
      sys.setrlimit("core", 2, 1))
  end)

  it("raises for a name it does not know, naming it", function()
    support.raises("'nofiles'", sys.setrlimit, "nofiles", 1)
    support.raises("string expected", sys.setrlimit, nil, 1)
  end)

  it("raises for what is no number from -1 on", function()
    support.raises("number expected", sys.setrlimit, "core")
    support.raises("number expected", sys.setrlimit, "core", "unlimited")
    support.raises("number out of range", sys.setrlimit, "core", -2)
    support.raises("number out of range", sys.setrlimit, "core", 1, -2)
    support.raises("no integer representation", sys.setrlimit, "core", 1.5)
    support.raises("no integer representation", sys.setrlimit, "core", 1e30)
  end)
end)

describe("sys.rlimit_names", function()
  it("are those of setrlimit", function()
    support.child(function()
      for _, name in ipairs(sys.rlimit_names()) do
        -- The kernel may know more than this machine lets anybody have; and an emulated one takes
        -- longer here than a process may that is to have no time.
        local ok, _, errno = sys.setrlimit(name, name == "cpu" and 1000 or 0)
        assert(ok or errno ~= sys.errno.EINVAL, name)
      end
    end)
  end)

  it("take no limit at all", function()
    local hard = support.child(function()
      sys.setrlimit("core", 5, -1)
      return sys.read_file("/proc/self/limits"):match("Max core file size +5 +(%w+)")
    end)
    assert.is_true(hard == nil or hard == "unlimited")
  end)
end)
