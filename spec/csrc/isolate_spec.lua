local sys = require "container.sys"
local support = require "spec.support"

-- A state whose children run this function, given as text.
local function state(text)
  local path = support.tmpdir()
  local file <close> = assert(io.open(path .. "/room.lua", "w"))
  file:write("local sys = require 'container.sys'\n", text)
  file:close()
  return assert(sys.isolate(path .. "/?.lua", package.cpath, "room"))
end

-- What a child of the state writes to `value.fd`, and how it ends.
local function hear(apart, value)
  local reader <close>, writer <const> = assert(sys.pipe())
  value.fd = writer
  local pid = assert(sys.clone_isolated(apart, {}, value))
  writer:close()
  local said = support.drain(reader)
  return said, support.wait(pid)
end

describe("sys.isolate", function()
  it("answers that its room cannot be loaded", function()
    local made, message, errno = sys.isolate("/no/?.lua", package.cpath, "room")
    assert.is_nil(made)
    assert.matches("^isolate room: module 'room' not found", message)
    assert.is_nil(errno)
    local path = support.tmpdir()
    local file = assert(io.open(path .. "/room.lua", "w"))
    file:write("return 5")
    file:close()
    made, message = sys.isolate(path .. "/?.lua", package.cpath, "room")
    assert.is_nil(made)
    assert.matches("function expected", message)
  end)

  it("takes three strings", function()
    support.raises("string expected", sys.isolate)
    support.raises("string expected", sys.isolate, "", "")
    support.raises("NUL byte", sys.isolate, "", "", "a\0")
  end)
end)

describe("sys.clone_isolated", function()
  local ends <const> =
    "return function(v) sys.write(v.fd, tostring(%s)) sys._exit(7) end"

  local function says(expression, value)
    local said, how, status = hear(state(ends:format(expression)), value or {})
    assert.same({ "exit", 7 }, { how, status })
    return said
  end

  it("gives the child what is plain in a value", function()
    assert.equal("a\0b1integer2.0floattrue", says("v.s .. v.i .. math.type(v.i) .. v.f "
      .. ".. math.type(v.f) .. tostring(v.b)", { s = "a\0b", i = 1, f = 2.0, b = true }))
    assert.equal("3x", says("#v.list .. v.list[2].x", { list = { 1, { x = "x" }, 3 } }))
    assert.equal(("y"):rep(1000), says("v.s", { s = ("y"):rep(1000) }))
  end)

  it("gives it nothing of what is not", function()
    assert.equal("nilnilnilnil", says("tostring(v.f) .. tostring(v.c) .. tostring(v.u) "
      .. ".. tostring(v.closed)", { f = print, c = coroutine.create(print), u = io.stdout,
      [print] = 1, closed = setmetatable({}, { __index = { 1 } })[2] }))
    assert.equal("nil", says("getmetatable(v.t)", { t = setmetatable({}, { __gc = error }) }))
  end)

  it("keeps what is one table one, also in a circle", function()
    local one = {}
    one.own = one
    assert.equal("true", says("v.a == v.b and v.a.own == v.a", { a = one, b = one }))
  end)

  it("gives the numbers of fds", function()
    local fd <close> = assert(sys.open("/"))
    assert.equal("integer" .. fd:fileno(), says("math.type(v.x) .. v.x", { x = fd }))
  end)

  it("begins each time as the first time", function()
    local apart = state [[
      local list = {}
      return function(v)
        for i = 1, 10000 do
          list[#list + 1] = { i }
        end
        seen = (seen or 0) + 1
        sys.write(v.fd, #list .. " " .. seen)
        sys._exit(0)
      end]]
    for _ = 1, 3 do
      assert.equal("10000 1", (hear(apart, {})))
    end
  end)

  it("changes nothing of the caller's", function()
    local value = { list = { 1 }, s = "x" }
    hear(state "return function(v) v.list[1], v.s, v.more = 2, 'y', 1 os.exit(0) end", value)
    assert.same({ 1 }, value.list)
    assert.equal("x", value.s)
    assert.is_nil(value.more)
  end)

  it("exits with 125 when the function returns or raises, and with os.exit's status", function()
    for text, status in pairs { [""] = 125, ["error 'x'"] = 125, ["os.exit(9)"] = 9 } do
      local _, how, number = hear(state("return function() " .. text .. " end"), {})
      assert.same({ "exit", status }, { how, number })
    end
  end)

  it("refuses a value that does not fit, and can be asked again", function()
    local apart = state(ends:format("v.x"))
    support.refused("clone uts: Cannot allocate memory", "ENOMEM",
      sys.clone_isolated(apart, "uts", { ("x"):rep(70 << 20) }))
    local deep = {}
    for _ = 1, 100000 do
      deep = { deep }
    end
    support.refused("clone: Cannot allocate memory", "ENOMEM",
      sys.clone_isolated(apart, {}, deep))
    assert.equal("5", (hear(apart, { x = 5 })))
  end)

  it("is refused namespaces without privilege, naming them", function()
    local result = support.as_user(support.lua .. [[ -e 'local sys = require "container.sys"
      local apart = assert(sys.isolate(package.path, package.cpath, "container.engine.isolated"))
      print(sys.clone_isolated(apart, { "uts", "ipc" }, {}))']])
    assert.equal("nil\tclone uts,ipc: Operation not permitted\t1\n", result.stdout)
  end)

  it("raises as clone_vm does, and for what is no state", function()
    local apart = state "return print"
    support.raises("a time namespace takes a copy", sys.clone_isolated, apart, "time", {})
    support.raises("unknown namespace 'utz'", sys.clone_isolated, apart, "utz", {})
    support.raises("value expected", sys.clone_isolated, apart, {})
    support.raises("container.isolate expected", sys.clone_isolated, {}, {}, {})
  end)
end)

describe("a program whose children are killed at any moment #root", function()
  local command = require "spec.fixtures.command"

  -- In a program of 64 MiB, where each child is killed within its first two milliseconds.
  local TEXT <const> = [[
    local container = require "container"
    local sys = require "container.sys"
    require("container.engine.spawn").mode = "vfork"
    local held, parent = ("x"):rep(64 << 20), sys.getpid()
    local children = ("/proc/%%d/task/%%d/children"):format(parent, parent)
    local options = { "true", rootfs = %q, pids = %q, tmpfs = { "/tmp" }, env = { A = "1" } }
    assert(container.run(options))
    local told, tell = sys.pipe()
    local fds = #sys.list("/proc/self/fd")
    local killer = assert(sys.clone({}, function()
      sys.sigprocmask("block", "all")
      sys.pdeathsig("KILL")
      sys.read(told, 1) -- before, there may be a helper that makes this process
      local me, last = tostring(sys.getpid()), nil
      while true do
        for pid in sys.read_file(children):gmatch("%%d+") do
          if pid ~= me and pid ~= last then
            last = pid
            local stop = sys.clock_gettime() + math.random() * 0.002
            repeat until sys.clock_gettime() > stop
            sys.kill(tonumber(pid), "KILL")
          end
        end
      end
    end))
    sys.write(tell, "x")
    local killed = 0
    for i = 1, 150 do
      local result, err = container.run(options)
      killed = killed + ((err or result.signal) and 1 or 0)
      local kept = {}
      for j = 1, 1000 do
        kept[j] = { i .. " " .. j }
      end
      collectgarbage()
    end
    sys.kill(killer, "KILL")
    sys.wait(killer)
    print(killed > 10, assert(container.run(options)).status,
      #sys.list("/proc/self/fd") - fds, #held)]]

  for kind, preload in pairs { ["one thread"] = "", ["two threads"] = "threads" } do
    it("goes on, and has nothing left: of " .. kind, function()
      support.needs("native", "addresses")
      local pids = sys.cgroup_place("pids") and 20 or "max"
      local result = support.run(("%s %s -e %s"):format(
        preload ~= "" and "LD_PRELOAD=" .. command.program(preload) or "", support.lua,
        support.quote(TEXT:format(support.busybox_rootfs(), pids))))
      local line = ("true\t0\t0\t%d\n"):format(64 << 20)
      assert.same({ status = 0, stdout = line, stderr = "" }, result)
    end)
  end
end)
