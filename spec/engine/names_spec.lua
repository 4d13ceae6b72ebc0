local sys = require "container.sys"
local api = require "container.api"
local names = require "container.engine.names"
local support = require "spec.support"
local cleanup = require "container.engine.cleanup"

local E <const> = sys.errno
local BOX <const> = support.lua .. " run.lua -q "

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true", pids = "max" }
end)

-- Another name than any of another run of these specs has.
local function fresh()
  return support.name():gsub("[^A-Za-z0-9_+.-]", "-"):gsub("^%.", "-")
end

local function spawn(wanted, pids)
  return api.spawn { "sleep", "1000", name = wanted, pids = pids or "max" }
end

local function taken(wanted)
  local c, err = spawn(wanted)
  assert.is_nil(c)
  assert.equal(("name: claim %s: another container has this name"):format(wanted), tostring(err))
  assert.same({ "name", wanted, E.EBUSY }, { err.step, err.subject, err.errno })
end

describe("a container's name #root", function()
  it("is the object's, and none is the default", function()
    local wanted = fresh()
    local c <close> = assert(spawn(wanted))
    local other <close> = assert(spawn(nil))
    assert.equal(wanted, c.name)
    assert.is_nil(other.name)
  end)

  it("is refused while it is in use, with and without a cgroup, and its owner goes on", function()
    local wanted = fresh()
    local c <close> = assert(spawn(wanted))
    taken(wanted)
    local _, err = spawn(wanted, 5)
    assert.equal("name", err.step)
    assert.equal("running", sys.wait(c.pid, "nohang"))
    taken(wanted)
  end)

  it("is free again after the end, and after a start that failed", function()
    local wanted = fresh()
    assert(spawn(wanted)):close()
    local _, err = api.run { "/no/such/program", name = wanted, pids = "max" }
    assert.equal("exec", err.step)
    local c <close> = assert(spawn(wanted))
    assert.equal(wanted, c.name)
  end)

  it("leaves no file", function()
    local wanted = fresh()
    local c = assert(spawn(wanted))
    assert.is_truthy(sys.stat("/run/lua-container/" .. wanted))
    c:close()
    assert.is_nil(sys.stat("/run/lua-container/" .. wanted))
  end)

  it("is what the name of its cgroup ends with #cgroup1", function()
    local wanted = fresh()
    local c <close> = assert(spawn(wanted, 5))
    local lines = sys.read_file(("/proc/%d/cgroup"):format(c.pid))
    assert.is_truthy((lines .. "\n"):find("-" .. wanted .. "\n", 1, true), lines)
  end)

  it("is free when its launcher was killed", function()
    local wanted = fresh()
    local result = support.script(([[
      local c = assert(container.spawn { "sleep", "1000", name = %q, pids = "max" })
      print(c.pid)
      io.stdout:flush()
      sys.kill(sys.getpid(), "KILL")
    ]]):format(wanted))
    local pidfd <close> = sys.pidfd_open(tonumber(result.stdout))
    assert.is_true(not pidfd or sys.ppoll({ pidfd }, 10)[1])
    local _ <close> = assert(spawn(wanted))
    taken(wanted)
  end)

  it("takes the files of killed launchers away, and no other", function()
    local stale, wanted, other = fresh(), fresh(), fresh()
    local colon = "uid:" .. fresh():match("%d+")
    for _, file in ipairs { stale, colon } do
      local path = "/run/lua-container/" .. file
      assert(sys.open(path, "rdwr,creat", tonumber("600", 8))):close()
    end
    local c <close> = assert(spawn(wanted))
    assert.is_nil(sys.stat("/run/lua-container/" .. stale))
    assert.is_truthy(sys.stat("/run/lua-container/" .. colon))
    os.remove("/run/lua-container/" .. colon)
    local _ <close> = assert(spawn(other))
    assert.is_truthy(sys.stat("/run/lua-container/" .. wanted))
    assert.equal(wanted, c.name)
    taken(wanted)
  end)

  it("is not refused because of those who take files away meanwhile", function()
    local reader, writer = assert(sys.pipe())
    local pids = {}
    for i = 1, 4 do
      local wanted = fresh()
      pids[i] = assert(sys.clone({}, function()
        sys.pdeathsig("KILL")
        for _ = 1, 300 do
          local stack <close> = cleanup.new()
          local ok, message = names.prepare { name = wanted, undo = stack }
          if not ok then
            sys.write(writer, message .. "\n")
          end
        end
      end))
    end
    writer:close()
    assert.equal("", support.drain(reader))
    reader:close()
    for _, pid in ipairs(pids) do
      support.wait(pid)
    end
  end)

  it("waits for one who takes files away, however slow", function()
    local wanted, directory = fresh(), "/run/lua-container"
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      local dir = assert(sys.open(directory, "rdonly,directory"))
      assert(sys.flock(dir, "ex,nb"))
      local fd = assert(sys.open(directory .. "/" .. wanted, "rdwr,creat", 0x180))
      assert(sys.flock(fd, "ex,nb"))
      sys.write(writer, ".")
      sys.ppoll({}, 0.2)
      os.remove(directory .. "/" .. wanted)
    end))
    writer:close()
    assert.equal(".", sys.read(reader))
    reader:close()
    local stack <close> = cleanup.new()
    assert(names.prepare { name = wanted, undo = stack })
    support.wait(pid)
  end)

  it("goes to exactly one of those that ask at once", function()
    local wanted = fresh()
    for _ = 1, 5 do
      local go, start = assert(sys.pipe())
      local reader, writer = assert(sys.pipe())
      local pids = {}
      for i = 1, 6 do
        pids[i] = assert(sys.clone({}, function()
          sys.pdeathsig("KILL")
          start:close()
          sys.read(go)
          local c, err = spawn(wanted)
          sys.write(writer, c and "won\n" or tostring(err) .. "\n")
          -- Those that come late find it in use, too.
          sys.ppoll({}, 0.5)
        end))
      end
      go:close()
      writer:close()
      start:close()
      local said = support.drain(reader)
      reader:close()
      for _, pid in ipairs(pids) do
        support.wait(pid)
      end
      local _, wins = said:gsub("won\n", "")
      local _, losses = said:gsub("another container has this name\n", "")
      assert.same({ 1, 5 }, { wins, losses }, said)
    end
  end)

  it("is an option of the command line, which an error speaks of", function()
    local wanted = fresh()
    assert.equal("x\n", support.run(BOX .. "--name " .. wanted .. " echo x").stdout)
    local _ <close> = assert(spawn(wanted))
    assert.same({ status = 125, stdout = "", stderr =
      ("lua-container: name: claim %s: another container has this name\n"):format(wanted) },
      support.run(BOX .. "--name " .. wanted .. " true"))
    assert.same({ status = 125, stdout = "", stderr = "lua-container: --name: expected 1 to 128 "
      .. "letters, digits, _, +, - and . (not first), got \"a/b\"\n" },
      support.run(BOX .. "--name a/b true"))
  end)
end)

describe("a name of an ordinary user #userns", function()
  local SCRIPT <const> = [[
    package.path, package.cpath = "./lua/?.lua;" .. package.path, "./?.so;" .. package.cpath
    local container = require "container"
    local sys = require "container.sys"
    local options = { "sleep", "1000", name = arg[1], pids = "max" }
    local c <close> = assert(container.spawn(options))
    print(container.spawn(options))
    for _, place in ipairs { os.getenv("XDG_RUNTIME_DIR") .. "/lua-container",
      "/tmp/lua-container-" .. sys.geteuid() } do
      if sys.stat(place .. "/" .. c.name) then
        print(("%s %o"):format(place, sys.stat(place).mode))
      end
    end
  ]]

  local function place_of(base)
    local wanted = fresh()
    local result = support.as_user(("export XDG_RUNTIME_DIR=%s; echo $XDG_RUNTIME_DIR; id -u; "
      .. "echo %s | %s - %s"):format(base, support.quote(SCRIPT), support.lua, wanted))
    local given, uid, refusal, place =
      result.stdout:match("^(%S+)\n(%d+)\nnil\t([^\n]*)\n(.*)\n$")
    assert.equal(("name: claim %s: another container has this name"):format(wanted), refusal,
      result.stdout .. result.stderr)
    return place, given, uid
  end

  it("is kept in the directory of the login", function()
    local place, base = place_of("$(mktemp -d)")
    assert.equal(base .. "/lua-container 700", place)
    assert(os.execute("rmdir " .. base .. "/lua-container " .. base))
  end)

  it("is kept in one of the user's own in /tmp, where the login's is not the user's", function()
    for _, base in ipairs { "/nowhere", "/", "relative" } do
      local place, _, uid = place_of(base)
      assert.equal(("/tmp/lua-container-%s 700"):format(uid), place)
    end
  end)
end)

describe("name.prepare", function()
  local function replace(fn_name, fn)
    local original = sys[fn_name]
    sys[fn_name] = fn
    return setmetatable({}, { __close = function() sys[fn_name] = original end })
  end

  it("asks nothing of the host without a name", function()
    local _ <close> = replace("mkdir", function() error("a directory is made") end)
    assert.is_true(names.prepare {})
  end)

  it("tries again where the last holder took the file away before the lock #root", function()
    local wanted, times = fresh(), 0
    local flock = sys.flock
    local _ <close> = replace("flock", function(...)
      times = times + 1
      if times == 1 then
        os.remove("/run/lua-container/" .. wanted)
      end
      return flock(...)
    end)
    local c = { name = wanted, undo = cleanup.new() }
    assert.is_true(names.prepare(c))
    assert.is_true(times >= 2) -- and those of the sweep
    taken(wanted)
    c.undo:run()
  end)

  -- In a mount namespace with a /run of its own, so that the real one is no user's to play with.
  local function squatted(prepare)
    return support.child(function()
      assert(sys.mount("tmpfs", "/run", "tmpfs"))
      prepare()
      return names.prepare { name = "box", undo = cleanup.new() }
    end, { "mount" })
  end

  local OTHERS <const> =
    "open /run/lua-container: not a directory that this user alone can write"

  it("is refused in a directory of somebody else #root", function()
    support.refused(OTHERS, "EPERM", squatted(function()
      assert(sys.mkdir("/run/lua-container", 448))
      assert(sys.chown("/run/lua-container", 1, 1))
    end))
  end)

  it("is refused in a directory that others can write #root", function()
    support.refused(OTHERS, "EPERM", squatted(function()
      sys.umask(0)
      assert(sys.mkdir("/run/lua-container", 504)) -- 0770
    end))
  end)

  it("is refused where a link is in the way #root", function()
    support.refused("open /run/lua-container: Not a directory", "ENOTDIR", squatted(function()
      assert(sys.mkdir("/run/x", 448))
      assert(sys.symlink("x", "/run/lua-container"))
    end))
    support.refused("open box: Too many levels of symbolic links", "ELOOP", squatted(function()
      assert(sys.mkdir("/run/lua-container", 448))
      assert(sys.symlink("/run/x", "/run/lua-container/box"))
    end))
  end)
end)
