-- `exec`: a further process in a container that runs.

local bundle_of = require "container.oci.bundle"
local attend = require "container.oci.attend"
local container = require "container.oci.container"
local creation = require "container.oci.creation"
local errors = require "container.error"
local engine = require "container.engine.exec"
local process_of = require "container.oci.process"
local state = require "container.oci.state"
local sys = require "container.sys"

local try = errors.try

--- Which process is meant: that of a file, or the container's own with other words.
local function process_wanted(asked, home)
  if asked.process then
    if asked[2] then
      try(nil, "exec: --process says the program; no words of one go with it", sys.errno.EINVAL)
    end
    local _, value = bundle_of.read(sys.readlink("/proc/self/cwd"), asked.process)
    return value
  elseif not asked[2] then
    try(nil, "\"exec\" requires an ID and a program", sys.errno.EINVAL)
  end
  local _, config = bundle_of.read(home.path)
  return process_of.changed(config.process, asked)
end

return {
  arguments = "ID PROGRAM [ARGUMENTS]",
  help = "Run a further process in a container.",
  program = true,
  options = {
    { "--process", "-p", value = "FILE", field = "process",
      help = "The process as JSON, as config.json has it." },
    { "--console-socket", value = "SOCKET", field = "console_socket",
      help = "Where the master of the terminal is sent." },
    { "--pid-file", value = "FILE", field = "pid_file", help = "Write the pid there." },
    { "--pidfd-socket", value = "SOCKET", field = "pidfd_socket",
      help = "Where a pidfd of it is sent." },
    { "--preserve-fds", value = "N", field = "preserve_fds",
      help = "Hand over so many fds behind the standard streams." },
    { "--detach", "-d", field = "detach", help = "Do not wait for its end." },
    { "--tty", "-t", field = "tty", help = "With a terminal of its own." },
    { "--cwd", value = "DIR", field = "cwd", help = "Its working directory." },
    { "--user", "-u", value = "UID[:GID]", field = "user", help = "Its user and group." },
    { "--additional-gids", "-g", value = "GID", field = "groups", many = true,
      help = "A further group." },
    { "--env", "-e", value = "NAME=VALUE", field = "env", many = true,
      help = "A variable of its environment." },
    { "--cap", "-c", value = "NAME", field = "caps", many = true, help = "A further capability." },
    { "--no-new-privs", field = "no_new_privs", help = "It can gain no privileges." },
    { "--ignore-paused", field = "ignore_paused", help = "Also where the container is paused." },
    { "--cgroup", value = "PATH", field = "cgroup", help = "Refused: it is the container's." },
    { "--apparmor", value = "PROFILE", field = "apparmor", help = "Refused unless empty." },
    { "--process-label", value = "LABEL", field = "label", help = "Refused unless empty." },
  },
  run = function(asked, global)
    if not asked[1] then
      try(nil, "\"exec\" requires an ID", sys.errno.EINVAL)
    end
    for _, name in ipairs { "cgroup", "apparmor", "label" } do
      if asked[name] and asked[name] ~= "" then
        try(nil, ("exec: --%s is not supported"):format(name), sys.errno.EOPNOTSUPP)
      end
    end
    local kept = creation.kept_fds(asked.preserve_fds)
    local home = state.open(global.root, asked[1])
    local status = state.status(home)
    if status == "stopped" or status == "creating" then
      try(nil, "cannot exec in a container that is not running: container not running",
        sys.errno.ESRCH)
    elseif status == "created" and home.about.hooked then
      try(nil, "cannot exec in a container whose startContainer hooks have not run: start it first",
        sys.errno.EBUSY)
    elseif status == "paused" and not asked.ignore_paused then
      try(nil, "cannot exec in a paused container", sys.errno.EBUSY)
    end
    local joining = container.joining(home, process_wanted(asked, home))
    joining.outlives = true
    creation.keep_fds(joining, kept)
    local console <close> = creation.console(asked.console_socket, joining.terminal)
    if joining.terminal and not console and asked.detach then
      try(nil, "process.terminal: takes --console-socket where it is detached", sys.errno.EINVAL)
    end
    local ctx, err = engine.start(joining)
    if not ctx then
      try(nil, err.step == "exec" and process_of.refusal(err) or tostring(err), err.errno)
    end
    creation.hand_over(ctx, console, asked.pidfd_socket)
    if asked.pid_file then
      state.write(asked.pid_file, tostring(ctx.pid))
    end
    return asked.detach and 0 or attend.wait(ctx, not console and ctx.tty)
  end,
}
