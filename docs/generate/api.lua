-- What the library has beside its options, as data: functions, the object's methods, the fields of
-- results. The editor types and the reference are made from it.
--
-- A class is { name, title, help, fields = { { name, type, help } }, methods }. A function or
-- method is { name, help, params = { { name, type, help } }, returns = { { type, name } } }.

local ERROR <const> = { "container.Error?", "err" }

local function object(type_name)
  return { { type_name .. "?", "object" }, ERROR }
end

local OK <const> = { { "true?", "ok" }, ERROR }

local SECONDS <const> = { "seconds?", "number", "How long to wait at most." }

local api = {}

api.functions = {
  { name = "run", help = "Runs a container to its end.",
    params = { { "options", "container.Options", "The command and the options." } },
    returns = { { "container.Result?", "result" }, ERROR } },
  { name = "spawn", help = "Starts a container, and does not wait for it.",
    params = { { "options", "container.Options", "The command and the options." } },
    returns = object "container.Container" },
  { name = "call", help = "Runs a function in a container, and returns its values.",
    params = { { "options", "container.CallOptions", "The options, without a command." },
      { "fn", "fun(...): ...", "The function." }, { "...", "any", "Its arguments." } },
    returns = { { "any", "..." } } },
  { name = "spawn_call", help = "Starts a function in a container; `wait` returns its values.",
    params = { { "options", "container.CallOptions", "The options, without a command." },
      { "fn", "fun(...): ...", "The function." }, { "...", "any", "Its arguments." } },
    returns = object "container.Container" },
  { name = "poll", help = "Serves many containers until at least one of them has ended.",
    params = { { "list", "container.Container[]", "The containers." }, SECONDS },
    returns = { { "container.Container[]?", "ended" }, ERROR } },
  { name = "features", help = "Tries what this kernel lets this user do.",
    params = { { "format?", "\"json\"", "Return JSON text instead of a table." } },
    returns = { { "table|string", "features" } } },
  { name = "plan", help = "Lists the steps of a start, and does nothing.",
    params = { { "options", "container.Options", "The command and the options." } },
    returns = { { "container.Step[]?", "steps" }, ERROR } },
}

-- Types of options that have fields of their own.
api.parts = {
  { name = "container.Hooks", help = "Hooks by the moment at which they run.", fields = {
    { "prestart?", "container.Hook[]", "After the namespaces are made, in the parent." },
    { "createRuntime?", "container.Hook[]", "After prestart, in the parent." },
    { "createContainer?", "container.Hook[]", "In the container, before its root changes." },
    { "startContainer?", "container.Hook[]", "In the container, before the program runs." },
    { "poststart?", "container.Hook[]", "After the program has started, in the parent." },
    { "poststop?", "container.Hook[]", "After the container has ended, in the parent." },
  } },
  { name = "container.HookProgram", help = "A program that is a hook.", fields = {
    { "path", "string", "Absolute path of the program." },
    { "args?", "string[]", "Its arguments, from the program's name on." },
    { "env?", "string[]", "Its environment, as NAME=value." },
    { "timeout?", "number", "Seconds after which it is killed." },
  } },
  { name = "container.Events", help = "Functions that are called for events.", fields = {
    { "exit?", "fun(c: container.Container, result: container.Result)", "It has ended." },
    { "output?", "fun(c: container.Container, name: string, piece: string)",
      "A piece of captured output came." },
    { "timeout?", "fun(c: container.Container)", "The time limit has passed." },
    { "oom?", "fun(c: container.Container)", "The memory limit killed a process." },
    { "connect?", "fun(c: container.Container, request: container.Request): "
      .. "boolean|string?, integer?",
      "Whether an outgoing connection may be made; or an address and a port instead." },
  } },
  { name = "container.Request", help = "An outgoing connection.", fields = {
    { "name", "string?", "The host by the name that was asked for; nil for an address." },
    { "address", "string?", "Its first address outside; nil if it has none that is allowed." },
    { "port", "integer", "The port." },
    { "protocol", "\"tcp\"", "The protocol." },
  } },
  { name = "container.Port", help = "A published port.", fields = {
    { "address", "string", "The address on the host." },
    { "host_port", "integer", "The port on the host." },
    { "port", "integer", "The port in the container." },
  } },
  { name = "container.NetworkEvent", help = "A decision about a name or a connection.", fields = {
    { "event", "\"name\"|\"connect\"|\"end\"",
      "A name was asked for, a connection was begun, or it has ended." },
    { "time", "string", "When, as 2026-12-01T12:00:00Z." },
    { "container", "string?", "The name of the container." },
    { "name", "string?", "The host by its name." },
    { "address", "string?", "The address that was connected to." },
    { "port", "integer?", "The port." },
    { "protocol", "\"tcp\"?", "Of a connection." },
    { "allowed", "boolean?", "What was decided; nil at the end." },
    { "reason", "string?", "Why it was refused, or has failed." },
    { "sent", "integer?", "At the end, the bytes that went out." },
    { "received", "integer?", "At the end, the bytes that came in." },
  } },
  { name = "container.IoRates", help = "Maximum rates of a disk.", fields = {
    { "read_bps?", "integer|string", "Bytes a second." },
    { "write_bps?", "integer|string", "Bytes a second." },
    { "read_iops?", "integer", "Reads a second." },
    { "write_iops?", "integer", "Writes a second." },
  } },
  { name = "container.Step", help = "A step of a start, as container.plan lists it.", fields = {
    { "name", "string", "Its name." },
    { "side", "\"prepare\"|\"parent\"|\"child\"", "Where it runs." },
    { "why", "string", "Why it is there." },
    { "needs", "string[]", "The steps that have to come before it." },
  } },
}

api.aliases = {
  { "container.Hook", "fun(state: table)|container.HookProgram" },
  { "container.Input",
    "\"inherit\"|\"null\"|\"pipe\"|string|string[]|(fun(): string?)|file*|integer" },
  { "container.Output",
    "\"inherit\"|\"null\"|\"capture\"|\"pipe\"|(fun(piece: string))|file*|integer" },
}

api.classes = {
  { name = "container.Error", title = "Errors",
    help = "An error. `tostring` and `..` make one sentence of it.", fields = {
    { "step", "string", "What was being done: \"spec\" for a wrong option, else a step." },
    { "subject", "string", "The option or the file." },
    { "errno", "integer?", "The number of the kernel's refusal." },
    { "message", "string", "The reason." },
    { "reason", "string?", "Of a call: why there are no values, such as \"error\"." },
    { "value", "any", "Of a call: the error of the function, if it is not a string." },
    { "result", "container.Result?", "The result of the container, if it ran." },
  } },
  { name = "container.Cpu", help = "Processor time.", fields = {
    { "user", "number", "Seconds in programs." },
    { "system", "number", "Seconds in the kernel." },
  } },
  { name = "container.Result", title = "Results", help = "How a container ended.", fields = {
    { "reason", "\"exit\"|\"signal\"|\"timeout\"|\"rlimit\"|\"oom\"|\"seccomp\"",
      "Why it ended." },
    { "status", "integer", "The exit status, or 128 and the number of the signal." },
    { "signal", "string?", "The name of the signal, such as \"KILL\"." },
    { "wall", "number", "Seconds from the start of the program to its end." },
    { "cpu", "container.Cpu", "Seconds of processor time of all processes." },
    { "memory_peak", "integer?", "Bytes, of all processes where the memory is counted, else of the "
      .. "largest process; nil without an init." },
    { "pids_refused", "integer?", "How many forks the limit of processes refused." },
    { "pids_limit", "integer?", "That limit, where a cgroup holds it." },
    { "oom_kills", "integer?", "How many processes the memory limit killed." },
    { "stats", "container.Stats?", "With `stats = true`: the last value of c:stats()." },
    { "warnings", "container.Error[]?", "Errors of hooks that ran too late to stop anything." },
    { "stdout", "string?", "Captured output." },
    { "stdout_size", "integer?", "How many bytes came, also those that were not kept." },
    { "stderr", "string?", "Captured output." },
    { "stderr_size", "integer?", "How many bytes came, also those that were not kept." },
  } },
  { name = "container.Stats", title = "Statistics",
    help = "What a container uses. What is not counted is nil.", fields = {
    { "cpu", "table?",
      "usage, user, system and throttled in seconds; periods, throttled_periods." },
    { "memory", "table?", "current, peak, limit, cache, anon and kernel in bytes; oom_kills." },
    { "pids", "table?", "current, peak and limit in processes; refused in forks." },
    { "io", "table?", "By device, as \"8:0\": read_bytes, write_bytes, read_operations and "
      .. "write_operations." },
    { "network", "table?", "With `allow`: connections, accepted, refused, names, names_refused; "
      .. "sent and received in bytes." },
    { "pressure", "table?", "cpu, memory and io, each some and full. cgroup v2 only." },
  } },
  { name = "container.Stream", title = "Streams",
    help = "A pipe to or from a container, or its terminal.", methods = {
    { name = "read", help = "Reads as Lua's files do, with at most `limit` bytes for a line.",
      params = { { "format?", "string|integer", "As of file:read; \"l\"." },
        { "limit?", "integer", "Bytes; 1 MiB for a line, output_limit for \"a\"." } },
      returns = { { "string?", "text" }, ERROR } },
    { name = "readsome", help = "Reads what is there now.",
      params = { { "size?", "integer", "Bytes at most; 65536." } },
      returns = { { "string|false|nil", "text" }, ERROR } },
    { name = "lines", help = "Iterates over the lines.",
      params = { { "format?", "string|integer", "As of file:lines; \"l\"." },
        { "limit?", "integer", "Bytes of a line; 1 MiB." } },
      returns = { { "fun(): string?", "iterator" } } },
    { name = "write", help = "Writes strings and numbers.",
      params = { { "...", "string|number", "What is written." } },
      returns = { { "container.Stream|false|nil", "stream" },
        { "container.Error|integer|nil", "written" } } },
    { name = "close", help = "Closes the stream.", returns = OK },
    { name = "resize", help = "Changes the size of a terminal.",
      params = { { "height", "integer", "Rows." }, { "width", "integer", "Columns." } },
      returns = OK },
    { name = "fileno", help = "Returns the number of its fd, for event loops.",
      returns = { { "integer?", "fd" }, ERROR } },
    { name = "fd", help = "Returns its fd, for container.ppoll.",
      returns = { { "userdata", "fd" } } },
  } },
}

local exec = { name = "exec", help = "Starts a further process in the container.",
  params = { { "options", "container.ExecOptions", "The command and the options." } },
  returns = object "container.Container" }

table.insert(api.classes, { name = "container.Container", title = "Containers",
  help = "A running container, or a further process in one. It ends with its object.",
  fields = {
    { "pid", "integer", "The pid of the child on the host." },
    { "name", "string?", "Its name." },
    { "container", "container.Container?", "Of a further process: its container." },
    { "stdin", "container.Stream?", "With stdin = \"pipe\"." },
    { "stdout", "container.Stream?", "With stdout = \"pipe\"." },
    { "stderr", "container.Stream?", "With stderr = \"pipe\"." },
    { "tty", "container.Stream?", "With `tty`: the master of the terminal." },
  },
  methods = {
    { name = "wait", help = "Waits for the end; of spawn_call it returns the function's values.",
      params = { SECONDS }, returns = { { "container.Result?", "result" }, ERROR } },
    { name = "poll", help = "Serves the container without waiting: false while it runs.",
      returns = { { "container.Result|boolean|nil", "result" }, ERROR } },
    { name = "stop", help = "Sends TERM, and kills everything after the stop timeout.",
      params = { { "signal?", "string|integer", "Another signal than TERM." } }, returns = OK },
    { name = "kill", help = "Sends a signal.",
      params = { { "signal", "string|integer", "Name or number." } }, returns = OK },
    exec,
    { name = "processes", help = "Lists the pids of all processes, as the caller sees them.",
      returns = { { "integer[]?", "pids" }, ERROR } },
    { name = "ports", help = "Tells which ports are published.",
      returns = { { "container.Port[]", "ports" } } },
    { name = "check_network", help = "Has the plugins of CNI check the network.", returns = OK },
    { name = "pause", help = "Freezes all processes.", returns = OK },
    { name = "resume", help = "Thaws all processes.", returns = OK },
    { name = "stats", help = "Returns what it uses.",
      returns = { { "container.Stats?", "stats" }, ERROR } },
    { name = "update", help = "Sets new limits: all of them, or none.",
      params = { { "options", "container.UpdateOptions", "The limits." } }, returns = OK },
    { name = "due_in", help = "After how many seconds `poll` should be called at the latest.",
      returns = { { "number?", "seconds" } } },
    { name = "fileno", help = "Returns the number of an fd for event loops.",
      returns = { { "integer?", "fd" }, ERROR } },
    { name = "fd", help = "Returns that fd, for container.ppoll.",
      returns = { { "userdata?", "fd" }, ERROR } },
    { name = "detach", help = "Lets it run without its object, as long as the caller lives.",
      returns = { { "container.Container", "object" } } },
    { name = "close", help = "Kills everything, and removes what was made for it." },
  } })

return api
