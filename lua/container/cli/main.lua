-- The entry point of the command line: runs what the options ask for and returns the exit status.

local errors = require "container.error"
local api = require "container.api"
local commands = require "container.cli.commands"
local help = require "container.cli.help"
local options = require "container.cli.parse"
local signals = require "container.cli.signals"
local spawn = require "container.engine.spawn"
local stats_line = require "container.cli.stats_line"
local subprocess = require "container.linux.subprocess"
local report = require "container.report"
local search = require "container.search"
local sys = require "container.sys"
local tty = require "container.cli.tty"

local cli = {}

-- The statuses of docker, which are those of a shell where a shell has them.
local FAILED <const>, NOT_EXECUTABLE <const>, NOT_FOUND <const> = 125, 126, 127

--- One line, also where a name in it would move the cursor of a terminal.
local function say(message)
  report.write(("lua-container: %s\n"):format(errors.plain(message)))
end

local function status_of(err)
  if err.step ~= "exec" or err.errno == sys.errno.ENOSYS then
    return FAILED
  end
  return err.errno == sys.errno.ENOENT and NOT_FOUND or NOT_EXECUTABLE
end

--- Waits for the container's end, and serves it meanwhile.
local function attend(c, fd, init, terminal, meter)
  while true do
    local fds, due = { c:fd(), fd }, c:due_in()
    local next_look = meter and meter:due_in()
    due = next_look and math.min(next_look, due or next_look) or due
    local ready = terminal and terminal:poll(fds, due) or sys.ppoll(fds, due)
    if ready[2] then
      signals.pass(c, fd, init, terminal)
    end
    -- The end may come at any moment, and what was shown before it is still to be copied.
    local result, err = c:poll()
    if result ~= false then
      if terminal then
        terminal:drain(fd)
      end
      return result, err
    elseif meter then
      meter:show()
    end
    -- A run that is over at once has nothing worth collecting.
    if not collectgarbage("isrunning") then
      collectgarbage("restart")
    end
  end
end

--- What the user should know of how it ended, beside its status.
local function remark(result, asked)
  if result.reason == "timeout" and asked.announce then
    say(("ended after %g seconds"):format(asked.timeout))
  elseif (result.oom_kills or 0) > 0 and asked.announce then
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

--- Writes a text to standard output.
local function print_text(text)
  return io.stdout:write(text) and io.stdout:flush() and 0 or FAILED
end

--- Prints the steps of a start, and why each is there.
local function show_plan(asked)
  local list, err = api.plan(asked)
  if not list then
    say(options.sentence(err))
    return FAILED
  end
  local lines = {}
  for i, step in ipairs(list) do
    local needs = step.needs[1] and (" (needs %s)"):format(table.concat(step.needs, ", ")) or ""
    lines[i] = ("%-7s  %-20s  %s%s\n"):format(step.side, step.name, step.why, needs)
  end
  return print_text(table.concat(lines))
end

--- Prints what this machine lets this user do.
local function show_features()
  local text, err = api.features("json")
  if not text then
    say(err.message)
    return FAILED
  end
  return print_text(text .. "\n")
end

-- What is done instead of a run, by its name.
local ACTIONS <const> = {
  plan = show_plan,
  features = show_features,
  help = function() return print_text(help.text()) end,
  version = function() return print_text(api._VERSION .. "\n") end,
}

--- Says which ports of the host were taken.
local function show_ports(c)
  for _, entry in ipairs(c:ports()) do
    local address = entry.address:find(":", 1, true) and ("[%s]"):format(entry.address)
    report.write(("Published %s:%d as %d\n"):format(address or entry.address, entry.host_port,
      entry.port))
  end
end

--- Runs a container to its end.
-- @tparam table asked the options of the library
-- @param fd of the signals that are passed on
-- @param ending fd of those that end a start
-- @treturn int the exit status
local function run(asked, fd, ending)
  local measured = asked.stats
  asked.stats = measured and true
  -- This process has one container and little memory: the child is a copy, without measuring.
  spawn.mode = "fork"
  local c <close>, err = api.spawn(asked)
  if not c then
    say(options.sentence(err))
    local number = err.errno == sys.errno.EINTR and sys.read_signal(ending)
    return number and 128 + number or status_of(err)
  end
  if asked.announce then
    show_ports(c)
  end
  -- Not before there is a container: a start that is refused leaves the terminal alone.
  local terminal <close>, lack = tty.new(c)
  if lack then
    say(lack)
    return FAILED
  end
  local meter = measured and stats_line.new(c, measured)
  local result, why = attend(c, fd, asked.init ~= false, terminal, meter)
  if not result then
    say(tostring(why))
    return FAILED
  end
  if meter then
    meter:clear()
  end
  remark(result, asked)
  if meter then
    meter:finish(result)
  end
  return result.status
end

-- The commands of the OCI runtime, and the options before them that only it has.
local COMMANDS <const> = {}
for word in ("create delete events exec features kill list pause ps resume run spec start state "
  .. "update"):gmatch("%S+") do
  COMMANDS[word] = true
end
local OCI_ONLY <const> = { ["--root"] = true, ["--log"] = true, ["--log-format"] = true,
  ["--log-level"] = true, ["--systemd-cgroup"] = true, ["--cgroup-manager"] = true,
  ["--rootless"] = true, ["--criu"] = true }

--- Whether these words are for the OCI runtime.
local function is_oci(argv)
  local first = argv[1] or ""
  return COMMANDS[first] or OCI_ONLY[first:match("^[^=]*")]
    or first == "--debug" and (COMMANDS[argv[2]] or OCI_ONLY[(argv[2] or ""):match("^[^=]*")])
end

local function run_oci(argv)
  local oci, message = search.load("container.oci.main")
  if not oci then
    say(message)
    return FAILED
  end
  return oci.main(argv)
end

--- Runs the command line.
-- @tparam table argv as Lua's `arg`
-- @treturn int the exit status
function cli.main(argv)
  local command = commands[argv[1]]
  if command then
    return command(table.move(argv, 2, #argv, 1, {}))
  elseif is_oci(argv) then
    return run_oci(argv)
  end
  local asked, about = options.parse(argv)
  if not asked then
    say(about)
    return FAILED
  elseif about then
    return ACTIONS[about](asked)
  end
  -- A process that ignores CHLD is not told of the end of its children.
  sys.sigdefault { "CHLD" }
  sys.sigprocmask("block", signals.HANDLED)
  local fd, refusal = sys.signalfd(signals.HANDLED)
  if not fd then
    say(refusal)
    return FAILED
  end
  local ending <const> = sys.signalfd(signals.ENDING)
  subprocess.interrupt = ending
  return run(asked, fd, ending)
end

return cli
