-- The supervisor: services come up in order, are kept, and go down with it.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local DEADLINE <const> = 20 * support.patience

-- A supervisor that runs, and what it has said.
local supervisor = {}
supervisor.__index = supervisor

function supervisor.new(services)
  local path = support.tmpdir() .. "/services.lua"
  do
    local file <close> = assert(io.open(path, "w"))
    file:write(services)
  end
  local reader, writer = assert(sys.pipe())
  local pid = assert(sys.clone({}, function()
    sys.pdeathsig("KILL")
    sys.dup2(writer, 1)
    sys.dup2(writer, 2)
    sys.exec { support.lua, "examples/supervisor.lua", path }
  end))
  writer:close()
  return setmetatable({ pid = pid, reader = reader, text = "" }, supervisor)
end

--- Waits until it has said something; or, without a pattern, to the end.
function supervisor:expect(pattern)
  local finish = sys.clock_gettime() + DEADLINE
  while not pattern or not self.text:find(pattern) do
    assert(sys.ppoll({ self.reader }, finish - sys.clock_gettime())[1],
      "not said: " .. tostring(pattern) .. "\n" .. self.text)
    local piece = assert(sys.read(self.reader))
    if piece == "" then
      assert(not pattern, self.text)
      return
    end
    self.text = self.text .. piece
  end
end

--- Asks it to end, and answers how it did.
function supervisor:stop(signal)
  sys.kill(self.pid, signal)
  self:expect()
  return support.wait(self.pid)
end

function supervisor:__close()
  sys.kill(self.pid, "KILL")
  sys.wait(self.pid)
  self.reader:close()
end

describe("examples/supervisor.lua", function()
  it("starts a service when the one before it is ready, and says whose a line is #root", function()
    local s <close> = supervisor.new [[return {
      { "sh", "-c", "sleep 0.2; echo listening; exec sleep 1000", name = "first",
        ready = "^listening$" },
      { "sh", "-c", "echo one; echo two >&2; exec sleep 1000", name = "second" },
    }]]
    s:expect("two\n")
    assert.matches("^first      | listening\nfirst      | %* ready after 0%.%d s\n\z
      second     | one\nsecond     | two\n$", s.text)
    assert.same({ "exit", 0 }, { s:stop("TERM") })
    assert.matches("supervisor | %* signal TERM: ending all\n\z
      second     | %* ended by signal, TERM\nfirst      | %* ended by signal, TERM\n\z
      supervisor | %* all have ended\n$", s.text)
  end)

  it("starts again what has ended, after pauses that grow, but what runs once #root", function()
    local s <close> = supervisor.new [[return {
      { "sh", "-c", "echo up; exit 3", name = "bad" },
      { "sh", "-c", "echo done", name = "once", restart = false },
    }]]
    s:expect("again in 0.4 s\n")
    s:expect("once       | %* ended by exit, status 0\n")
    assert.matches("^bad        | up\nbad        | %* ended by exit, status 3\n\z
      bad        | %* again in 0.1 s\n", (s.text:gsub("once [^\n]*\n", "")))
    assert.matches("again in 0.2 s\n.*again in 0.4 s\n", s.text)
    assert.equal(1, select(2, s.text:gsub("once       | done\n", "")))
    assert.same({ "exit", 0 }, { s:stop("INT") })
  end)

  it("starts again what cannot be started, and says why #root", function()
    local s <close> = supervisor.new [[return { { "/no/such", name = "lost" } }]]
    s:expect("again in 0.2 s\n")
    assert.matches("^lost       | %* exec: /no/such: No such file or directory\n", s.text)
    assert.same({ "exit", 0 }, { s:stop("TERM") })
  end)

  it("does not wait for the pauses of others, nor start anything, when it is to end #root",
    function()
      local s <close> = supervisor.new [[return {
        { "sh", "-c", "exec sleep 1000", name = "never", ready = "nothing" },
        { "sh", "-c", "echo up", name = "after" } }]]
      sys.ppoll({ s.reader }, 0.2)
      assert.same({ "exit", 0 }, { s:stop("TERM") })
      assert.is_nil(s.text:find("after"))
    end)

  it("leaves nothing where it is killed itself #root", function()
    local s <close> = supervisor.new [[return {
      { "sh", "-c", "echo up; exec sleep 4321.5", name = "a" } }]]
    s:expect("up\n")
    sys.kill(s.pid, "KILL")
    assert.is_true(command.gone("4321.5"))
    command.sweep(function() -- but its cgroup
      assert.equal("", command.root:print("true"))
    end)
  end)

  it("runs the services beside it #root", function()
    local s <close> =
      supervisor.new(sys.read_file("examples/supervisor/services.lua"))
    s:expect("worker     | %* again in 0.2 s\n")
    s:expect("once       | the host is called box\n")
    assert.same({ "exit", 0 }, { s:stop("TERM") })
  end)

  it("runs from anywhere #root", function()
    local result = support.run("here=$PWD; cd /; exec timeout -s TERM --preserve-status 1 "
      .. support.lua .. " $here/examples/supervisor.lua")
    assert.same({ 0, "" }, { result.status, result.stderr })
    assert.matches("^clock ", result.stdout)
  end)
end)
