-- The container's own host name in its /etc/hosts, for its loopback interface: hosts(5). As Debian
-- has it, by an address that is not that of localhost.

local sys = require "container.sys"
local file = require "container.fs.path"

local hosts = {}

local PLACE <const> = "/etc/hosts"
local ADDRESS <const> = "127.0.1.1"
local DEFAULT <const> = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

local SIZE_MAX <const> = 1 << 20
local MODE <const> = 0x1a4 -- 0644

--- What there is, if it is a file of a size that such a file has.
local function read(root)
  local fd <close> = sys.open_beneath(root, PLACE, "rdonly,nonblock")
  local st = fd and sys.stat(fd)
  return st and st.type == "file" and st.size <= SIZE_MAX and file.read_all(fd, SIZE_MAX) or DEFAULT
end

local function knows(text, name)
  for line in text:gmatch("[^\n]+") do
    local words = line:gsub("#.*", ""):match("^%s*%S+(.*)$") or ""
    if (words:gsub("%s", " ") .. " "):find(" " .. name .. " ", 1, true) then
      return true
    end
  end
  return false
end

--- Whether the caller has put something there itself.
local function is_given(ctx)
  for _, entry in ipairs(ctx.volumes) do
    local place = entry.destination:gsub("/+$", "")
    if place == PLACE or PLACE:sub(1, #place + 1) == place .. "/" then
      return true
    end
  end
  return false
end

--- Writes a new file in a directory of ours.
-- @return an fd; or nil
local function write(directory, name, text)
  local fd = sys.open(name, "wronly,creat,excl,nofollow", MODE, directory)
  if fd and sys.write(fd, text) == #text then
    return fd
  elseif fd then
    fd:close()
  end
end

--- Puts a new file in the place of the old one, in a layer that ends with the container.
local function replace(root, text)
  local etc <close> = sys.open_beneath(root, "/etc", "path,directory")
  local fd <close> = etc and write(etc, ".hosts.new", text) or nil
  local new = fd and file.path(etc) .. "/.hosts.new"
  if not new then
    return false
  elseif os.rename(new, file.path(etc) .. "/hosts") then
    return true
  end
  os.remove(new) -- the old one is a mount
  return false
end

--- Mounts a new file over the old one, which is not the container's to change. It is in the
-- container's own /dev and has no name there.
local function cover(ctx, text)
  local dev = ctx.held["/dev"]
  local fd <close> = dev and write(dev, ".hosts", text) or nil
  if fd then
    local top = file.bind(ctx.root, PLACE, file.path(fd), { all = "nosuid,nodev,noexec" })
    if type(top) == "userdata" then
      top:close()
    end
    os.remove(file.path(dev) .. "/.hosts")
  end
end

--- Runs in the child, when the container's /dev is mounted. A root without an /etc, or one in which
-- no file can be made, stays as it is.
function hosts.child(ctx)
  if ctx.bundle then
    return true -- which brings its own
  end
  local name = ctx.config.hostname
  local etc <close> = sys.open_beneath(ctx.root, "/etc", "path,directory")
  if not etc or not name:find("^[%w._-]+$") or is_given(ctx) then
    return true
  end
  local text = read(ctx.root)
  if not knows(text, name) then
    text = ("%s%s%s\t%s\n"):format(text, text:find("[^\n]$") and "\n" or "", ADDRESS, name)
    if not (ctx.view and replace(ctx.root, text)) then
      cover(ctx, text)
    end
  end
  return true
end

return hosts
