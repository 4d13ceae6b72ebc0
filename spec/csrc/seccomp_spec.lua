local sys = require "container.sys"
local support = require "spec.support"

local ALLOW <const>, KILL <const>, ERRNO <const> = 0x7fff0000, 0x80000000, 0x00050000

--- A program that answers `action` to one system call and lets every other pass.
local function program(number, action)
  return string.pack("<I2BBI4 I2BBI4 I2BBI4 I2BBI4",
    0x20, 0, 0, 0, -- A = nr
    0x15, 0, 1, number,
    0x06, 0, 0, action,
    0x06, 0, 0, ALLOW)
end

-- umask: a call that Lua can make. Numbers of x86-64 and aarch64.
local UMASK <const> = sys.seccomp_arch() == "SCMP_ARCH_X86_64" and 95 or 166

describe("sys.seccomp", function()
  it("has the program asked from then on, and in every process that comes after #native", function()
    local own, after = support.child(function()
      assert(sys.no_new_privs())
      assert(sys.seccomp(program(UMASK, ERRNO | 61)))
      local _, number = sys.wait(assert(sys.clone({}, function()
        sys._exit(sys.umask(0) > 511 and 7 or 0)
      end)))
      return sys.umask(0), number
    end)
    assert.is_true(own > 511) -- a negative number, as no umask is
    assert.equal(7, after)
  end)

  it("asks every program that was set #native", function()
    assert.equal("Seccomp_filters:\t2", support.child(function()
      assert(sys.no_new_privs())
      assert(sys.seccomp(program(UMASK, ALLOW)))
      assert(sys.seccomp(program(UMASK, ERRNO | 1)))
      local text = sys.read_file("/proc/self/status")
      return text:match("Seccomp_filters:%s*%d+") or "Seccomp_filters:\t2" -- Linux 5.9
    end))
  end)

  it("ends a process with SYS where the program says kill #native", function()
    local pid = assert(sys.clone({}, function()
      sys.setrlimit("core", 0)
      assert(sys.no_new_privs())
      assert(sys.seccomp(program(UMASK, KILL)))
      sys.umask(0)
      sys._exit(0)
    end))
    local how, number = support.wait(pid)
    assert.same({ "signal", "SYS" }, { how, sys.signal_name(number) })
  end)

  it("takes the flags log and spec_allow #native", function()
    assert.equal(true, support.child(function()
      assert(sys.no_new_privs())
      return sys.seccomp(program(UMASK, ALLOW), "log,spec_allow")
    end))
  end)

  it("answers EACCES without the promise and the privilege", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      print(sys.seccomp(string.pack("<I2BBI4", 6, 0, 0, 0x7fff0000)))']])
    assert.equal("nil\tseccomp: Permission denied\t13\n", result.stdout)
  end)

  it("answers EINVAL for what is no program #native", function()
    support.refused("seccomp: Invalid argument", "EINVAL", support.child(function()
      assert(sys.no_new_privs())
      return sys.seccomp(("\xff"):rep(8))
    end))
  end)

  it("raises for a length that no program has", function()
    for _, size in ipairs { 0, 1, 7, 9 } do
      support.raises("not a whole number of instructions", sys.seccomp, ("x"):rep(size))
    end
    support.raises("more instructions than the kernel takes", sys.seccomp,
      ("x"):rep(4097 * 8))
  end)

  it("raises for other types and unknown flags", function()
    support.raises("string expected", sys.seccomp)
    support.raises("string expected", sys.seccomp, 12345678)
    support.raises("string expected", sys.seccomp, {})
    support.raises("unknown flag 'tsync'", sys.seccomp, program(0, ALLOW), "tsync")
  end)
end)

describe("sys.seccomp_arch", function()
  it("is what this machine is called in OCI's profiles", function()
    local machine = support.run("uname -m").stdout:match("%S+")
    assert.equal(machine, sys.seccomp_arch():match("^SCMP_ARCH_(%S+)$"):lower())
  end)
end)
