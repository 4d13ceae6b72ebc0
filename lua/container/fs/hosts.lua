-- The container's own host name in its /etc/hosts, for its loopback interface: hosts(5). As Debian
-- has it, by an address that is not that of localhost.

local address = require "container.linux.network.address"
local etc_file = require "container.fs.etc_file"
local sys = require "container.sys"
local file = require "container.fs.path"

local hosts = {}

local PLACE <const> = "/etc/hosts"
local ADDRESS <const> = "127.0.1.1"
local DEFAULT <const> = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

local SIZE_MAX <const> = 1 << 20

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

--- Leaves out addresses that the container does not reach: their names are asked for by DNS, where
-- those that are allowed have another one.
local function reachable(text, outgoing)
  return (text:gsub("[^\n]+\n?", function(line)
    local bytes = sys.inet_bytes(line:match("^%s*([%x.:]+)%s") or "")
    local kept = not bytes or address.special(bytes) == "a loopback address"
    for _, block in ipairs(outgoing.blocks) do
      kept = kept or address.is_in(block, bytes)
    end
    return kept and line or ""
  end))
end

--- Runs in the child, when the container's /dev is mounted. A root without an /etc, or one in which
-- no file can be made, stays as it is.
function hosts.child(ctx)
  if ctx.bundle then
    return true -- which brings its own
  end
  local name = ctx.config.hostname
  if not etc_file.has_directory(ctx) or etc_file.is_given(ctx, "hosts") then
    return true
  end
  local old = read(ctx.root)
  local text = ctx.outgoing and reachable(old, ctx.outgoing) or old
  if name and name:find("^[%w._-]+$") and not knows(text, name) then
    text = ("%s%s%s\t%s\n"):format(text, text:find("[^\n]$") and "\n" or "",
      ctx.address or ADDRESS, name)
  end
  for _, line in ipairs(ctx.add_hosts or {}) do
    text = text .. (text:find("[^\n]$") and "\n" or "") .. line
  end
  if text ~= old then
    etc_file.put(ctx, "hosts", text)
  end
  return true
end

return hosts
