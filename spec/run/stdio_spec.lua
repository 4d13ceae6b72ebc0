-- /dev/stdin, /dev/stdout and /dev/stderr, opened by name, by another user than the one that made
-- what they are.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local contained = require "spec.fixtures.contained"
local support = require "spec.support"

local SCRIPT <const> = "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin"

setup(function()
  contained.run { "true" } -- the image of init stays open
end)

-- The users that a container can have, and what each takes.
local USERS <const> = {
  { words = "-u nobody" }, { words = "-u nobody:root" },
  { words = "--userns auto", need = "idmapview" },
  { words = "--userns auto -u nobody", need = "idmapview" },
}

for name, program in pairs(command.ways) do
  local function shell(text)
    local result = support.run((text:gsub("RUN", program .. " -q")))
    return (result.stdout:gsub("\r", "")), result
  end

  describe("the standard streams by their names, by " .. name .. " #root", function()
    it("are pipes of the caller's for another user", function()
      for _, user in ipairs(USERS) do
        if user.need then
          support.needs(user.need)
        end
        local text, result = shell(("echo in | RUN %s sh -c %s 2>&1 | cat"):format(user.words,
          support.quote(SCRIPT)))
        assert.equal("out\nerr\nin\n", text)
        assert.equal("", result.stderr)
      end
    end)

    it("are so for a program that becomes another user", function()
      assert.equal("out\n", (shell("RUN su -s /bin/sh nobody -c 'echo out >/dev/stdout' | cat")))
    end)

    it("are a terminal of its own for another user", function()
      for _, user in ipairs(USERS) do
        if user.need then
          support.needs(user.need)
        end
        assert.equal("out\nerr\n", (shell(("RUN -t %s sh -c 'stty -echo; %s' </dev/null"):format(
          user.words, SCRIPT))))
      end
    end)

    it("are open to no user in the other direction", function()
      local text = shell("echo in | RUN -u nobody sh -c '(echo x >/dev/stdin) 2>&1; \z
        (cat </dev/stdout) 2>&1' | cat")
      assert.matches("/dev/stdin: Permission denied\n.*/dev/stdout: Permission denied\n$", text)
    end)

    it("stay the caller's where they have a name: their owner and their bits", function()
      local path = support.tmpdir()
      local text, result = shell((([[
        here=$PWD; cd %s; umask 077; mkfifo fifo; echo in >file; sleep 1000 <>fifo & cd "$here"
        RUN -u nobody sh -c '(echo out >/dev/stdout) 2>&1; cat /dev/stdin; echo end' \
          <%s/file 2>%s/fifo >%s/out
        kill $!; cd %s; stat -c '%n %u %a' file fifo out; cat out]]):gsub("%%s", path)))
      assert.matches("^file 0 600\nfifo 0 600\nout 0 600\n.*/dev/stdout: Permission denied\nend\n$",
        text, result.stderr)
    end)
  end)
end

describe("the standard streams by their names #root", function()
  it("are what the library captures, and its pipes", function()
    for _, how in ipairs(contained.MODES) do
      local result = contained.shell("echo out >/proc/self/fd/1; echo err >/proc/self/fd/2; \z
        cat /proc/self/fd/0", { user = "65534", stdin = { "in\n" }, stdout = "capture",
          stderr = "capture" }, how)
      assert.same({ "out\nin\n", "err\n", 0 }, { result.stdout, result.stderr, result.status })
    end
    local c <close> = contained.spawn { "sh", "-c", "cat /proc/self/fd/0 >/proc/self/fd/1; \z
      echo err >/proc/self/fd/2", user = "65534", stdin = "pipe", stdout = "pipe",
      stderr = "stdout" }
    local stdout <close> = c.stdout
    c.stdin:write("in\n")
    c.stdin:close()
    assert.equal("in\nerr\n", stdout:read("a"))
  end)

  it("are so for a program of exec", function()
    local c <close> = contained.spawn { "sleep", "1000" }
    local program <close> = assert(c:exec { "sh", "-c", "cat /proc/self/fd/0 >/proc/self/fd/1",
      user = "65534", stdin = "in\n", stdout = "capture" })
    assert.equal("in\n", assert(program:wait(contained.DEADLINE)).stdout)
  end)

  it("keep the owner of a pipe", function()
    local reader <close>, writer = assert(sys.pipe())
    local _ <close> = writer
    local uid = sys.stat(writer, "uid")
    contained.run { "true", user = "65534", stdout = writer }
    assert.same({ uid, tonumber("622", 8) }, { sys.stat(reader, "uid", "mode") })
  end)
end)
