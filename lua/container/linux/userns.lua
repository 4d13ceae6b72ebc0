-- Which ids the container's ids are outside: user_namespaces(7), "User and group ID mappings".
--
-- A single id an ordinary user maps in the child. More than that only the parent can, between the
-- clone and all that the child does: root writes a range of its own, and for an ordinary user the
-- set-user-ID programs newuidmap and newgidmap write what was given to that user.

local errors = require "container.error"
local subid = require "container.linux.subid"
local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"
local caller = require "container.linux.caller"
local sysctl = require "container.linux.sysctl"
local process = require "container.linux.process"
local check = require "container.check"
local file = require "container.fs.path"

local try <const> = errors.try

local userns = {}

local KINDS <const> = { { "uid", "uidMappings" }, { "gid", "gidMappings" } }

local PROGRAMS <const> = { "newuidmap", "newgidmap" }

local function lines(mappings)
  local text = {}
  for i, map in ipairs(mappings) do
    text[i] = ("%d %d %d\n"):format(map.containerID, map.hostID, map.size)
  end
  return table.concat(text)
end

--- Whether an id of the container's is anybody outside.
-- @tparam[opt] table mappings OCI's; without any, all ids are
function userns.maps(mappings, id)
  for _, map in ipairs(mappings or {}) do
    if id >= map.containerID and id < map.containerID + map.size then
      return true
    end
  end
  return not mappings
end

local function mapping(first, host, size)
  return { containerID = first, hostID = host, size = size }
end

--- What newuidmap and newgidmap will map for this user: root to the user, and from 1 on what was
-- given.
local function given_ids(kind, own, owners)
  local given, path = subid.given(kind, owners)
  if not given[1] then
    check.refuse("userns", ("subid: %s has no entry for %s"):format(path, owners[1]))
  end
  local list, next_id = { mapping(0, own, 1) }, 1
  for _, entry in ipairs(given) do
    local size = entry.last - entry.first + 1
    list[#list + 1] = mapping(next_id, entry.first, size)
    next_id = next_id + size
  end
  return list
end

--- A user as subuid(5) may have it: by name or by id.
local function owners_of(uid)
  local name
  for line in (sys.read_file("/etc/passwd") or ""):gmatch("[^\n]+") do
    name = name or line:match("^([^:]+):[^:]*:" .. uid .. ":")
  end
  return { name or os.getenv("USER") or tostring(uid), tostring(uid) }
end

--- Those of the option "subid".
local function read_given(linux, uid, gid)
  if uid == 0 then
    -- The root of a user namespace has been given what is in it, and maps that by itself.
    linux.uidMappings, linux.gidMappings = caller.ids("uid"), caller.ids("gid")
    if not caller.maps_ids() then
      check.refuse("userns", "subid: takes CAP_SETUID, CAP_SETGID and CAP_SETFCAP")
    end
    return
  end
  for _, program in ipairs(PROGRAMS) do
    if not file.is_program(program) then
      check.refuse("userns", ("subid: %s is not in PATH (package uidmap)"):format(program))
    end
  end
  local owners = owners_of(uid)
  linux.uidMappings = given_ids("uid", uid, owners)
  linux.gidMappings = given_ids("gid", gid, owners)
end

--- Which user namespace it is. The host's root has no user namespace unless it asks for one, with a
-- range that is chosen later. Every other caller has one always: root in it is the caller, and
-- without help that is all.
local function choose(ctx)
  local linux = ctx.config.linux
  local root = caller.is_root()
  if root and not ctx.userns then
    return
  end
  local uid, gid = sys.geteuid()
  if not root and not ctx.userns and caller.keeps_namespace() then
    ctx.lacks_host = true
    linux.uidMappings, linux.gidMappings = caller.ids("uid"), caller.ids("gid")
    return
  end
  linux.namespaces[#linux.namespaces + 1] = { type = "user" }
  if ctx.userns == "auto" then
    check.expect(root, "userns", "\"subid\" for a caller that is not the host's root", ctx.userns)
    linux.uidMappings = { mapping(0, nil, subid.SIZE) }
    linux.gidMappings = { mapping(0, nil, subid.SIZE) }
    ctx.trees = {} -- what tree.lua will hold
  elseif ctx.userns == "subid" then
    check.expect(not root, "userns", "\"auto\" for root", ctx.userns)
    read_given(linux, uid, gid)
    ctx.maps_itself = uid == 0
  else
    linux.uidMappings, linux.gidMappings = { mapping(0, uid, 1) }, { mapping(0, gid, 1) }
  end
end

--- Reads the option `userns`.
function userns.read(ctx)
  choose(ctx)
  local linux = ctx.config.linux
  if linux.gidMappings then
    linux.sysctl = sysctl.network(linux.gidMappings)
  end
end

--- Takes the ranges of a container of root's. The maps are written by the child's number, which in
-- the /proc of another PID namespace is another process.
function userns.prepare(ctx)
  if not ctx.userns then
    return true
  end
  local number, why, code = sys.readlink("/proc/self")
  if not number then
    return nil, why, code
  elseif number ~= tostring(sys.getpid()) then
    return nil, "userns: /proc is that of another PID namespace: mount one of this",
      sys.errno.ESRCH, "userns"
  elseif ctx.userns ~= "auto" then
    return true
  end
  for _, entry in ipairs(KINDS) do
    local kind, field = table.unpack(entry)
    local first = try(subid.take(ctx.undo, kind))
    ctx.config.linux[field][1].hostID = first
  end
  return true
end

--- Root writes the maps itself, the host's and that of a user namespace.
local function write(ctx, proc)
  local ok, message, errno = true, nil, nil
  for _, entry in ipairs(KINDS) do
    local kind, field = table.unpack(entry)
    if ok then
      ok, message, errno =
        sys.write_file(proc .. kind .. "_map", lines(ctx.config.linux[field]))
    end
  end
  return ok, message, errno
end

--- What a program says on its standard streams, to its end.
local function said(argv)
  return subprocess.output({}, function(writer)
    sys.open_stdio(true)
    sys.dup2(writer, 1)
    sys.dup2(writer, 2)
    local _, why = sys.exec(argv)
    sys.write(2, why)
  end)
end

--- An ordinary user asks newuidmap and newgidmap.
local function ask(ctx, pid, proc)
  for _, entry in ipairs(KINDS) do
    local kind, field = table.unpack(entry)
    local argv = { ("new%smap"):format(kind), tostring(pid) }
    for _, map in ipairs(ctx.config.linux[field]) do
      for _, number in ipairs { map.containerID, map.hostID, map.size } do
        argv[#argv + 1] = tostring(number)
      end
    end
    local text, message, errno = said(argv)
    if not text then
      return nil, message, errno
    elseif (sys.read_file(proc .. kind .. "_map") or "") == "" then
      -- It may say its name itself.
      local why = text:match("^" .. argv[1] .. ": ([^\n]+)") or text:match("[^\n]+")
      return nil, ("%s: %s"):format(argv[1], why or "wrote no map"), sys.errno.EPERM
    end
  end
  return true
end

--- Runs while the child waits, so the process of this number is the child.
function userns.parent(ctx, pid)
  if not ctx.userns or ctx.userns == "joined" then
    return true
  end
  local proc = ("/proc/%d/"):format(pid)
  if ctx.userns == "auto" or ctx.maps_itself then
    return write(ctx, proc)
  end
  return ask(ctx, pid, proc)
end

--- A single line that maps the writer's own id is what an ordinary user may write; the group's only
-- after setgroups has been given up, for with it a group that denies access could be dropped.
local function write_own(linux)
  local ok, message, errno = sys.write_file("/proc/self/setgroups", "deny")
  if ok then
    ok, message, errno = sys.write_file("/proc/self/uid_map", lines(linux.uidMappings))
    if errno == sys.errno.EPERM and linux.uidMappings[1].hostID == 0 then
      message = message .. "; to map user 0 takes CAP_SETFCAP, since Linux 5.12"
    end
  end
  if ok then
    ok, message, errno = sys.write_file("/proc/self/gid_map", lines(linux.gidMappings))
  end
  return ok, message, errno
end

--- Changes the ids, groups first.
-- @int uid
-- @int gid
-- @bool[opt] groups_stay in a user namespace setgroups may be denied for good
-- @tparam[opt] table groups the supplementary ones
function userns.become(uid, gid, groups_stay, groups)
  local ok, message, errno = true, nil, nil
  if not groups_stay or groups and groups[1] then
    ok, message, errno = sys.setgroups(groups or {})
  end
  if ok then
    ok, message, errno = sys.setgid(gid)
  end
  if ok then
    ok, message, errno = sys.setuid(uid)
  end
  if not ok then
    return nil, message, errno
  end
  -- The kernel forgets the parent-death signal when the ids change.
  return process.follow()
end

-- The kinds in which the child is no user until it becomes one.
local BECOMES <const> = { auto = true, given = true, joined = true }

--- Root, where the namespace has that id.
local function first_id(mappings)
  return userns.maps(mappings, 0) and 0 or mappings[1].containerID
end

--- Root of it, where changing the groups may be denied for good.
local function become_root(ctx)
  local linux = ctx.config.linux
  local text = sys.read_file("/proc/self/setgroups") or ""
  ctx.setgroups_denied = text:find("^deny") ~= nil
  return userns.become(first_id(linux.uidMappings), first_id(linux.gidMappings),
    ctx.setgroups_denied)
end

--- In a process that has joined the user namespace: only a process with a range of ids has another
-- there than it had.
function userns.join(ctx)
  if BECOMES[ctx.userns] then
    return become_root(ctx)
  end
  return true
end

--- Runs in the new user namespace, which has no ids until the maps are there. newgidmap denies
-- setgroups where the user was given no group but the own one.
function userns.child(ctx)
  local linux = ctx.config.linux
  if BECOMES[ctx.userns] then
    -- What was joined before this, as a cgroup of root's, could not be any more.
    return become_root(ctx)
  elseif ctx.userns or ctx.lacks_host then
    local text, message, errno = sys.read_file("/proc/self/setgroups")
    ctx.setgroups_denied = text and text:find("^deny") ~= nil
    return text and true, message, errno
  elseif linux.uidMappings then
    ctx.setgroups_denied = true
    return write_own(linux)
  end
  return true
end

return userns
