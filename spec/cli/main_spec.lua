local sys = require "container.sys"
local support = require "spec.support"

-- What does not ask for a limit runs without a cgroup.
local BARE <const> = support.lua .. " run.lua "
local BOX <const> = BARE .. "-q --pids-limit max "

local function box(words, options)
  return support.run((options or "") .. BOX .. words)
end

-- Succeeds with this output and no word on standard error.
local function prints(expected, words, environment)
  assert.same({ status = 0, stdout = expected, stderr = "" }, box(words, environment))
end

-- Ends with 125, or another status, and one sentence.
local function refuses(sentence, words, status)
  assert.same({ status = status or 125, stdout = "",
    stderr = "lua-container: " .. sentence .. "\n" }, box(words))
end

describe("the command line #root", function()
  for _, form in ipairs { "--hostname box", "--hostname=box", "-h box", "-hbox" } do
    it("takes " .. form, function()
      prints("box\n", form .. " uname -n")
    end)
  end

  for _, form in ipairs { "--workdir /usr", "--workdir=/usr", "-w /usr", "-w/usr" } do
    it("takes " .. form, function()
      prints("/usr\n", form .. " pwd")
    end)
  end

  for _, form in ipairs { "--env A=b=c", "--env=A=b=c", "-e A=b=c", "-eA=b=c" } do
    it("takes " .. form, function()
      prints("b=c\n", form .. " sh -c 'echo $A'")
    end)
  end

  for _, form in ipairs { "--volume ./spec:/v", "--volume=./spec:/v", "-v ./spec:/v",
    "-v./spec:/v:ro" } do
    it("takes " .. form, function()
      prints("there\n", form .. " sh -c '[ -e /v/support.lua ] && echo there'")
    end)
  end

  for _, form in ipairs { "--rootfs %s", "--rootfs=%s" } do
    it("takes " .. form:format("DIR"), function()
      prints("bin\ndev\netc\nproc\nroot\nsys\ntmp\n",
        form:format(support.busybox_rootfs()) .. " ls /")
    end)
  end

  for _, form in ipairs { "--pids-limit 7", "--pids-limit=7" } do
    it("takes " .. form .. " #cgroup1", function()
      local place = sys.cgroup_place("pids")
      -- The container sees its own cgroup as the root of the host's hierarchy, mounted here.
      local result = support.run(BARE .. "-q " .. form .. " -v " .. place
        .. ":/c sh -c 'cat /c/lua-container-*/pids.max'")
      assert.matches("%f[^\n\0]7\n", result.stdout)
    end)
  end

  for _, form in ipairs { "--quiet", "-q" } do
    it("takes " .. form, function()
      assert.same({ status = 0, stdout = "out\n", stderr = "" },
        support.run(BARE .. "--pids-limit max " .. form .. " echo out"))
    end)
  end

  for _, form in ipairs { "--user 7:8", "--user=7:8", "-u 7:8", "-u7:8" } do
    it("takes " .. form, function()
      prints("7 8\n", form .. " sh -c 'echo $(id -u) $(id -g)'")
    end)
  end

  for _, form in ipairs { "--cap-drop ALL --cap-add KILL", "--cap-drop=all --cap-add=cap_kill" } do
    it("takes " .. form, function()
      prints("CapEff:\t0000000000000020\n", form .. " grep CapEff /proc/self/status")
    end)
  end

  it("takes --read-only", function()
    prints("refused\n", "--read-only sh -c 'touch /usr/x 2>&- || echo refused'")
  end)

  for _, form in ipairs { "--tmpfs /x:size=64k", "--tmpfs=/x:size=64k" } do
    it("takes " .. form, function()
      prints("64\n", form .. " sh -c 'df -k /x | tail -n 1 | (read _ n _; echo $n)'")
    end)
  end

  for _, form in ipairs { "--network host", "--network=host" } do
    it("takes " .. form, function()
      prints(sys.readlink("/proc/self/ns/net") .. "\n", form .. " readlink /proc/self/ns/net")
    end)
  end

  for form, promise in pairs { ["--security-opt no-new-privileges=false"] = 0,
    ["--security-opt=no-new-privileges:false"] = 0, ["--security-opt no-new-privileges"] = 1,
    ["--security-opt no-new-privileges=true"] = 1, ["--privileged"] = 0 } do
    it("takes " .. form, function()
      prints(("NoNewPrivs:\t%d\n"):format(promise), form .. " grep NoNewPrivs /proc/self/status")
    end)
  end

  it("takes --no-init", function()
    prints("1\n", "--no-init sh -c 'echo $$'")
    prints("2\n", "sh -c 'echo $$'")
  end)

  it("says what runs unless it is told not to", function()
    local result = support.run(BARE .. "--pids-limit max echo out")
    assert.equal("out\n", result.stdout)
    assert.matches("^Running %[echo out%] as %d+\nRunning in child %[echo out%] as 1\n$",
      result.stderr)
  end)

  it("keeps the last of two contrary options", function()
    prints("two\n", "--hostname one -h two uname -n")
    prints("/etc\n", "-w /usr --workdir /etc pwd")
    prints("2\n", "-e A=1 -e A=2 sh -c 'echo $A'")
  end)

  it("adds up variables and volumes", function()
    prints("1 2\n", "-e A=1 --env B=2 sh -c 'echo $A $B'")
    prints("there\n",
      "-v .:/a -v .:/b sh -c '[ -e /a/run.lua ] && [ -e /b/run.lua ] && echo there'")
  end)

  it("takes the caller's own for a variable without a value", function()
    prints("outer\n", "-e OUTER sh -c 'echo $OUTER'", "OUTER=outer ")
    prints("none\n", "sh -c 'echo ${OUTER-none}'", "OUTER=outer ")
    prints("none\n", "-e OUTER -e OTHER= sh -c 'echo ${OUTER-none}$OTHER'", "unset OUTER; ")
    prints("outer\n", "-e OUTER -e A=1 sh -c 'echo $OUTER'", "OUTER=outer ")
  end)

  it("takes an empty value", function()
    prints("[]\n", "-e A= sh -c 'echo \"[$A]\"'")
    refuses("--hostname: expected a name of 1 to 64 bytes, got \"\"", "--hostname= true")
    refuses("--hostname: expected a name of 1 to 64 bytes, got \"\"", "--hostname '' true")
    refuses("--rootfs: expected the path of a directory, got \"\"", "--rootfs= true")
  end)

  it("takes a value that looks like an option", function()
    prints("-q\n", "--hostname -q uname -n")
    prints("--\n", "-h -- uname -n")
  end)

  it("leaves to the command what stands behind it", function()
    prints("-q --hostname x -- -e\n", "echo -q --hostname x -- -e")
    prints("[-n]", "sh -c 'printf \"[%s]\" \"$1\"' -- -n")
  end)

  it("takes everything behind -- for the command", function()
    prints("out\n", "-- echo out")
    prints("--\n", "-- echo --")
    refuses("exec: -q: not found in PATH", "-- -q", 127)
    refuses("exec: --: not found in PATH", "-- --", 127)
    refuses("no command given (see --help)", "--")
  end)

  it("takes - for a command", function()
    refuses("exec: -: not found in PATH", "- x", 127)
  end)

  it("gives the command its arguments as they are", function()
    prints("[][a b][\n][*]", "printf '[%s]' '' 'a b' '\n' '*'")
  end)

  it("reads and writes through the streams of the caller", function()
    local result = support.run("printf 'a\\0b' | " .. BOX .. "sh -c 'cat; echo error >&2'")
    assert.same({ status = 0, stdout = "a\0b", stderr = "error\n" }, result)
  end)
end)

describe("the command line", function()
  it("prints its usage for --help, on standard output", function()
    local result = box("--help")
    assert.same({ 0, "" }, { result.status, result.stderr })
    assert.matches("^Usage: lua%-container %[OPTIONS%] %[%-%-%] COMMAND %[ARG%.%.%.%]\n",
      result.stdout)
    for _, option in ipairs { "--rootfs DIR", "--hostname NAME", "--pids-limit N|max",
      "-e, --env NAME[=VALUE]", "-w, --workdir DIR", "-v, --volume SRC:DST[:OPTION,...]",
      "--no-init",
      "-q, --quiet", "--help", "--version", "-u, --user NAME[:GROUP]", "--cap-add NAME",
      "--cap-drop NAME", "--read-only", "--tmpfs DST[:OPTIONS]", "--network NETWORK",
      "--security-opt no-new-privileges=false", "--privileged", "--userns auto|subid" } do
      assert.is_truthy(result.stdout:find(option, 1, true), option)
    end
    for line in result.stdout:gmatch("[^\n]*") do
      assert.is_true(#line <= 100, line)
    end
  end)

  it("prints its version for --version", function()
    local result = box("--version")
    assert.same({ 0, "" }, { result.status, result.stderr })
    assert.matches("^lua%-container %d+%.%d+%.%d+\n$", result.stdout)
  end)

  it("does nothing else for --help, whatever follows", function()
    assert.same({ 0, "" }, { box("--help true").status, box("--help --nosuch").stderr })
  end)

  for _, word in ipairs { "--nosuch", "--nosuch=x", "--Hostname", "--host", "-x", "-xyz", "-1",
    "--=x", "---", "-Q" } do
    it("refuses " .. word, function()
      refuses("unknown option " .. word .. " (see --help)", word .. " true")
    end)
  end

  for word, name in pairs { ["--hostname"] = "--hostname", ["-h"] = "--hostname", ["-e"] = "--env",
    ["--env"] = "--env", ["-w"] = "--workdir", ["--workdir"] = "--workdir", ["-v"] = "--volume",
    ["--volume"] = "--volume", ["--rootfs"] = "--rootfs", ["--pids-limit"] = "--pids-limit",
    ["-u"] = "--user", ["--user"] = "--user", ["--cap-add"] = "--cap-add",
    ["--cap-drop"] = "--cap-drop", ["--tmpfs"] = "--tmpfs", ["--network"] = "--network",
    ["--security-opt"] = "--security-opt" } do
    it("refuses " .. word .. " without a value", function()
      refuses("option " .. name .. " needs a value", word)
    end)
  end

  for word, name in pairs { ["--quiet=1"] = "--quiet", ["-q=1"] = "--quiet",
    ["--tty=false"] = "--tty", ["--interactive=1"] = "--interactive",
    ["--no-init=false"] = "--no-init", ["--read-only=false"] = "--read-only",
    ["--privileged=true"] = "--privileged", ["--help="] = "--help",
    ["--version=2"] = "--version" } do
    it("refuses a value in " .. word, function()
      refuses("option " .. name .. " takes no value", word .. " true")
    end)
  end

  it("refuses what is no option in a word of several", function()
    refuses("unknown option -Z (see --help)", "-qZ true")
    refuses("option --user needs a value", "-qtu")
  end)

  it("refuses to run nothing", function()
    refuses("no command given (see --help)", "")
    refuses("no command given (see --help)", "--hostname box")
    assert.equal("lua-container: no command given (see --help)\n",
      support.run(BARE).stderr)
  end)

  it("speaks of the option that was typed, where the library refuses its value", function()
    local long = ("x"):rep(65)
    for words, sentence in pairs {
      ["--hostname " .. long] = "--hostname: expected a name of 1 to 64 bytes, got a string of "
        .. "65 bytes",
      ["-e =x"] = "--env: expected NAME=value, got \"=x\"",
      ["-e A=1 -e =x"] = "--env: expected NAME=value, got \"=x\"",
      ["-w usr"] = "--workdir: expected an absolute path, got \"usr\"",
      ["-v data:/x"] = "--volume: expected a path as source, such as /srv/data or ./data, "
        .. "got \"data\"",
      ["-v /:/x -v /no/such:/x"] = "--volume: stat /no/such: No such file or directory",
      ["-v /"] = "--volume: expected SOURCE:DESTINATION[:OPTION,...], got \"/\"",
      ["-u a:b:c"] = "--user: expected NAME[:GROUP], got \"a:b:c\"",
      ["--cap-add NOSUCH"] = "--cap-add: expected the name of a capability, got \"NOSUCH\"",
      ["--cap-drop KILL --cap-drop x"] = "--cap-drop: expected the name of a capability, "
        .. "got \"x\"",
      ["--tmpfs x"] = "--tmpfs: expected an absolute destination, got \"x\"",
      ["--network bridge:x"] = "--network: expected \"none\", \"host\", \"pasta\", \"ns:PATH\", "
        .. "\"container:NAME\" or the name of a network of CNI, got \"bridge:x\"",
      ["--security-opt no-new-privileges=maybe"] = "--security-opt: expected true or false, "
        .. "got \"no-new-privileges=maybe\"",
      ["--security-opt label=disable"] = "--security-opt: expected true or false, "
        .. "got \"label=disable\"",
      ["--pids-limit many"] = "--pids-limit: expected a positive integer or \"max\", got \"many\"",
      ["--pids-limit 0"] = "--pids-limit: expected a positive integer or \"max\", got 0",
      ["--pids-limit -2"] = "--pids-limit: expected a positive integer or \"max\", got -2",
      ["--pids-limit 0x10"] = "--pids-limit: expected a positive integer or \"max\", got \"0x10\"",
      ["--pids-limit 1e3"] = "--pids-limit: expected a positive integer or \"max\", got \"1e3\"",
      ["--pids-limit 4194305"] = "--pids-limit: expected a positive integer or \"max\", "
        .. "got 4194305",
      ["--pids-limit 99999999999999999999"] = "--pids-limit: expected a positive integer or "
        .. "\"max\", got \"99999999999999999999\"",
    } do
      refuses(sentence, words .. " true")
    end
  end)

  it("refuses a root that is not there, with 125", function()
    refuses("rootfs: open /no/such: No such file or directory", "--rootfs /no/such true")
  end)
end)

describe("the exit status of the command line #root", function()
  it("is the command's", function()
    for _, status in ipairs { 0, 1, 125, 126, 127, 255 } do
      assert.equal(status, box("sh -c 'exit " .. status .. "'").status)
      assert.equal(status, box("--no-init sh -c 'exit " .. status .. "'").status)
    end
  end)

  it("is 128 + n after signal n", function()
    assert.equal(143, box("sh -c 'kill -TERM $$'").status)
    assert.equal(137, box("sh -c 'kill -KILL $$'").status)
    assert.equal(134, box("sh -c 'kill -ABRT $$'").status)
  end)

  it("is 127 where the command is not there, 126 where it cannot be executed", function()
    refuses("exec: nosuch: not found in PATH", "nosuch", 127)
    refuses("exec: /no/such: No such file or directory", "/no/such", 127)
    refuses("exec: /etc: Permission denied", "/etc", 126)
    refuses("exec: /etc/passwd: Permission denied", "/etc/passwd", 126)
    refuses("exec: nosuch: not found in PATH", "--no-init nosuch", 127)
  end)

  it("is not 127 where it is the working directory that is missing", function()
    local result = box("-w /sys/new true")
    assert.is_true(result.status == 125 or result.status == 126, result.status)
    result = box("-w /etc/passwd/x true")
    assert.is_true(result.status == 125 or result.status == 126, result.status)
  end)

  it("is 125 where the limit leaves no room for the command #cgroup1", function()
    local result = support.run(BARE .. "-q --pids-limit 1 true")
    assert.is_true(result.status == 125 or result.status == 126, result.status)
    assert.matches("^lua%-container: fork: true: ", result.stderr)
  end)

  it("is 125 where no command is given, and for an unknown option", function()
    assert.equal(125, support.run(BARE).status)
    assert.equal(125, support.run(BARE .. "--nosuch").status)
  end)
end)

describe("the signals of the launcher #root", function()
  -- A launcher of its own, and what its container says.
  local function launch(script, options)
    local reader, writer = assert(sys.pipe())
    local pid = assert(sys.clone({}, function()
      sys.pdeathsig("KILL")
      sys.close_others { writer }
      sys.exec { "sh", "-c", "exec " .. BOX .. (options or "") .. "sh -c \"$0\" >&3", script }
    end))
    writer:close()
    local function line()
      local said = ""
      while said:sub(-1) ~= "\n" and sys.ppoll({ reader }, 10)[1] do
        local piece = sys.read(reader, 1)
        if piece == "" then
          break
        end
        said = said .. piece
      end
      return said
    end
    return pid, line, reader
  end

  local FORWARDED <const> = { TERM = 15, INT = 2, HUP = 1, QUIT = 3, USR1 = 10, USR2 = 12,
    WINCH = 28 }

  -- What is ignored from the start, as by nohup(1), stays ignored.
  local ignored = tonumber(sys.read_file("/proc/self/status"):match("SigIgn:%s*(%x+)"), 16)

  it("reach the command", function()
    local pid, line, reader <close> = launch([[
      for s in TERM INT HUP QUIT USR1 USR2 WINCH; do trap "echo $s" $s; done
      echo up
      while :; do sleep 1000 & wait $!; done]])
    assert.equal("up\n", line())
    for name, number in pairs(FORWARDED) do
      if ignored >> (number - 1) & 1 == 0 then
        assert(sys.kill(pid, name))
        assert.equal(name .. "\n", line())
      end
    end
    assert.is_truthy(reader)
    sys.kill(pid, "KILL")
    assert.same({ "signal", 9 }, { support.wait(pid) })
    -- The container has ended too: no process has the other end of the line.
    assert.equal("", line())
  end)

  it("end a command that does nothing about them", function()
    local pid, line, reader <close> = launch("echo up; exec sleep 1000")
    assert.equal("up\n", line())
    assert(sys.kill(pid, "TERM"))
    assert.same({ "exit", 143 }, { support.wait(pid) })
    assert.is_truthy(reader)
  end)

  it("are answered by the command's own status", function()
    local pid, line, reader <close> = launch([[
      trap 'exit 9' TERM
      echo up
      while :; do sleep 1000 & wait $!; done]])
    assert.equal("up\n", line())
    assert(sys.kill(pid, "TERM"))
    assert.same({ "exit", 9 }, { support.wait(pid) })
    assert.is_truthy(reader)
  end)
end)
