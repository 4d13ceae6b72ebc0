-- What root in a container may do that others may not. capabilities(7)

local errors = require "container.error"
local sys = require "container.sys"

local try <const> = errors.try

local capabilities = {}

-- docker's default set, but for CAP_MKNOD: a process that makes a node of a disk where nodes can be
-- opened reads the host's disk. In order, as OCI's sets here are.
capabilities.DEFAULT = {
  "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
  "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
  "CAP_SYS_CHROOT",
}

--- The bounding set, while the right to change it is there. A program that root executes gets what
-- this leaves.
function capabilities.bound(ctx)
  local wanted = ctx.config.process.capabilities
  if not wanted then
    return true
  end
  local have = try(sys.capget())
  -- Of the default set a launcher that is itself confined may lack some; what was asked for by
  -- name has to be there.
  local set = {}
  for _, name in ipairs(wanted.bounding) do
    if have[name] then
      set[#set + 1] = name
    elseif ctx.asked_capabilities[name] then
      return nil, ("capset %s: the launcher has not got it"):format(name), sys.errno.EPERM
    end
  end
  ctx.capabilities = set
  if ctx.bundle then
    try(sys.keepcaps())
  end
  return sys.capbset_drop_except(set)
end

--- The names of a list that are in both sets.
local function among(list, set, other)
  local kept = {}
  for _, name in ipairs(list) do
    kept[#kept + 1] = set[name] and (not other or other[name]) and name or nil
  end
  return kept
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do
    set[name] = true
  end
  return set
end

--- All five sets as a bundle has them, as far as this process has the capabilities: OCI lets pass
-- what cannot be granted. Of another user than root an exec leaves the ambient ones alone.
-- @tparam table bounding names; what else is inheritable the kernel refuses
local function set_all(wanted, bounding)
  local have = try(sys.capget())
  local permitted = among(wanted.permitted, have)
  local inheritable = among(wanted.inheritable, have, set_of(bounding))
  local set = set_of(permitted)
  try(sys.capset(permitted, among(wanted.effective, set), inheritable))
  local ambient = among(wanted.ambient, set, set_of(inheritable))
  if ambient[1] then
    try(sys.cap_ambient_raise(ambient))
  end
end

--- The sets of this process, after the change of ids: what another user than root has left is
-- nothing.
function capabilities.child(ctx)
  if ctx.bundle then
    set_all(ctx.config.process.capabilities, ctx.capabilities)
  elseif ctx.capabilities then
    local uid = sys.geteuid()
    try(sys.capset(uid == 0 and ctx.capabilities or {}))
  end
  if ctx.config.process.noNewPrivileges then
    return sys.no_new_privs()
  end
  return true
end

return capabilities
