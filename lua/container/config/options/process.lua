-- The options of the program: its environment, streams, time and events.

local kernel = require "container.config.kernel"
local rlimits = require "container.config.rlimits"
local streams = require "container.config.streams"
local values = require "container.config.values"

return {
  title = "Program, streams and time",
  {
    name = "env", type = "string[]|table<string, string>",
    default_text = "PATH, HOME, HOSTNAME and TERM", oci = "process.env", runs = "run call exec",
    read = values.env,
    cli = { { "--env", short = "e", value = "NAME[=VALUE]", as = "variable", list = true,
      help = "Set an environment variable; without a value, copy the caller's." },
      { "--env-file", value = "FILE", as = "variables", complete = "file",
        help = "Set the variables in FILE: a line NAME=VALUE or NAME for each." } },
    help = "Environment variables to set, beside the default ones.",
    lua = "{ NAME = \"value\" }, or an array of \"NAME=value\".",
  },
  {
    name = "cwd", type = "string", default = "/", oci = "process.cwd", runs = "run call exec",
    read = values.cwd, cli = { { "--workdir", short = "w", value = "DIR" } },
    help = "Working directory, an absolute path in the container.",
    more = "A missing directory is created.",
  },
  {
    name = "user", type = "string", default = "root", oci = "process.user", runs = "run call exec",
    read = values.user,
    cli = { { "--user", short = "u", value = "NAME[:GROUP]", complete = "user" } },
    help = "User and group that run the program, by name or id.",
    more = "Names are looked up in the container's own /etc/passwd and /etc/group.",
  },
  {
    name = "additional_groups", type = "(string|integer)[]", oci = "process.user.additionalGids",
    runs = "run call", read = values.additional_groups,
    cli = { { "--group-add", value = "NAME|ID", list = true } },
    help = "Add a group to those of the program, by name or id.",
    more = "A user namespace with one id alone cannot have more groups.",
  },
  {
    name = "umask", type = "string|integer", default_text = "022", oci = "process.user.umask",
    runs = "run call", read = values.umask, cli = { { "--umask", value = "OCTAL" } },
    help = "Permission bits that new files of the program do not get.",
    lua = "A number is not read as octal digits: 18 is 022.",
  },
  {
    name = "scheduler", type = "string", oci = "process.scheduler", runs = "run call exec",
    read = kernel.scheduler,
    cli = { { "--scheduler", value = "POLICY[:N]",
      choices = { "batch", "idle", "fifo:", "rr:" } } },
    help = "Scheduling policy of the program: other, batch, idle, fifo:N or rr:N.",
    more = "N is a priority from 1 to 99; fifo and rr take CAP_SYS_NICE.",
  },
  {
    name = "io_priority", type = "string", oci = "process.ioPriority", runs = "run call exec",
    read = kernel.io_priority,
    cli = { { "--io-priority", value = "CLASS[:N]", choices = { "be:", "idle", "rt:" } } },
    help = "When disks serve the program: rt:N, be:N or idle, with N from 0 to 7.",
  },
  {
    name = "personality", type = "\"linux\"|\"linux32\"", oci = "linux.personality",
    runs = "run call", read = kernel.personality,
    cli = { { "--personality", value = "linux|linux32", choices = { "linux", "linux32" } } },
    help = "The machine that the program sees: linux32 is a 32-bit one.",
  },
  {
    name = "tty", type = "boolean|\"auto\"|{ height: integer, width: integer }", default = false,
    oci = "process.terminal, process.consoleSize", runs = "run exec",
    refused = { call = "takes container.spawn" }, read = values.tty,
    cli = { { "--tty", short = "t", set = true,
      help = "Allocate a terminal, also if the standard streams are none." } },
    help = "Allocate a terminal for the standard streams; takes container.spawn.",
    more = "A table gives its size; otherwise it has that of the caller's terminal. \"auto\" "
      .. "allocates one if standard input and output are terminals. A stream that has an option "
      .. "of its own keeps it.",
  },
  {
    name = "stdin", type = "container.Input", default = "inherit", runs = "run call exec",
    read = streams.read,
    help = "Standard input.",
    more = "\"inherit\"; \"null\"; \"pipe\": the object's `stdin` is a stream to write to; another "
      .. "string, or a table with one string, is the input; a function is called for each piece, "
      .. "until it returns nil; a file or an fd.",
  },
  {
    name = "stdout", type = "container.Output", default = "inherit", runs = "run call exec",
    read = streams.read,
    help = "Standard output.",
    more = "\"inherit\"; \"null\"; \"capture\": the text is in the result; \"pipe\": the object's "
      .. "`stdout` is a stream to read; a function is called with each piece; a file or an fd.",
  },
  {
    name = "stderr", type = "container.Output|\"stdout\"", default = "inherit",
    runs = "run call exec", read = streams.read,
    help = "Standard error: as `stdout`; \"stdout\" sends it there.",
  },
  {
    name = "output_limit", type = "integer", unit = "bytes", default = streams.LIMIT,
    runs = "run call exec", read = streams.read,
    help = "How much is kept of each captured stream, and how much `read \"a\"` of a stream takes.",
    more = "The rest of a captured stream is read and counted.",
  },
  {
    name = "timeout", type = "number", unit = "seconds", default_text = "no limit",
    runs = "run call exec", read = values.timeout,
    cli = { { "--timeout", value = "SECONDS", as = "seconds" } },
    help = "Send TERM to the program after this time; 0 is no limit.",
  },
  {
    name = "stop_timeout", type = "number", unit = "seconds", default = 1, formerly = "grace",
    runs = "run call exec", read = values.stop_timeout,
    cli = { { "--stop-timeout", value = "SECONDS", as = "seconds" } },
    help = "Kill all processes this long after TERM.",
    more = "It counts from the TERM of the time limit, or from one that the launcher gets.",
    lua = "Also c:stop() sends TERM. A function of container.call has 0 seconds.",
  },
  {
    name = "rlimits", type = "table<string, integer|string|{ soft?: integer, hard?: integer }>",
    oci = "process.rlimits", runs = "run call", read = rlimits.read,
    cli = { { "--ulimit", value = "NAME=SOFT[:HARD]", as = "limit", complete = "rlimit" } },
    help = "Limits of each process, such as nofile=64 or fsize=10M.",
    more = "-1 and unlimited are no limit; for nofile they are the kernel's maximum.",
  },
  {
    name = "on", type = "container.Events", runs = "run call exec", read = values.on,
    help = "Functions to call for events, while the caller waits for the container.",
    more = "exit(c, result), output(c, name, piece), timeout(c), oom(c) and connect(c, request).",
  },
  {
    name = "result_limit", type = "integer", unit = "bytes", default = 16 << 20, runs = "call",
    refused = { run = "is for container.call" }, read = values.result_limit,
    help = "How large the values that the function returns may be.",
  },
}
