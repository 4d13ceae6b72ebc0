-- A host program without a free fd, in which a room is needed that is not loaded yet.

local container = require "container"
local loading = require "container.loading"
local support = require "spec.support"

-- In a process that has nothing loaded but the C module, `try` has a copy of it call `prepare`,
-- then have no fd more to open, and call `fn`, and prints what that answers.
local SCRIPT <const> = [[
  local function try(prepare, fn)
    io.stdout:flush()
    sys.wait(assert(sys.clone({}, function()
      local value = prepare()
      sys.setrlimit("nofile", 3, 3)
      local ok, result, err = pcall(fn, value)
      sys.write(1, ("%s %s, %s %s %s\n"):format(ok and "answers" or "raises",
        ok and type(result) or result, err, err and err.step,
        err and err.errno))
    end)))
  end
  local function nothing() end
  local function library() return container.run end
  ]]

local function said(text)
  local result = support.script(SCRIPT .. text)
  assert.same({ 0, "" }, { result.status, result.stderr })
  return result.stdout
end

local function refusal(room)
  return ("answers nil, load: require container.%s: Too many open files load 24\n"):format(room)
end

describe("a room that cannot be read for want of fds is an error with step and message,", function()
  it("when it is a door", function()
    for door, room in pairs { run = "library", spawn = "library", call = "library",
      poll = "library", features = "features" } do
      assert.equal(refusal(room), said(("try(nothing, function() return container.%s({ 'true' }, "
        .. "print) end)"):format(door)), door)
    end
  end)

  it("when an option asks for it", function()
    for option, room in pairs { ["stdout = 'pipe'"] = "stream", ["memory = '64M'"] = "resource",
      ["volumes = { '/tmp:/mnt' }"] = "spec.place", ["cap_drop = { 'CHOWN' }"] = "spec.capability",
      ["tty = true"] = "terminal", ["landlock = { read = { '/' } }"] = "landlock",
      ["privileged = true"] = "spec.opened", ["hooks = { prestart = { print } }"] = "spec.hook" } do
      assert.equal(refusal(room), said(("try(library, function() return container.spawn { 'true', "
        .. "%s } end)"):format(option)), option)
    end
  end)

  it("when a container that runs is asked for something, and it runs on #root", function()
    for call, room in pairs { ["stats()"] = "control", ["update { pids = 9 }"] = "control",
      ["exec { 'true' }"] = "spec.second" } do
      assert.equal(refusal(room), said(([[
        try(function() return assert(container.spawn { "sleep", "60", pids = "max" }) end,
          function(c)
            local value, err = c:%s
            assert(c:poll() == false and c:kill("KILL") and c:wait(10).signal == "KILL")
            return value, err
          end)]]):format(call)), call)
    end
  end)

  it("when it is for the end of a container: then it is there before it starts #root", function()
    assert.equal("answers table, nil nil nil\n", said([[
      try(function() return assert(container.spawn { "true", stats = true, pids = 20 }) end,
        function(c)
          local result, err = c:wait(10)
          return result and result.status == 0 and result, err
        end)]]))
  end)
end)

describe("a room that is not loaded yet", function()
  it("is found also after a change of the working directory", function()
    local result = support.script([[
      local library = container.run
      assert(sys.chdir("/"))
      for _, name in ipairs { "stream", "view", "spec.place", "cgroup.device" } do
        assert(require("container." .. name))
      end
      print(container.run { "true", stdout = "nothing" })
    ]])
    assert.equal("", result.stderr)
    assert.matches("^nil\tspec: stdout: ", result.stdout)
  end)
end)

describe("loading.guarded", function()
  it("gives what the function gives", function()
    assert.same({ n = 3, 1, nil, 3 }, table.pack(loading.guarded(function(...)
      return ...
    end)(1, nil, 3)))
  end)

  it("raises what else is raised, also for a room that is not there", function()
    for _, value in ipairs { "module 'x' not found", "x", {}, false,
      "module 'container.nope' not found" } do
      local ok, why = pcall(loading.guarded(function() error(value, 0) end))
      assert.is_false(ok)
      assert.equal(value, why)
    end
    support.raises("module 'container.nope' not found", loading.guarded(require),
      "container.nope")
    assert.is_nil(package.loaded["container.nope"])
    assert.is_function(container.run)
  end)
end)
