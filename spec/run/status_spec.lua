-- What the command says, on which stream, and the status that it ends with.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG and WINCH do not end a process that has no handler.
local HARMLESS <const> = {
  [17] = true, [18] = true, [19] = true, [20] = true, [21] = true, [22] = true, [23] = true,
  [28] = true,
}

local function one_line(text)
  assert.matches("^[^\n]+\n$", text)
  assert.is_nil(text:find("traceback", 1, true))
end

for _, caller in ipairs(command.callers) do
  describe("a limit of file sizes #userns", function()
  for _, program in ipairs { support.lua .. " run.lua", "./lua-container" } do
    it("that leaves init no room is said in a sentence by " .. program, function()
      support.needs(program:match("^%S+"))
      local result = support.run("ulimit -f 1; " .. program .. " -q --pids-limit max true")
      assert.equal(125, result.status)
      assert.equal("lua-container: process: write lua-container-init: File too large; the \z
        caller's limit of file sizes (ulimit -f) leaves no room for init\n", result.stderr)
    end)
  end
end)

describe("the command, called by " .. caller.name, function()
    it("says on standard error what runs and as which process, before the program does", function()
      local result = caller:shell("echo $$; exec " .. support.lua
        .. " run.lua sh -c 'echo out; echo err >&2' a 'b c'")
      local pid = result.stdout:match("^(%d+)\n")
      local words = "sh -c echo out; echo err >&2 a b c"
      assert.equal(pid .. "\nout\n", result.stdout)
      assert.equal(("Running [%s] as %s\nRunning in child [%s] as 1\nerr\n"):format(
        words, pid, words), result.stderr)
      assert.equal(0, result.status)
    end)

    it("says nothing of its own with --quiet or -q", function()
      for _, option in ipairs { "--quiet", "-q" } do
        local result = caller:run(option, "sh", "-c", "echo out; echo err >&2; exit 3")
        assert.equal("out\n", result.stdout)
        assert.equal("err\n", result.stderr)
        assert.equal(3, result.status)
      end
    end)

    it("ends with 128+n when signal n ended the program", function()
      local numbers, expected = {}, {}
      for number = 1, 31 do
        if not HARMLESS[number] then
          numbers[#numbers + 1] = tostring(number)
          expected[#expected + 1] = tostring(128 + number)
        end
      end
      local result = caller:shell(("for n in %s; do %s run.lua -q %s $n; echo $?; done"):format(
        table.concat(numbers, " "), support.lua, command.words(command.probe "raise")))
      assert.equal(table.concat(expected, "\n") .. "\n", result.stdout)
      assert.equal("", result.stderr)
    end)

    it("ends with 127 and names the command when that is not found", function()
      local result = caller:run("--quiet", "no-such-command", "argument")
      assert.equal("lua-container: exec: no-such-command: not found in PATH\n", result.stderr)
      assert.equal(127, result.status)
      result = caller:run("--quiet", "/no/such/command")
      assert.equal("lua-container: exec: /no/such/command: No such file or directory\n",
        result.stderr)
      assert.equal(127, result.status)
      result = caller:run("--quiet", "")
      one_line(result.stderr)
      assert.equal(127, result.status)
    end)

    it("ends with 126 and names the command when that cannot be executed", function()
      for _, path in ipairs { "/etc/passwd", "/etc" } do
        local result = caller:run("--quiet", path)
        assert.equal(("lua-container: exec: %s: Permission denied\n"):format(path), result.stderr)
        assert.equal(126, result.status)
      end
      local file = support.tmpdir() .. "/not-a-program"
      assert(sys.mknod(file, "file", tonumber("755", 8), 0, 0))
      assert(sys.write_file(file, "\1\2\3"))
      local result = caller:run("--quiet", "--volume", file .. ":/not-a-program", "/not-a-program")
      assert.equal("lua-container: exec: /not-a-program: Exec format error\n", result.stderr)
      assert.equal(126, result.status)
    end)

    it("ends with 126 and 127 for a program that is pid 1 itself, too", function()
      local result = caller:run("--quiet", "--no-init", "no-such-command")
      assert.equal("lua-container: exec: no-such-command: not found in PATH\n", result.stderr)
      assert.equal(127, result.status)
      result = caller:run("--quiet", "--no-init", "/etc/passwd")
      assert.equal("lua-container: exec: /etc/passwd: Permission denied\n", result.stderr)
      assert.equal(126, result.status)
      assert.equal(9, caller:run("--quiet", "--no-init", "sh", "-c", "exit 9").status)
    end)

    it("takes a program by its path in the working directory", function()
      assert.equal("here\n", caller:print("--workdir", "/bin", "./echo", "here"))
    end)
  end)
end

describe("the command", function()
  for first = 0, 255, 64 do
    it(("ends with each status from %d to %d that the program ends with #root"):format(first,
      first + 63), function()
      local result = command.root:shell(("n=%d; while [ $n -lt %d ]; do \z
        %s run.lua -q sh -c \"exit $n\"; echo $?; n=$((n+1)); done"):format(first, first + 64,
        support.lua))
      local expected = {}
      for status = first, first + 63 do
        expected[#expected + 1] = status
      end
      assert.equal(table.concat(expected, "\n") .. "\n", result.stdout)
      assert.equal("", result.stderr)
    end)
  end

  it("ends with the status of an ordinary user's program #userns", function()
    for _, status in ipairs { 0, 1, 2, 125, 126, 127, 128, 137, 255 } do
      local result = command.user:run("--quiet", "sh", "-c", "exit " .. status)
      assert.equal(status, result.status)
      assert.equal("", result.stderr)
    end
  end)

  it("prints its options on standard output for --help, and its version for --version", function()
    local help = command.root:run("--help")
    assert.equal(0, help.status)
    assert.equal("", help.stderr)
    for _, option in ipairs { "rootfs", "hostname", "pids-limit", "env", "workdir", "volume",
      "no-init", "quiet", "help", "version" } do
      assert.truthy(help.stdout:find("--" .. option, 1, true), option)
    end
    local version = command.root:run("--version", "ignored")
    assert.matches("^lua%-container %d+%.%d+%.%d+\n$", version.stdout)
    assert.equal(0, version.status)
  end)

  it("leaves the words behind the program's name to the program #userns", function()
    assert.equal("--quiet -x -- --help\n",
      command.user:print("echo", "--quiet", "-x", "--", "--help"))
    assert.equal("--quiet\n", command.user:print("--", "echo", "--quiet"))
    assert.equal("-- a\n", command.user:print("--", "echo", "--", "a"))
  end)

  it("reads a value behind the option, after = and at a short name #userns", function()
    assert.equal("one\n", command.user:print("--hostname", "one", "hostname"))
    assert.equal("two\n", command.user:print("--hostname=two", "hostname"))
    assert.equal("three\n", command.user:print("-h", "three", "hostname"))
    assert.equal("four\n", command.user:print("-hfour", "hostname"))
    assert.equal("a=b\n", command.user:print("-eX=a=b", "sh", "-c", "echo $X"))
    assert.equal("last\n", command.user:print("-h", "first", "--hostname=last", "hostname"))
  end)

  it("writes nothing on standard output itself, wherever that leads #userns", function()
    assert.equal("", command.user:run("true").stdout)
    local result = command.user:shell(support.lua .. " run.lua --help >/dev/full; echo $?")
    assert.is_nil(result.stderr:find("traceback", 1, true))
  end)
end)
