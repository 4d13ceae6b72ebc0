-- A container that an ordinary user has, without root and without help: a user namespace.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local user = command.user

describe("a container of an ordinary user #userns", function()
  it("is in a user namespace of its own", function()
    local link = user:print("readlink", "/proc/self/ns/user")
    assert.not_equal(sys.readlink("/proc/self/ns/user") .. "\n", link)
  end)

  it("has the id 0, which is the user's own outside", function()
    assert.equal("uid=0(root) gid=0(root) groups=0(root)\n", user:print("id"))
    local own = user:shell("id -u; id -g").stdout
    local uid, gid = own:match("(%d+)\n(%d+)")
    assert.equal(("0 %s 1\n"):format(uid), user:print("cat", "/proc/self/uid_map"):gsub(" +", " ")
      :gsub("^ ", ""))
    assert.equal(("0 %s 1\n"):format(gid), user:print("cat", "/proc/self/gid_map"):gsub(" +", " ")
      :gsub("^ ", ""))
  end)

  it("has given up setgroups", function()
    assert.equal("deny\n", user:print("cat", "/proc/self/setgroups"))
  end)

  it("makes files that are the user's on the host", function()
    local source = user:directory()
    assert.equal("0 0\n", user:print("-v", source .. ":/mnt", "sh", "-c",
      "touch /mnt/file; stat -c '%u %g' /mnt/file"))
    local st = sys.stat(source .. "/file")
    assert.equal(user:shell("id -u; id -g").stdout, ("%d\n%d\n"):format(st.uid, st.gid))
  end)

  it("cannot write where the user cannot, not even through a volume", function()
    local result = user:run("-q", "-v", "/etc:/mnt", "sh", "-c", "echo x >>/mnt/passwd")
    assert.matches("Permission denied", result.stderr)
    assert.not_equal(0, result.status)
    result = user:run("-q", "-v", "/etc:/mnt", "chmod", "777", "/mnt/passwd")
    assert.not_equal(0, result.status)
  end)

  it("cannot read what the user cannot", function()
    local secret = support.tmpdir() .. "/secret"
    assert(sys.mknod(secret, "file", tonumber("600", 8), 0, 0))
    if sys.geteuid() == 0 then
      local result = user:run("-q", "-v", secret .. ":/secret", "cat", "/secret")
      assert.matches("Permission denied", result.stderr)
      assert.equal(1, result.status)
    end
  end)

  it("leaves the files of the host as they were", function()
    local before = sys.read_file("/etc/passwd")
    user:run("-q", "sh", "-c", "echo x >>/etc/passwd; rm -f /etc/passwd; rm -rf /usr/bin")
    assert.equal(before, sys.read_file("/etc/passwd"))
    assert.truthy(sys.stat("/usr/bin/env"))
  end)

  it("has a proc of its own, of which it can change nothing", function()
    assert.equal("1\n", user:print("sh", "-c", "cd /proc; ls -d [0-9]* | grep -c '^1$'"))
    local result = user:run("-q", "sh", "-c", "echo 1 >/proc/sys/vm/drop_caches")
    assert.not_equal(0, result.status)
  end)

  it("cannot be one of root's cgroups, and has its limit all the same", function()
    assert.equal("18 Resource temporarily unavailable\n", user:print(command.probe("forks", 50)))
  end)

  it("runs beside others of the same user, each with a limit of its own", function()
    local first <close> = user:start(command.probe("forks", 50))
    local second <close> = user:start(command.probe("forks", 50))
    first:expect("^18 Resource temporarily unavailable\n")
    second:expect("^18 Resource temporarily unavailable\n")
  end)

  it("cannot hold another one, and says so in one sentence", function()
    local tree = user:shell("pwd").stdout:match("[^\n]+")
    local result = user:run("-q", "-v", tree .. ":/tree", support.lua, "/tree/run.lua", "-q",
      "true")
    assert.matches("^lua%-container: [^\n]+\n$", result.stderr)
    assert.is_nil(result.stderr:find("traceback", 1, true))
    assert.equal(125, result.status)
  end)
end)

describe("where user namespaces are switched off #userns", function()
  -- In a user namespace of one's own that setting can be made for all that is made in it.
  local function switched_off(...)
    return user:shell(support.lua .. " -e " .. support.quote(([[
      local sys = require "container.sys"
      local uid, gid = sys.geteuid()
      local pid = assert(sys.clone("user", function()
        assert(sys.write_file("/proc/self/setgroups", "deny"))
        assert(sys.write_file("/proc/self/uid_map", ("%%d %%d 1"):format(1000, uid)))
        assert(sys.write_file("/proc/self/gid_map", ("%%d %%d 1"):format(1000, gid)))
        assert(sys.write_file("/proc/sys/user/max_user_namespaces", "0"))
        return sys.exec { "sh", "-c", %q }
      end))
      local how, number = sys.wait(pid)
      os.exit(how == "exit" and number)]]):format(
      command.words(support.lua, "run.lua", ...))))
  end

  it("an ordinary user gets one sentence that says which settings to look at", function()
    local result = switched_off("--quiet", "true")
    assert.matches("^lua%-container: clone: clone [%a,]+: No space left on device; user \z
      namespaces may be switched off here: see [^\n]*user%.max_user_namespaces[^\n]*\n$",
      result.stderr)
    assert.equal(125, result.status)
    assert.equal("", result.stdout)
  end)
end)
