local contained = require "spec.fixtures.contained"
local support = require "spec.support"
local sys = require "container.sys"

-- A pipe that is full, whose other end is open and is not read.
local function full()
  local reader, writer = assert(sys.pipe())
  sys.nonblock(writer)
  while sys.write(writer, ("x"):rep(4096)) do end -- luacheck: ignore
  -- Another open file of the same pipe, which blocks.
  local blocking = assert(sys.open("/proc/self/fd/" .. writer:fileno(), "wronly"))
  writer:close()
  return reader, blocking
end

describe("a launcher whose standard error is full and not read", function()
  for _, program in ipairs { { "./lua-container" }, { support.lua, "run.lua" } } do
    it("ends of TERM, without what it would say: " .. program[1] .. " #root", function()
      support.needs(program[1])
      local reader, writer = full()
      local _ <close> = reader
      local pid = assert(sys.clone({}, function()
        sys.dup2(writer, 2)
        local argv = table.move(program, 1, #program, 1, {})
        for _, word in ipairs { "-q", "--stats", "--pids-limit", "max", "sleep", "1000" } do
          argv[#argv + 1] = word
        end
        sys.exec(argv)
      end))
      writer:close()
      local children = ("/proc/%d/task/%d/children"):format(pid, pid)
      local deadline = sys.clock_gettime() + contained.DEADLINE
      repeat -- until its container is there
        sys.ppoll({}, 0.02)
      until (sys.read_file(children) or "") ~= "" or sys.clock_gettime() > deadline
      sys.kill(pid, "TERM")
      assert.same({ "exit", 143 }, { support.wait(pid) })
    end)
  end
end)
