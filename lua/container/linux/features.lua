-- What this kernel lets this user do, each thing found out by trying it: in a child, where it would
-- change anything, so that nothing is left behind.

local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"
local caller = require "container.linux.caller"
local file = require "container.fs.path"
local json = require "container.json"
local networks = require "container.linux.features.networks"
local v1 = require "container.linux.cgroup.v1"
local v2 = require "container.linux.cgroup.v2"

local features = {}

local NAMESPACES <const> = { "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts" }
local CONTROLLERS <const> = {
  "blkio", "cpu", "cpuset", "devices", "freezer", "hugetlb", "io", "memory", "misc", "pids", "rdma",
}
local HELPERS <const> = { "newuidmap", "newgidmap" }
-- Any that is not the identity.
local RANGE <const> = "0 100000 65536"
-- Such as a launcher leaves when it is killed: the next one sweeps it away.
local CGROUP <const> = "lua-container-features-%d"

-- Trying ---------------------------------------------------------------------------------------

--- Runs `fn` in a child.
-- @tparam table namespaces new ones for it
-- @func fn returns what is true, or nil and a message
-- @return true; or nil and a message
local function try(namespaces, fn)
  local said, message = subprocess.output(namespaces, function(writer)
    sys.pdeathsig("KILL")
    local ran, ok, why = pcall(fn)
    why = not ran and tostring(ok) or not ok and why or "\0"
    sys.write(writer, why)
  end)
  if said == "\0" then
    return true
  end
  return nil, said == "" and "the child that tried it was killed" or said or message
end

--- Becomes root of the user namespace that this process is in.
-- @int uid of the process outside
-- @int gid
local function map(uid, gid)
  local ok, message = sys.write_file("/proc/self/setgroups", "deny")
  if ok then
    ok, message = sys.write_file("/proc/self/uid_map", ("0 %d 1"):format(uid))
  end
  if ok then
    ok, message = sys.write_file("/proc/self/gid_map", ("0 %d 1"):format(gid))
  end
  return ok, message
end

--- An overlay of a directory, on a tmpfs of its own.
-- @string lower
-- @string options
local function overlay(lower, options)
  local ok, message = sys.mount(nil, "/", nil, "rprivate")
  if ok then
    ok, message = sys.mount("tmpfs", "/", "tmpfs", "", "mode=0755")
  end
  local scratch <close> = ok and sys.open("/..", "path,directory") or nil
  if not scratch then
    return nil, message
  end
  for _, name in ipairs { "upper", "work", "merged" } do
    ok, message = sys.mkdir(name, 0x1ed, scratch) -- 0755
    if not ok then
      return nil, message
    end
  end
  local path = file.path(scratch)
  local errno
  ok, message, errno = sys.mount("overlay", path .. "/merged", "overlay", "",
    ("lowerdir=%s,upperdir=%s/upper,workdir=%s/work%s"):format(lower, path, path, options))
  return ok, message and ("mount overlay of %s: %s"):format(lower, sys.strerror(errno))
end

--- A mount of the root whose ids are those of the user namespace that a process is in. It is
-- nowhere, and its last close ends it.
local function idmap(pid)
  for _, kind in ipairs { "uid", "gid" } do
    local ok, message = sys.write_file(("/proc/%d/%s_map"):format(pid, kind), RANGE)
    if not ok then
      return nil, message
    end
  end
  local userns <close>, message = sys.open(("/proc/%d/ns/user"):format(pid))
  if not userns then
    return nil, message
  end
  local tree <close>, why = sys.open_tree("/")
  if not tree then
    return nil, why
  end
  return sys.mount_setattr(tree, "", userns)
end

--- The same, with a process that is there for its user namespace only.
local function idmapped()
  local pid, message = sys.clone({ "user" }, function()
    sys.pdeathsig("KILL")
    sys.ppoll({}, 10) -- until it is killed
    sys._exit(0)
  end)
  if not pid then
    return nil, message
  end
  local ok
  ok, message = idmap(pid)
  sys.kill(pid, "KILL")
  sys.wait(pid)
  return ok, message
end

-- The answer -----------------------------------------------------------------------------------

-- A thing is true or false; why it is false stands in `reasons` under its path.
local answer = {}
answer.__index = answer

function answer:note(section, name, ok, message)
  self.found[section] = self.found[section] or {}
  self.found[section][name] = ok and true or false
  if not ok then
    self.found.reasons[section .. "." .. name] = message
  end
  return ok
end

--- The user: what the process may do by itself.
local function user(self)
  local held = {}
  for name in pairs(sys.capget() or {}) do
    held[#held + 1] = name
  end
  table.sort(held)
  local uid, gid = sys.geteuid()
  local status = sys.read_file("/proc/self/status") or ""
  self.found.user = { uid = uid, gid = gid, capabilities = held,
    noNewPrivileges = status:match("\nNoNewPrivs:%s*(%d)") == "1" }
  for _, name in ipairs(HELPERS) do
    self:note("user", name, file.is_program(name), "not in PATH; Debian's package uidmap has it")
  end
end

--- Each namespace: alone where the caller has the right, else together with a user namespace.
local function namespaces(self)
  for _, name in ipairs(NAMESPACES) do
    local function try_it()
      return sys.unshare(name)
    end
    local ok, message = try({}, try_it)
    if not ok and name ~= "user" then
      ok, message = try({ "user" }, try_it)
    end
    self:note("namespaces", name, ok, message)
  end
end

local function mounts(self)
  local uid, gid = self.found.user.uid, self.found.user.gid
  -- With the rights over mounts that a container of this user's would have.
  local own = caller.is_root() and { "mount" } or { "user", "mount" }
  self:note("mounts", "overlay", try({ "mount" }, function()
    return overlay("/", "")
  end))
  self:note("mounts", "overlayUserNamespace", try({ "user", "mount" }, function()
    local ok, message = map(uid, gid)
    if not ok then
      return nil, message
    end
    return overlay("/usr", ",userxattr")
  end))
  self:note("mounts", "idmap", try({ "mount" }, idmapped))
  for _, name in ipairs(sys.syscall_names()) do
    self:note("syscalls", name, try(own, function()
      return sys.syscall_known(name)
    end))
  end
end

--- The directories of version 2 from the caller's own upwards, with what each has switched on for
-- its children: asking for a place may switch a controller on, and that is taken back.
local function switched()
  local own = (sys.read_file("/proc/self/cgroup") or ""):match("0::(/[^\n]*)")
  local state = {}
  for _, entry in ipairs(own and file.mounts() or {}) do
    local path = own
    while entry.type == "cgroup2" and path do
      local name = (entry.target .. path):gsub("/+$", "") .. "/cgroup.subtree_control"
      state[name] = sys.read_file(name)
      path = path:match("^(.*)/[^/]*$")
    end
  end
  return state
end

local function switch_back(before)
  for name, was in pairs(before) do
    for controller in (sys.read_file(name) or ""):gmatch("%S+") do
      if not (" " .. was:gsub("%s", " ") .. " "):find(" " .. controller .. " ", 1, true) then
        sys.write_file(name, "-" .. controller)
      end
    end
  end
end

--- Makes a cgroup under a controller, looks at it, and takes it away.
local function controller(self, name)
  local place, version = sys.cgroup_place(name)
  if not place then
    return nil, version
  end
  local path = place .. "/" .. CGROUP:format(sys.getpid())
  local ok, message = sys.mkdir(path)
  if not ok then
    return nil, message
  end
  self.kill = self.kill or sys.stat(path .. "/cgroup.kill") ~= nil
  sys.rmdir(path)
  ok, message = (version == 1 and v1 or v2).may_join(place)
  return ok and { version = version, path = place }, message
end

local function cgroup(self)
  local seen = {}
  for _, entry in ipairs(file.mounts() or {}) do
    seen[entry.type] = true
  end
  self:note("cgroup", "v1", seen.cgroup, "none is mounted")
  self:note("cgroup", "v2", seen.cgroup2, "none is mounted")
  local before, usable = switched(), {}
  for _, name in ipairs(CONTROLLERS) do
    local place, message = controller(self, name)
    usable[name] = place
    if not place then
      self.found.reasons["cgroup.controllers." .. name] = message
    end
  end
  switch_back(before)
  self:note("cgroup", "kill", self.kill, "no cgroup of version 2 that this user may make has it")
  self.found.cgroup.controllers = usable
end

local function walls(self)
  local abi, message = sys.landlock_abi()
  self:note("landlock", "enabled", abi, message)
  self.found.landlock.abi = abi or 0
  self:note("seccomp", "enabled", try({}, function()
    local ok, why = sys.no_new_privs()
    if ok then
      ok, why = sys.seccomp(string.pack("<I2BBI4", 0x06, 0, 0, 0x7fff0000)) -- allows all
    end
    return ok, why
  end))
  self:note("seccomp", "userNotification", sys.syscall_known("seccomp_user_notification"))
  self.found.seccomp.archs = { sys.seccomp_arch() }
end

--- Tells what this kernel lets this user do, by trying. What is missing is false, and `reasons`
-- says why.
--
-- * `kernel`: release, architecture (as uname -m has it)
-- * `user`: uid, gid, capabilities (array of the names of those it has), noNewPrivileges (whether
--   no_new_privs is set), newuidmap and newgidmap (whether they are installed)
-- * `namespaces`: cgroup ipc mount network pid time user uts, for a container of this user's:
--   alone, or together with a user namespace
-- * `mounts`: overlay (of the whole root, by this user), overlayUserNamespace (of a directory, in a
--   user namespace), idmap (of the root)
-- * `syscalls`: those of container.syscall_names that are there, for a container of this user's
-- * `cgroup`: v1, v2 (whether such a hierarchy is mounted), kill (cgroup.kill, of v2), controllers:
--   by name each that this user may limit a container by, as { version, path }, where path is the
--   directory in which its cgroup would be made
-- * `networks`: allow, publish, cni, pasta: whether these can be had
-- * `landlock`: enabled, abi (0 where there is none)
-- * `seccomp`: enabled, userNotification, archs (array, as OCI calls them)
-- * `reasons`: by the path of what is false, such as "namespaces.user", one sentence
-- @function container.features
-- @string[opt] form "json" for text
-- @treturn table; or string
function features.features(form)
  local uname = sys.uname()
  local self = setmetatable({ found = {
    kernel = { release = uname.release, architecture = uname.machine }, reasons = {} } }, answer)
  user(self)
  namespaces(self)
  mounts(self)
  cgroup(self)
  networks.look(self, try)
  walls(self)
  return form == "json" and json.encode(self.found, { capabilities = true }) or self.found
end

return features
