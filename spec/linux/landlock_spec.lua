-- The wall of landlock as a program meets it, and how it is asked for.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local spec = require "container.config.spec"
local support = require "spec.support"

-- What a program of a system needs in any case.
local SYSTEM <const> = { "--landlock", "read=/usr", "--landlock=read=/bin", "--landlock=read=/lib" }
if sys.stat("/lib64") then
  SYSTEM[5] = "--landlock=read=/lib64"
end

local function behind(caller, ...)
  local words = table.move(SYSTEM, 1, #SYSTEM, 1, {})
  return caller:run("-q", table.unpack(table.move({ ... }, 1, select("#", ...), #words + 1, words)))
end

local function refuses(message, landlock)
  local c, err = spec.read { "true", landlock = landlock }
  assert.is_nil(c)
  assert.equal("spec: " .. message, tostring(err))
end

for _, caller in ipairs(command.callers) do
  describe("a program behind landlock, of " .. caller.name .. " #landlock", function()
    it("reads and executes what is beneath its paths, and nothing else", function()
      local result = behind(caller, "sh", "-c", "ls -d /usr/bin && cat /etc/passwd; ls /")
      assert.equal("/usr/bin\n", result.stdout)
      assert.matches("/etc/passwd: Permission denied", result.stderr)
      assert.matches("'?/'?: Permission denied", result.stderr)
      assert.equal(2, result.status)
    end)

    it("writes beneath its paths for that, and nowhere else", function()
      local result = behind(caller, "--landlock", "write=/tmp", "sh", "-c",
        "echo kept >/tmp/a; cat /tmp/a; mkdir /tmp/d && mv /tmp/a /tmp/d && rm -r /tmp/d; \z
         echo >/usr/a; mkdir /usr/d; rm /usr/bin/env; mv /usr/bin/env /tmp; \z
         ln /usr/bin/env /tmp/e; \z
         echo >/etc/a; [ -e /usr/bin/env ] && echo there")
      assert.equal("kept\nthere\n", result.stdout)
      assert.equal(6, select(2, result.stderr:gsub("Permission denied", "")) +
        select(2, result.stderr:gsub("cross%-device link", "")), result.stderr)
    end)

    it("has the devices that keep nothing, and what is open already", function()
      local result = behind(caller, "sh", "-c",
        "head -c 4 /dev/zero /dev/urandom >/dev/null && echo out; echo err >&2")
      assert.same({ status = 0, stdout = "out\n", stderr = "err\n" }, result)
    end)

    it("is behind it with --no-init, and without the promise of no new privileges", function()
      for _, option in ipairs { "--no-init", "--security-opt=no-new-privileges=false",
        "--privileged" } do
        local result = behind(caller, option, "cat", "/etc/passwd")
        assert.equal("cat: /etc/passwd: Permission denied\n", result.stderr, option)
      end
    end)

    it("is not executed when it lies beyond it", function()
      local result = caller:run("-q", "--landlock=read=/etc", "true")
      assert.equal("lua-container: exec: true: Permission denied\n", result.stderr)
      assert.equal(126, result.status)
    end)

    it("may be one file, and a link leads to where it leads inside", function()
      local rootfs = caller:rootfs()
      assert(sys.symlink("bin", rootfs .. "/link"))
      local result = caller:run("-q", "--rootfs", rootfs, "--landlock=read=/link/busybox",
        "sh", "-c", "busybox echo seen; busybox cat /bin/probe")
      assert.equal("seen\n", result.stdout)
      assert.matches("Permission denied", result.stderr)
    end)

    it("is not started when a path is not there", function()
      local result = caller:run("-q", "--landlock=read=/", "--landlock=write=/tmp",
        "--landlock=write=/nosuch", "true")
      assert.same({ status = 125, stdout = "", stderr =
        "lua-container: landlock: landlock.write[2] /nosuch: No such file or directory\n" }, result)
    end)
  end)
end

describe("the option landlock", function()
  it("is refused by its field for what is no path of the container", function()
    refuses("landlock: expected a table, got true", true)
    refuses("landlock: expected read or write, got \"reads\"", { reads = {} })
    refuses("landlock: expected read or write, got 1", { "/" })
    refuses("landlock.read: expected a table, got \"/\"", { read = "/" })
    refuses("landlock.read[2]: expected an absolute path, got \"usr\"", { read = { "/", "usr" } })
    refuses("landlock.read[1]: expected an absolute path, got \"\"", { read = { "" } })
    refuses("landlock.write[1]: expected an absolute path, got 5", { write = { 5 } })
    refuses("landlock.write[1]: contains a NUL byte", { write = { "/a\0b" } })
    refuses("landlock.write[1]: is missing: the array has a hole", { write = { [2] = "/" } })
    refuses("landlock.write: expected an array of paths, got the key \"x\"",
      { write = { "/", x = true } })
    refuses("landlock: expected a plain table, got one with a metatable", setmetatable({}, {}))
    refuses("landlock.read: expected a plain table, got one with a metatable",
      { read = setmetatable({ "/" }, {}) })
  end)

  it("is refused by name on the command line", function()
    for word, sentence in pairs {
      ["/usr"] = 'expected read or write, got "/usr"',
      ["exec=/usr"] = 'expected read or write, got "exec"',
      ["read=usr"] = 'expected an absolute path, got "usr"',
      ["read"] = 'expected an absolute path, got ""',
    } do
      assert.same({ status = 125, stdout = "", stderr = "lua-container: --landlock: " .. sentence
        .. "\n" }, support.run(command.words(support.lua, "run.lua", "--landlock", word, "true")))
    end
  end)

  for errno, reason in pairs { ENOSYS = "Function not implemented",
    EOPNOTSUPP = "Operation not supported" } do
    it("is refused where the kernel answers " .. errno, function()
      local landlock_abi <const> = sys.landlock_abi
      local _ <close> = setmetatable({}, { __close = function()
        sys.landlock_abi = landlock_abi
      end })
      sys.landlock_abi = function()
        return nil, "landlock_create_ruleset: " .. reason, sys.errno[errno]
      end
      local c, err = spec.read { "true", landlock = {} }
      assert.is_nil(c)
      assert.equal(sys.errno[errno], err.errno)
      assert.matches("^spec: landlock: this kernel has no landlock %(landlock_create_ruleset: "
        .. reason .. "%); it takes Linux 5%.13 or later", tostring(err))
    end)
  end

  it("asks only for what a version of landlock knows #landlock", function()
    local landlock = require "container.linux.landlock"
    for abi = 1, sys.landlock_abi() do
      local pid = assert(sys.clone({}, function()
        sys.no_new_privs()
        local ok = landlock.child { landlock = { abi = abi, read = { "/" }, write = { "/tmp" } } }
        sys._exit(ok and not sys.open("/etc/passwd", "rdwr")
          and sys.open("/etc/passwd") and 0 or 1)
      end))
      assert.same({ "exit", 0 }, { support.wait(pid) }, abi)
    end
  end)
end)
