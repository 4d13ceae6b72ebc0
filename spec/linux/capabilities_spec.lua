local capabilities = require "container.linux.capabilities"
local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true" }
end)

-- The sets of this process, as the kernel has them. capabilities(7) has the numbers.
local function sets()
  local status = sys.read_file("/proc/self/status")
  local list = {}
  for i, name in ipairs { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs" } do
    list[i] = tonumber(status:match(name .. ":%s*(%x+)"), 16)
  end
  return table.unpack(list)
end

local CHOWN <const>, KILL <const>, SETGID <const>, SETUID <const> = 1 << 0, 1 << 5, 1 << 6, 1 << 7

local function described(bounding, asked, no_new_privileges)
  return { asked_capabilities = asked or {}, config = { process = {
    capabilities = bounding and { bounding = bounding },
    noNewPrivileges = no_new_privileges or false } } }
end

describe("capability.DEFAULT", function()
  it("is docker's without mknod: 13 names that the kernel knows", function()
    assert.equal(13, #capabilities.DEFAULT)
    for _, name in ipairs(capabilities.DEFAULT) do
      assert.equal(name, sys.capability_name(name))
    end
  end)

  it("has nothing by which one changes the machine", function()
    local set = {}
    for _, name in ipairs(capabilities.DEFAULT) do
      set[name] = true
    end
    for _, name in ipairs { "CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_PTRACE", "CAP_SYS_RAWIO",
      "CAP_SYS_BOOT", "CAP_SYS_TIME", "CAP_NET_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_BPF",
      "CAP_SYSLOG" } do
      assert.equal(name, sys.capability_name(name))
      assert.is_nil(set[name], name)
    end
  end)
end)

describe("capability.bound #root", function()
  it("leaves in the bounding set what is listed", function()
    local _, _, _, bounding = support.child(function()
      assert(capabilities.bound(described { "CAP_CHOWN", "CAP_KILL" }))
      return sets()
    end)
    assert.equal(CHOWN | KILL, bounding)
  end)

  it("changes nothing for a privileged container", function()
    local before = table.pack(sets())
    assert.same(before, table.pack(support.child(function()
      assert(capabilities.bound(described(nil)))
      return sets()
    end)))
  end)

  it("does without what the launcher itself has not got, unless that was asked for", function()
    local bounding = select(4, support.child(function()
      assert(sys.capset { "CAP_CHOWN", "CAP_SETPCAP" })
      assert(capabilities.bound(described { "CAP_CHOWN", "CAP_KILL" }))
      return sets()
    end))
    assert.equal(CHOWN, bounding)
    local ok, message, errno = support.child(function()
      assert(sys.capset { "CAP_CHOWN", "CAP_SETPCAP" })
      return capabilities.bound(described({ "CAP_CHOWN", "CAP_KILL" }, { CAP_KILL = true }))
    end)
    support.refused("capset CAP_KILL: the launcher has not got it", "EPERM", ok, message, errno)
  end)
end)

describe("capability.child #root", function()
  it("leaves root what is in the bounding set, and nobody else anything", function()
    local function left(uid)
      return support.child(function()
        local c = described({ "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID" }, {}, true)
        assert(capabilities.bound(c))
        assert(sys.setuid(uid))
        assert(capabilities.child(c))
        return sets()
      end)
    end
    local set <const> = CHOWN | SETUID | SETGID
    assert.same({ 0, set, set, set, 0, 1 }, { left(0) })
    assert.same({ 0, 0, 0, set, 0, 1 }, { left(54321) })
  end)

  it("promises to gain no rights only where that is asked for", function()
    local promised = select(6, support.child(function()
      assert(capabilities.child(described(nil)))
      return sets()
    end))
    assert.equal(0, promised)
  end)
end)

describe("a container's capabilities", function()
  local function prints(options)
    local result = support.run(BOX .. options
      .. " grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs)' /proc/self/status")
    local list = {}
    for number in result.stdout:gmatch(":%s*(%x+)") do
      list[#list + 1] = tonumber(number, 16)
    end
    return list
  end

  it("are docker's default set without mknod, and no more can be gained #root", function()
    local set <const> = 0xa00425fb
    assert.same({ 0, set, set, set, 0, 1 }, prints(""))
  end)

  it("are those that were asked for #root", function()
    assert.same({ 0, CHOWN, CHOWN, CHOWN, 0, 1 }, prints("--cap-drop ALL --cap-add chown"))
    assert.same({ 0, 0, 0, 0, 0, 1 }, prints("--cap-drop all"))
    local set <const> = 0xa00425fb & ~KILL | 1 << 21
    assert.same({ 0, set, set, set, 0, 0 }, prints("--cap-drop KILL --cap-add CAP_SYS_ADMIN "
      .. "--security-opt no-new-privileges=false"))
  end)

  it("are the launcher's own when it is privileged #root", function()
    local _, _, own, bounding = sets()
    local list = prints("--privileged")
    assert.same({ own, bounding, 0 }, { list[3], list[4], list[6] })
  end)

  it("are no way to mount, also not in another namespace of its own #root", function()
    for _, init in ipairs { "", "--no-init " } do
      local result = support.run(BOX .. init .. "sh -c 'mount -t tmpfs none /mnt || echo refused'")
      assert.equal("refused\n", result.stdout)
    end
  end)

  it("are an ordinary user's in its own user namespace, and no more #userns", function()
    local result = support.as_user(BOX .. "grep -E '^(CapEff|NoNewPrivs)' /proc/self/status")
    local set, promise = result.stdout:match("^CapEff:%s*(%x+)\nNoNewPrivs:%s*(%d)\n$")
    assert.equal(0, tonumber(set, 16) & ~0xa00425fb)
    assert.equal("1", promise)
  end)
end)
