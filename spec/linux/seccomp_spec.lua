-- The profiles, as programs: read by an interpreter of the few instructions that a filter has, so
-- that every number, argument and architecture can be asked without making the call.

local sys = require "container.sys"
local capability = require "container.linux.capabilities"
local default = require "container.linux.seccomp.default"
local profile = require "container.linux.seccomp.profile"
local seccomp = require "container.linux.seccomp"
local support = require "spec.support"

local X86_64 <const>, AARCH64 <const>, I386 <const> = 0xc000003e, 0xc00000b7, 0x40000003
local NATIVE <const> = sys.seccomp_arch() == "SCMP_ARCH_X86_64" and X86_64 or AARCH64
local ALLOW <const>, KILL <const> = "allow", "kill process"
local ACTIONS <const> = {
  [0x7fff0000] = ALLOW, [0x80000000] = KILL, [0] = "kill thread", [0x00030000] = "trap",
  [0x7ffc0000] = "log",
}

--- What a program answers to a call: ALLOW, KILL, or an errno.
local function decide(program, arch, number, ...)
  local args = { ... }
  for i = 1, 6 do
    args[i] = args[i] or 0
  end
  local data = string.pack("<I4I4i8i8i8i8i8i8i8", number, arch, 0, table.unpack(args))
  local at, a = 0, 0
  while true do
    local code, yes, no, k = string.unpack("<I2BBI4", program, at * 8 + 1)
    at = at + 1
    if code == 0x20 then
      a = string.unpack("<I4", data, k + 1)
    elseif code == 0x54 then
      a = a & k
    elseif code == 0x05 then
      at = at + k
    elseif code == 0x06 then
      return ACTIONS[k] or k >> 16 == 5 and k & 0xffff or k
    else
      local truth
      if code == 0x15 then
        truth = a == k
      elseif code == 0x25 then
        truth = a > k
      elseif code == 0x35 then
        truth = a >= k
      else
        assert(code == 0x45, "an instruction that this does not know")
        truth = a & k ~= 0
      end
      at = at + (truth and yes or no)
    end
  end
end

--- What prepare leaves for the child.
local function prepare(given, capabilities)
  local c = { config = {
    process = { capabilities = { bounding = capabilities or {} } },
    linux = { seccomp = given },
  } }
  local ok, message, errno = seccomp.prepare(c)
  return ok and c.seccomp, message, errno
end

local function program(given, capabilities)
  return assert(prepare(given, capabilities)).program
end

local defaults = table.move(capability.DEFAULT, 1, #capability.DEFAULT, 1, {})
table.sort(defaults)

--- The numbers of this machine, as the compiler has them.
local numbers = {}
for name, number in support.run("echo '#include <sys/syscall.h>' | ${CC:-cc} -E -dM -").stdout
  :gmatch("#define __NR_([%w_]+) (%d+)\n") do
  numbers[name] = math.tointeger(number)
end

describe("the default profile", function()
  local compiled = program("default", defaults)

  local function ask(name, ...)
    return decide(compiled, NATIVE, assert(numbers[name], name), ...)
  end

  it("allows each call that it names without a condition, refuses each that it does not", function()
    local free, named, newest = {}, {}, 469
    for _, entry in ipairs(default.syscalls) do
      for _, name in ipairs(entry.names) do
        named[name] = true
        free[name] = free[name] or entry.action == "SCMP_ACT_ALLOW" and not entry.args
          and not entry.includes and not entry.excludes
      end
    end
    local by_number = {}
    for name, number in pairs(numbers) do
      by_number[number] = name
    end
    local seen = 0
    for number = 0, newest do
      local name = by_number[number]
      if free[name] then
        assert.equal(ALLOW, decide(compiled, NATIVE, number), name)
        seen = seen + 1
      elseif name and not named[name] then
        assert.equal(1, decide(compiled, NATIVE, number), name)
      end
    end
    assert.is_true(seen > 230)
  end)

  it("does not know what is newer than all of it", function()
    assert.equal(38, decide(compiled, NATIVE, 470))
    assert.equal(38, decide(compiled, NATIVE, 1000))
    assert.equal(38, decide(compiled, NATIVE, 0x3fffffff))
  end)

  it("kills for x32, for 32-bit calls and for any other architecture", function()
    if NATIVE == X86_64 then
      assert.equal(KILL, decide(compiled, X86_64, 0x40000000))
      assert.equal(KILL, decide(compiled, X86_64, 0x40000000 | numbers.getpid))
      assert.equal(KILL, decide(compiled, X86_64, 0xbfffffff))
    end
    assert.equal(KILL, decide(compiled, I386, 20))
    assert.equal(KILL, decide(compiled, NATIVE == X86_64 and AARCH64 or X86_64, 1))
    assert.equal(KILL, decide(compiled, 0, 1))
  end)

  it("refuses clone with each flag of a new namespace, and allows it without", function()
    for _, flag in ipairs { 17, 25, 26, 27, 28, 29, 30 } do -- CLONE_NEWNS to CLONE_NEWNET
      assert.equal(1, ask("clone", 1 << flag | 17))
      assert.equal(1, ask("clone", 1 << flag | 1 << 32))
    end
    assert.equal(ALLOW, ask("clone", 17))
    assert.equal(ALLOW, ask("clone", 0x3d0f00)) -- a thread
    assert.equal(38, ask "clone3")
  end)

  it("refuses TIOCSTI and TIOCLINUX whatever the high bits are, and no other ioctl", function()
    for _, request in ipairs { 0x5412, 0x541c } do
      for _, high in ipairs { 0, 1 << 32, 1 << 63, 0xffffffff << 32, 0x12345678 << 32 } do
        assert.equal(1, ask("ioctl", 0, request | high))
      end
      for bit = 0, 31 do
        assert.equal(ALLOW, ask("ioctl", 0, request ~ (1 << bit)))
      end
    end
    for request = 0x5400, 0x5500 do
      local expected = (request == 0x5412 or request == 0x541c) and 1 or ALLOW
      assert.equal(expected, ask("ioctl", 0, request))
    end
    assert.equal(ALLOW, ask("ioctl", 0, 0))
    assert.equal(ALLOW, ask("ioctl", 0, 0xffffffff80045430)) -- as a libc with an int has it
  end)

  it("allows sockets of four families and refuses the others", function()
    for family = 0, 50 do
      local known = family == 1 or family == 2 or family == 10 or family == 16
      assert.equal(known and ALLOW or 1, ask("socket", family))
      assert.equal(family == 1 and ALLOW or 1, ask("socketpair", family))
    end
  end)

  it("allows five personalities", function()
    for _, persona in ipairs { 0, 8, 0x20000, 0x20008, 0xffffffff } do
      assert.equal(ALLOW, ask("personality", persona))
    end
    for bit = 0, 31 do
      local expected = (bit == 3 or bit == 17) and ALLOW or 1
      assert.equal(expected, ask("personality", 1 << bit))
    end
  end)

  it("allows with a capability what only that one is asked for", function()
    local cases = {
      CAP_SYS_ADMIN = { "mount", "unshare", "setns", "bpf", "clone3", "sethostname" },
      CAP_SYS_PTRACE = { "process_vm_readv", "kcmp" }, CAP_SYS_MODULE = { "init_module" },
      CAP_SYS_TIME = { "settimeofday" }, CAP_SYS_BOOT = { "reboot" }, CAP_BPF = { "bpf" },
      CAP_DAC_READ_SEARCH = { "open_by_handle_at" }, CAP_SYS_CHROOT = { "chroot" },
      CAP_SYSLOG = { "syslog" }, CAP_PERFMON = { "perf_event_open" },
    }
    local none = program(default, {})
    for name, calls in pairs(cases) do
      local one = program(default, { name })
      for _, call in ipairs(calls) do
        local refusal = call == "clone3" and 38 or 1
        assert.equal(refusal, decide(none, NATIVE, numbers[call]), call)
        assert.equal(ALLOW, decide(one, NATIVE, numbers[call]), call)
      end
    end
    local admin = program(default, { "CAP_SYS_ADMIN" })
    assert.equal(ALLOW, decide(admin, NATIVE, numbers.clone, 1 << 28))
    assert.equal(ALLOW, decide(program(default, { "CAP_NET_ADMIN" }), NATIVE, numbers.socket, 17))
  end)

  it("refuses some calls whatever the capabilities", function()
    local all = program(default, sys.capability_names())
    for _, name in ipairs { "keyctl", "add_key", "request_key", "userfaultfd", "io_uring_setup",
      "io_uring_enter", "io_uring_register", "kexec_load", "pivot_root", "swapon" } do
      assert.equal(1, decide(all, NATIVE, numbers[name]), name)
    end
  end)

  it("says the same on the other architecture", function()
    local beside = package.searchpath("container", package.cpath):match("^(.*)/[^/]*$")
    local libseccomp = assert(package.loadlib(beside .. "/container/libseccomp.so",
      "luaopen_container_libseccomp"))()
    local resolved = assert(profile.resolve(default, { capabilities = {}, kernel = "6.1",
      arch = "SCMP_ARCH_AARCH64" }))
    resolved.numbers = require "container.linux.seccomp.number"
    local arm = assert(libseccomp.compile(resolved, "SCMP_ARCH_AARCH64"))
    -- read, openat, clone, ioctl; unshare, mount, keyctl, clone3
    assert.equal(ALLOW, decide(arm, AARCH64, 63))
    assert.equal(ALLOW, decide(arm, AARCH64, 56))
    assert.equal(ALLOW, decide(arm, AARCH64, 220, 17))
    assert.equal(1, decide(arm, AARCH64, 220, 1 << 28))
    assert.equal(ALLOW, decide(arm, AARCH64, 29, 0, 0x5413))
    assert.equal(1, decide(arm, AARCH64, 29, 0, 0x5412))
    assert.equal(1, decide(arm, AARCH64, 97))
    assert.equal(1, decide(arm, AARCH64, 40))
    assert.equal(1, decide(arm, AARCH64, 219))
    assert.equal(38, decide(arm, AARCH64, 435))
    assert.equal(KILL, decide(arm, X86_64, 0))
    assert.equal(KILL, decide(arm, 0x40000028, 3)) -- 32-bit ARM
  end)
end)

describe("a profile in OCI's form", function()
  local function entry(given)
    given.names = given.names or { "getpid" }
    given.action = given.action or "SCMP_ACT_ALLOW"
    return { defaultAction = "SCMP_ACT_ERRNO", syscalls = { given } }
  end

  local function refused(words, given)
    local filter, message, errno = prepare(given)
    assert.is_falsy(filter)
    assert.equal(words, message)
    assert.equal(sys.errno.EINVAL, errno)
  end

  it("has its actions, each with its errno", function()
    local compiled = program { defaultAction = "SCMP_ACT_ERRNO", defaultErrnoRet = 61, syscalls = {
      { names = { "getpid" }, action = "SCMP_ACT_KILL_PROCESS" },
      { names = { "getuid" }, action = "SCMP_ACT_KILL" },
      { names = { "getgid" }, action = "SCMP_ACT_TRAP" },
      { names = { "geteuid" }, action = "SCMP_ACT_LOG" },
      { names = { "getegid" }, action = "SCMP_ACT_ERRNO", errnoRet = 5 },
      { names = { "gettid" }, action = "SCMP_ACT_ALLOW" },
    } }
    local answers = { getpid = KILL, getuid = "kill thread", getgid = "trap", geteuid = "log",
      getegid = 5, gettid = ALLOW, getppid = 61 }
    for name, answer in pairs(answers) do
      assert.equal(answer, decide(compiled, NATIVE, numbers[name]), name)
    end
  end)

  it("has its operators", function()
    local cases = {
      { "SCMP_CMP_EQ", 5, 0, { 5 }, { 4, 6, 5 | 1 << 32 } },
      { "SCMP_CMP_NE", 5, 0, { 4, 6, 5 | 1 << 32 }, { 5 } },
      { "SCMP_CMP_LT", 5, 0, { 0, 4 }, { 5, 6, 1 << 32 } },
      { "SCMP_CMP_LE", 5, 0, { 0, 5 }, { 6, 1 << 32 } },
      { "SCMP_CMP_GT", 5, 0, { 6, 1 << 32 }, { 0, 5 } },
      { "SCMP_CMP_GE", 5, 0, { 5, 1 << 32 }, { 0, 4 } },
      { "SCMP_CMP_MASKED_EQ", 6, 2, { 2, 3, 10 }, { 0, 4, 6 } },
    }
    for _, case in ipairs(cases) do
      local op, value, second, yes, no = table.unpack(case)
      local compiled = program(entry { args = {
        { index = 2, op = op, value = value, valueTwo = second } } })
      for _, datum in ipairs(yes) do
        assert.equal(ALLOW, decide(compiled, NATIVE, numbers.getpid, 0, 0, datum), op)
      end
      for _, datum in ipairs(no) do
        assert.equal(1, decide(compiled, NATIVE, numbers.getpid, 0, 0, datum), op)
      end
    end
  end)

  it("asks all arguments of an entry, but one of several conditions on the same", function()
    local function arg(index, value)
      return { index = index, op = "SCMP_CMP_EQ", value = value }
    end
    local both = program(entry { args = { arg(0, 1), arg(1, 2) } })
    assert.equal(ALLOW, decide(both, NATIVE, numbers.getpid, 1, 2))
    assert.equal(1, decide(both, NATIVE, numbers.getpid, 1, 3))
    local either = program(entry { args = { arg(0, 1), arg(0, 2) } })
    assert.equal(ALLOW, decide(either, NATIVE, numbers.getpid, 1))
    assert.equal(ALLOW, decide(either, NATIVE, numbers.getpid, 2))
    assert.equal(1, decide(either, NATIVE, numbers.getpid, 3))
  end)

  if NATIVE == X86_64 then
    it("lets another architecture in where it names that", function()
      local given = entry {}
      given.architectures = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86" }
      local compiled = program(given)
      assert.equal(ALLOW, decide(compiled, I386, 20)) -- getpid
      assert.equal(1, decide(compiled, I386, 64)) -- getppid
      assert.equal(KILL, decide(compiled, X86_64, 0x40000000 | numbers.getpid))
    end)
  end

  it("is refused with the name of the call, action, operator or architecture", function()
    refused("unknown system call frobnicate", entry { names = { "getpid", "frobnicate" } })
    refused("unknown action SCMP_ACT_MAYBE", entry { action = "SCMP_ACT_MAYBE" })
    refused("listenerPath: SCMP_ACT_NOTIFY takes one, and no process listens",
      entry { action = "SCMP_ACT_NOTIFY" })
    refused("unknown operator SCMP_CMP_LIKE", entry { args = { { index = 0, value = 1,
      op = "SCMP_CMP_LIKE" } } })
    local given = entry {}
    given.architectures = { "SCMP_ARCH_PDP11" }
    refused("unknown architecture SCMP_ARCH_PDP11", given)
  end)

  it("is refused by the field that is wrong", function()
    refused("profile: unknown field \"sycalls\"", { sycalls = {} })
    refused("syscalls[1].names: expected an array, got the key \"kill\"",
      entry { names = { "getpid", kill = true } })
    refused("defaultAction: expected an action such as SCMP_ACT_ERRNO, got nil", {})
    refused("profile.syscalls: expected a table, got 1", { syscalls = 1 })
    refused("syscalls[1]: expected a table, got \"getpid\"", { defaultAction = "SCMP_ACT_ALLOW",
      syscalls = { "getpid" } })
    refused("syscalls[1].names[2]: expected a string, got 7", entry { names = { "getpid", 7 } })
    refused("syscalls[1].errnoRet: expected an integer from 0 to 4095, got 5000",
      entry { errnoRet = 5000 })
    refused("syscalls[1].args[1].index: expected an integer from 0 to 5, got 6",
      entry { args = { { index = 6, op = "SCMP_CMP_EQ" } } })
    refused("syscalls[1].args[1].index: expected an integer that JSON says exactly, got nil",
      entry { args = { { op = "SCMP_CMP_EQ" } } })
    refused("syscalls[1].args[1].value: expected an integer that JSON says exactly, got 1.5",
      entry { args = { { index = 0, value = 1.5, op = "SCMP_CMP_EQ" } } })
    local given = entry {}
    given.flags = { "SECCOMP_FILTER_FLAG_NEW_LISTENER" }
    refused("flags[1]: expected a flag such as SECCOMP_FILTER_FLAG_LOG, "
      .. "got \"SECCOMP_FILTER_FLAG_NEW_LISTENER\"", given)
  end)

  -- Entries of one call each, one of 20 in turn, each with a condition if there is one for it.
  local function entries(count, condition)
    local calls = {}
    for name in ("read write open close stat fstat lstat poll lseek mmap mprotect munmap brk \z
      ioctl pread64 pwrite64 readv writev access pipe"):gmatch("%S+") do
      calls[#calls + 1] = name
    end
    local list = {}
    for i = 1, count do
      list[i] = { names = { calls[i % #calls + 1] }, action = "SCMP_ACT_ERRNO", errnoRet = 99,
        args = condition and { condition(i) } }
    end
    return { defaultAction = "SCMP_ACT_ALLOW", syscalls = list }
  end

  local function unlikely(i)
    return { index = i % 6, value = (1 << 40) + i, op = "SCMP_CMP_EQ" }
  end

  it("has hundreds of entries, or thousands that say the same", function()
    assert.is_string(program(entries(1000, unlikely)))
    assert.equal(program(entries(20)), program(entries(10000)))
    local names = {}
    for i = 1, 200000 do
      names[i] = i % 2 == 0 and "getpid" or "getppid"
    end
    local many = { { names = names, action = "SCMP_ACT_LOG" } }
    assert.is_string(program { defaultAction = "SCMP_ACT_ALLOW", syscalls = many })
  end)

  it("is refused in a sentence where no program of the kernel's holds its rules", function()
    local _, message = prepare(entries(10000, unlikely))
    assert.matches("more than 4096 rules: the kernel takes no such filter$", message)
  end)

  it("is refused in a sentence where its rules make too many instructions", function()
    local given = entries(1500)
    for i, one in ipairs(given.syscalls) do
      one.names, one.args = { "ioctl" }, {}
      for k = 1, 3 do
        one.args[k] = { index = k, op = "SCMP_CMP_EQ", value = (1 << 33) + 7 * i + k }
      end
    end
    local _, message, errno = prepare(given)
    assert.matches("^1500 rules make %d+ instructions: the kernel takes no more than 4096$",
      message)
    assert.equal(sys.errno.EINVAL, errno)
  end)

  it("has its flags", function()
    local given = entry {}
    given.flags = { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW" }
    assert.equal("log,spec_allow", prepare(given).flags)
  end)
end)

describe("docker's additions to a profile", function()
  local function resolve(more, where)
    local given = { defaultAction = "SCMP_ACT_ERRNO", syscalls = { more } }
    more.names, more.action = { "getpid" }, "SCMP_ACT_ALLOW"
    local resolved = assert(profile.resolve(given, {
      capabilities = where.capabilities or {}, arch = "SCMP_ARCH_X86_64",
      kernel = where.kernel or "6.1.0" }))
    return #resolved.syscalls == 1
  end

  it("count an entry when all capabilities it includes are there", function()
    local both = { caps = { "CAP_A", "CAP_B" } }
    assert.is_true(resolve({ includes = both }, { capabilities = { CAP_A = true, CAP_B = true } }))
    assert.is_false(resolve({ includes = both }, { capabilities = { CAP_A = true } }))
    assert.is_true(resolve({ includes = {} }, {}))
  end)

  it("leave an entry out when any capability it excludes is there", function()
    local either = { caps = { "CAP_A", "CAP_B" } }
    assert.is_false(resolve({ excludes = either }, { capabilities = { CAP_A = true } }))
    assert.is_true(resolve({ excludes = either }, {}))
  end)

  it("know this architecture and kernel", function()
    assert.is_true(resolve({ includes = { arches = { "arm64", "amd64" } } }, {}))
    assert.is_false(resolve({ includes = { arches = { "s390x" } } }, {}))
    assert.is_false(resolve({ excludes = { arches = { "amd64" } } }, {}))
    assert.is_true(resolve({ includes = { minKernel = "4.8" } }, { kernel = "5.10.0-1-cloud" }))
    assert.is_false(resolve({ includes = { minKernel = "4.8" } }, { kernel = "4.4.1" }))
    assert.is_false(resolve({ includes = { minKernel = "5.10" } }, { kernel = "5.9" }))
  end)

  it("go together: three architectures, names that only some have, and null", function()
    local given = assert(profile.json([[{
      "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
      "archMap": [
        { "architecture": "SCMP_ARCH_X86_64",
          "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
        { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"] },
        { "architecture": "SCMP_ARCH_MIPS64", "subArchitectures": ["SCMP_ARCH_MIPS"] },
        { "architecture": "SCMP_ARCH_RISCV64", "subArchitectures": null }
      ],
      "syscalls": [
        { "names": ["getpid", "chown32", "_llseek", "socketcall", "ipc", "waitpid", "recv",
            "umount", "stime", "cachestat", "fchmodat2", "clock_settime64"],
          "action": "SCMP_ACT_ALLOW", "args": null, "comment": "", "includes": {} },
        { "names": ["personality"], "action": "SCMP_ACT_ALLOW",
          "args": [{ "index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ" }] },
        { "names": ["s390_runtime_instr"], "action": "SCMP_ACT_ALLOW",
          "includes": { "arches": ["s390", "s390x"] } },
        { "names": ["riscv_of_no_libseccomp"], "action": "SCMP_ACT_ALLOW",
          "includes": { "arches": ["riscv64"] } },
        { "names": ["clone"], "action": "SCMP_ACT_ALLOW",
          "args": [{ "index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ" }],
          "excludes": { "caps": ["CAP_SYS_ADMIN"], "arches": ["s390", "s390x"] } }
      ] }]]))
    local compiled = program(given)
    assert.equal(ALLOW, decide(compiled, NATIVE, numbers.getpid))
    assert.equal(1, decide(compiled, NATIVE, numbers.getppid))
    assert.equal(ALLOW, decide(compiled, NATIVE, numbers.personality, 0xffffffff))
    assert.equal(ALLOW, decide(compiled, NATIVE, numbers.clone, 17))
    assert.equal(1, decide(compiled, NATIVE, numbers.clone, 1 << 28))
    if NATIVE == X86_64 then
      assert.equal(ALLOW, decide(compiled, I386, 20)) -- getpid
      assert.equal(ALLOW, decide(compiled, I386, 102)) -- socketcall
      assert.equal(1, decide(compiled, I386, 64)) -- getppid
      assert.equal(ALLOW, decide(compiled, X86_64, 0x40000000 | numbers.getpid))
    end
  end)

  it("bring in the other architectures of this one", function()
    local resolved = assert(profile.resolve({ defaultAction = "SCMP_ACT_ALLOW", archMap = {
      { architecture = "SCMP_ARCH_X86_64", subArchitectures = { "SCMP_ARCH_X86" } },
      { architecture = "SCMP_ARCH_AARCH64", subArchitectures = { "SCMP_ARCH_ARM" } },
    } }, { capabilities = {}, arch = "SCMP_ARCH_X86_64", kernel = "6.1" }))
    assert.same({ "SCMP_ARCH_X86" }, resolved.architectures)
  end)
end)
