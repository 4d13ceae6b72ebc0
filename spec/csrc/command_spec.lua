-- The command as one file, which csrc/command/ makes. That it does what run.lua
-- does is asked of a part of it here: what is another than there, and one of each kind of what is
-- the same.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

-- Of a command that lies alone, in a directory of the caller's, and has nothing in its environment.
local function lone(caller)
  support.needs("./lua-container")
  local path = caller:directory() .. "/lua-container"
  assert(os.execute(("cp lua-container %s && chmod 755 %s"):format(path, path)))
  return function(...)
    return caller:shell("cd / && env -i PATH=$PATH " .. command.words(path, ...))
  end
end

for _, caller in ipairs(command.callers) do
  describe("the command in one file, for " .. caller.name, function()
    it("runs a program in a container, from any directory and without another file", function()
      local run = lone(caller)
      local result = run("sh", "-c", "hostname; echo $$; exit 3")
      assert.equal("container\n2\n", result.stdout, result.stderr)
      assert.matches("^Running %[sh %-c .-%] as %d+\nRunning in child %[.-%] as 1\n$",
        result.stderr)
      assert.equal(3, result.status)
    end)

    it("has a root of its own, and the same walls", function()
      local run, rootfs = lone(caller), caller:rootfs()
      local result = run("-q", "--rootfs", rootfs, "/bin/probe", "seccomp")
      assert.equal("", result.stderr)
      result = run("-q", "--rootfs", rootfs, "sh", "-c",
        "ls / >/out; echo 1 >/proc/sys/kernel/panic; kill -9 $$")
      assert.equal(137, result.status)
      assert.equal("", result.stdout)
      assert.matches("Read%-only file system", result.stderr)
      assert.matches("^bin\ndev\n", sys.read_file(rootfs .. "/out"))
    end)

    it("reads what only some containers need from nowhere else", function()
      local run = lone(caller)
      for _, words in ipairs { { "-t", "true" }, { "--stats=json", "true" },
        { "-v", "/etc:/mnt:ro", "true" }, { "--tmpfs", "/mnt", "true" }, { "--features" },
        { "--timeout", "9", "true" }, { "--no-init", "true" },
        { "--ulimit", "nofile=64", "true" }, { "--privileged", "true" },
        { "--network", "host", "true" }, { "--help" } } do
        local result = run("-q", table.unpack(words))
        assert.equal(0, result.status, table.concat(words, " ") .. ": " .. result.stderr)
      end
    end)

    it("answers bad input with one sentence, and ends as a shell would", function()
      local run = lone(caller)
      for _, case in ipairs {
        { 125, "no command given (see --help)" },
        { 125, "unknown option --nope (see --help)", "--nope" },
        { 125, "--pids-limit: expected a positive integer or \"max\", got \"many\"",
          "--pids-limit", "many", "true" },
        { 127, "exec: nosuch: not found in PATH", "-q", "nosuch" },
        { 126, "exec: /etc/passwd: Permission denied", "-q", "/etc/passwd" },
      } do
        local result = run(table.unpack(case, 3))
        assert.equal("lua-container: " .. case[2] .. "\n", result.stderr)
        assert.equal(case[1], result.status)
      end
    end)

    it("compiles a filter with what is linked to it", function()
      local run, path = lone(caller), caller:directory() .. "/profile.json"
      write(path, [[{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        { "names": ["uname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 } ] }]])
      local result = run("-q", "--security-opt", "seccomp=" .. path, "uname")
      if result.stderr:find("takes lua-cjson", 1, true) then
        return pending("the command is built without lua-cjson (lua-cjson-dev)")
      end
      assert.matches("Function not implemented", result.stderr, 1, true)
      -- The default profile, of other capabilities than those whose filter it has.
      result = run("-q", "--cap-add", "SYS_PTRACE", "grep", "^Seccomp:", "/proc/self/status")
      assert.equal("Seccomp:\t2\n", result.stdout, result.stderr)
    end)
  end)
end

describe("the command in one file #root", function()
  it("opens no file of the library, and no other library", function()
    support.needs("./lua-container", "strace")
    local log = support.tmpdir() .. "/log"
    local result = support.run(("strace -f -e trace=openat,execve -o %s ./lua-container -q \z
      --rootfs %s /bin/true && cat %s"):format(log, support.busybox_rootfs(), log))
    assert.equal(0, result.status, result.stderr)
    for path in result.stdout:gmatch('openat%([^,]+, "([^"]+)"') do
      assert.is_nil(path:match("%.lua") or path:match("%.so") or path:match("%.bpf"), path)
      assert.is_nil(path:match("^/lib") or path:match("^/usr") or path:match("^/etc"), path)
    end
  end)

  it("gives /dev/null to a program whose launcher has no standard input", function()
    support.needs("./lua-container")
    local result = support.run("for i in 1 2 3 4 5 6 7 8 9 10; do ./lua-container -q readlink \z
      /proc/self/fd/0 <&-; done")
    assert.equal(("/dev/null\n"):rep(10), result.stdout)
  end)

  it("leaves its heap as it was built to the next start", function()
    support.needs("./lua-container")
    local before = support.run("sha256sum lua-container").stdout
    for _ = 1, 3 do
      assert.equal("0\n", support.run("./lua-container -q true; echo $?").stdout)
    end
    assert.equal(before, support.run("sha256sum lua-container").stdout)
  end)

  it("has a container that ends with it, and is swept", function()
    support.needs("./lua-container")
    local marker = support.name()
    local s <close> = command.start { "./lua-container", "-q", "sh", "-c", "echo up; sleep 300",
      marker }
    s:expect("up\n")
    assert(sys.kill(s.pid, "KILL"))
    assert.equal(137, s:wait())
    assert.is_true(command.gone(marker))
    command.sweep(function()
      support.run("./lua-container -q true")
    end)
  end)
end)

-- What the build does, with other scripts.
describe("a command without a heap", function()
  local function freeze(text)
    support.needs("build/lua-container")
    local directory = support.tmpdir()
    write(directory .. "/script.lua", text)
    return directory, support.run(("build/lua-container %s/script.lua %s/heap word"):format(
      directory, directory))
  end

  local function frozen(text)
    support.needs("objcopy")
    local directory, result = freeze(text)
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
    local top = support.quote(support.run("pwd").stdout:match("[^\n]*"))
    return support.run(("cd %s && \z
      objcopy --update-section .lua_heap=heap %s/build/lua-container made && \z
      ./made a b; echo $?"):format(directory, top))
  end

  it("keeps what a script leaves, and calls it with the words of each start", function()
    local result = frozen [[
      local words = ...
      local kept = { words[1], ("x"):rep(100000), math.pi, print }
      return function(argv)
        kept[4](kept[1], #kept[2], kept[3] == math.pi, argv[0], argv[1], argv[2], argv[3])
        for i = 1, 100000 do
          kept[i] = { i } -- old blocks grow, and new ones come
        end
        collectgarbage()
        print(#kept, require("container.sys").getpid() > 0)
        os.exit(7)
      end]]
    assert.equal("word\t100000\ttrue\t./made\ta\tb\tnil\n100000\ttrue\n7\n", result.stdout)
    assert.equal("", result.stderr)
  end)

  it("says that a start failed", function()
    local result = frozen "return function() error('no', 0) end"
    assert.equal("lua-container: no\n", result.stderr)
    assert.equal("125\n", result.stdout)
  end)

  it("loads no library", function()
    local result = frozen [[
      return function()
        print(package.loadlib("libm.so.6", "cos"))
        os.exit(0)
      end]]
    assert.equal("nil\tthis command loads no libraries\topen\n0\n", result.stdout)
  end)

  it("writes no heap of a script that fails, or that needs more than there is", function()
    for text, why in pairs {
      ["error('no', 0)"] = "no", ["x = ("] = "unexpected symbol",
      ["x = ('x'):rep(1 << 24)"] = "not enough memory",
    } do
      local directory, result = freeze(text)
      assert.equal(125, result.status)
      assert.matches(why, result.stderr, 1, true)
      assert.is_nil(sys.stat(directory .. "/heap"))
    end
  end)

  it("says how it is called", function()
    support.needs("build/lua-container")
    local result = support.run("build/lua-container")
    assert.equal(125, result.status)
    assert.matches("SCRIPT HEAP", result.stderr, 1, true)
  end)
end)
