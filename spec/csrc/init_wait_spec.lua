-- What csrc/init.c does as the first process of a container that waits to be started:
-- csrc/init_replace.h.

local sys = require "container.sys"
local support = require "spec.support"

-- A fresh init that waits, as a launcher makes it.
local function start(options)
  support.needs("execveat")
  local path = support.tmpdir() .. "/start"
  local listener <close> = assert(sys.socket_bind(path))
  local reader, writer = assert(sys.pipe())
  local line, init = assert(sys.socketpair())
  local image <close> = assert(sys.memfd("init", sys.init_program()))
  local pid = assert(sys.clone({}, function()
    sys.pdeathsig("KILL")
    local fds = { writer, init, image, listener }
    table.move(options.keep or {}, 1, #(options.keep or {}), #fds + 1, fds)
    assert(sys.close_others(fds))
    local argv = options.keep and { "keep", tostring(#options.keep), "wait", "exec" }
      or { "wait", "exec" }
    return sys.fexecve(5, table.move(options, 1, #options, #argv + 1, argv))
  end))
  writer:close()
  init:close()
  return { pid = pid, channel = reader, line = line, path = path }
end

local function release(this)
  this.channel:close()
  this.line:close()
end

local function go(this)
  assert.equal("", support.drain(this.channel))
  assert(sys.write(this.line, "."))
  assert.equal("\0", support.drain(this.line))
end

describe("the init of a container that waits", function()
  it("says that it is there, lives on without its launcher, and becomes the program", function()
    local out, writer = assert(sys.pipe())
    local this = start { "/bin/sh", "-c", "echo ran >&3; exit 3", keep = { writer } }
    writer:close()
    go(this)
    release(this)
    assert.equal("running", sys.wait(this.pid, "nohang"))
    local line <close> = assert(sys.socket_connect(this.path))
    assert.equal("", support.drain(line))
    assert.equal("ran\n", support.drain(out))
    out:close()
    local how, status = support.wait(this.pid)
    assert.same({ "exit", 3 }, { how, status })
  end)

  it("ends when the launcher is gone before it has said so", function()
    local this = start { "/bin/true" }
    assert.equal("", support.drain(this.channel))
    release(this)
    local how, status = support.wait(this.pid)
    assert.same({ "exit", 137 }, { how, status })
  end)

  it("tells the process that starts it why the program does not run", function()
    local this = start { "/no/such" }
    go(this)
    local line <close> = assert(sys.socket_connect(this.path))
    assert.equal(string.pack("<i4zz", sys.errno.ENOENT, "exec", ""), support.drain(line))
    local how, status = support.wait(this.pid)
    assert.same({ "exit", 127 }, { how, status })
    release(this)
  end)

  it("is started once: another process that asks is refused", function()
    local this = start { "/bin/sleep", "60" }
    go(this)
    local line <close> = assert(sys.socket_connect(this.path))
    assert.equal("", support.drain(line))
    local other, _, errno = sys.socket_connect(this.path)
    assert.is_nil(other)
    assert.equal(sys.errno.ECONNREFUSED, errno)
    sys.kill(this.pid, "KILL")
    support.wait(this.pid)
    release(this)
  end)

  it("hands over files as 3 and the numbers after it, and nothing else", function()
    local fds, kept = {}, {}
    for i = 1, 6 do
      fds[i] = assert(sys.memfd("file", tostring(i)))
      kept[i] = fds[i]
    end
    local out, writer = assert(sys.pipe())
    kept[7] = writer
    local this = start { "/bin/sh", "-c",
      "exec 1>&9 9>&-; for i in 3 4 5 6 7 8; do cat /dev/fd/$i; done; ls /proc/$$/fd | xargs",
      keep = kept }
    writer:close()
    go(this)
    local line <close> = assert(sys.socket_connect(this.path))
    assert.equal("", support.drain(line))
    assert.equal("1234560 1 2 3 4 5 6 7 8\n", support.drain(out))
    out:close()
    support.wait(this.pid)
    release(this)
    for _, fd in ipairs(fds) do
      fd:close()
    end
  end)
end)
