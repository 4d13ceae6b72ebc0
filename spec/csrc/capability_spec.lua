local sys = require "container.sys"
local support = require "spec.support"

-- A set of this process as a number, from the outside: Bnd, Eff, Prm, Inh, Amb.
local function shown(name)
  return tonumber(sys.read_file("/proc/self/status"):match("Cap" .. name .. ":%s+(%x+)"), 16)
end

local CHOWN <const> = 1 << 0
local KILL <const> = 1 << 5

describe("sys.capability_name", function()
  it("writes a name as the kernel does", function()
    for _, name in ipairs { "chown", "CHOWN", "cap_chown", "CAP_CHOWN", "Cap_Chown" } do
      assert.equal("CAP_CHOWN", sys.capability_name(name))
    end
    assert.equal("CAP_CHECKPOINT_RESTORE", sys.capability_name("checkpoint_restore"))
  end)

  it("knows no other", function()
    for _, name in ipairs { "", "cap_", "chow", "chown ", "cap_cap_chown", "all" } do
      assert.is_nil(sys.capability_name(name))
    end
  end)

  it("raises for what is no string", function()
    support.raises("string expected, got number", sys.capability_name, 0)
    support.raises("NUL byte", sys.capability_name, "chown\0")
  end)
end)

describe("sys.capability_names", function()
  it("answers those of Linux 5.9, by number, and no name twice", function()
    local names, seen = sys.capability_names(), {}
    for _, name in ipairs(names) do
      assert.equal(name, sys.capability_name(name))
      assert.is_nil(seen[name])
      seen[name] = true
    end
    assert.equal("CAP_CHOWN", names[1])
    assert.equal("CAP_SYS_ADMIN", names[22])
    assert.equal("CAP_CHECKPOINT_RESTORE", names[41])
  end)
end)

describe("sys.capget and capset", function()
  it("answer what proc shows", function()
    local bits = 0
    local held = sys.capget()
    for number, name in ipairs(sys.capability_names()) do
      bits = bits | (held[name] and 1 << number - 1 or 0)
    end
    assert.equal(shown("Prm"), bits)
  end)

  it("leave exactly the set effective and permitted, and none to inherit #root", function()
    local sets = support.child(function()
      assert(sys.capset { "CAP_CHOWN", "kill" })
      local held = ""
      for name in pairs(sys.capget()) do
        held = held .. name .. " "
      end
      assert(#held == #"CAP_CHOWN CAP_KILL ", held)
      return ("%d %d %d %d"):format(shown("Eff"), shown("Prm"), shown("Inh"), shown("Amb"))
    end)
    assert.equal(("%d %d 0 0"):format(CHOWN | KILL, CHOWN | KILL), sets)
  end)

  it("hold: what was given up cannot be done, nor taken back #root", function()
    local path = support.tmpdir()
    local message, back = support.child(function()
      assert(sys.capset {})
      return select(2, sys.chown(path, 1, 1)), select(2, sys.capset { "chown" })
    end)
    assert.equal(("chown %s: Operation not permitted"):format(path), message)
    assert.equal("capset: Operation not permitted", back)
  end)

  it("are refused to an ordinary user, but for none", function()
    assert.equal("true\nnil\tcapset: Operation not permitted\t1\n", support.as_user(support.lua
      .. [[ -e 'local sys = require "container.sys"
        print(sys.capset({}))
        print(sys.capset({ "chown" }))']]).stdout)
  end)

  it("raise for a capability they do not know, naming it", function()
    support.raises("'nope'", sys.capset, { "chown", "nope" })
    support.raises("bad argument #1", sys.capset, { "chown", 5 })
    support.raises("string expected, got number", sys.capset, { 5 })
    support.raises("table expected", sys.capset)
    support.raises("table expected", sys.capset, "chown")
  end)
end)

describe("sys.capbset_drop_except", function()
  it("takes all others out of the bounding set, also those it has no name for #root", function()
    assert.equal(CHOWN | KILL, support.child(function()
      assert(sys.capbset_drop_except { "chown", "CAP_KILL" })
      return shown("Bnd")
    end))
    assert.equal(0, support.child(function()
      assert(sys.capbset_drop_except {})
      return shown("Bnd")
    end))
  end)

  it("brings none back #root", function()
    assert.equal(0, support.child(function()
      assert(sys.capbset_drop_except {})
      assert(sys.capbset_drop_except { "chown" })
      return shown("Bnd")
    end))
  end)

  it("is refused without CAP_SETPCAP #root", function()
    support.refused("prctl PR_CAPBSET_DROP: Operation not permitted", "EPERM",
      support.child(function()
        assert(sys.capset {})
        return sys.capbset_drop_except {}
      end))
  end)

  it("raises for a capability it does not know, naming it", function()
    support.raises("'nope'", sys.capbset_drop_except, { "nope" })
    support.raises("table expected", sys.capbset_drop_except)
  end)
end)

describe("sys.no_new_privs", function()
  it("promises it, for this process and its children", function()
    local line = "NoNewPrivs:%s+(%d)"
    local before, after, child = support.child(function()
      local before = sys.read_file("/proc/self/status"):match(line)
      assert(sys.no_new_privs())
      assert(sys.no_new_privs())
      local pid = assert(sys.clone({}, function()
        return math.tointeger(sys.read_file("/proc/self/status"):match(line))
      end))
      return before, sys.read_file("/proc/self/status"):match(line),
        select(2, sys.wait(pid))
    end)
    assert.same({ "0", "1", 1 }, { before, after, child })
  end)
end)

describe("capability_lower #root", function()
  it("takes from the effective set alone, and gives it back to what is executed", function()
    local before, after = support.child(function()
      assert(sys.capability_lower { "CAP_DAC_OVERRIDE", "dac_read_search" })
      local lowered = sys.read_file("/proc/self/status"):match("CapPrm:%s*(%x+)\nCapEff:%s*%x+")
        .. " " .. sys.read_file("/proc/self/status"):match("CapEff:%s*(%x+)")
      local pipe = assert(io.popen("grep -E '^Cap(Prm|Eff)' /proc/self/status"))
      local executed = pipe:read("a")
      pipe:close()
      return lowered, executed
    end)
    local permitted, effective = before:match("^(%x+) (%x+)$")
    assert.equal(tonumber(permitted, 16) & ~6, tonumber(effective, 16))
    assert.equal(("CapPrm:\t%s\nCapEff:\t%s\n"):format(permitted, permitted), after)
  end)

  it("raises on what is no capability", function()
    support.raises("unknown capability 'nope'", sys.capability_lower, { "nope" })
    support.raises("table expected", sys.capability_lower)
  end)
end)
