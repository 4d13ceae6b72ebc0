-- The container's program: what it starts with, and how it comes to run.

local container = require "container"
local file = require "container.file"

local process = {}

-- One image for all containers of this Lua state: its bytes cannot be changed by anyone.
local image

--- Makes the sealed file that pid 1 runs from: csrc/init.c.
function process.prepare(c)
  if not image then
    local message, errno
    image, message, errno = container.memfd("lua-container-init", container.init_program())
    if not image then
      return nil, message, errno
    end
  end
  c.image = image
  if c.announce then
    container.write(2, ("Running [%s] as %d\n"):format(
      table.concat(c.config.process.args, " "), container.getpid()))
  end
  return true
end

--- Dies with the launcher's thread. A launcher that died before this is noticed by init, over its
-- line. And no permission bit of what is made from here on is taken away.
function process.child()
  container.umask(0)
  return container.pdeathsig("KILL")
end

local function enter(cwd)
  local ok, message, errno = container.chdir(cwd)
  if ok or errno ~= container.errno.ENOENT then
    return ok, message, errno
  end
  -- docker makes it too.
  local root <close> = assert(container.open("/", "path,directory"))
  local made <close>, why, number = file.beneath(root, cwd, "directory")
  if not made then
    return nil, why, number
  end
  return container.chdir(made)
end

--- The last step: becomes init, from the sealed image, which starts the program or becomes it.
function process.exec(c)
  local p = c.config.process
  local ok, message, errno = enter(p.cwd)
  if ok then
    ok, message, errno = container.open_stdio()
  end
  if not ok then
    return nil, message, errno
  end
  container.umask(0x12) -- 022
  if c.announce then
    container.write(2, ("Running in child [%s] as %d\n"):format(
      table.concat(p.args, " "), container.getpid()))
  end
  local argv = table.move(p.args, 1, #p.args, 2, { c.init and "init" or "exec" })
  return container.fexecve(5, argv, p.env)
end

return process
