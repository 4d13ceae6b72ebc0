local sys = require "container.sys"
local support = require "spec.support"

describe("sys.exec", function()
  it("replaces the program and hands over every argument as it is", function()
    local result = support.script([[
      print(sys.getpid())
      sys.exec { "sh", "-c", 'echo $$; printf "[%s]" "$0" "$@"', "a b", "", "*", "\n" }]])
    local before, after, rest = result.stdout:match("^(%d+)\n(%d+)\n(.*)$")
    assert.equal(before, after)
    assert.equal("[a b][][*][\n]", rest)
  end)

  it("says first what is still in a buffer", function()
    assert.equal("first\nsecond\n", support.script([[
      io.stdout:setvbuf("full")
      io.write("first\n")
      sys.exec { "echo", "second" }]]).stdout)
  end)

  it("searches PATH for a name without a slash, in order", function()
    local first, second = support.tmpdir(), support.tmpdir()
    for _, path in ipairs { first, second } do
      support.run(("printf '#!/bin/sh\necho %s\n' >%s/prog; chmod +x %s/prog"):format(
        path, path, path))
    end
    local function printed(directories)
      return support.run(("PATH=%s $(command -v %s) -e 'print(require(%q).exec { %q })'"):format(
        directories .. ":/bin:/usr/bin", support.lua, "container", "prog")).stdout
    end
    assert.equal(first .. "\n", printed(first .. ":" .. second))
    support.run("chmod -x " .. first .. "/prog")
    assert.equal(second .. "\n", printed(first .. ":" .. second))
    assert.equal("nil\texec prog: Permission denied\t13\n", printed(first))
    assert.equal("nil\texec prog: No such file or directory\t2\n", printed("/nope"))
  end)

  it("hands over the environment that is given, whole and nothing else", function()
    assert.equal("A=1\nB=two words\n", support.script([[
      sys.exec({ "env" }, { "A=1", "B=two words" })]]).stdout)
    assert.equal("", support.script("sys.exec({ 'env' }, {})").stdout)
  end)

  it("hands over its own environment if none is given", function()
    local result = support.run(("A=inherited %s -e 'require(%q).exec { %q }'"):format(
      support.lua, "container", "env"))
    assert.matches("\nA=inherited\n", "\n" .. result.stdout)
  end)

  it("executes a file of another name than the first argument's", function()
    assert.equal("called a\n", support.script([[
      sys.exec({ "called", "-c", "echo $0 $1", "called", "a" }, {}, "/bin/sh")]]).stdout)
    support.refused("exec /nope: No such file or directory", "ENOENT", support.child(function()
      return sys.exec({ "sh" }, {}, "/nope")
    end))
    support.raises("string expected", sys.exec, { "true" }, {}, {})
  end)

  it("takes 100000 arguments", function()
    assert.equal("100000\n", support.script([[
      local argv = { "sh", "-c", "echo $#", "sh" }
      for i = 1, 100000 do
        argv[#argv + 1] = "x"
      end
      print(sys.exec(argv))]]).stdout)
  end)

  it("is refused more than the kernel takes", function()
    support.needs("native")
    support.refused("exec true: Argument list too long", 7, support.child(function()
      return sys.exec { "true", ("x"):rep(1 << 20) }
    end))
  end)

  it("is refused a program that is not there, or cannot be executed", function()
    local refused = {
      { "/nope", "No such file or directory", "ENOENT" },
      { "", "No such file or directory", "ENOENT" },
      { "/etc", "Permission denied", "EACCES" },
      { "/etc/passwd/x", "Not a directory", "ENOTDIR" },
    }
    for _, case in ipairs(refused) do
      local program, reason, errno = table.unpack(case)
      support.refused(program == "" and "exec: " .. reason or ("exec %s: %s"):format(
        program, reason), errno, support.child(function()
          return sys.exec { program }
        end))
    end
  end)

  it("raises for what is no vector of strings, saying which", function()
    support.raises("table expected", sys.exec)
    support.raises("table expected, got string", sys.exec, "true")
    support.raises("no program", sys.exec, {})
    support.raises("[2]: string expected, got number", sys.exec, { "true", 5 })
    support.raises("NUL byte", sys.exec, { "true", "a\0b" })
    support.raises("table expected, got string", sys.exec, { "true" }, "A=1")
    support.raises("[1]: string expected, got boolean", sys.exec, { "true" }, { true })
    support.raises("array expected, got the key A", sys.exec, { "true" }, { A = "1" })
    support.raises("the array has a hole", sys.exec, { "true", [3] = "x" })
  end)
end)

describe("sys.fexecve", function()
  it("runs the program in an fd, with its arguments and environment", function()
    support.needs("execveat")
    assert.equal("A=1\n", support.script([[
      local path = io.popen("command -v env"):read("l")
      print(sys.fexecve(sys.open(path), { "env" }, { "A=1" }))]]).stdout)
  end)

  it("is refused what is no program", function()
    support.needs("execveat")
    local fd <close> = assert(sys.open("/etc/passwd"))
    support.refused("execveat x: Permission denied", "EACCES", support.child(function()
      return sys.fexecve(fd, { "x" })
    end))
  end)

  it("raises for what is no fd and no vector", function()
    support.raises("container.fd expected", sys.fexecve, "/bin/true", { "true" })
    support.raises("table expected", sys.fexecve, 0)
    support.raises("no program", sys.fexecve, 0, {})
    support.raises("table expected", sys.fexecve, 0, { "true" }, 5)
  end)
end)

describe("sys.set_environment", function()
  it("leaves these variables and no other", function()
    local home, a, b, count = support.child(function()
      assert(sys.set_environment { "A=1=2", "B=", "=x", "C" })
      local pipe <close> = assert(io.popen("exec /usr/bin/env | grep -v '^[PO_]' | sort"))
      return os.getenv("HOME") == nil, os.getenv("A"), os.getenv("B"), pipe:read("a")
    end)
    assert.same({ true, "1=2", "", "A=1=2\nB=\n" }, { home, a, b, count })
  end)

  it("takes an array of strings", function()
    support.raises("table expected", sys.set_environment, "A=1")
    support.raises("string expected", sys.set_environment, { 1 })
    support.raises("NUL", sys.set_environment, { "A=\0" })
  end)
end)

describe("sys._exit", function()
  it("ends the process at once, and nothing is flushed", function()
    local result = support.script([[
      io.stdout:setvbuf("full")
      io.write("lost")
      sys._exit(4)]])
    assert.equal("", result.stdout)
    assert.equal(4, result.status)
  end)

  it("ends it with 0 without a number", function()
    assert.equal(0, support.script("sys._exit()").status)
  end)

  it("raises for a status that no process can have", function()
    for _, status in ipairs { "256", "1 << 32", "{}", "1.5" } do
      assert.equal("false\n", support.script(
        ("print((pcall(sys._exit, %s)))"):format(status)).stdout)
    end
  end)
end)
