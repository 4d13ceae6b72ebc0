-- The filter as a program in a container meets it: what is refused and how, what goes on as ever,
-- and how one gets another filter or none.

local container = require "container"
local sys = require "container.sys"
local command = require "spec.fixtures.command"
local seccomp = require "container.linux.seccomp"
local support = require "spec.support"

local X86 <const> = sys.seccomp_arch() == "SCMP_ARCH_X86_64"

-- What the fixture tries and does not get as EPERM: 38 is ENOSYS.
local OTHERWISE <const> = { clone3 = 38, statmount = 38, listmount = 38 }

--- Options that bring the fixture into a view.
local function fixture(...)
  return "--volume=" .. command.program "syscalls" .. ":/syscalls", ...
end

local function answers(text)
  local set, count = {}, 0
  for name, errno in text:gmatch("(%S+) (%d+)\n") do
    set[name], count = tonumber(errno), count + 1
  end
  return set, count
end

--- Every call of the fixture is refused by the filter; nothing of this needs a capability.
local function all_refused(text)
  local set, count = answers(text)
  assert.is_true(count >= 70)
  for name, errno in pairs(set) do
    assert.equal(OTHERWISE[name] or 1, errno, name)
  end
end

--- A file with a profile.
local function file(text)
  local path = support.tmpdir() .. "/profile.json"
  local out <close> = assert(io.open(path, "w"))
  out:write(text)
  return path
end

for _, caller in ipairs(command.callers) do
  describe("the default filter, for " .. caller.name, function()
    it("is there, and one only", function()
      local text = caller:print("cat", "/proc/self/status")
      assert.equal("2", text:match("\nSeccomp:%s*(%d)"))
      assert.equal("1", text:match("\nSeccomp_filters:%s*(%d)") or "1") -- Linux 5.9
    end)

    it("refuses what has led out of containers", function()
      all_refused(caller:print(fixture("/syscalls")))
      all_refused(caller:print(fixture("--no-init", "/syscalls")))
    end)

    it("lets ordinary programs fork, make threads and talk over sockets", function()
      local set, count = answers(caller:print(fixture("/syscalls", "threads")))
      assert.equal(8, count)
      assert.equal(38, set.newer) -- of no kernel yet
      for name, errno in pairs(set) do
        assert.equal(name == "newer" and 38 or 0, errno, name)
      end
    end)

    it("ends a program with SYS that enters the kernel another way", function()
      for _, way in ipairs { "x32", X86 and "int80" or nil } do
        local result = caller:run("--quiet", fixture("/syscalls", way))
        assert.equal(X86 and 128 + 31 or 0, result.status)
        assert.equal(X86 and "" or "x32 1\n", result.stdout)
      end
    end)

    it("is there without the promise of no new privileges as well", function()
      all_refused(caller:print(fixture("--security-opt", "no-new-privileges=false", "/syscalls")))
    end)

    it("is not there with seccomp=unconfined, nor with --privileged", function()
      for _, option in ipairs { "--security-opt=seccomp=unconfined", "--privileged" } do
        assert.matches("Seccomp:%s*0\n", caller:print(option, "grep", "Seccomp:",
          "/proc/self/status"))
      end
    end)

    it("is that of a JSON file with seccomp=FILE, read once and then known", function()
      local path = file [[{
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [
          { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
            "args": null, "comment": "", "includes": {}, "excludes": {} }
        ] }]]
      local cache = support.tmpdir()
      local uid, gid = caller:shell("id -u").stdout, caller:shell("id -g").stdout
      assert(sys.chown(cache, math.tointeger(uid), math.tointeger(gid)))
      for _ = 1, 2 do
        local result = caller:shell(("XDG_CACHE_HOME=%s %s run.lua -q --security-opt seccomp=%s \z
          mkdir /tmp/a"):format(cache, support.lua, path))
        assert.matches("No space left on device", result.stderr)
        assert.equal(1, result.status)
      end
      local names = sys.list(cache .. "/lua-container")
      assert.equal(1, #names)
      local st = sys.stat(cache .. "/lua-container/" .. names[1])
      assert.equal(math.tointeger(uid), st.uid)
      assert.equal(0, st.mode & 0x12)
    end)
  end)
end

-- What takes libseccomp minutes: 20 entries that overlap in all six arguments of one call.
local function endless()
  local entries = {}
  for i = 0, 19 do
    local args = {}
    for k = 0, 5 do
      args[k + 1] = ([[{ "index": %d, "op": "SCMP_CMP_%s", "value": %d, "valueTwo": %d }]]):format(
        k, ({ "GE", "LT", "NE", "MASKED_EQ" })[(i + k) % 4 + 1], (i * 7919 + k * 31) % 65536,
        (i * 77 + k) % 4096)
    end
    entries[i + 1] = ([[{ "names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": %d,
      "args": [%s] }]]):format(i + 1, table.concat(args, ", "))
  end
  return ([[{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [%s] }]]):format(
    table.concat(entries, ",\n"))
end

for _, caller in ipairs(command.callers) do
  describe("a filter that takes long to compile, for " .. caller.name, function()
    it("is given up, in a sentence, for a signal that ends the launcher", function()
      local path = file(endless())
      for name, number in pairs { TERM = 15, INT = 2, HUP = 1 } do
        -- The child that compiles is there: then the signal comes.
        local result = caller:shell(([[
          %s run.lua -q --security-opt seccomp=%s true 2>&1 & launcher=$!
          until read -r child </proc/$launcher/task/$launcher/children || [ "$child" ]; do :; done
          kill -%s $launcher; wait $launcher; echo $?
          while [ -e /proc/$child ]; do :; done]]):format(support.lua, path, name))
        assert.equal(("lua-container: seccomp: %s: compiling the profile: interrupted by \z
          a signal\n%d\n"):format(path, 128 + number), result.stdout)
      end
    end)
  end)
end

-- A profile that answers these calls with an errno; 0 is a call that seems to succeed.
local function refusing(names, errno)
  return file(([[{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    { "names": [%s], "action": "SCMP_ACT_ERRNO", "errnoRet": %d }] }]]):format(
    names:gsub("%S+", "\"%0\""):gsub(" ", ", "), errno))
end

-- Behind what the program itself had to say.
local NEEDS <const> = "lua%-container: init: [^\n]+ %(a profile of seccomp has to allow what init "
  .. "needs: [^\n]+%)\n$"

for _, caller in ipairs(command.callers) do
  describe("init under a filter that refuses what it needs, for " .. caller.name, function()
    local function run(path, ...)
      return caller:run("--quiet", "--security-opt", "seccomp=" .. path, ...)
    end

    it("leaves, and the command says so with 125", function()
      for name in ("read ppoll wait4 signalfd4 rt_sigprocmask rt_sigaction close fcntl prctl")
        :gmatch("%S+") do
        local result = run(refusing(name, 1), "true")
        assert.equal(125, result.status, name)
        assert.matches(NEEDS, result.stderr, 1, false, name)
      end
    end)

    it("leaves where such a call does nothing and seems to succeed", function()
      for name in ("read ppoll wait4 signalfd4 close fcntl"):gmatch("%S+") do
        local result = run(refusing(name, 0), "sleep", "0.1")
        assert.equal(125, result.status, name)
        assert.matches(NEEDS, result.stderr, 1, false, name)
      end
    end)

    it("leaves where it cannot pass on the signal that is to end the program", function()
      for _, name in ipairs { "TERM", "HUP", "INT", "QUIT" } do
        local s <close> = caller:start("--security-opt", "seccomp=" .. refusing("kill", 1), "sh",
          "-c", "echo ready; exec sleep 60")
        s:expect "^ready\n$"
        s:signal(name)
        assert.equal(125, s:wait(), name)
      end
    end)

    it("is killed by the launcher's TERM where passing that on only seems to succeed", function()
      for name in ("kill rt_sigprocmask"):gmatch("%S+") do
        local s <close> = caller:start("--stop-timeout", "0.2", "--security-opt",
          "seccomp=" .. refusing(name, 0), "sh", "-c", "echo ready; exec sleep 60")
        s:expect "^ready\n$"
        s:signal("TERM")
        assert.equal(137, s:wait(), name)
      end
    end)

    it("ends as the program does where it needs no more than to leave", function()
      for name in ("write getrusage exit exit_group ioctl getpgid waitid"):gmatch("%S+") do
        for _, errno in ipairs { 0, 1 } do
          local result = run(refusing(name, errno), "sh", "-c", "kill -USR1 $$")
          assert.equal(128 + 10, result.status, name)
        end
      end
      assert.equal(3, run(refusing("write getrusage", 1), "sh", "-c", "exit 3").status)
    end)

    it("ends with SYS where such a call kills", function()
      local path = file [[{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        { "names": ["ppoll"], "action": "SCMP_ACT_KILL_PROCESS" }] }]]
      assert.equal(128 + 31, run(path, "sleep", "60").status)
    end)
  end)
end

describe("the default filter #root", function()
  it("refuses by itself: to one with all capabilities as well", function()
    local c = { config = { process = { capabilities = { bounding = {} } },
      linux = { seccomp = require "container.linux.seccomp.default" } } }
    assert(seccomp.prepare(c))
    local program = command.program "syscalls"
    local reader <close>, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      assert(sys.close_others { writer })
      assert(sys.no_new_privs())
      assert(sys.seccomp(c.seccomp.program))
      sys.exec { "sh", "-c", "exec \"$0\" >&3", program }
    end))
    writer:close()
    local text = support.drain(reader)
    support.wait(pid)
    all_refused(text)
    -- And without it nothing is EPERM.
    for name, errno in pairs((answers(support.run(program).stdout))) do
      assert.not_equal(1, errno, name)
    end
  end)

  it("lets a container with CAP_SYS_ADMIN mount and make namespaces", function()
    local cache = "XDG_CACHE_HOME=" .. support.tmpdir()
    local result = support.run(cache .. " " .. command.words(support.lua, "run.lua", "-q",
      "--cap-add", "SYS_ADMIN", "unshare", "-m", "sh", "-c",
      "mount -t tmpfs mine /mnt && grep -c ' /mnt .* - tmpfs mine ' /proc/self/mountinfo"))
    assert.equal("1\n", result.stdout)
    assert.equal("", result.stderr)
  end)
end)

describe("container.run #root", function()
  local function run(filter, ...)
    return container.run { "/syscalls", ..., seccomp = filter,
      volumes = { command.program "syscalls" .. ":/syscalls" } }
  end

  setup(function()
    assert(container.run { "true" }) -- from then on this process has the image of pid 1
  end)

  it("says that SYS ended a program", function()
    local result = assert(run({ defaultAction = "SCMP_ACT_ALLOW", syscalls = {
      { names = { "unshare" }, action = "SCMP_ACT_KILL_PROCESS" },
      -- The lines before are not for this test's output.
      { names = { "write" }, action = "SCMP_ACT_ERRNO", errnoRet = 9,
        args = { { index = 0, op = "SCMP_CMP_EQ", value = 1 } } },
    } }))
    assert.same({ "seccomp", 159, "SYS" }, { result.reason, result.status, result.signal })
  end)

  it("answers an error of init where its filter refuses what that needs", function()
    local result, err = container.run { "true", seccomp = refusing("wait4", 13) }
    assert.is_nil(result)
    assert.same({ "init", 13 }, { err.step, err.errno })
  end)

  it("takes false for none", function()
    local result = assert(container.run { "sh", "-c", "unshare -m true", seccomp = false,
      cap_add = { "SYS_ADMIN" } })
    assert.equal(0, result.status)
  end)

  it("refuses other types by the field", function()
    for _, value in ipairs { true, 1, "" } do
      local result, err = container.run { "true", seccomp = value }
      assert.is_nil(result)
      assert.same({ "spec", "seccomp" }, { err.step, err.subject })
    end
  end)

  it("fails in the step seccomp, before anything is made, for a profile that is wrong", function()
    local cases = {
      [file "{\n  \"defaultAction\": \"SCMP_ACT_ALLOW\",\n  oops\n}"] = "line 3: ",
      [file "{\"defaultAction\": \"SCMP_ACT_LATER\"}"] = "unknown action SCMP_ACT_LATER",
      [file "[]"] = "defaultAction: ",
      [file "7"] = "line 1: not an object",
      ["/no/such/profile"] = "read /no/such/profile: No such file or directory",
      ["/etc"] = "read /etc: Is a directory",
      ["/dev/zero"] = "read /dev/zero: more than 16777216 bytes",
    }
    for path, words in pairs(cases) do
      local result, err = container.run { "true", seccomp = path }
      assert.is_nil(result)
      assert.equal("seccomp", err.step)
      assert.is_truthy(err.message:find(words, 1, true), err.message)
      assert.is_truthy(err.message:find(path, 1, true), err.message)
    end
  end)
end)

describe("a compiled filter #root", function()
  -- A tree of its own, in which things can be missing.
  local function tree()
    local path = support.tmpdir()
    assert(os.execute(("cp -r container.so container run.lua lua %s"):format(path)))
    return path
  end

  local function start(path, cache, ...)
    return support.run(("cd %s && XDG_CACHE_HOME=%s %s"):format(path, cache,
      command.words(support.lua, "run.lua", "-q", ...)))
  end

  it("is taken from beside the module, without what compiles it", function()
    local path, cache = tree(), support.tmpdir()
    assert(os.remove(path .. "/container/libseccomp.so"))
    assert.equal(0, start(path, cache, "true").status)
    assert.same({}, sys.list(cache))
  end)

  it("is not used when it is of other capabilities: the start is refused in a sentence", function()
    local path, cache = tree(), support.tmpdir()
    assert(os.remove(path .. "/container/libseccomp.so"))
    local result = start(path, cache, "--cap-drop", "KILL", "true")
    assert.equal(125, result.status)
    assert.matches("^lua%-container: seccomp: this filter is not compiled yet, [^\n]*\n$",
      result.stderr)
  end)

  it("is made where there is none, kept in the user's cache, and found there", function()
    local path, cache = tree(), support.tmpdir()
    assert(os.remove(path .. "/container/seccomp.bpf"))
    assert.equal(0, start(path, cache, "true").status)
    assert.equal(1, #sys.list(cache .. "/lua-container"))
    assert.equal(0x1c0, sys.stat(cache .. "/lua-container").mode)
    assert(os.remove(path .. "/container/libseccomp.so"))
    assert.equal(0, start(path, cache, "true").status)
  end)

  it("is not believed when others may have written it, or it was cut", function()
    local path, cache = tree(), support.tmpdir()
    assert(os.remove(path .. "/container/seccomp.bpf"))
    assert.equal(0, start(path, cache, "true").status)
    assert(os.remove(path .. "/container/libseccomp.so"))
    local kept = cache .. "/lua-container/" .. sys.list(cache .. "/lua-container")[1]
    local function refused(change, back)
      assert(os.execute(change:format(kept)))
      assert.equal(125, start(path, cache, "true").status, change)
      assert(os.execute(back:format(kept)))
      assert.equal(0, start(path, cache, "true").status, back)
    end
    refused("chmod g+w %s", "chmod g-w %s")
    refused("chmod o+w %s", "chmod o-w %s")
    refused("chown 54321 %s", "chown 0 %s")
    refused("cp -p %s " .. kept .. ".whole && truncate -s -8 " .. kept,
      "mv " .. kept .. ".whole %s")
    refused("mv %s " .. kept .. ".whole && ln -s " .. kept .. ".whole " .. kept,
      "mv " .. kept .. ".whole %s")
  end)
end)
