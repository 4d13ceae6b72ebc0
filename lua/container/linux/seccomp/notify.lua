-- The system calls of a profile that a process answers in the place of the kernel: SCMP_ACT_NOTIFY.
-- seccomp_unotify(2)

local check = require "container.check"

local refuse, expect = check.refuse, check.expect

local NOTIFY <const> = "SCMP_ACT_NOTIFY"

-- The call by which the child hands the listener over: it would wait for its own answer.
local HANDS_OVER <const> = "sendmsg"

--- Checks that what a listener is to answer has one, and that it can answer.
-- @tparam table given the profile
-- @tparam table where listener and lenient, as of profile.lua
-- @tparam table syscalls entries
return function(given, where, syscalls)
  local notifies = given.defaultAction == NOTIFY
  if notifies then
    refuse("defaultAction", NOTIFY .. ": it would be asked before it has what it answers by")
  end
  for i, entry in ipairs(syscalls) do
    for _, name in ipairs(entry.action == NOTIFY and entry.names or {}) do
      notifies = true
      expect(name ~= HANDS_OVER, ("syscalls[%d].names"):format(i),
        "none that hands the listener over", name)
    end
  end
  if notifies and not where.listener then
    refuse("listenerPath", where.lenient and "is missing: an action is " .. NOTIFY
      or NOTIFY .. " takes one, and no process listens")
  end
end
