local sys = require "container.sys"
local support = require "spec.support"

describe("sys.strerror", function()
  it("answers the reason in English, whatever the locale", function()
    assert.equal("No such file or directory", sys.strerror(2))
    assert.equal("Operation not permitted", sys.strerror(1))
    local result = support.run(("LC_ALL=de_DE.UTF-8 LANGUAGE=de %s -e %s"):format(support.lua,
      support.quote([[os.setlocale("") print(require("container.sys").strerror(2))]])))
    assert.equal("No such file or directory\n", result.stdout)
  end)

  it("answers something for a number that is no errno", function()
    for _, number in ipairs { -1, 4095, 1 << 30 } do
      assert.is_string(sys.strerror(number))
    end
  end)

  it("raises for what is no number", function()
    support.raises("number expected", sys.strerror)
    support.raises("number expected", sys.strerror, "ENOENT")
  end)
end)

describe("sys.errno", function()
  local reasons = {
    EACCES = "Permission denied", EAGAIN = "Resource temporarily unavailable",
    EBUSY = "Device or resource busy", ECHILD = "No child processes", EEXIST = "File exists",
    EINVAL = "Invalid argument", ELOOP = "Too many levels of symbolic links",
    ENODEV = "No such device", ENOENT = "No such file or directory",
    ENOSPC = "No space left on device", ENOSYS = "Function not implemented",
    ENOTDIR = "Not a directory", EPERM = "Operation not permitted",
    EROFS = "Read-only file system", ESRCH = "No such process", EUSERS = "Too many users",
  }

  it("has the numbers of the errors that Lua decides by", function()
    for name, reason in pairs(reasons) do
      assert.equal(reason, sys.strerror(sys.errno[name]), name)
    end
  end)
end)

describe("a refusal", function()
  it("keeps its errno while the collector is at work", function()
    local result = support.script([[
      collectgarbage("generational")
      setmetatable({}, { __gc = function(self)
        io.open("/proc/version/x")
        setmetatable({}, getmetatable(self))
      end })
      for i = 1, 20000 do
        local _, message, errno = sys.rmdir("/nope" .. i)
        assert(errno == 2 and message == "rmdir /nope" .. i .. ": No such file or directory")
        _, message, errno = sys.open("/nope" .. i)
        assert(errno == 2, message)
        _, message, errno = sys.read_file("/nope" .. i)
        assert(errno == 2, message)
        _, message, errno = sys.kill(1 << 30, 0)
        assert(errno == 3, message)
      end
      print("done")]])
    assert.equal("done\n", result.stdout, result.stderr)
  end)
end)

describe("comma words", function()
  it("raise for a word that is unknown, empty or has a space, naming it", function()
    support.raises("unknown open flag 'rdonli'", sys.open, "/", "rdonli")
    support.raises("unknown open flag 'rdonl'", sys.open, "/", "rdonl")
    support.raises("unknown open flag ' directory'", sys.open, "/", "rdonly, directory")
    support.raises("unknown open flag ''", sys.open, "/", "rdonly,,directory")
    support.raises("NUL byte", sys.open, "/", "rdonly\0")
  end)

  it("may be none", function()
    assert(sys.open("/", "")):close()
  end)
end)
