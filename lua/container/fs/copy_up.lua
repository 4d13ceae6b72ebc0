-- Copies a directory of the container's root into a tmpfs that lies on it: the mount option
-- tmpcopyup, which podman gives the tmpfs of a read-only container. Nothing in the root is trusted:
-- every name is opened in a directory that is held open, and no link is followed. Devices and
-- sockets stay where they are: on such a tmpfs they would be of no use.

local file = require "container.fs.path"
local errors = require "container.error"
local sys = require "container.sys"

local try <const> = errors.try

local PIECE <const> = 65536

-- Each level takes two fds, and the child has not many.
local DEPTH_MAX <const> = 60

local function copy_bytes(from, to)
  local piece = try(sys.read(from, PIECE))
  while piece ~= "" do
    local written = 0
    while written < #piece do
      written = written + try(sys.write(to, piece:sub(written + 1)))
    end
    piece = try(sys.read(from, PIECE))
  end
end

local copy_all

local kinds = {}

function kinds.directory(name, st, from, to, depth)
  try(sys.mkdir(name, 0x1c0, to)) -- 0700, until it is filled
  local source <close> = try(sys.open(name, "path,directory,nofollow", nil, from))
  local made <close> = try(sys.open(name, "rdonly,directory,nofollow", nil, to))
  copy_all(source, made, depth + 1)
  try(sys.chown(made, st.uid, st.gid))
  try(sys.chmod(made, st.mode))
end

function kinds.file(name, st, from, to)
  local source <close> = try(sys.open(name, "rdonly,nofollow,nonblock", nil, from))
  local made <close> = try(sys.open(name, "wronly,creat,excl,nofollow", 0x180, to)) -- 0600
  copy_bytes(source, made)
  try(sys.chown(made, st.uid, st.gid))
  try(sys.chmod(made, st.mode)) -- a change of owners takes bits away
end

function kinds.link(name, st, from, to)
  try(sys.symlink(try(sys.readlink(name, from)), name, to))
  try(sys.chown(name, st.uid, st.gid, to))
end

function kinds.fifo(name, st, _, to)
  try(sys.mknod(name, "fifo", st.mode, 0, 0, to))
  try(sys.chown(name, st.uid, st.gid, to))
end

function copy_all(from, to, depth)
  try(depth <= DEPTH_MAX, ("tmpcopyup: directories are more than %d deep"):format(DEPTH_MAX),
    sys.errno.ELOOP)
  for _, name in ipairs(try(sys.list(file.path(from)))) do
    local fd <close> = try(sys.open(name, "path,nofollow", nil, from))
    local st = try(sys.stat(fd))
    if kinds[st.type] then
      kinds[st.type](name, st, from, to, depth)
    end
  end
end

--- Copies what is in a directory, and its owner.
-- @param from fd of the directory
-- @param to fd of the top of the tmpfs
-- @return true; raises a refusal of errors.try
return function(from, to)
  copy_all(from, to, 1)
  local st = try(sys.stat(from))
  return sys.chown(file.path(to) .. "/.", st.uid, st.gid)
end
