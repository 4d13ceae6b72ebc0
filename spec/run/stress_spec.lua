-- Many containers, and much of everything that one is given.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- A process more on the machine than before is one that was left, if it is of ours.
local function left(marker)
  return #command.processes(marker)
end

for _, caller in ipairs(command.callers) do
  describe("by " .. caller.name, function()
    it("two hundred containers in a row leave nothing", function()
      local marker = support.name()
      for _ = 1, 4 do
        local result = caller:shell(("n=0; while [ $n -lt 50 ]; do %s run.lua -q %s || exit; \z
          n=$((n+1)); done; echo $n"):format(support.lua, command.words("true", marker)))
        assert.equal("50\n", result.stdout)
        assert.equal("", result.stderr)
      end
      assert.equal(0, left(marker))
    end)

    it("twenty containers at once run beside each other and leave nothing", function()
      local marker = support.name()
      local sessions = setmetatable({}, { __close = function(list)
        for _, s in ipairs(list) do
          getmetatable(s).__close(s)
        end
      end })
      local all <close> = sessions
      for i = 1, 20 do
        all[i] = caller:start("--hostname", "box" .. i, "sh", "-c",
          "hostname; read x; echo $x; exit 4", marker)
      end
      for i = 1, 20 do
        all[i]:expect(("^box%d\n$"):format(i))
      end
      for i = 20, 1, -1 do
        all[i]:send("end\n")
        assert.equal(4, all[i]:wait())
        assert.equal("end\n", all[i].stdout)
        assert.equal("", all[i].stderr)
      end
      assert.equal(0, left(marker))
    end)

    it("a hundred thousand arguments arrive as they were given", function()
      local words = { "--quiet", command.probe "arguments" }
      local expected = {}
      for i = 1, 100000 do
        words[#words + 1] = tostring(i)
        expected[i] = i .. "\0"
      end
      local s <close> = caller:start_words(table.move(words, 1, #words, 3,
        { support.lua, "run.lua" }))
      assert.equal(0, s:wait())
      assert.equal("", s.stderr)
      assert.truthy(s.stdout == table.concat(expected))
    end)

    it("arguments of a hundred KiB arrive as they were given", function()
      local long = ("0123456789abcdef"):rep(6400)
      local s <close> = caller:start(command.probe("arguments", long, "", long .. "x", long))
      assert.equal(0, s:wait())
      assert.truthy(s.stdout == table.concat({ long, "", long .. "x", long }, "\0") .. "\0")
    end)

    it("a variable of a hundred KiB arrives as it was given", function()
      local long = ("0123456789abcdef"):rep(6400)
      local s <close> = caller:start("-e", "LONG=" .. long, "sh", "-c", "printf %s \"$LONG\"")
      assert.equal(0, s:wait())
      assert.truthy(s.stdout == long)
    end)

    it("every byte but NUL arrives as it was given", function()
      local bytes = {}
      for byte = 1, 255 do
        bytes[byte] = string.char(byte)
      end
      local all = table.concat(bytes)
      local s <close> = caller:start(command.probe("arguments", all, "\xff\xfe", "a\nb\n"))
      assert.equal(0, s:wait())
      assert.truthy(s.stdout == table.concat({ all, "\xff\xfe", "a\nb\n" }, "\0") .. "\0")
      assert.equal("ff fe 0a c3 28\n", caller:print("-e", "BYTES=\xff\xfe\n\xc3\x28", "sh", "-c",
        "printf %s \"$BYTES\" | od -An -tx1 | sed 's/^ //'"))
    end)

    it("every other byte arrives in a name, a path and a directory as well", function()
      local odd = "\xff\xc3\x28 \"\\\t'"
      local source = caller:directory() .. "/" .. odd
      local rootfs = caller:rootfs()
      assert(sys.mkdir(source))
      assert(sys.mknod(source .. "/" .. odd, "file", tonumber("644", 8), 0, 0))
      assert(os.rename(rootfs, rootfs .. odd))
      assert.equal(odd .. "\n/w" .. odd .. "\n" .. odd .. "\n",
        caller:print("--rootfs", rootfs .. odd, "--hostname", odd, "--workdir", "/w" .. odd,
          "--volume", source .. ":/v" .. odd, "sh", "-c",
          "hostname; pwd; cd \"$0\" && printf '%s\\n' *", "/v" .. odd))
    end)

    it("an argument or a variable of a megabyte is refused whole, and named", function()
      local function refusal(field)
        return caller:shell(command.words(support.lua, "-e", ([[
          package.path, package.cpath = "./lua/?.lua;" .. package.path, "./?.so;" .. package.cpath
          local container = require "container"
          local sys = require "container.sys"
          local long = ("x"):rep(1 << 20)
          for _, init in ipairs { true, false } do
            local options = { "true", init = init }
            options[%s] = %s
            print(container.run(options))
          end]]):format(table.unpack(field)))).stdout
      end
      local line = "nil\texec: true: Argument list too long (%s has %d bytes)\n"
      assert.equal(line:format("args[2]", 1 << 20):rep(2), refusal { "2", "long" })
      assert.equal(line:format("env.LONG", (1 << 20) + 5):rep(2),
        refusal { "'env'", "{ LONG = long }" })
    end)

    it("a megabyte goes through its streams as it was given", function()
      local text = ("every byte counts\n"):rep(60000)
      local s <close> = caller:start("tr", "a-z", "A-Z")
      local writer = assert(sys.clone({}, function()
        local from = 1
        while from <= #text do
          from = from + assert(sys.write(s.fds.stdin, text:sub(from, from + 65535)))
        end
        sys._exit(0)
      end))
      s:eof()
      assert.equal(0, s:wait())
      support.wait(writer)
      assert.truthy(s.stdout == text:upper())
    end)

    it("a launcher with many files open hands on none", function()
      local text = { "set -e" }
      for fd = 3, 9 do
        text[#text + 1] = ("exec %d</etc/passwd"):format(fd)
      end
      text[#text + 1] = command.words(support.lua, "run.lua", "-q", command.probe "fds")
      assert.equal("0 1 2 ", caller:shell(table.concat(text, "; ")).stdout)
    end)
  end)
end

describe("arguments of which the launcher can just take so many", function()
  -- The environment of the program is the larger one, so there is no room for them there.
  local function start(size)
    local words = { "run.lua", "--quiet", "/bin/true" }
    local path = support.run("command -v " .. support.lua).stdout:match("[^\n]+")
    table.insert(words, 1, path)
    while size > 0 do
      words[#words + 1] = ("x"):rep(math.min(size, 130000))
      size = size - 130000
    end
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      assert(sys.close_others { writer })
      sys.exec({ "/bin/sh", "-c", "exec \"$@\" 2>&3 3>&-", "sh", table.unpack(words) }, {})
      sys._exit(99)
    end))
    writer:close()
    local text = support.drain(reader)
    reader:close()
    return select(2, support.wait(pid)), text
  end

  it("are refused whole, in one line #root", function()
    -- A quarter of the stack, in KiB, but no more than 6 MiB. execve(2)
    local stack = tonumber(support.run("ulimit -s").stdout)
    local limit = math.min(stack and stack * 1024 // 4 or math.maxinteger, 6 << 20)
    local low, high = limit // 2, limit -- it starts with the one and not with the other
    while high - low > 1 do
      local middle = (low + high) // 2
      if start(middle) ~= 99 then
        low = middle
      else
        high = middle
      end
    end
    local status, text = start(low)
    assert.equal("lua-container: exec: /bin/true: Argument list too long\n", text)
    assert.equal(126, status)
    assert.equal(0, (start(low - 4096)))
  end)
end)
