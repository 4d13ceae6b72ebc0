-- The OCI runtime's command line: the options before the command, the log, and the exit status.
-- Loaded when the first word is one of its commands, or an option that only it has.

local api = require "container.api"
local arguments = require "container.oci.arguments"
local create = require "container.oci.commands.create"
local delete = require "container.oci.commands.delete"
local events = require "container.oci.commands.events"
local exec = require "container.oci.commands.exec"
local features = require "container.oci.commands.features"
local kill = require "container.oci.commands.kill"
local list = require "container.oci.commands.list"
local pause = require "container.oci.commands.pause"
local ps = require "container.oci.commands.ps"
local resume = require "container.oci.commands.resume"
local run = require "container.oci.commands.run"
local spec = require "container.oci.commands.spec"
local start = require "container.oci.commands.start"
local query = require "container.oci.commands.state"
local update = require "container.oci.commands.update"
local errors = require "container.error"
local json = require "container.json"
local state = require "container.oci.state"
local sys = require "container.sys"

local oci = {}

local FAILED <const> = 1

local commands <const> = {
  create = create, delete = delete, events = events, exec = exec, features = features, kill = kill,
  list = list, pause = pause, ps = ps, resume = resume, run = run, spec = spec, start = start,
  state = query, update = update,
}

local GLOBAL <const> = {
  { "--root", value = "DIR", field = "root", help = "Keep the containers' state in DIR." },
  { "--log", value = "FILE", field = "log", help = "Write errors to FILE too." },
  { "--log-format", value = "text|json", field = "log_format", help = "The form of that file." },
  { "--log-level", value = "LEVEL", field = "log_level", help = "Accepted; errors are logged." },
  { "--debug", field = "debug", help = "Show each step of a start." },
  { "--systemd-cgroup", field = "systemd_cgroup", help = "Refused: no systemd driver yet." },
  { "--cgroup-manager", value = "cgroupfs", field = "cgroup_manager",
    help = "How cgroups are made." },
  { "--rootless", value = "WORD", field = "rootless", help = "Accepted: it is found out." },
  { "--criu", value = "PATH", field = "criu", help = "Accepted, and not used." },
  { "--version", "-v", field = "version", help = "Print the version." },
  { "--help", "-h", field = "help", help = "Print this text, or that of a command." },
}

local function say(message)
  io.stderr:write("lua-container: ", errors.plain(message), "\n")
end

--- One line of the log, in the form of logrus, which clients read.
local function log(global, message)
  if not global.log or global.log == "/dev/stderr" then
    return
  end
  local file, why = io.open(global.log, "a")
  if not file then
    say("--log: " .. why)
    return
  end
  local now = os.date("!%Y-%m-%dT%H:%M:%SZ")
  if global.log_format == "json" then
    file:write(('{"level":"error","msg":%s,"time":"%s"}\n'):format(json.encode(message), now))
  else
    file:write(("time=\"%s\" level=error msg=%s\n"):format(now, json.encode(message)))
  end
  file:close()
end

local function names()
  local words = {}
  for name in pairs(commands) do
    words[#words + 1] = name
  end
  table.sort(words)
  return words
end

local function general_help()
  io.stdout:write("Usage: lua-container [OPTIONS] COMMAND [ARGUMENTS]\n\n",
    "The OCI runtime: containers of bundles, for podman, docker, containerd and Kubernetes.\n\n",
    "Commands:\n")
  for _, name in ipairs(names()) do
    io.stdout:write(("  %-10s %s\n"):format(name, commands[name].help))
  end
  io.stdout:write("\nOptions:\n", arguments.help(GLOBAL))
  return 0
end

local function command_help(name)
  local command = commands[name]
  io.stdout:write(("Usage: lua-container %s [OPTIONS] %s\n\n%s\n"):format(name,
    command.arguments, command.help))
  if command.options[1] then
    io.stdout:write("\nOptions:\n", arguments.help(command.options))
  end
  return 0
end

--- What a command refuses is raised by `try`, and ends here.
local function perform(global, name, asked)
  local done, status, message, errno = pcall(errors.caught, commands[name].run, asked, global)
  if not done then
    return nil, tostring(status)
  end
  return status, message, errno
end

local function check_global(global)
  if global.systemd_cgroup or global.cgroup_manager == "systemd" then
    return nil, "--systemd-cgroup: the systemd cgroup driver is not supported; use cgroupfs"
  elseif global.log_format and global.log_format ~= "text" and global.log_format ~= "json" then
    return nil, ("--log-format: expected text or json, got %s"):format(global.log_format)
  end
  return true
end

--- Whether these words are for the OCI runtime: a command, or an option that only it has.
-- @tparam table argv
-- @treturn boolean
function oci.main(argv)
  local global, i = arguments.read(GLOBAL, argv, 1, true)
  if not global then
    say(i)
    return FAILED
  end
  global.root = global.root or state.root()
  local name = argv[i]
  if global.version then
    io.stdout:write(api._VERSION, "\n")
    return 0
  elseif not name or global.help then
    return general_help()
  elseif not commands[name] then
    say(("unknown command %s (one of %s)"):format(name, table.concat(names(), " ")))
    return FAILED
  end
  local asked, message = arguments.read(commands[name].options, argv, i + 1, false,
    commands[name].program)
  local status
  if not asked then
    status, message = nil, ("%s: %s"):format(name, message)
  elseif asked.help or argv[i + 1] == "--help" or argv[i + 1] == "-h" then
    return command_help(name)
  else
    status, message = check_global(global)
  end
  if status ~= nil or asked and message == nil then
    sys.umask(0x12) -- 022
    status, message = perform(global, name, asked)
  end
  if not status then
    log(global, tostring(message))
    say(tostring(message))
    return FAILED
  end
  return status
end

return oci
