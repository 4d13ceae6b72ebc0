-- What a child of ours has to say. Knows no containers.

local sys = require "container.sys"
local path = require "container.fs.path"

local apart = {}

--- A child that runs `fn` in this memory: in a copy of it a lock that another thread of the host
-- program holds would be held for ever. Every signal is held back until it executes a program or is
-- gone, for no handler of the host program's may run in it.
-- @tparam table namespaces new ones for it
-- @func fn ends in exec or _exit
-- @return its pid; or nil, message, errno
function apart.start(namespaces, fn)
  local mask = sys.sigprocmask("block", "all")
  local pid, message, errno = sys.clone_vm(namespaces, fn)
  sys.sigprocmask("setmask", mask)
  return pid, message, errno
end

--- Runs `fn` in such a child.
-- @tparam table namespaces new ones for it
-- @func fn is given an fd to write to; the child is gone when it returns. The status says less than
-- the words, and may be somebody else's to take
-- @treturn string what was written, to the end; or nil, message, errno
function apart.hear(namespaces, fn)
  local reader <const>, writer <const>, errno = sys.pipe()
  if not reader then
    return nil, writer, errno
  end
  local _ <close> = reader
  local _ <close> = writer
  local pid, message, number = apart.start(namespaces, function()
    fn(writer)
    sys._exit(0)
  end)
  if not pid then
    return nil, message, number
  end
  writer:close()
  local text = path.read_all(reader)
  sys.wait(pid)
  return text
end

return apart
