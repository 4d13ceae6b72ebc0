-- What `create` and `run` have in common: their options, and what is checked before anything is
-- made.

local errors = require "container.error"
local sys = require "container.sys"

local make = {}

make.options = {
    { "--bundle", "-b", value = "DIR", field = "bundle",
      help = "The bundle; the current directory without it." },
    { "--config", "-f", value = "FILE", field = "config",
      help = "Another name of its config.json." },
    { "--console-socket", value = "SOCKET", field = "console_socket",
      help = "Where the master of the terminal is sent." },
    { "--pid-file", value = "FILE", field = "pid_file", help = "Write the pid there." },
    { "--pidfd-socket", value = "SOCKET", field = "pidfd_socket",
      help = "Where a pidfd of the first process is sent." },
    { "--preserve-fds", value = "N", field = "preserve_fds",
      help = "Hand over so many fds behind the standard streams." },
    { "--no-pivot", field = "no_pivot", help = "Refused: a root is always pivoted." },
    { "--no-new-keyring", field = "no_new_keyring",
      help = "Stay in the caller's session keyring." },
}

--- The one argument of a command.
-- @tparam table asked as of arguments.read
-- @string command
-- @treturn string the id; raises a refusal where there is none, or more than one
function make.id(asked, command)
  if not asked[1] then
    errors.try(nil, ("\"%s\" requires an ID"):format(command), sys.errno.EINVAL)
  elseif asked[2] then
    errors.try(nil, ("\"%s\" takes one ID, got %s too"):format(command, errors.plain(asked[2])),
      sys.errno.EINVAL)
  end
  return asked[1]
end

--- What cannot be done is said.
function make.check(asked)
  if asked.no_pivot then
    errors.try(nil, "--no-pivot: not supported; a root in a ramfs cannot be left by pivot_root(2)",
      sys.errno.EINVAL)
  end
end

return make
