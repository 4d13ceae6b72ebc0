local cgroup = require "container.linux.cgroup"
local errors = require "container.error"
local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"
local cleanup = require "container.engine.cleanup"

local E <const> = sys.errno
local PREFIX <const> = "lua-container-"

-- Either version does.
local place = sys.cgroup_place("pids")

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true" }
end)

local function replace(name, fn)
  local original = sys[name]
  sys[name] = fn
  return setmetatable({}, { __close = function() sys[name] = original end })
end

-- What cgroup.prepare asks of a container.
local function described(limit)
  return { undo = cleanup.new(), config = { linux = { resources = { pids = { limit = limit } } } } }
end

-- As the driver of the steps calls it.
local function prepare(c)
  return errors.caught(cgroup.prepare, c)
end

local function directory(c)
  return c.cgroup[1].path
end

-- The cgroup of a container that runs, as the host sees it.
local function cgroup_of(c)
  local lines = sys.read_file(("/proc/%d/cgroup"):format(c.pid))
  local name = assert(lines:match("/(lua%-container%-[^/\n]*)\n"), lines)
  return place .. "/" .. name
end

local function locked(path)
  local fd <close> = assert(sys.open(path, "rdonly,directory"))
  local ok, _, errno = sys.flock(fd, "ex,nb")
  return not ok and errno == E.EAGAIN
end

-- A process that does nothing, until it is killed or this one is gone.
local function idle()
  return assert(sys.clone({}, function()
    sys.pdeathsig("KILL")
    sys.ppoll({})
  end))
end

describe("cgroup.prepare #root #cgroup", function()
  it("makes a cgroup with the limit, which the undo takes away", function()
    local c = described(7)
    assert.is_true(prepare(c))
    local path = directory(c)
    assert.equal(place, path:match("^(.*)/[^/]*$"))
    assert.equal(PREFIX, path:sub(#place + 2, #place + 1 + #PREFIX))
    assert.equal("7\n", sys.read_file(path .. "/pids.max"))
    assert.is_true(locked(path))
    c.undo:run()
    assert.is_nil(sys.stat(path))
  end)

  it("makes none without a limit", function()
    local c = described(-1)
    local _ <close> = replace("mkdir", function() error("a cgroup is made") end)
    assert.is_true(prepare(c))
    assert.is_nil(c.cgroup)
  end)

  it("makes each of another name, also where one of that name is there", function()
    local made, skipped = {}, nil
    local mkdir = sys.mkdir
    local _ <close> = replace("mkdir", function(path, ...)
      if not skipped then
        skipped = path
        return nil, "mkdir " .. path .. ": File exists", E.EEXIST
      end
      return mkdir(path, ...)
    end)
    for i = 1, 3 do
      made[i] = described(5)
      assert.is_true(prepare(made[i]))
    end
    local names = { [skipped] = true }
    for _, c in ipairs(made) do
      assert.is_nil(names[directory(c)])
      names[directory(c)] = true
      c.undo:run()
    end
  end)

  it("makes another where a sweep came before the lock", function()
    local first
    local mkdir = sys.mkdir
    local _ <close> = replace("mkdir", function(path, ...)
      local ok, message, errno = mkdir(path, ...)
      if not first then
        first = path
        sys.rmdir(path)
      end
      return ok, message, errno
    end)
    local c = described(5)
    assert.is_true(prepare(c))
    assert.are_not.equal(first, directory(c))
    c.undo:run()
  end)

  it("makes another where a sweep came between opening and locking", function()
    local first
    local open = sys.open
    local ours <const> = ("%s/%s%d-"):format(place, PREFIX, sys.getpid())
    local _ <close> = replace("open", function(path, ...)
      local fd, message, errno = open(path, ...)
      if not first and path:sub(1, #ours) == ours then
        first = path
        sys.rmdir(path)
      end
      return fd, message, errno
    end)
    local c = described(5)
    assert.is_true(prepare(c))
    assert.are_not.equal(first, directory(c))
    c.undo:run()
  end)

  it("answers that the directory it made cannot be opened, and takes it away", function()
    local tried = {}
    local open = sys.open
    local ours <const> = ("%s/%s%d-"):format(place, PREFIX, sys.getpid())
    local stub = replace("open", function(path, ...)
      if path:sub(1, #ours) ~= ours then
        return open(path, ...)
      end
      tried[#tried + 1] = path
      assert(#tried < 5, "it does not give up")
      return nil, "open " .. path .. ": Too many open files", 24
    end)
    local c = described(5)
    local result = table.pack(pcall(cgroup.prepare, c))
    getmetatable(stub).__close()
    c.undo:run()
    local left = 0
    for _, path in ipairs(tried) do
      left = left + (sys.rmdir(path) and 1 or 0)
    end
    assert.is_true(result[1], result[2])
    support.refused("open " .. tried[1] .. ": Too many open files", 24,
      table.unpack(result, 2, result.n))
    assert.equal(0, left)
  end)

  it("answers that no cgroup can be made", function()
    local _ <close> = replace("mkdir", function(path)
      return nil, "mkdir " .. path .. ": No space left on device", E.ENOSPC
    end)
    local ok, message, errno = prepare(described(5))
    assert.is_nil(ok)
    assert.matches("^mkdir .*: No space left on device$", message)
    assert.equal(E.ENOSPC, errno)
  end)

  it("answers that the limit is refused, and the undo takes the cgroup away", function()
    local c = described(1 << 40)
    local ok, message, errno = prepare(c)
    assert.is_nil(ok)
    assert.matches("^pids: write .*/pids%.max: Invalid argument$", message)
    assert.equal(E.EINVAL, errno)
    c.undo:run()
  end)
end)

describe("cgroup.prepare", function()
  local NOWHERE <const> = "cgroup controller pids: Not found, by the test"

  local function nowhere()
    local place_of = replace("cgroup_place", function() return nil, NOWHERE, E.ENOENT end)
    local directory_of = replace("cgroup_directory", function() return nil, NOWHERE, E.ENOENT end)
    return setmetatable({}, { __close = function()
      getmetatable(directory_of).__close()
      getmetatable(place_of).__close()
    end })
  end

  it("is refused where there is no controller", function()
    local _ <close> = nowhere()
    support.refused("cgroup controller pids: /proc/self/mountinfo and /proc/self/cgroup show no "
      .. "cgroup, from the caller's own upwards, that can give it to a child, so the limit of "
      .. "processes cannot hold; pids = \"max\" asks for none",
      "ENOENT", table.unpack({ prepare(described(5)) }, 1, 3))
  end)

  it("needs no controller where no limit is asked for", function()
    local _ <close> = nowhere()
    assert.is_true(prepare(described(-1)))
  end)

  it("leaves the limit to the user namespace where there is one", function()
    local _ <close> = nowhere()
    local _ <close> = replace("uname", function() return { release = "5.14.0-1-generic" } end)
    local c = described(5)
    c.user_namespace = true
    assert.is_true(prepare(c))
    assert.equal(5, c.nproc)
    assert.is_nil(c.cgroup)
  end)

  it("is refused where the user namespace would not hold it either", function()
    local _ <close> = nowhere()
    for _, release in ipairs { "5.13.19", "4.19.0-27-amd64", "odd" } do
      local _ <close> = replace("uname", function() return { release = release } end)
      local c = described(5)
      c.user_namespace = true
      local ok, message, errno = prepare(c)
      assert.is_nil(ok)
      assert.matches("; without a cgroup of your own a limit of processes takes Linux 5.14 or "
        .. "later, or none asked for: pids = \"max\"", message, 1, true)
      assert.equal(E.ENOENT, errno)
      assert.is_nil(c.nproc)
    end
  end)
end)

describe("cgroup.child", function()
  it("answers that it may not join", function()
    support.refused("write /no/such/cgroup.procs: No such file or directory", "ENOENT",
      cgroup.child { cgroup = { { version = 2, path = "/no/such" } } })
  end)

  it("makes a cgroup namespace, also without a cgroup #root", function()
    local before, after = support.child(function()
      local before = sys.readlink("/proc/self/ns/cgroup")
      assert(cgroup.child { cgroup_namespace = true })
      return before, sys.readlink("/proc/self/ns/cgroup")
    end)
    assert.are_not.equal(before, after)
  end)
end)

describe("a container's cgroup #root #cgroup", function()
  it("is its own, with the limit and a lock, and gone with it", function()
    local one <close> = assert(api.spawn { "sleep", "1000", pids = 7 })
    local other <close> = assert(api.spawn { "sleep", "1000" })
    local path = cgroup_of(one)
    assert.are_not.equal(path, cgroup_of(other))
    assert.equal("7\n", sys.read_file(path .. "/pids.max"))
    assert.equal("20\n", sys.read_file(cgroup_of(other) .. "/pids.max"))
    assert.is_true(locked(path))
    assert.is_true(locked(cgroup_of(other)))
    one:close()
    assert.is_nil(sys.stat(path))
    assert.is_truthy(sys.stat(cgroup_of(other)))
  end)

  it("is gone when the program has ended, before the result is there", function()
    local c <close> = assert(api.spawn { "sleep", "0" })
    c:wait()
    for _, name in ipairs(sys.list(place)) do
      assert.is_nil(name:find(("^lua%%-container%%-%d%%-"):format(sys.getpid())))
    end
  end)

  it("does not exist with max", function()
    local c <close> = assert(api.spawn { "sleep", "1000", pids = "max" })
    assert.is_nil(sys.read_file(("/proc/%d/cgroup"):format(c.pid)):find(PREFIX, 1, true))
  end)

  it("holds the number of processes: of those that it does not, fork fails", function()
    -- Two are init and the shell.
    local result = support.run(support.lua .. " run.lua -q --pids-limit 5 sh -c "
      .. "'for i in 1 2 3 4 5 6; do sleep 1000 & echo $i; done'")
    assert.equal("1\n2\n3\n", result.stdout)
    assert.are_not.equal(0, result.status)
  end)

  it("holds a bomb", function()
    local c <close> = assert(api.spawn { "sh", "-c",
      "exec 2>&-; bomb() { bomb | bomb & }; bomb; exec sleep 1000", pids = 12 })
    local path = cgroup_of(c)
    -- Until it is full; each look is a system call, and the bomb is quick.
    local highest, looks = 0, 0
    repeat
      highest = math.max(highest, tonumber(sys.read_file(path .. "/pids.current")))
      looks = looks + 1
    until highest >= 12 or looks > 100000
    assert.is_true(highest <= 12)
    c:close()
    assert.is_nil(sys.stat(path))
  end)

  it("of one process has room for a program without an init, and not for both", function()
    local result = assert(api.run { "true", pids = 1, init = false })
    assert.equal(0, result.status)
    local _, err = api.run { "true", pids = 1 }
    assert.equal("fork", err.step)
    assert.equal(E.EAGAIN, err.errno)
  end)

  it("is the root of the cgroups that it sees", function()
    local result = support.run(support.lua .. " run.lua -q cat /proc/self/cgroup")
    for line in result.stdout:gmatch("[^\n]+") do
      assert.matches("^%d+:[^:]*:/$", line)
    end
    assert.is_truthy(result.stdout:find(":/\n", 1, true))
  end)

  it("is refused with one sentence where there is no pids controller", function()
    local message, status = support.child(function()
      -- Those of v1 and v2, wherever they are.
      for _, mount in ipairs(require("container.fs.path").mounts()) do
        if mount.type:find("^cgroup") then
          sys.umount(mount.target, "detach")
        end
      end
      local _, err = api.run { "true" }
      return tostring(err), assert(api.run { "true", pids = "max" }).status
    end, { "mount" })
    assert.equal("cgroup: cgroup controller pids: /proc/self/mountinfo and /proc/self/cgroup show "
      .. "no cgroup, from the caller's own upwards, that can give it to a child, so the limit of "
      .. "processes cannot hold; pids = \"max\" asks for none",
      message)
    assert.equal(0, status)
  end)
end)

describe("the sweep of a run #root #cgroup", function()
  -- A cgroup as a launcher makes it, locked; another run may sweep it away before that.
  local function made()
    local path = ("%s/%s%s"):format(place, PREFIX, support.name():gsub("%.", "-"))
    assert(sys.mkdir(path))
    local lock = sys.open(path, "rdonly,directory")
    if lock and sys.flock(lock, "ex,nb") and sys.stat(path) then
      return path, lock
    end
    return made()
  end

  local function run()
    assert.equal(0, assert(api.run { "true" }).status)
  end

  it("takes away what nobody has a lock on", function()
    local path, lock = made()
    lock:close()
    run()
    assert.is_nil(sys.stat(path))
  end)

  it("does not try the locks of the containers that are held here, alive or ended", function()
    local list, own = {}, {}
    for i = 1, 3 do
      list[i] = assert(api.spawn { "sleep", "1000" })
      own[cgroup_of(list[i])] = true
    end
    list[3]:close()
    local open, tried = sys.open, 0
    local _ <close> = replace("open", function(path, ...)
      tried = tried + (own[path] and 1 or 0)
      return open(path, ...)
    end)
    run()
    assert.equal(0, tried)
    list[1]:close()
    list[2]:close()
  end)

  it("tries the lock of one of an own name that is not held any more", function()
    local c = assert(api.spawn { "sleep", "1000" })
    local path = cgroup_of(c)
    c:close()
    assert(sys.mkdir(path)) -- as one that was left by a launcher of the same number
    run()
    assert.is_nil(sys.stat(path))
  end)

  it("leaves alone what somebody has a lock on", function()
    local path, lock = made()
    run()
    assert.is_truthy(sys.stat(path))
    lock:close()
    run()
    assert.is_nil(sys.stat(path))
  end)

  it("ends what is in it, at the latest by the second run", function()
    -- Before the lock, for a process has a share in what is open when it is born.
    local pids = { idle(), idle(), idle() }
    local path, lock = made()
    for _, pid in ipairs(pids) do
      assert(sys.write_file(path .. "/cgroup.procs", tostring(pid)))
    end
    run()
    for _, pid in ipairs(pids) do
      assert.equal("running", sys.wait(pid, "nohang"))
    end
    lock:close()
    run()
    for _, pid in ipairs(pids) do
      assert.same({ "signal", 9 }, { support.wait(pid) })
    end
    run()
    assert.is_nil(sys.stat(path))
  end)

  it("leaves alone what has another name", function()
    local path = place .. "/" .. support.name()
    assert(sys.mkdir(path))
    run()
    assert.is_true(sys.rmdir(path))
  end)

  it("takes away what a killed launcher left", function()
    local result = support.script([[
      local c = assert(container.spawn { "sleep", "1000" })
      local lines = sys.read_file("/proc/" .. c.pid .. "/cgroup")
      print(c.pid, (lines:match("/(lua%-container[^\n]*)")))
      io.stdout:flush()
      sys.kill(sys.getpid(), "KILL")
    ]])
    local pid, name = result.stdout:match("^(%d+)\t(.*)\n$")
    local pidfd <close> = sys.pidfd_open(tonumber(pid))
    assert.is_true(not pidfd or sys.ppoll({ pidfd }, 10)[1])
    run()
    assert.is_nil(sys.stat(place .. "/" .. name))
  end)
end)

describe("a limit #root", function()
  it("says that /proc is missing where it is", function()
    local result = support.run("unshare -m sh -c " .. support.quote(
      "umount -l /proc; exec " .. support.lua .. " run.lua -q true"))
    assert.same({ 125, "lua-container: cgroup: stat /proc/self: No such file or directory; the "
      .. "launcher needs a /proc, and none is mounted\n" }, { result.status, result.stderr })
  end)
end)
