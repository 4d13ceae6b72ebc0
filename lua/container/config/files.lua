-- The options of single files: `files`, which are made of strings; what /etc/hosts and
-- /etc/resolv.conf have; and the size of /dev/shm.

local check = require "container.check"
local mounts = require "container.config.mounts"
local sys = require "container.sys"

local expect, refuse, text = check.expect, check.refuse, check.text

local files = {}

-- How many bytes all of them may have: they lie in the container's /dev, which is a tmpfs.
local SIZE_MAX <const> = 32 << 20
local MODE <const>, MODE_MAX <const> = 0x124, 0x1ff -- 0444, 0777
local FIELDS <const> = { content = true, mode = true, user = true }

local function read_one(field, destination, value)
  local entry = { destination = mounts.destination(field, destination), mode = MODE }
  if type(value) == "table" then
    for key in next, check.plain(field, value) do
      expect(FIELDS[key], field, "content, mode or user", key)
    end
    local mode, user = rawget(value, "mode"), rawget(value, "user")
    entry.mode = check.integer(mode == nil and MODE or mode)
    expect(entry.mode and entry.mode >= 0 and entry.mode <= MODE_MAX, field .. ".mode",
      "permission bits, at most 0777", mode)
    entry.user = user ~= nil and text(field .. ".user", user, "NAME[:GROUP]") or nil
    value, field = rawget(value, "content"), field .. ".content"
  end
  expect(type(value) == "string", field, "a string", value)
  entry.content = value
  return entry
end

--- Reads the files, in the order of their places.
function files.files(ctx, value)
  local size = 0
  ctx.files = {}
  check.plain("files", value)
  for _, destination in ipairs(check.keys("files", value, "absolute paths")) do
    local field = ("files[%s]"):format(check.shown(destination))
    local entry = read_one(field, destination, rawget(value, destination))
    size = size + #entry.content
    if size > SIZE_MAX then
      refuse("files", ("are more than %d bytes"):format(SIZE_MAX), sys.errno.EFBIG)
    end
    ctx.files[#ctx.files + 1] = entry
  end
  if not ctx.files[1] then
    ctx.files = false
  end
end

--- How large /dev/shm may become.
function files.shm_size(ctx, value)
  local bytes = check.integer(value) or type(value) == "string" and check.bytes(value)
  expect(bytes and bytes > 0, "shm_size", "a number of bytes, such as \"64M\"", value)
  for _, entry in ipairs(ctx.config.mounts) do
    if entry.destination == "/dev/shm" then
      for i, option in ipairs(entry.options) do
        entry.options[i] = option:find("^size=") and "size=" .. bytes or option
      end
    end
  end
end

--- Names of hosts and their addresses.
function files.add_hosts(ctx, value)
  ctx.add_hosts = {}
  for i = 1, check.array("add_hosts", value) do
    local field = ("add_hosts[%d]"):format(i)
    local word = text(field, rawget(value, i), "NAME:ADDRESS")
    local name, address = word:match("^([%w._-]+)[:=](.+)$")
    address = address and (address:match("^%[(.*)%]$") or address)
    expect(name and sys.inet_bytes(address), field, "NAME:ADDRESS", word)
    ctx.add_hosts[i] = ("%s\t%s\n"):format(address, name)
  end
end

local function read_list(name, value, is_one, expected)
  local list = {}
  for i = 1, check.array(name, value) do
    local field = ("%s[%d]"):format(name, i)
    list[i] = text(field, rawget(value, i), expected)
    expect(is_one(list[i]), field, expected, list[i])
  end
  return list
end

--- The servers that are asked for names.
function files.dns(ctx, value)
  ctx.dns = ctx.dns or {}
  ctx.dns.nameservers = read_list("dns", value, sys.inet_bytes, "an address")
end

--- The domains that names without a dot are looked up in.
function files.dns_search(ctx, value)
  ctx.dns = ctx.dns or {}
  ctx.dns.search = read_list("dns_search", value, function(word)
    return word:find("^[%w._-]+$")
  end, "a domain")
end

return files
