-- What the container's root may do, and the options that give it more or less.

local sys = require "container.sys"
local command = require "spec.fixtures.command"

-- docker's default set without CAP_MKNOD.
local DEFAULT <const> = "00000000a00425fb"
local NONE <const> = "0000000000000000"
local CHOWN <const>, NET_ADMIN <const> = 1 << 0, 1 << 12

local function capabilities(caller, ...)
  local words = table.pack(...)
  table.move({ "grep", "-h", "^Cap", "/proc/self/status" }, 1, 4, words.n + 1, words)
  local text = caller:print(table.unpack(words))
  return text:match("CapEff:\t(%x+)"), text:match("CapBnd:\t(%x+)"), text:match("CapInh:\t(%x+)"),
    text:match("CapAmb:\t(%x+)")
end

for _, caller in ipairs(command.callers) do
  describe("a program of " .. caller.name, function()
    it("has at most the capabilities that docker gives, and none to inherit", function()
      for _, init in ipairs { "--", "--no-init" } do
        local effective, bounding, inheritable, ambient =
          capabilities(caller, init == "--" and "--quiet" or init)
        assert.equal(DEFAULT, effective)
        assert.equal(DEFAULT, bounding)
        assert.equal(NONE, inheritable)
        assert.equal(NONE, ambient)
      end
    end)

    it("has none of them with --cap-drop ALL, and then those of --cap-add", function()
      assert.equal(NONE, (capabilities(caller, "--cap-drop", "ALL")))
      assert.equal(("%016x"):format(CHOWN),
        (capabilities(caller, "--cap-drop", "ALL", "--cap-add", "CHOWN")))
      assert.equal(("%016x"):format(CHOWN),
        (capabilities(caller, "--cap-add=cap_chown", "--cap-drop=all")))
    end)

    it("has one more with --cap-add and one less with --cap-drop", function()
      local default = tonumber(DEFAULT, 16)
      assert.equal(("%016x"):format(default & ~CHOWN),
        (capabilities(caller, "--cap-drop", "CHOWN")))
      local result = caller:run("-q", "--cap-add", "NET_ADMIN", "grep", "CapEff",
        "/proc/self/status")
      assert.equal(("CapEff:\t%016x\n"):format(default | NET_ADMIN), result.stdout, result.stderr)
    end)

    it("cannot gain privileges, unless that is asked for", function()
      local look = { "grep", "^NoNewPrivs", "/proc/self/status" }
      assert.equal("NoNewPrivs:\t1\n", caller:print(table.unpack(look)))
      assert.equal("NoNewPrivs:\t1\n", caller:print("--no-init", table.unpack(look)))
      assert.equal("NoNewPrivs:\t0\n",
        caller:print("--security-opt", "no-new-privileges=false", table.unpack(look)))
    end)

    it("cannot mount, and cannot make namespaces in which it could", function()
      for _, words in ipairs {
        { "mount", "-t", "tmpfs", "x", "/mnt" }, { "umount", "/proc" }, { "unshare", "-m", "true" },
      } do
        assert.not_equal(0, caller:run("-q", table.unpack(words)).status, table.concat(words, " "))
      end
    end)

    it("cannot read a disk of the host by a node that it makes", function()
      local disk = sys.stat("/").dev -- 0 and something where that is no disk
      local major, minor = disk >> 8 & 0xfff, disk & 0xff
      for _, directory in ipairs { "/", "/dev", "/tmp", "/dev/shm" } do
        local result = caller:run("-q", "sh", "-c",
          ("cd %s && mknod node b %d %d && head -c 1 node"):format(directory, major, minor))
        assert.equal("", result.stdout)
        assert.not_equal(0, result.status, directory)
      end
    end)

    it("finds no secret of the host's in a view", function()
      assert.equal("", caller:run("-q", "sh", "-c", "cut -d: -f2- /etc/shadow | \z
        grep -v '^[*]:*$'; find /var/log /var/spool /var/backups /etc/ssl/private -type f").stdout)
    end)

    it("cannot change the kernel's settings", function()
      -- Nothing would be changed if it could: the one keeps its value, the other is only opened.
      assert.not_equal(0, caller:run("-q", "sh", "-c", "panic=$(cat /proc/sys/kernel/panic) && \z
        echo $panic >/proc/sys/kernel/panic").status)
      assert.not_equal(0, caller:run("-q", "sh", "-c", ": >>/sys/kernel/profiling").status)
      assert.not_equal(0, caller:run("-q", "sh", "-c", ": >>/proc/sysrq-trigger").status)
    end)
  end)

  describe("with --read-only of " .. caller.name, function()
    it("the root cannot be written, in a view as in a directory", function()
      for _, root in ipairs { "/", caller:rootfs() } do
        local result = caller:run("-q", "--read-only", "--rootfs", root, "sh", "-c", ": >/file")
        assert.matches("Read%-only file system", result.stderr)
        assert.is_nil((sys.stat(root .. "/file")))
      end
    end)

    it("the working directory is made when it is missing", function()
      for _, root in ipairs { "/", caller:rootfs() } do
        assert.equal("/missing/one\n", caller:print("--read-only", "--rootfs", root, "-w",
          "/missing/one", "pwd"))
      end
    end)

    it("/dev/shm, a volume and a --tmpfs can be written", function()
      local source = caller:directory()
      assert.equal("written\n", caller:print("--read-only", "-v", source .. ":/mnt", "--tmpfs",
        "/srv", "sh", "-c", ": >/dev/shm/a && : >/mnt/a && : >/srv/a && echo written"))
      assert.truthy(sys.stat(source .. "/a"))
    end)
  end)

  describe("with --tmpfs of " .. caller.name, function()
    it("there is an empty tmpfs, with the options asked for", function()
      local line = caller:print("--tmpfs", "/etc:size=64k,mode=700,ro", "sh", "-c",
        "ls -A /etc; stat -c %a /etc; grep ' /etc ' /proc/self/mountinfo")
      assert.matches("^700\n", line)
      assert.matches(" /etc ro,nosuid,nodev,noexec[^\n]* %- tmpfs tmpfs [^\n]*size=64k", line)
    end)
  end)

  describe("with --network host of " .. caller.name, function()
    it("the program is in the host's network, with nothing of /sys writable", function()
      assert.equal(sys.readlink("/proc/self/ns/net") .. "\n",
        caller:print("--network", "host", "readlink", "/proc/self/ns/net"))
      assert.not_equal(0, caller:run("-q", "--network", "host", "sh", "-c",
        ": >>/sys/kernel/profiling").status)
    end)
  end)
end

describe("with --user", function()
  it("the program has the ids of a user by name and by number, no groups, no rights #root",
    function()
      local own = "id -u; id -g; id -G; grep CapEff /proc/self/status"
      local function expected(uid, gid)
        return ("%d\n%d\n%d\nCapEff:\t%s\n"):format(uid, gid, gid, NONE)
      end
      assert.equal(expected(1234, 0), command.root:print("--user", "1234", "sh", "-c", own))
      assert.equal(expected(1234, 5678), command.root:print("-u", "1234:5678", "sh", "-c", own))
      local nobody, nogroup = sys.read_file("/etc/passwd"):match("\nnobody:[^:]*:(%d+):(%d+)")
      assert.equal(expected(nobody, nogroup), command.root:print("-u", "nobody", "sh", "-c", own))
      assert.equal(expected(nobody, 0), command.root:print("-u", "nobody:root", "sh", "-c", own))
    end)

  it("a user that the root's own files do not know is refused #root", function()
    local result = command.root:run("-q", "--user", "no-such-user", "true")
    assert.equal("lua-container: user: user no-such-user: not in the container's /etc/passwd\n",
      result.stderr)
    assert.equal(125, result.status)
    result = command.root:run("-q", "--rootfs", command.root:rootfs(), "--user", "nobody", "true")
    assert.equal("lua-container: user: user nobody: not in the container's /etc/passwd\n",
      result.stderr)
  end)

  it("the program still ends with the launcher #root", function()
    for _, init in ipairs { "--quiet", "--no-init" } do
      local s <close> = command.root:start(init, "--user", "1234", command.probe "wait")
      s:expect("ready\n")
      local pidfd <close> = sys.pidfd_open(command.children(s.pid)[1])
      s:signal("KILL")
      assert.truthy(sys.ppoll({ pidfd }, 10)[1])
      s:wait()
    end
    command.root:print("true") -- which sweeps what the killed ones had
  end)

  it("only root is there for an ordinary user #userns", function()
    assert.equal("0\n", command.user:print("--user", "root", "id", "-u"))
    local result = command.user:run("-q", "--user", "1234", "true")
    assert.equal("lua-container: --user: the user namespace has no id 1234\n",
      result.stderr)
    assert.equal(125, result.status)
  end)
end)

describe("with --privileged #root", function()
  it("the program has every capability, and can mount", function()
    assert.equal(sys.read_file("/proc/self/status"):match("CapPrm:\t(%x+)"),
      (capabilities(command.root, "--privileged")))
    assert.equal("mounted\n", command.root:print("--privileged", "sh", "-c",
      "mount -t tmpfs x /mnt && echo mounted"))
  end)
end)
