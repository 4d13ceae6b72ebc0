-- What pasta(1) takes to be there: the program and its device.

local path = require "container.fs.path"
local sys = require "container.sys"

local pasta = {}

--- Whether a container of this user's can have a network by pasta.
-- @return true; or nil, message, errno
function pasta.is_there()
  if not path.is_program "pasta" then
    return nil, "not in PATH; Debian's package passt has it", sys.errno.ENOENT
  end
  local tun <close>, _, errno = sys.open("/dev/net/tun", "rdwr,nonblock")
  if not tun then
    return nil, ("cannot open /dev/net/tun here: %s%s"):format(sys.strerror(errno),
      errno == sys.errno.EACCES and "; most systems let every user (mode 0666)" or ""), errno
  end
  return true
end

return pasta
