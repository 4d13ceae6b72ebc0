-- Where the programs of a container ask for names: its /etc/resolv.conf. resolv.conf(5)

local etc_file = require "container.fs.etc_file"
local sys = require "container.sys"

local resolver = {}

-- The second is where systemd-resolved writes what the first does not say: the servers outside.
local FILES <const> = { "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf" }
local SIZE_MAX <const> = 1 << 16

--- What the host's resolver reads.
-- @treturn string; or nil
local function read(path)
  local st = sys.stat(path)
  return st and st.type == "file" and st.size <= SIZE_MAX and sys.read_file(path) or nil
end

--- The host's resolv.conf for a network of its own, from which the host's 127.0.0.1 is not reached:
-- without such servers.
-- @treturn string
function resolver.of_host()
  local text
  for _, path in ipairs(FILES) do
    local kept, found = {}, false
    for line in (read(path) or ""):gmatch("[^\n]+") do
      local server = line:match("^%s*nameserver%s+(%S+)")
      if not server or not (server:find("^127%.") or server == "::1") then
        kept[#kept + 1] = line
        found = found or server ~= nil
      end
    end
    kept[#kept + 1] = ""
    text = text or table.concat(kept, "\n")
    if found then
      return table.concat(kept, "\n")
    end
  end
  return text
end

--- The text of a file for what a network says.
-- @tparam table names nameservers, search, options: arrays of texts
-- @treturn string
function resolver.text(names)
  local lines = {}
  for _, server in ipairs(names.nameservers) do
    lines[#lines + 1] = "nameserver " .. server
  end
  for _, word in ipairs { "search", "options" } do
    if names[word][1] then
      lines[#lines + 1] = ("%s %s"):format(word, table.concat(names[word], " "))
    end
  end
  lines[#lines + 1] = ""
  return table.concat(lines, "\n")
end

--- What a file says, as resolver.text takes it.
local function parse(text)
  local found = { nameservers = {}, search = {}, options = {} }
  for line in text:gmatch("[^\n]+") do
    local word, rest = line:match("^%s*(%a+)%s+(.*)$")
    if word == "nameserver" then
      table.insert(found.nameservers, rest:match("%S+"))
    elseif word == "search" or word == "options" then
      found[word] = {}
      for one in rest:gmatch("%S+") do
        table.insert(found[word], one)
      end
    end
  end
  return found
end

--- In the parent, when the network has said what it has: what the options dns and dns_search ask
-- for takes its place.
function resolver.prepare(ctx)
  if ctx.outgoing then
    return nil, "dns does not go with allow, by which the launcher answers for names",
      sys.errno.EINVAL, "dns"
  end
  local found = parse(ctx.name_servers or ctx.network == "host" and read(FILES[1]) or "")
  for word, list in pairs(ctx.dns) do
    found[word] = list
  end
  ctx.name_servers = resolver.text(found)
  return true
end

--- Runs in the child, when its /dev is mounted. A root without an /etc has no such file.
function resolver.child(ctx)
  if not etc_file.has_directory(ctx) or etc_file.is_given(ctx, "resolv.conf") then
    return true
  end
  local ok, message, errno = etc_file.put(ctx, "resolv.conf", ctx.name_servers)
  return ok, message and "/etc/resolv.conf: " .. message, errno
end

return resolver
