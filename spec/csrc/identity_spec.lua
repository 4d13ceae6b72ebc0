local sys = require "container.sys"
local support = require "spec.support"

describe("sys.geteuid", function()
  it("answers the effective user and group, as id(1) does", function()
    local uid, gid = sys.geteuid()
    assert.equal(("%d %d\n"):format(uid, gid), support.run("echo $(id -u) $(id -g)").stdout)
  end)

  it("answers another's ids in a process of another's", function()
    local command = [[echo $(id -u) $(id -g); ]] .. support.lua
      .. [[ -e 'print(("%d %d"):format(require("container.sys").geteuid()))']]
    local first, second = support.as_user(command).stdout:match("^(.-)\n(.-)\n$")
    assert.is_string(first)
    assert.equal(first, second)
  end)

  it("answers the overflow id in a user namespace that maps nothing #userns", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      sys.wait(sys.clone("user", function() print(sys.geteuid()) end))']])
    assert.equal(("%s\t%s\n"):format(
      sys.read_file("/proc/sys/kernel/overflowuid"):match("%d+"),
      sys.read_file("/proc/sys/kernel/overflowgid"):match("%d+")), result.stdout)
  end)
end)

-- The real, effective, saved and filesystem ids of this process, or its groups, from the outside.
local function shown(name)
  local line = sys.read_file("/proc/self/status"):match(name .. ":[ \t]*(.-) *\n")
  return (line:gsub("%s+", " "))
end

local setters = {
  { "setuid", "Uid", "setresuid" },
  { "setgid", "Gid", "setresgid" },
}

for _, setter in ipairs(setters) do
  local name, line, call = table.unpack(setter)

  describe("sys." .. name, function()
    it("sets all ids of a kind for good #root", function()
      local ids, message = support.child(function()
        assert(sys[name](54321))
        -- Without the user's it is still root's own to change.
        return shown(line), name == "setuid" and select(2, sys.setuid(0))
      end)
      assert.equal("54321 54321 54321 54321", ids)
      assert.equal(name == "setuid" and "setresuid: Operation not permitted", message)
    end)

    it("knows the largest id #root", function()
      local largest = (1 << 32) - 2
      assert.matches("^" .. largest .. " ", support.child(function()
        assert(sys[name](largest))
        return shown(line)
      end))
    end)

    it("is refused to an ordinary user", function()
      assert.equal(("nil\t%s: Operation not permitted\t1\n"):format(call), support.as_user(
        support.lua .. (" -e 'print(require(%q).%s(1))'"):format("container.sys", name)).stdout)
    end)

    it("raises for an id that is none: -1 would mean to leave it as it is", function()
      support.raises("number out of range", sys[name], -1)
      support.raises("number out of range", sys[name], (1 << 32) - 1)
      support.raises("number expected", sys[name], "root")
      support.raises("number expected", sys[name])
    end)
  end)
end

describe("sys.setgroups", function()
  it("sets the supplementary groups, also to none #root", function()
    local some, none = support.child(function()
      assert(sys.setgroups { 3, 1, 2 })
      local some = shown("Groups")
      assert(sys.setgroups {})
      return some, shown("Groups")
    end)
    assert.same({ "1 2 3", "" }, { some, none })
  end)

  it("is refused to an ordinary user", function()
    assert.equal("nil\tsetgroups: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'print(require("container.sys").setgroups({}))']]).stdout)
  end)

  it("raises for what is no array of ids, naming its argument", function()
    support.raises("table expected", sys.setgroups)
    for _, group in ipairs { "wheel", -1, (1 << 32) - 1, 1.5, {} } do
      support.raises("bad argument #1", sys.setgroups, { 1, group })
    end
    local groups = {}
    for i = 1, 65537 do
      groups[i] = i
    end
    support.raises("too many groups", sys.setgroups, groups)
  end)
end)

describe("sys.join_session_keyring", function()
  it("leaves the session keyring for a new one", function()
    local before, after, errno = support.child(function()
      local function keyrings()
        return sys.read_file("/proc/keys") or ""
      end
      local before = keyrings()
      local ok, _, errno = sys.join_session_keyring()
      return before, ok and keyrings(), errno
    end)
    if after then
      assert.not_equal(before, after)
      assert.matches("keyring +_ses", after)
    else
      assert.equal(sys.errno.ENOSYS, errno)
    end
  end)
end)
