-- How many processes a container may have, and what becomes of one that wants more.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local REFUSED <const> = "Resource temporarily unavailable\n"

-- A fork bomb never runs but behind a second fence, in case the first does not hold: a cgroup
-- around launcher and container, and for an ordinary user a limit of all the user's processes.
local FENCE <const> = 300

-- In v1 a launcher makes its cgroup in its own. In v2 it does so in the nearest above that holds
-- no process, which is why there is a leaf.
local function fence(limit)
  local place, version = assert(sys.cgroup_place("pids"))
  local directory = place .. "/" .. support.name()
  local leaf = version == 2 and directory .. "/leaf" or directory
  assert(sys.mkdir(directory))
  assert(sys.write_file(directory .. "/pids.max", tostring(limit or FENCE)))
  if leaf ~= directory then
    assert(sys.mkdir(leaf))
  end
  return directory, leaf, setmetatable({}, { __close = function()
    sys.rmdir(leaf)
    sys.rmdir(directory)
  end })
end

-- The container's own cgroup, in the fence.
local function own_cgroup(directory)
  for _, name in ipairs(sys.list(directory)) do
    if name:find("^lua%-container%-") then
      return directory .. "/" .. name
    end
  end
end

for _, caller in ipairs(command.callers) do
  describe("a container of " .. caller.name, function()
    it("has twenty processes at most, init among them", function()
      assert.equal("18 " .. REFUSED, caller:print(command.probe("forks", 100)))
    end)

    it("has as many as --pids-limit says", function()
      for _, limit in ipairs { 2, 3, 5, 40 } do
        assert.equal(("%d %s"):format(limit - 2, REFUSED),
          caller:print("--pids-limit", limit, command.probe("forks", 100)))
        assert.equal(("%d %s"):format(limit - 1, REFUSED),
          caller:print("--no-init", "--pids-limit=" .. limit, command.probe("forks", 100)))
      end
    end)

    it("has as many as it likes with --pids-limit max", function()
      assert.equal("100 all\n", caller:print("--pids-limit", "max", command.probe("forks", 100)))
    end)

    it("of one process is refused, for there would be two with init", function()
      local result = caller:run("--quiet", "--pids-limit", "1", "true")
      assert.equal("lua-container: fork: true: Resource temporarily unavailable (init and the \z
        program are two processes: the pids limit has to leave room for both; without an init it \z
        takes one)\n", result.stderr)
      assert.equal(125, result.status)
    end)

    it("of one process runs without an init", function()
      assert.equal("1\n", caller:print("--pids-limit", "1", "--no-init", "sh", "-c", "echo $$"))
      assert.equal("0 " .. REFUSED,
        caller:print("--pids-limit", "1", "--no-init", command.probe("forks", 1)))
    end)

    it("can fork again when others have ended", function()
      assert.equal("ok\n", caller:print("--pids-limit", "4", "sh", "-c",
        "for n in 1 2 3 4 5 6 7 8 9; do (exit 1); true | true; done; echo ok"))
    end)
  end)
end

describe("a launcher that may have one process more #root #cgroup", function()
  for name, program in pairs(command.ways) do
    it("has it for the container, whatever else it begins: " .. name, function()
      support.needs(program:match("[^ ]+"))
      local _, leaf, fenced <close> = fence(3) -- with the shell
      local line = ("for i in 1 2 3 4 5 6 7 8 9 10; do %s -q --no-init --pids-limit max true \z
        || exit; done"):format(program)
      local s <close> = command.root:start_words({ "sh", "-c", line }, function()
        assert(sys.write_file(leaf .. "/cgroup.procs", "0"))
      end)
      assert(fenced)
      assert.equal(0, s:wait(), s.stderr)
      assert.equal("", s.stderr)
    end)
  end
end)

describe("a fork bomb of root #root", function()
  it("is held at twenty processes, and the machine goes on", function()
    local directory, leaf, fenced <close> = fence()
    local s <close> = command.root:start_words({ support.lua, "run.lua", "-q", "bash", "-c",
      ":() { : | : & }; :; read x" }, function()
      assert(sys.write_file(leaf .. "/cgroup.procs", "0"))
    end)
    assert(fenced)
    s:expect("fork: [^\n]*\n", "stderr") -- what bash says when it may not
    local own = own_cgroup(directory)
    for _ = 1, 1000 do
      assert.truthy(tonumber(sys.read_file(own .. "/pids.current")) <= 20)
    end
    local peak = sys.read_file(own .. "/pids.peak") -- since 6.12
    assert.truthy(not peak or tonumber(peak) == 20)
    assert.equal("another\n", command.root:print("echo", "another"))
    s:signal("KILL")
    s:wait()
    -- The next one sweeps it, when all of it has ended.
    command.await("the bomb is gone", function()
      return not (sys.read_file(own .. "/cgroup.procs") or ""):find("%d")
    end)
    sys.rmdir(own)
  end)

  it("ends with the program that started it", function()
    local directory, leaf, fenced <close> = fence()
    local s <close> = command.root:start_words({ support.lua, "run.lua", "-q", "bash", "-c",
      ":() { : | : & }; :; read x; exit 3" }, function()
      assert(sys.write_file(leaf .. "/cgroup.procs", "0"))
    end)
    assert(fenced)
    s:expect("fork: [^\n]*\n", "stderr")
    s:eof()
    assert.equal(3, s:wait())
    assert.is_nil(own_cgroup(directory))
  end)
end)

describe("a fork bomb of an ordinary user #userns", function()
  it("is held at twenty processes, and ends with the program that started it", function()
    local marker = support.name()
    local s <close> = command.user:start_words { "bash", "-c", "ulimit -u $0 && exec \"$@\"", FENCE,
      support.lua, "run.lua", "-q", "bash", "-c", ":() { : | : & }; :; read x; exit 3", marker }
    s:expect("fork: [^\n]*\n", "stderr")
    for _ = 1, 20 do
      local count = #command.processes(marker) - 1 -- the launcher has it among its arguments
      assert.truthy(count <= 20, count)
    end
    assert.equal("another\n", command.user:print("echo", "another"))
    s:eof()
    assert.equal(3, s:wait())
    assert.truthy(command.gone(marker))
  end)
end)

describe("the cgroup of a container #root", function()
  it("is there while it runs, and gone with it", function()
    local s <close> = command.root:start(command.probe "wait")
    s:expect("ready\n")
    local directory = command.cgroup(s.pid)
    assert.equal("20\n", sys.read_file(directory .. "/pids.max"))
    assert.equal("2\n", sys.read_file(directory .. "/pids.current"))
    s:signal("TERM")
    assert.equal(143, s:wait())
    assert.is_nil((sys.stat(directory)))
  end)

  it("is not made without a limit", function()
    local s <close> = command.root:start("--pids-limit", "max", command.probe "wait")
    s:expect("ready\n")
    assert.is_nil(command.cgroup(s.pid))
  end)
end)
