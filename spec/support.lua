-- What the specs share. busted loads it once, before all of them (.busted), and from then on:
--
-- * A tag in the name of a test, or of what it stands in, is a need: #root #userns #cgroup,
--   which is #cgroup1 or #cgroup2. A test whose need is not met (spec/fixtures/probes.lua) is
--   pending and says why; with CONTAINER_MUST_WORK=1 it fails, if root should be able to meet it.
-- * After a test that succeeded everything is as it was before it: see `snapshot`.

local busted = require "busted"
local errors = require "container.error"
local sys = require "container.sys"
local probes = require "spec.fixtures.probes"
local scratch = require "spec.fixtures.scratch"

local support = {
  lua = os.getenv("LUA") or "lua5.4",
  quote = scratch.quote, name = scratch.name, tmpdir = scratch.tmpdir,
  busybox_rootfs = scratch.busybox_rootfs,
}

-- How many times slower than others a machine is, such as the emulated one of .ci/vm.
support.patience = math.tointeger(os.getenv("SPEC_PATIENCE")) or 1

local DEADLINE <const> = 30 * support.patience -- seconds; nothing here takes one: for what hangs
local ORDINARY <const> = 54321 -- a user and a group that are not in use

-- In children that are not copies nothing is there of what a spec puts in the place of a function.
require("container.engine.spawn").mode = "fork"

sys.umask(tonumber("022", 8)) -- the files made for another user are there to be read

local left = {} -- the cgroups that this process was in

--- Goes where the mounts and cgroups of other programs cannot be seen, for they come and go while
-- the specs run: into a mount namespace, whose mounts are shared as a host's are, but with none of
-- the host; and into cgroups of its own in version 1. scratch.lua's process takes those away.
local function withdraw()
  if sys.geteuid() ~= 0 or not sys.unshare("mount") then
    return
  end
  assert(sys.mount(nil, "/", nil, "rprivate"))
  assert(sys.mount(nil, "/", nil, "rshared"))
  for line in (sys.read_file("/proc/self/cgroup") or ""):gmatch("[^\n]+") do
    local controller = line:match("^%d+:([%w_]+)")
    local place, version = nil, nil
    if controller then
      place, version = sys.cgroup_place(controller)
    end
    local path = version == 1 and place .. "/" .. scratch.run .. ".own"
    if path and sys.mkdir(path) then
      for _, name in ipairs(controller == "cpuset" and { "cpuset.cpus", "cpuset.mems" } or {}) do
        sys.write_file(path .. "/" .. name, sys.read_file(place .. "/" .. name))
      end
      assert(sys.write_file(path .. "/cgroup.procs", "0"))
      left[#left + 1] = place
    end
  end
end

withdraw()

-- Processes --------------------------------------------------------------------------------------

--- Waits for a child as container.wait does, but kills it when it takes too long.
function support.wait(pid)
  local pidfd <close> = sys.pidfd_open(pid) -- there is none under valgrind: without a limit
  if pidfd and not sys.ppoll({ pidfd }, DEADLINE)[1] then
    sys.kill(pid, "KILL")
    sys.wait(pid)
    busted.fail(("process %d took longer than %d seconds"):format(pid, DEADLINE), 2)
  end
  return sys.wait(pid)
end

--- Reads until the end of file, or until an fd has been silent for too long.
function support.drain(fd)
  local all = ""
  while sys.ppoll({ fd }, DEADLINE)[1] do
    local piece = assert(sys.read(fd))
    if piece == "" then
      break
    end
    all = all .. piece
  end
  return all
end

--- Runs `fn` in a child, so that what it does touches nothing else, and returns what it returned:
-- nil, booleans, numbers, strings. An error in it, such as an assertion's, is one here.
-- @func fn
-- @tparam[opt] table namespaces for the child to be in; with "mount", its mounts are private
function support.child(fn, namespaces)
  namespaces = namespaces or {}
  local reader, writer = assert(sys.pipe())
  local _ <close> = reader
  local pid, refusal = sys.clone(namespaces, function()
    sys.pdeathsig("KILL")
    reader:close()
    local values = table.pack(pcall(function()
      if table.concat(namespaces, " "):find("mount") then
        assert(sys.mount(nil, "/", nil, "rprivate"))
      end
      return fn()
    end))
    if not values[1] then
      values[2] = tostring(values[2])
    end
    for i = 1, values.n do
      values[i] = ("%q"):format(values[i])
    end
    sys.write(writer, "return " .. table.concat(values, ","))
    sys._exit(0)
  end)
  writer:close()
  if not pid then
    busted.fail(refusal, 2)
  end
  local said = support.drain(reader)
  local how, number = support.wait(pid)
  if said == "" then
    said = ("return false, 'no word: %s %d'"):format(how, number)
  end
  local values = table.pack(assert(load(said))())
  if not values[1] then
    busted.fail("in the child: " .. values[2], 2)
  end
  return table.unpack(values, 2, values.n)
end

--- Runs a command of the shell, which finds this module with any Lua 5.4 that it starts.
-- @treturn table status (124 when it took too long), stdout, stderr
function support.run(command)
  local said = scratch.path .. "/" .. support.name()
  local quote = support.quote
  local pipe <close> = assert(io.popen(
    ("LUA_PATH_5_4=%s LUA_CPATH_5_4=%s timeout -k 1 %d sh -c %s 2>%s </dev/null"):format(
      quote(package.path), quote(package.cpath), DEADLINE, quote(command), quote(said))))
  local stdout = pipe:read("a")
  local _, _, status = pipe:close()
  return { status = status, stdout = stdout, stderr = assert(sys.read_file(said)) }
end

--- The same for a piece of Lua, in which `container` is this module.
function support.script(text)
  return support.run(support.lua .. " -e " .. support.quote(
    "local container, sys = require 'container', require 'container.sys'\n" .. text))
end

local copy

--- Runs a command as a user without any privilege, in a copy of the tree: the tree itself may lie
-- where others cannot read. A user without root is such a user already.
function support.as_user(command)
  if not copy then
    copy = support.tmpdir()
    local module = assert(package.searchpath("container", package.cpath))
    assert(os.execute(("cp %s %s/container.so && cp -r run.lua lua spec container %s"):format(
      module, copy, copy)))
  end
  local drop = sys.geteuid() == 0 and ("setpriv --reuid=%d --regid=%d --clear-groups \z
    --inh-caps=-all --bounding-set=-all "):format(ORDINARY, ORDINARY) or ""
  return support.run(("cd %s && exec %ssh -c %s"):format(copy, drop, support.quote(command)))
end

-- Needs ------------------------------------------------------------------------------------------

local answers = {}

local function met(need)
  if not answers[need] then
    local probe = probes[need] or function()
      return os.execute("command -v " .. need .. " >/dev/null"), "no such program in PATH"
    end
    answers[need] = table.pack(probe(support))
  end
  return answers[need][1], answers[need][2]
end

local function must(need)
  return os.getenv("CONTAINER_MUST_WORK") == "1" and sys.geteuid() == 0
    and (need == "root" or need == "userns"
      or need:find("^cgroup") and not met("cgroup1") and not met("cgroup2"))
end

local test -- the one that runs

--- Leaves the test pending unless this machine has what it needs: a tag, a probe, a program.
function support.needs(...)
  for _, need in ipairs { ... } do
    local ok, why = met(need)
    if not ok then
      local how = must(need) and busted.fail or test.env.pending
      how(("needs %s: %s"):format(need, why))
    end
  end
end

-- Assertions -------------------------------------------------------------------------------------

--- A caller's mistake: `fn` raises, and its message has these words.
function support.raises(words, fn, ...)
  local ok, message = pcall(fn, ...)
  if ok or not tostring(message):find(words, 1, true) then
    busted.fail(("expected an error with %q, got: %q"):format(words, tostring(message)), 2)
  end
end

--- A module whose functions answer what they refuse by raising, as the driver of the steps sees it.
-- @tparam table module
function support.catching(module)
  return setmetatable({}, { __index = function(_, name)
    local value = module[name]
    return type(value) ~= "function" and value or function(...)
      return errors.caught(value, ...)
    end
  end })
end

--- The kernel's refusal, and nothing else: nil, message, errno, which may be given by name.
function support.refused(message, errno, ...)
  local got = table.pack(...)
  local number = sys.errno[errno] or errno
  if got.n ~= 3 or got[1] ~= nil or got[2] ~= message or got[3] ~= number then
    busted.fail(("expected nil, %q, %s, got: %s, %q, %s"):format(
      message, number, got[1], tostring(got[2]), got[3]), 2)
  end
end

-- What a test leaves behind ----------------------------------------------------------------------

-- The cgroups of ours in a place, but those that are held: a launcher has a lock on its own
-- while it lives. Those of another run of the specs are that one's business.
local function cgroups(place, found)
  for _, name in ipairs(place and sys.list(place) or {}) do
    local ours = name:find("lua-container", 1, true) == 1
      and (name:find(scratch.prefix, 1, true) ~= 1 or name:find(scratch.run, 1, true) == 1)
    local dir <close> = ours and sys.open(place .. "/" .. name, "directory") or nil
    if dir and sys.flock(dir, "ex,nb") then
      found["cgroup " .. place .. "/" .. name] = true
    end
  end
end

--- What there is of this process, as a set: open fds, children, mounts, cgroups of ours.
function support.snapshot()
  local found, pid = {}, sys.getpid()
  for _, fd in ipairs(assert(sys.list("/proc/self/fd"))) do
    local target = sys.readlink("/proc/self/fd/" .. fd)
    found["fd " .. fd .. " -> " .. (target or "")] = target and true -- the listing's own has none
  end
  local children = sys.read_file(("/proc/%d/task/%d/children"):format(pid, pid))
  for child in (children or ""):gmatch("%d+") do
    found["child " .. child] = true
  end
  for line in assert(sys.read_file("/proc/self/mountinfo")):gmatch("[^\n]+") do
    found["mount " .. line] = true
  end
  local place, version = sys.cgroup_place("pids")
  cgroups(place, found)
  if version == 1 then -- of version 2 there is one hierarchy
    cgroups(sys.cgroup_place("memory"), found)
    cgroups(sys.cgroup_place("cpu"), found)
  end
  return found
end

local function changes(before)
  local now, found = support.snapshot(), {}
  for what in pairs(now) do
    found[#found + 1] = not before[what] and "left: " .. what or nil
  end
  for what in pairs(before) do
    -- A cgroup that is gone was an earlier test's, or another's.
    found[#found + 1] = not now[what] and not what:find("^cgroup") and "lost: " .. what or nil
  end
  table.sort(found)
  return found
end

-- An fd that no process owns any more is no leak, and is closed by this.
local function collect()
  collectgarbage()
  collectgarbage()
end

--- Fails, with a list, when anything is other than it was. Not at the first look, before which
-- nothing is collected, for that takes long; nor at the second: a container of another process
-- on this machine has a cgroup that no process holds while it comes and goes.
function support.assert_same(before)
  if not changes(before)[1] then
    return
  end
  collect()
  if changes(before)[1] then
    sys.ppoll({}, 1)
    local found = changes(before)
    if found[1] then
      busted.fail(table.concat(found, "\n"), 2)
    end
  end
end

-- Whether there may be fds that no process owns: before the first test, and after one that did not
-- succeed.
local unknown = true

busted.subscribe({ "test", "start" }, function(element)
  local names, above = element.name or "", busted.parent(element)
  while above do
    names, above = (above.name or "") .. " " .. names, busted.parent(above)
  end
  if unknown then
    collect()
  end
  test, unknown = { env = element.env, before = support.snapshot() }, false
  local fn = element.run
  element.run = fn and function(...)
    for tag in names:gmatch("#(%w+)") do
      support.needs(tag)
    end
    return fn(...)
  end
  return nil, true -- the other subscribers are to hear of it too
end)

busted.subscribe({ "test", "end" }, function(_, _, status)
  if status == "success" then
    support.assert_same(test.before)
  else
    unknown = true
  end
  return nil, true
end)

busted.subscribe({ "exit" }, function()
  for _, place in ipairs(left) do
    sys.write_file(place .. "/cgroup.procs", "0")
  end
  support.wait(scratch.finish())
  return nil, true
end)

--- How a result says that a container ended, without what it says of time and memory.
function support.ending(result)
  return result and { reason = result.reason, status = result.status, signal = result.signal }
end

return support
