-- Files that are made of strings: fs/files.lua, and the options beside it of config/files.lua.

local container = require "container"
local support = require "spec.support"

local PIDS <const> = "max"

local function run(options)
  options.pids, options.stdout = PIDS, "capture"
  local result, err = container.run(options)
  return result and result.stdout or tostring(err)
end

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  run { "true" }
end)

describe("the option files #userns", function()
  local function root()
    local path = support.tmpdir()
    assert(os.execute(("cp -r %s/. %s"):format(support.busybox_rootfs(), path)))
    local file <close> = assert(io.open(path .. "/etc/passwd", "w"))
    file:write("root:x:0:0:root:/root:/bin/sh\napp:x:7:8:app:/:/bin/sh\n")
    return path
  end

  it("puts them read-only at their places", function()
    assert.equal("text\n-r--r--r-- 0 0\n4\n", run { "sh", "-c", "cat /etc/a/b; echo; stat -c "
      .. "'%A %u %g' /etc/a/b; (echo >/etc/a/b) 2>/dev/null || wc -c </etc/a/b",
      files = { ["/etc/a/b"] = "text" }, rootfs = root() })
  end)

  it("gives them a mode and an owner of the container's #root", function()
    assert.equal("-r-------- 7 8\n", run { "stat", "-c", "%A %u %g", "/key", rootfs = root(),
      files = { ["/key"] = { content = "text", mode = 0x100, user = "app" } } })
    assert.equal("file: user nosuch: not in the container's /etc/passwd",
      run { "true", rootfs = root(), files = { ["/key"] = { content = "", user = "nosuch" } } })
  end)

  it("lets one lie in a volume, and leaves the host's files as they are", function()
    local volume = support.tmpdir()
    assert(os.execute(("echo host >%s/file"):format(volume)))
    assert.equal("text", run { "cat", "/data/file", rootfs = root(),
      volumes = { volume .. ":/data" }, files = { ["/data/file"] = "text" } })
    local file <close> = assert(io.open(volume .. "/file"))
    assert.equal("host\n", file:read("a"))
  end)

  it("has no name of it anywhere else", function()
    assert.equal("", run { "sh", "-c", "ls -a /dev | grep file", rootfs = root(),
      files = { ["/key"] = "text" } })
  end)

  it("is refused what is none", function()
    for value, words in pairs {
      [{ a = "b" }] = "files[\"a\"]: expected an absolute destination",
      [{ ["/a"] = 1 }] = "files[\"/a\"]: expected a string",
      [{ ["/a"] = { content = 1 } }] = "files[\"/a\"].content: expected a string",
      [{ ["/a"] = { content = "", mode = 512 } }] = "files[\"/a\"].mode: expected permission bits",
      [{ ["/a"] = { nope = "" } }] = "files[\"/a\"]: expected content, mode or user",
      [{ ["/proc/a"] = "" }] = "destination /proc/a is the container's own",
    } do
      assert.matches(words, run { "true", files = value }, 1, true)
    end
  end)
end)

describe("the command line #userns", function()
  local function command(words)
    return support.run(support.lua .. " run.lua -q --pids-limit max " .. words)
  end

  it("takes files with --file", function()
    local result = command "--file /tmp/a=LICENSE --file /tmp/b=- cat /tmp/a /tmp/b"
    local file <close> = assert(io.open("LICENSE"))
    assert.equal(file:read("a"), result.stdout)
    assert.matches("--file: /nosuch: No such file", command("--file /a=/nosuch true").stderr, 1,
      true)
    assert.matches("--file: expected DST=PATH, got /a", command("--file /a true").stderr, 1, true)
  end)

  it("takes docker's words", function()
    local path = support.tmpdir() .. "/variables"
    local file = assert(io.open(path, "w"))
    file:write("# a comment\n\nA=b c\nNOSUCHVARIABLE\n")
    file:close()
    assert.equal("b c\n10.1.2.3\tdb\n5242880\n", command("--rm --init --net none --env-file "
      .. path .. " --add-host db:10.1.2.3 --shm-size 5M sh -c 'echo $A; tail -n 1 /etc/hosts; "
      .. "echo $(($(stat -fc %b /dev/shm) * $(stat -fc %S /dev/shm)))'").stdout)
    assert.equal("nameserver 192.0.2.1\nsearch a.test b.test\n", command("--dns 192.0.2.1 "
      .. "--dns-search a.test --dns-search b.test cat /etc/resolv.conf").stdout)
    assert.matches("^nameserver 192.0.2.1\n", command("--network host --dns 192.0.2.1 "
      .. "cat /etc/resolv.conf").stdout)
    assert.matches("--dns: expected an address, got \"a\"", command("--dns a true").stderr, 1, true)
    assert.matches("dns does not go with allow", command(
      "--dns 192.0.2.1 --allow a.test true").stderr, 1, true)
    assert.matches("--add-host: expected NAME:ADDRESS", command("--add-host db true").stderr, 1,
      true)
    assert.matches("--shm-size: expected a number of bytes", command("--shm-size x true").stderr,
      1, true)
  end)
end)
