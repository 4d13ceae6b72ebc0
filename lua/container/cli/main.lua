-- The door for the command line: argv to options, errors to one sentence, an exit status.

local errors = require "container.error"
local api = require "container.api"
local spawn = require "container.engine.spawn"
local stats_line = require "container.cli.stats_line"
local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"
local tty = require "container.cli.tty"

local cli = {}

-- The statuses of docker, which are those of a shell where a shell has them.
local FAILED <const>, NOT_EXECUTABLE <const>, NOT_FOUND <const> = 125, 126, 127

-- What reaches the program when it reaches the launcher; and the two that stop the launcher and let
-- it go on.
local HANDLED <const> = { "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "TSTP", "CONT" }

-- Those of them that also end a start that takes long.
local ENDING <const> = { "TERM", "INT", "HUP", "QUIT" }

local USAGE <const> = [[
Usage: lua-container [OPTIONS] [--] COMMAND [ARG...]

Runs COMMAND in a Linux container. Without --rootfs the root is a throw-away view of this
machine's own files: all can be read and run, nothing written survives.

      --name NAME             a name that no other of your containers has meanwhile
      --rootfs DIR            the directory that becomes the root
      --hostname NAME         the container's host name (default: container)
      --pids-limit N|max      at most N processes (default: 20); -1 is max
  -m, --memory BYTES          at most so much memory, such as 64M; what is over it ends COMMAND
      --memory-swap BYTES     memory and swap together (default: twice the memory); -1: no limit
      --memory-reservation BYTES
                              what it is left when the machine has few
      --cpus N                at most the time of so many processors, such as 0.5
      --cpu-shares N          its share beside other processes, 2 to 262144
      --cpuset-cpus LIST, --cpuset-mems LIST
                              the processors, and nodes of memory, that it may use: 0-2,7
      --device-read-bps, --device-write-bps DISK:BYTES
      --device-read-iops, --device-write-iops DISK:N
                              at most so much a second, from or to /dev/DISK
      --blkio-weight N        its share of a disk beside others, 10 to 1000
      --device SRC[:DST][:rwm]
                              a device of the host, at DST beneath /dev
      --cgroup-conf FILE=VALUE
                              any file of a controller of cgroup version 2: memory.high=32M
      --oom-score-adj N       -1000 to 1000: which process is killed first without memory
  -e, --env NAME[=VALUE]      an environment variable; without a value, the caller's own
  -w, --workdir DIR           the working directory inside (default: /)
  -v, --volume SRC:DST[:OPTION,...]
                              a file or directory of the host, seen at DST; with ro it cannot be
                              written; rro is refused where what is mounted in it cannot be so;
                              with idmap, for --userns auto, the ids of its files are inside ids
  -u, --user NAME[:GROUP]     the user of COMMAND, by name or id (default: root)
      --userns auto|subid     a user namespace: auto, for root, with 65536 ids that no other
                              container has; subid, for others, with those of /etc/subuid
      --cap-add NAME          one capability more than docker's default set without MKNOD; ALL
      --cap-drop NAME         one less; ALL
      --read-only             the root cannot be written
      --tmpfs DST[:OPTIONS]   an empty tmpfs at DST; docker's options, such as size=1M,exec
      --landlock read=PATH    a wall behind which COMMAND may read and execute only beneath PATH,
                              a path inside; as often as there are paths. What is not named
                              cannot be opened: COMMAND itself and its libraries need naming
      --landlock write=PATH   the same, and may write there
  -t, --tty                   a terminal of its own, also where standard input and output are none
  -i, --interactive           says nothing new: standard input is always open
      --ulimit NAME=SOFT[:HARD]
                              a limit of each process, such as nofile=64 or fsize=10M
      --timeout SECONDS       then COMMAND gets TERM, and after --stop-timeout all are killed;
                              0: no limit
      --stop-timeout SECONDS  how long it has to end after TERM, also one that the launcher
                              gets; then all are killed (default: 1)
      --no-init               COMMAND is pid 1 itself, instead of a small init

These open the container towards the host:
      --network host          the host's own network (default: none, only loopback)
      --security-opt no-new-privileges=false
                              set-user-ID programs gain their rights
      --security-opt seccomp=unconfined|FILE
                              no filter of system calls, or the profile of FILE, in JSON
      --privileged            all capabilities, all of /proc and /sys, writable

      --stats                 what it uses, in a line that changes where standard error is a
                              terminal, and in one at the end
      --stats=json            the same at the end, in numbers
  -q, --quiet                 does not say what runs
      --features              what this kernel lets this user do, by trying, as JSON
      --help                  this text
      --version               the version

The exit status is that of COMMAND, or 128+N after signal N; 125 when there was no container,
126 when COMMAND could not be executed, 127 when it was not found.
]]

local function integer(value)
  return value:find("^%-?%d+$") and math.tointeger(value) or value
end

-- Each option by its long name: the library's word for it, and how its value is read. One without
-- `read` is a switch, and sets `value`.
local function variable(value)
  if value:find("=", 1, true) then
    return value
  end
  local own = os.getenv(value)
  return own and value .. "=" .. own
end

local function same(value)
  return value
end

-- docker's words for it: the value, and of which field it is when not of the option's own.
local function security(value)
  local profile = value:match("^seccomp[=:](.*)$")
  if profile then
    return profile ~= "unconfined" and profile, "seccomp"
  end
  local word = value:match("^no%-new%-privileges[=:]?(%a*)$")
  if word == "" or word == "true" then
    return true
  elseif word == "false" then
    return false
  end
  return value
end

-- read=PATH or write=PATH: the paths of both by these words, with those that came before.
local function wall(value, walls)
  local name, path = value:match("^(%a+)=(.*)$")
  walls = walls or {}
  local list = walls[name or value] or {}
  list[#list + 1] = path or ""
  walls[name or value] = list
  return walls
end

local function seconds(value)
  return tonumber(value) or value
end

--- A limit of a process: one field of the library's table of them.
local function limit(value, limits)
  local name, rest = value:match("^([^=]+)=(.*)$")
  limits = limits or {}
  limits[name or value] = rest or ""
  return limits
end

local function numeric(value)
  return math.tointeger(value) or tonumber(value) or value
end

local function or_max(value)
  return value == "-1" and "max" or value
end

-- DISK:NUMBER: one field of the rates of that disk.
local function rate_of(word)
  return function(value, rates)
    local disk, text = value:match("^(.+):([^:]*)$")
    rates = rates or {}
    local own = rates[disk or value] or {}
    own[word] = text and word:find("iops") and numeric(text) or text or ""
    rates[disk or value] = own
    return rates
  end
end

local function assignment(value, settings)
  local key, text = value:match("^([^=]*)=(.*)$")
  settings = settings or {}
  settings[key or value] = text or ""
  return settings
end

local OPTIONS <const> = {
  ["--name"] = { field = "name", read = same },
  ["--rootfs"] = { field = "rootfs", read = same },
  ["--hostname"] = { field = "hostname", read = same },
  ["--pids-limit"] = { field = "pids", read = integer },
  ["--memory"] = { field = "memory", read = or_max },
  ["--memory-swap"] = { field = "memory_swap", read = or_max },
  ["--memory-reservation"] = { field = "memory_reservation", read = same },
  ["--cpus"] = { field = "cpus", read = numeric },
  ["--cpu-shares"] = { field = "cpu_weight", read = numeric },
  ["--cpuset-cpus"] = { field = "cpuset_cpus", read = same },
  ["--cpuset-mems"] = { field = "cpuset_mems", read = same },
  ["--device-read-bps"] = { field = "io", part = ".read_bps", read = rate_of "read_bps" },
  ["--device-write-bps"] = { field = "io", part = ".write_bps", read = rate_of "write_bps" },
  ["--device-read-iops"] = { field = "io", part = ".read_iops", read = rate_of "read_iops" },
  ["--device-write-iops"] = { field = "io", part = ".write_iops", read = rate_of "write_iops" },
  ["--blkio-weight"] = { field = "io_weight", read = numeric },
  ["--device"] = { field = "devices", read = same, list = true },
  ["--cgroup-conf"] = { field = "unified", read = assignment },
  ["--stats"] = { field = "stats", value = true, values = { json = "json" } },
  ["--oom-score-adj"] = { field = "oom_score_adj", read = numeric },
  ["--env"] = { field = "env", read = variable, list = true },
  ["--workdir"] = { field = "cwd", read = same },
  ["--volume"] = { field = "volumes", read = same, list = true },
  ["--user"] = { field = "user", read = same },
  ["--userns"] = { field = "users", read = same },
  ["--cap-add"] = { field = "cap_add", read = same, list = true },
  ["--cap-drop"] = { field = "cap_drop", read = same, list = true },
  ["--read-only"] = { field = "readonly", value = true },
  ["--tmpfs"] = { field = "tmpfs", read = same, list = true },
  ["--landlock"] = { field = "landlock", read = wall },
  ["--network"] = { field = "network", read = same },
  ["--security-opt"] = { field = "no_new_privileges", read = security },
  ["--privileged"] = { field = "privileged", value = true },
  ["--tty"] = { field = "tty", value = true },
  ["--interactive"] = {},
  ["--ulimit"] = { field = "rlimits", read = limit },
  ["--timeout"] = { field = "timeout", read = seconds },
  ["--stop-timeout"] = { field = "grace", read = seconds },
  ["--no-init"] = { field = "init", value = false },
  ["--quiet"] = { field = "announce", value = false },
  ["--debug"] = { field = "debug", value = true },
  ["--plan"] = { plan = true },
  ["--features"] = { text = function() return api.features("json") .. "\n" end },
  ["--help"] = { text = USAGE },
  ["--version"] = { text = api._VERSION .. "\n" },
}

local SHORT <const> = { e = "--env", m = "--memory", w = "--workdir", v = "--volume",
  q = "--quiet", h = "--hostname", u = "--user", t = "--tty", i = "--interactive" }

--- One line, also where a name in it would move the cursor of a terminal.
local function say(message)
  sys.write(2, ("lua-container: %s\n"):format(errors.plain(message)))
end

--- Which option a word is, with the value that stands in it: --name=value, -nvalue.
local function option_of(word)
  local name, value = word:match("^(%-%-[^=]+)=(.*)$")
  if not name then
    local letter, rest = word:match("^%-(%a)(.*)$")
    if not letter then
      return OPTIONS[word], word
    end
    name, value = SHORT[letter], rest ~= "" and rest or nil
  end
  return OPTIONS[name], name or word, value
end

--- Turns argv into the library's options.
-- @treturn table options; or nil and a message; or nil, nil and a text to print
local function parse(argv)
  -- A terminal of the container's own where the launcher has one to show it on.
  local options = { announce = true, tty = sys.isatty(0) and sys.isatty(1) and "auto" }
  local i, planned = 1, false
  while argv[i] do
    local word = argv[i]
    if word == "--" then
      i = i + 1
      break
    elseif word:sub(1, 1) ~= "-" or word == "-" then
      break
    end
    local letter, others = word:match("^%-(%a)(%a.*)$")
    if letter and SHORT[letter] and not OPTIONS[SHORT[letter]].read then
      -- Switches in one word: the first one, and a word of the others.
      argv = table.move(argv, i + 1, #argv, i + 2, table.move(argv, 1, i, 1, {}))
      word, argv[i + 1] = "-" .. letter, "-" .. others
    end
    local option, name, value = option_of(word)
    if not option then
      return nil, ("unknown option %s (see --help)"):format(word)
    elseif option.read then
      if not value then
        i = i + 1
        value = argv[i]
      end
      if not value then
        return nil, ("option %s needs a value"):format(name)
      end
      local field
      value, field = option.read(value, options[option.field])
      field = field or option.field
      if option.list then
        local list = options[field] or {}
        list[#list + 1] = value
        value = list
      end
      options[field] = value
    elseif value and not (option.values and option.values[value]) then
      return nil, ("option %s takes no value"):format(name)
    elseif option.text then
      return nil, nil, option.text
    elseif option.plan then
      planned = true
    elseif option.field then
      options[option.field] = value or option.value
    end
    i = i + 1
  end
  table.move(argv, i, #argv, 1, options)
  return options, planned
end

--- The sentence for an error: one of a field, or of a limit, speaks of the option that the user
-- typed.
local function sentence(err)
  if err.subject == "args" then
    return "no command given (see --help)"
  end
  local field, place = err.subject:match("^([%a_]+)(.*)$")
  if err.step == "spec" or field and err.message:sub(1, #field + 1) == field .. ":" then
    for name, option in pairs(OPTIONS) do
      if option.field == field and (not option.part or place:sub(-#option.part) == option.part) then
        return name .. err.message:sub(#field + #place + 1)
      end
    end
  end
  return tostring(err)
end

local function status_of(err)
  if err.step ~= "exec" or err.errno == sys.errno.ENOSYS then
    return FAILED
  end
  return err.errno == sys.errno.ENOENT and NOT_FOUND or NOT_EXECUTABLE
end

--- Stops as a key of the terminal asks, and the container too if it is the same terminal's; returns
-- when somebody lets it go on.
local function suspend(c, init, terminal)
  if terminal then
    terminal:restore()
  else
    c:kill(init and "TSTP" or "STOP")
  end
  -- The kernel knows whether there is anybody who could.
  sys.sigprocmask("unblock", { "TSTP" })
  sys.kill(sys.getpid(), "TSTP")
  sys.sigprocmask("block", { "TSTP" })
  if not terminal then
    c:kill("CONT")
  end
end

--- Passes a signal on. The container is in a session of its own, so the keys of the launcher's
-- terminal reach it by this only.
local function pass(c, signals, init, terminal)
  local number, from = sys.read_signal(signals)
  local name = number and sys.signal_name(number)
  if name == "TSTP" then
    suspend(c, init, terminal)
  elseif name == "CONT" or name == "WINCH" and terminal then
    if terminal then
      terminal:resume()
    end
    -- A new size reaches the program from its own terminal.
    if name == "WINCH" and from == "process" then
      c:kill(number)
    end
  elseif name == "TERM" then
    c:stop()
  elseif number then
    c:kill(number)
  end
end

--- Waits for the container's end, and serves it meanwhile.
local function attend(c, signals, init, terminal, meter)
  while true do
    local fds, due = { c:fd(), signals }, c:due_in()
    local next_look = meter and meter:due_in()
    due = next_look and math.min(next_look, due or next_look) or due
    local ready = terminal and terminal:poll(fds, due) or sys.ppoll(fds, due)
    if ready[2] then
      pass(c, signals, init, terminal)
    end
    -- The end may come at any moment, and what was shown before it is still to be copied.
    local result, err = c:poll()
    if result ~= false then
      if terminal then
        terminal:drain(signals)
      end
      return result, err
    elseif meter then
      meter:show()
    end
    -- Who is over at once has nothing worth collecting.
    if not collectgarbage("isrunning") then
      collectgarbage("restart")
    end
  end
end

--- What the user should know of how it ended, beside its status.
local function remark(result, options)
  if result.reason == "timeout" and options.announce then
    say(("ended after %g seconds"):format(options.timeout))
  elseif (result.oom_kills or 0) > 0 and options.announce then
    say(result.reason == "oom" and "ended: out of memory, by its memory limit"
      or ("out of memory: the memory limit ended %d of its processes"):format(result.oom_kills))
  end
  local refused = result.pids_refused or 0
  if refused > 0 and result.status ~= 0 then
    -- Without one of the container's own it was that of a cgroup above.
    local which = result.pids_limit and " of " .. result.pids_limit or " above the container's"
    say(("pids: the limit%s refused %d fork%s"):format(which, refused, refused == 1 and "" or "s"))
  end
end

--- Prints the steps of a start, and why each is there.
local function show_plan(options)
  local list, err = api.plan(options)
  if not list then
    say(sentence(err))
    return FAILED
  end
  for _, step in ipairs(list) do
    local needs = step.needs[1] and (" (needs %s)"):format(table.concat(step.needs, ", ")) or ""
    io.stdout:write(("%-7s  %-20s  %s%s\n"):format(step.side, step.name, step.why, needs))
  end
  return io.stdout:flush() and 0 or FAILED
end

--- Runs the command line.
-- @tparam table argv as Lua's `arg`
-- @treturn int the exit status
function cli.main(argv)
  local options, message, text = parse(argv)
  if options and message then
    return show_plan(options)
  end
  if text then
    text = type(text) == "function" and text() or text
    return io.stdout:write(text) and io.stdout:flush() and 0 or FAILED
  elseif not options then
    say(message)
    return FAILED
  end
  -- Whoever ignores the end of its children is not told of it.
  sys.sigdefault { "CHLD" }
  sys.sigprocmask("block", HANDLED)
  local signals, refusal = sys.signalfd(HANDLED)
  if not signals then
    say(refusal)
    return FAILED
  end
  local ending <const> = sys.signalfd(ENDING)
  subprocess.interrupt = ending
  local measured = options.stats
  options.stats = measured and true
  -- One container and nothing that a copy would cost: without a look at this process.
  spawn.mode = "fork"
  local c <close>, err = api.spawn(options)
  if not c then
    say(sentence(err))
    local number = err.errno == sys.errno.EINTR and sys.read_signal(ending)
    return number and 128 + number or status_of(err)
  end
  -- Not before there is a container: a start that is refused leaves the terminal alone.
  local terminal <close> = c.tty and tty.new(c) or nil
  local meter = measured and stats_line.new(c, measured)
  local result, why = attend(c, signals, options.init ~= false, terminal, meter)
  if not result then
    say(tostring(why))
    return FAILED
  end
  if meter then
    meter:clear()
  end
  remark(result, options)
  if meter then
    meter:finish(result)
  end
  return result.status
end

return cli
