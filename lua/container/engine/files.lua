-- The open files that a child keeps of its parent's: its ends of the channel and of the line, the
-- image of init, and what its steps and its program are to have.

local sys = require "container.sys"

local files = {}

-- What the channel is called in the child: engine/sync.lua.
local CHANNEL <const> = 3

-- The first fd of the child behind its ends and the image.
files.FIRST = 6

--- In the child, first of all: keeps its ends, as the numbers that init expects, and the image that
-- it will execute. Every other file of the host program is closed here, before anything else
-- could use one or wait on one.
function files.child(ctx)
  local more = {}
  for i, held in ipairs(ctx.trees or {}) do
    more[i] = held.fd
  end
  more[#more + 1] = ctx.call and ctx.call.writer or nil
  if ctx.listener then
    more[#more + 1] = ctx.listener
    ctx.listener_number = files.FIRST - 1 + #more
  end
  ctx.handed = files.FIRST + #more
  more[#more + 1] = ctx.start_socket or nil
  table.move(ctx.kept or {}, 1, #(ctx.kept or {}), #more + 1, more)
  return files.keep(ctx, more)
end

--- The same, with these fds as mount_fd.FIRST_FD and the numbers after it.
function files.keep(ctx, more)
  local fds = { ctx.channel.writer, ctx.channel.init, ctx.image }
  local pass = #fds
  table.move(more, 1, #more, pass + 1, fds)
  fds[#fds + 1] = ctx.trace or nil
  local ok, message, errno = sys.close_others(fds, pass)
  if ok then
    ctx.tell, ctx.trace = CHANNEL, ctx.trace and CHANNEL + #fds - 1
  end
  return ok, message, errno
end

return files
