local sys = require "container.sys"
local keyring = require "container.linux.keyring"
local support = require "spec.support"

local function answering(...)
  local original, answer = sys.join_session_keyring, table.pack(...)
  sys.join_session_keyring = function()
    return table.unpack(answer, 1, answer.n)
  end
  local result = table.pack(keyring.child {})
  sys.join_session_keyring = original
  return table.unpack(result, 1, result.n)
end

-- The session keyrings that this process sees. keyrings(7), /proc/keys
local function sessions()
  local list = {}
  for id in (sys.read_file("/proc/keys") or ""):gmatch("(%x+) [^\n]*keyring +_ses[^\n]*") do
    list[id] = true
  end
  return list
end

describe("keyring.child", function()
  it("leaves the caller's session keyring for another", function()
    local joined = support.child(function()
      local before = sessions()
      assert(keyring.child {})
      for id in pairs(sessions()) do
        if not before[id] then
          return true
        end
      end
      return sys.stat("/proc/keys") == nil
    end)
    assert.is_true(joined)
  end)

  it("has none to leave where the kernel has none, and not where it is only denied", function()
    local stat <const>, refusal = sys.stat, "keyctl: Function not implemented"
    local there
    local _ <close> = setmetatable({}, { __close = function() sys.stat = stat end })
    sys.stat = function(path)
      return path == "/proc/sys/kernel/keys" and there or nil
    end
    assert.is_true((answering(nil, refusal, sys.errno.ENOSYS)))
    there = { type = "directory" }
    support.refused(refusal, "ENOSYS", answering(nil, refusal, sys.errno.ENOSYS))
  end)

  it("answers any other refusal", function()
    support.refused("keyctl KEYCTL_JOIN_SESSION_KEYRING: Disk quota exceeded", 122,
      answering(nil, "keyctl KEYCTL_JOIN_SESSION_KEYRING: Disk quota exceeded", 122))
  end)
end)
