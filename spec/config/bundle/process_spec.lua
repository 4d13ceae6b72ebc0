local api = require "container.api"
local bundles = require "spec.fixtures.bundle"
local json = require "container.json"
local support = require "spec.support"
local sys = require "container.sys"

local output, failure = bundles.output, bundles.failure

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

-- What docker and podman write, by the few calls that show it.
local function seccomp(entry, more)
  return function(c)
    c.linux.seccomp = { defaultAction = "SCMP_ACT_ALLOW",
      architectures = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32" },
      syscalls = { { names = { "bdflush", "no_such_call" }, action = "SCMP_ACT_ALLOW" }, entry } }
    if more then
      more(c)
    end
  end
end

describe("the process of a bundle #root", function()
  it("has each of its five sets of capabilities", function()
    local function sets(user, effective, ambient)
      return (output("echo $(grep Cap /proc/self/status | cut -c 22-)", function(c)
        c.process.user = { uid = user, gid = user }
        c.process.capabilities = { bounding = { "CAP_CHOWN", "CAP_KILL" },
          permitted = { "CAP_CHOWN", "CAP_KILL" }, effective = effective,
          inheritable = { "CAP_KILL", "CAP_NET_RAW" }, ambient = ambient }
      end))
    end
    -- Inheritable, permitted, effective, bounding, ambient; an exec of root's gives it all that the
    -- bounding set has.
    assert.equal("020 021 021 021 000\n", sets(0, { "CAP_CHOWN" }, {}))
    assert.equal("020 020 020 021 020\n", sets(5, { "CAP_CHOWN" }, { "CAP_KILL" }))
    assert.equal("020 000 000 021 000\n", sets(5, { "CAP_CHOWN" }, {}))
  end)

  it("has a filter as podman writes it, which is compiled once", function()
    local home = support.tmpdir()
    local script = ([[
      package.preload["container.sys"] =
        package.loadlib("./container.so", "luaopen_container_sys")
      package.path = "./build/lua/?.lua;./lua/?.lua;./?.lua"
      local compile = require "container.linux.seccomp.compile"
      local real, count = compile.profile, 0
      compile.profile = function(...)
        count = count + 1
        return real(...)
      end
      local seccomp = require "container.linux.seccomp"
      for i = 1, 2 do
        local ctx = { bundle = "/b", config = { process = {}, linux = { seccomp = {
          defaultAction = "SCMP_ACT_ERRNO", defaultErrnoRet = 38,
          architectures = { "SCMP_ARCH_X86_64" },
          syscalls = { { names = { "read" }, action = "SCMP_ACT_ALLOW", args = { { index = 2,
            value = 9, op = "SCMP_CMP_NE" } } } } } } } }
        assert(seccomp.prepare(ctx))
        print(count, #ctx.seccomp.program %% 8)
      end]])
    assert.equal("1\t0\n1\t0\n", support.run(("HOME=%s XDG_CACHE_HOME= %s -e %s"):format(home,
      support.lua, support.quote(script:gsub("%%%%", "%%")))).stdout)
  end)

  it("is refused calls as its filter says, by arguments too", function()
    local deny = { names = { "mkdir", "mkdirat" }, action = "SCMP_ACT_ERRNO", errnoRet = 75 }
    assert.matches("Value too large", (output("mkdir /tmp/a", seccomp(deny))))
    assert.matches("Value too large", (output("mkdir /tmp/a", seccomp(deny, function(c)
      c.process.noNewPrivileges = true
    end))))
    assert.equal("Operation not permitted\n", (output("kill -9 $$ 2>&1 | sed 's/.*: //'; "
      .. "kill -0 $$ && :", seccomp({ names = { "kill" }, action = "SCMP_ACT_ERRNO",
        args = { { index = 1, value = 9, op = "SCMP_CMP_EQ" } } }))))
  end)

  it("is not started with a filter that is none", function()
    assert.equal("seccomp: linux.seccomp.unknown action SCMP_ACT_NONE",
      failure("true", seccomp({ names = { "kill" }, action = "SCMP_ACT_NONE" })))
    assert.equal("seccomp: linux.seccomp.listenerPath: is missing: an action is SCMP_ACT_NOTIFY",
      failure("true", seccomp({ names = { "kill" }, action = "SCMP_ACT_NOTIFY" })))
    assert.equal("seccomp: connect /nope/sock: No such file or directory",
      failure("true", seccomp({ names = { "kill" }, action = "SCMP_ACT_NOTIFY" }, function(c)
        c.linux.seccomp.listenerPath = "/nope/sock"
      end)))
  end)

  it("has a listener that is told of it and gets the fd to answer by", function()
    local path = support.tmpdir() .. "/sock"
    local socket <close> = assert(sys.socket_bind(path))
    local c <close> = assert(bundles.spawn("mkdir /tmp/a; sleep 60", seccomp(
      { names = { "mkdir", "mkdirat" }, action = "SCMP_ACT_NOTIFY" }, function(config)
        config.linux.seccomp.listenerPath = path
        config.linux.seccomp.listenerMetadata = "data"
        config.linux.seccomp.flags = { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" }
        config.annotations = { a = "b" }
      end)))
    local line <close> = assert(sys.socket_accept(socket))
    local fd <close> = assert(sys.receive_fd(line))
    assert.equal("anon_inode:seccomp notify", sys.readlink("/proc/self/fd/" .. fd:fileno()))
    assert.is_true(sys.ppoll({ fd }, 10)[1]) -- it asks
    local text = "{" .. sys.read(line):gsub("^{", "")
    local state = assert(json.decode(text))
    assert.same({ c.pid, "data", "seccompFd", c.pid, "b", "creating" }, { state.pid,
      state.metadata, state.fds[1], state.state.pid, state.state.annotations.a,
      state.state.status })
    c:kill()
  end)

  it("is scheduled, and served by disks and memory, as it says", function()
    local text = output(
      "ionice -p $$; uname -m; cut -d ' ' -f 19,41 /proc/$$/stat", function(c)
        c.process.scheduler = { policy = "SCHED_BATCH", nice = 7,
          flags = { "SCHED_FLAG_RESET_ON_FORK" } }
        c.process.ioPriority = { class = "IOPRIO_CLASS_BE", priority = 6 }
        c.linux.personality = { domain = "LINUX32" }
      end)
    assert.matches("\n7 3\n", text)
    assert.matches("best%-effort: prio 6", text)
    assert.matches(sys.uname().machine == "x86_64" and "i686" or "armv", text, 1, true)
    local refusal = failure("true", function(c)
      c.linux.memoryPolicy = { mode = "MPOL_BIND", nodes = "900", flags = {} }
    end)
    assert.matches("^process: .*[mM]emoryPolicy", (refusal:gsub("set_mempolicy bind",
      "memoryPolicy")))
  end)

  local REFUSED <const> = {
    { "process.scheduler.policy: expected one of SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH "
      .. "SCHED_ISO SCHED_IDLE SCHED_DEADLINE, got \"SCHED_BEST\"",
      function(c) c.process.scheduler = { policy = "SCHED_BEST" } end },
    { "process.scheduler.priority: takes SCHED_FIFO or SCHED_RR",
      function(c) c.process.scheduler = { policy = "SCHED_OTHER", priority = 5 } end },
    { "process.ioPriority.priority: expected an integer from 0 to 7, got 8",
      function(c) c.process.ioPriority = { class = "IOPRIO_CLASS_RT", priority = 8 } end },
    { "process.execCPUAffinity.final: expected a list such as 0-3,7, got \"3-1\"",
      function(c) c.process.execCPUAffinity = { final = "3-1" } end },
    { "linux.personality.domain: expected one of LINUX LINUX32, got \"BSD\"",
      function(c) c.linux.personality = { domain = "BSD" } end },
    { "linux.memoryPolicy.mode: is missing",
      function(c) c.linux.memoryPolicy = { nodes = "0" } end },
  }
  for _, case in ipairs(REFUSED) do
    it("is refused: " .. case[1], function()
      assert.equal("config: " .. case[1], bundles.refusal(case[2]))
    end)
  end

  it("has labels only of a module that the kernel has", function()
    local labels = require "container.linux.labels"
    for field, name in pairs { apparmorProfile = "AppArmor", selinuxLabel = "SELinux" } do
      if not labels.has(field) then
        assert.equal(("config: process.%s: this kernel has no %s, or it is off"):format(field,
          name), bundles.refusal(function(c) c.process[field] = "any" end))
      end
    end
  end)
end)
