local sys = require "container.sys"
local api = require "container.api"
local process = require "container.linux.process"
local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true" }
end)

local function ends(options)
  options.pids = "max"
  local result, err = api.run(options)
  return result and result.status or err
end

local function spawn(options)
  options.pids = "max"
  return assert(api.spawn(options))
end

-- What the kernel says of a process of the host.
local function status_of(pid, field)
  return sys.read_file(("/proc/%d/status"):format(pid)):match("\n" .. field .. ":%s*([^\n]*)")
end

describe("process.prepare", function()
  it("makes the image once, and nobody can change its bytes", function()
    local function prepare()
      local c = { config = { process = { args = { "true" } } } }
      assert(process.prepare(c))
      return c.image
    end
    local image = prepare()
    assert.equal(image, prepare())
    assert.equal(sys.init_program(),
      sys.read_file("/proc/self/fd/" .. image:fileno()))
    local ok, message, errno = sys.write(image, "x")
    support.refused("write: Operation not permitted", "EPERM", ok, message, errno)
  end)

  it("answers the refusal of a memfd, and tries again the next time", function()
    local stdout = support.script([[
      local process = require "container.linux.process"
      local memfd = sys.memfd
      local c = { config = { process = { args = { "true" } } } }
      sys.memfd = function() return nil, "memfd_create x: Too many open files", 24 end
      print(process.prepare(c))
      sys.memfd = memfd
      print(process.prepare(c))
    ]]).stdout
    assert.equal("nil\tmemfd_create x: Too many open files\t24\ntrue\n", stdout)
  end)
end)

describe("a container's program #root", function()
  it("is announced by the launcher and by the child, with their pids", function()
    local result = support.run("echo $$; exec " .. support.lua
      .. " run.lua --pids-limit max sh -c 'echo out' x 'y z'")
    local pid = result.stdout:match("^(%d+)\nout\n$")
    assert.equal(("Running [sh -c echo out x y z] as %s\n"
      .. "Running in child [sh -c echo out x y z] as 1\n"):format(pid), result.stderr)
  end)

  it("is not announced unless that is asked for", function()
    local result = support.script("container.run { 'true', pids = 'max' }")
    assert.same({ status = 0, stdout = "", stderr = "" }, result)
  end)

  it("gets its arguments as they are", function()
    local result = support.run(BOX .. [[sh -c 'for a; do printf "[%s]" "$a"; done' x '' 'a b' '
' '"' '\']])
    assert.equal("[][a b][\n][\"][\\]", result.stdout)
  end)

  it("gets the environment that was asked for, and no other", function()
    local result = support.run("OUTER=1 TERM=vt52 " .. BOX .. "-e A=b -e PATH=/bin:/usr/bin env")
    local lines = {}
    for line in result.stdout:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.same({ "PATH=/bin:/usr/bin", "HOME=/root", "HOSTNAME=container", "TERM=vt52", "A=b" },
      lines)
  end)

  it("is found in the PATH of its own environment", function()
    local path = support.tmpdir()
    assert(os.execute(("printf '#!/bin/sh\\nexit 9\\n' > %s/mine && chmod +x %s/mine"):format(
      path, path)))
    local volumes = { path .. ":/mine" }
    assert.equal(9, ends { "mine", env = { PATH = "/bin:/mine" }, volumes = volumes })
    local err = ends { "mine", volumes = volumes }
    assert.equal("exec: mine: not found in PATH", tostring(err))
  end)

  it("that is not there, or cannot be executed, is refused with the kernel's reason", function()
    local e = sys.errno
    for name, expected in pairs {
      ["nosuch"] = { "exec: nosuch: not found in PATH", e.ENOENT },
      ["/no/such"] = { "exec: /no/such: No such file or directory", e.ENOENT },
      ["/etc"] = { "exec: /etc: Permission denied", e.EACCES },
      ["/etc/passwd"] = { "exec: /etc/passwd: Permission denied", e.EACCES },
      ["/etc/passwd/x"] = { "exec: /etc/passwd/x: Not a directory", e.ENOTDIR },
      ["/dev/null"] = { "exec: /dev/null: Permission denied", e.EACCES },
    } do
      for _, init in ipairs { true, false } do
        local err = ends { name, init = init }
        assert.same({ expected[1], expected[2], name }, { tostring(err), err.errno, err.subject })
      end
    end
  end)

  it("has nothing open but the standard streams, whatever the host program has", function()
    local fds = {}
    for i = 1, 50 do
      fds[i] = assert(sys.open("/"))
    end
    for _, init in ipairs { true, false } do
      -- One more is the listing's own.
      assert.equal(0, ends { "sh", "-c", "[ \"$(echo $(ls /proc/self/fd))\" = '0 1 2 3' ]",
        init = init })
    end
    for _, fd in ipairs(fds) do
      fd:close()
    end
  end)

  it("gets /dev/null for the standard streams that the host program has closed", function()
    local script = "sh -c 'for i in 0 1 2; do readlink /proc/self/fd/$i; done > /v/said'"
    local path = support.tmpdir()
    support.run(BOX .. "-v " .. path .. ":/v " .. script .. " <&- >&- 2>&-")
    assert.equal("/dev/null\n/v/said\n/dev/null\n", sys.read_file(path .. "/said"))
  end)

  it("gets no directory as a standard stream: that would be a way out of the root", function()
    for fd, words in pairs { [0] = "</", [1] = "3</ 1<&3 3<&-", [2] = "3</ 2<&3 3<&-" } do
      local result = support.run("{ " .. BOX .. "true " .. words .. "; } 2>&1; echo $?")
      assert.matches("125\n$", result.stdout)
      if fd ~= 2 then
        assert.equal(("lua-container: process: open_stdio %d: this standard stream is a directory"
          .. "\n125\n"):format(fd), result.stdout)
      end
    end
  end)

  it("has no signal blocked or ignored, whatever the host program has", function()
    local result = support.run("trap '' INT QUIT USR1 PIPE; " .. support.lua .. " -e '" .. [[
      local container = require "container"
      local sys = require "container.sys"
      sys.sigprocmask("block", "all")
      for _, init in ipairs { true, false } do
        container.run { "cat", "/proc/self/status", init = init, pids = "max" }
      end']])
    local masks = {}
    for mask in result.stdout:gmatch("\nSig[BI][lg][kn]:\t(%x+)") do
      masks[#masks + 1] = tonumber(mask, 16)
    end
    assert.same({ 0, 0, 0, 0 }, masks)
  end)

  it("has the umask 022, whatever the host program has", function()
    local umask = sys.umask(63)
    local status = ends { "sh", "-c", "[ $(umask) = 0022 ]" }
    sys.umask(umask)
    assert.equal(0, status)
  end)

  it("starts in / or in the directory that was asked for", function()
    assert.equal("/\n/usr\n", support.run(BOX .. "pwd; " .. BOX .. "-w /usr pwd").stdout)
  end)

  it("starts in a directory that is made, for root to write", function()
    assert.equal(0, ends { "sh", "-c",
      "[ \"$PWD\" = '/a b/c' ] && [ $(stat -c %a '/a b') = 755 ] && touch x", cwd = "/a b/c" })
  end)

  it("starts in a directory whose path has dots and double slashes", function()
    for path, expected in pairs { ["/new/."] = "/new", ["//new//x//"] = "/new/x",
      ["/usr/../etc"] = "/etc", ["/./"] = "/" } do
      assert.equal(0, ends { "sh", "-c", "[ $(pwd -P) = $0 ]", expected, cwd = path }, path)
    end
  end)

  it("does not start in a file, or in what cannot be made", function()
    local err = ends { "true", cwd = "/etc/passwd" }
    assert.equal("chdir /etc/passwd: Not a directory", err.message)
    assert.equal(sys.errno.ENOTDIR, err.errno)
    err = ends { "true", cwd = "/sys/new" }
    assert.matches("^mkdir new: ", err.message)
  end)

  it("does not start outside of the root, whatever an image's links say", function()
    local rootfs, outside = support.tmpdir(), support.tmpdir()
    assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), rootfs)))
    assert(sys.symlink(outside .. "/new", rootfs .. "/link"))
    ends { "true", rootfs = rootfs, cwd = "/link" }
    ends { "true", rootfs = rootfs, cwd = "/link/below" }
    assert.same({}, sys.list(outside))
  end)

  it("is a child of init, which has a name and no file on the disk", function()
    local c <close> = spawn { "sleep", "1000" }
    assert.equal("init", sys.read_file(("/proc/%d/comm"):format(c.pid)):match("%w+"))
    assert.matches("^/memfd:lua%-container%-init",
      sys.readlink(("/proc/%d/exe"):format(c.pid)))
    local children = sys.read_file(("/proc/%d/task/%d/children"):format(c.pid, c.pid))
    local child = children:match("%d+")
    assert.equal("sleep\0001000\0", sys.read_file(("/proc/%s/cmdline"):format(child)))
    assert.matches("%f[%d]2$", status_of(child, "NSpid"))
  end)

  it("is pid 1 itself without an init", function()
    local c <close> = spawn { "sleep", "1000", init = false }
    assert.equal("sleep\0001000\0", sys.read_file(("/proc/%d/cmdline"):format(c.pid)))
    assert.matches("%f[%d]1$", status_of(c.pid, "NSpid"))
  end)

  for _, init in ipairs { true, false } do
    it("ends with a killed launcher" .. (init and "" or ", without an init too"), function()
      local result = support.script(([[
        local c = assert(container.spawn { "sleep", "1000", pids = "max", init = %s })
        print(c.pid)
        io.stdout:flush()
        sys.kill(sys.getpid(), "KILL")
      ]]):format(init))
      local pidfd <close> = sys.pidfd_open(tonumber(result.stdout))
      assert.is_true(not pidfd or sys.ppoll({ pidfd }, 10)[1])
    end)
  end
end)
