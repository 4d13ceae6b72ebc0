-- What is typed wrong, or asks for what is not there: one line on standard error that says what and
-- where, the status 125, and nothing left.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local place = support.tmpdir()
local FILE <const> = place .. "/file"
assert(sys.mknod(FILE, "file", tonumber("644", 8), 0, 0))

local LONG <const> = ("x"):rep(65)

local PIDS <const> = "--pids-limit: expected a positive integer or \"max\", got "
local NAME <const> = "--hostname: expected a name of 1 to 64 bytes, got "
local VOLUME <const> = "--volume: expected SOURCE:DESTINATION[:OPTION,...], got "
local MODE <const> = "--volume: expected ro, rro or rw after the destination"

-- Each is the words, and then what the line says behind "lua-container: ", as a plain text.
local refused <const> = {
  { {}, "no command given (see --help)" },
  { { "--" }, "no command given (see --help)" },
  { { "--quiet" }, "no command given (see --help)" },
  { { "--no-such-option", "true" }, "unknown option --no-such-option (see --help)" },
  { { "--no-such=1", "true" }, "unknown option --no-such=1 (see --help)" },
  { { "-z", "true" }, "unknown option -z (see --help)" },
  { { "--quie", "true" }, "unknown option --quie (see --help)" },
  { { "--quiet=yes", "true" }, "option --quiet takes no value" },
  { { "--no-init=yes", "true" }, "option --no-init takes no value" },
  { { "--help=yes" }, "option --help takes no value" },
  { { "-qx", "true" }, "unknown option -x" },
  { { "-q=x", "true" }, "option --quiet takes no value" },
  { { "--rootfs" }, "option --rootfs needs a value" },
  { { "--hostname" }, "option --hostname needs a value" },
  { { "--pids-limit" }, "option --pids-limit needs a value" },
  { { "--env" }, "option --env needs a value" },
  { { "-e" }, "option --env needs a value" },
  { { "--workdir" }, "option --workdir needs a value" },
  { { "-w" }, "option --workdir needs a value" },
  { { "--volume" }, "option --volume needs a value" },
  { { "-v" }, "option --volume needs a value" },

  { { "--rootfs", "/no/such", "true" }, "rootfs: open /no/such: No such file or directory" },
  { { "--rootfs", FILE, "true" }, ("rootfs: open %s: Not a directory"):format(FILE) },
  { { "--rootfs", FILE .. "/below", "true" }, "Not a directory" },
  { { "--rootfs", "", "true" }, "--rootfs: expected the path of a directory, got \"\"" },
  { { "--rootfs=", "true" }, "--rootfs: expected the path of a directory, got \"\"" },
  { { "--rootfs", ("x"):rep(5000), "true" }, "File name too long" },

  { { "--hostname", "", "true" }, NAME .. "\"\"" },
  { { "--hostname", LONG, "true" }, NAME .. "a string of 65 bytes" },

  { { "--pids-limit", "0", "true" }, PIDS .. "0" },
  { { "--pids-limit", "-2", "true" }, PIDS .. "-2" },
  { { "--pids-limit", "many", "true" }, PIDS .. "\"many\"" },
  { { "--pids-limit", "1e30", "true" }, PIDS .. "\"1e30\"" },
  { { "--pids-limit", "", "true" }, PIDS .. "\"\"" },
  { { "--pids-limit", "2.5", "true" }, PIDS .. "\"2.5\"" },
  { { "--pids-limit", "0x10", "true" }, PIDS },
  { { "--pids-limit", "4194305", "true" }, PIDS },
  { { "--pids-limit", "99999999999999999999", "true" }, PIDS },
  { { "--pids-limit", " 5", "true" }, PIDS },

  { { "--env", "=value", "true" }, "--env: expected NAME=value, got \"=value\"" },

  { { "--volume", ":/mnt", "true" }, VOLUME .. "\":/mnt\"" },
  { { "--volume", "/etc", "true" }, VOLUME .. "\"/etc\"" },
  { { "--volume", "/etc:", "true" }, VOLUME .. "\"/etc:\"" },
  { { "--volume", "", "true" }, VOLUME .. "\"\"" },
  { { "--volume", "/etc:/mnt:", "true" }, MODE },
  { { "--volume", "/etc:/mnt:rx", "true" }, MODE },
  { { "--volume", "/etc:/mnt:ro:ro", "true" }, "--volume: expected" },
  { { "--volume", "/no/such:/mnt", "true" },
    "--volume: stat /no/such: No such file or directory" },
  { { "--volume", "name:/mnt", "true" }, "--volume: expected a path as source" },
  { { "--volume", "/etc:mnt", "true" }, "--volume: expected an absolute destination, got \"mnt\"" },
  { { "--volume", "/etc:/", "true" }, "--volume: destination / is the container's own" },
  { { "--volume", "/etc://.//", "true" }, "--volume: destination / is the container's own" },
  { { "--volume", "/etc:/proc", "true" }, "--volume: destination /proc is the container's own" },
  { { "--volume", "/etc:/./proc/", "true" }, "--volume: destination /proc is the container's own" },
  { { "--volume", "/etc:/proc/self", "true" }, "is the container's own" },
  { { "--volume", "/etc:/mnt/../proc", "true" }, "--volume: destination goes up by .." },
  { { "--volume", FILE .. ":/etc", "true" }, "mount" },
  { { "--volume", "/etc:/etc/passwd", "true" }, "mount" },

  { { "--workdir", "relative", "true" }, "--workdir: expected an absolute path, got \"relative\"" },
  { { "--workdir", "", "true" }, "--workdir: expected an absolute path, got \"\"" },
  { { "--workdir", "/etc/passwd", "true" }, "process: chdir /etc/passwd: Not a directory" },
  { { "--workdir", "/etc/passwd/below", "true" }, "Not a directory" },
  { { "--workdir", "/proc/no-such", "true" }, "process: mkdir no-such: No such file or directory" },
}

for _, caller in ipairs(command.callers) do
  describe("what is refused to " .. caller.name, function()
    for _, case in ipairs(refused) do
      local words, message = table.unpack(case)
      local title = table.concat(words, " "):gsub(place, "DIR"):gsub("xxx+", "xxx...")
      it("[" .. title .. "]", function()
        local result = caller:run(table.unpack(words))
        assert.equal("", result.stdout)
        local line = result.stderr:gsub("^Running [^\n]*\n", "")
        assert.matches("^lua%-container: [^\n]+\n$", line)
        assert(line:find(message, 1, true), line)
        assert.is_nil(result.stderr:find("traceback", 1, true))
        assert.is_nil(result.stderr:find("%.lua:%d"))
        assert.equal(125, result.status)
      end)
    end
  end)
end

describe("what an error says of a name with control characters #userns", function()
  for _, case in ipairs {
    { "a command's", "no\nsuch\27[31m" },
    { "an option's", "--no\nsuch\27[31m", "true" },
    { "a root's", "--rootfs", "no\nsuch\27[31m", "true" },
    { "a volume's", "--volume", "./no\nsuch\27[31m:/mnt", "true" },
  } do
    it("is one line without them: " .. case[1], function()
      local result = command.user:run("--quiet", table.unpack(case, 2))
      assert.matches("^lua%-container: [^\n]+\n$", result.stderr)
      assert.is_nil(result.stderr:find("\27", 1, true))
    end)
  end
end)

describe("what an error says of a long value #userns", function()
  local HUGE <const> = ("x"):rep(100000)

  for _, case in ipairs {
    { "a command", HUGE },
    { "an option", "--" .. HUGE, "true" },
    { "a root", "--rootfs", HUGE, "true" },
    { "a volume", "--volume", "./" .. HUGE .. ":/mnt", "true" },
    { "a limit", "--ulimit", HUGE .. "=1", "true" },
    { "a profile", "--security-opt", "seccomp=" .. HUGE, "true" },
    { "a path of the second wall", "--landlock", "read=/" .. HUGE, "true" },
  } do
    it("is one short line: " .. case[1], function()
      local result = command.user:run("--quiet", table.unpack(case, 2))
      assert.matches("^lua%-container: [^\n]+\n$", result.stderr)
      assert.is_true(#result.stderr < 700, #result.stderr)
      assert.is_true(result.status >= 125)
    end)
  end
end)

describe("a root that an ordinary user cannot read #userns", function()
  it("is refused", function()
    local root = support.tmpdir() .. "/private"
    assert(sys.mkdir(root, tonumber("700", 8)))
    if sys.geteuid() ~= 0 then
      assert(os.execute("chmod 0 " .. root))
    end
    local result = command.user:run("--rootfs", root, "true")
    assert.equal(("lua-container: rootfs: open %s: Permission denied\n"):format(root),
      result.stderr)
    assert.equal(125, result.status)
  end)
end)

describe("a working directory that is gone #userns", function()
  it("is nothing that the command needs", function()
    local result = command.user:shell(("here=$PWD; cd %s && mkdir gone && cd gone && \z
      rmdir ../gone && %s $here/run.lua -q pwd"):format(command.user:directory(), support.lua))
    assert.equal("/\n", result.stdout, result.stderr)
  end)
end)

describe("under another Lua, run.lua", function()
  for _, lua in ipairs { "lua5.1", "lua5.3" } do
    it("says in one line that it needs Lua 5.4: " .. lua, function()
      support.needs(lua)
      local result = support.run(lua .. " run.lua --quiet echo hello")
      assert.matches("^lua%-container: needs Lua 5%.4, this is Lua 5%.[123]: run it as lua5%.4 \z
        run%.lua\n$", result.stderr)
      assert.equal("", result.stdout)
      assert.equal(125, result.status)
    end)
  end
end)
