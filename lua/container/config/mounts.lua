-- Options that name places in the container: volumes, tmpfs, masked and read-only paths. Loaded
-- only when one is asked for; each lands in OCI's mounts, maskedPaths or readonlyPaths.

local sys = require "container.sys"
local check = require "container.check"

local refuse, expect, text, plain, array =
  check.refuse, check.expect, check.text, check.plain, check.array

local mounts = {}

-- Options of a tmpfs that a person may give, beside its flags. tmpfs(5)
local COUNT <const> = "^%d+[kmgt]?$"
local TMPFS_DATA <const> = { size = "^%d+[kmgt]?%%?$", mode = "^[0-7]+$", nr_inodes = COUNT,
  nr_blocks = COUNT, uid = "^%d+$", gid = "^%d+$" }
-- Those that take another one away.
local CONTRARY <const> = { rw = "ro", suid = "nosuid", dev = "nodev", exec = "noexec",
  async = "sync", atime = "noatime", diratime = "nodiratime", norelatime = "relatime",
  nostrictatime = "strictatime" }
local TMPFS_FLAGS <const> = { defaults = "default", dirsync = true }
for word, other in pairs(CONTRARY) do
  TMPFS_FLAGS[word], TMPFS_FLAGS[other] = true, true
end

--- An absolute path inside, which does not go up.
local function read_inside(field, path, what)
  expect(path:sub(1, 1) == "/", field, "an absolute " .. what, path)
  path = check.clean(path)
  if (path .. "/"):find("/../", 1, true) then
    refuse(field, what .. " goes up by ..")
  end
  return path
end

--- Those that are masked or protected. The root itself has an option of its own.
local function read_paths(field, value)
  local paths = {}
  for i = 1, array(field, value) do
    local at = ("%s[%d]"):format(field, i)
    local path = read_inside(at, text(at, rawget(value, i), "an absolute path"), "path")
    paths[i] = expect(path ~= "/", at, "a path below the root", path)
  end
  return paths
end

--- A place in the container that is not one of those it lives by.
local function read_destination(field, destination)
  destination = read_inside(field, destination, "destination")
  if destination == "/" or (destination .. "/"):find("^/proc/") then
    refuse(field, ("destination %s is the container's own"):format(destination))
  end
  return destination
end

--- The same for other options that name a place.
mounts.destination = read_destination

local VOLUME <const> = "SOURCE:DESTINATION[:OPTION,...]"

-- What stands behind a volume's destination: how it may be written; what docker has and is the case
-- here anyway; and what would be a promise that is not kept.
local ACCESS <const> = { ro = true, rro = true, rw = true }
local GRANTED <const> = {
  cached = true, consistent = true, delegated = true, nocopy = true, private = true,
  rprivate = true,
}
local LABEL <const> = "asks for an SELinux label, and nothing is labelled here"
-- How mounts pass between host and container.
local PROPAGATION <const> = {
  slave = true, rslave = true, shared = true, rshared = true, unbindable = true,
  runbindable = true,
}
local NOT_KEPT <const> = {
  z = LABEL, Z = LABEL, U = "asks to give the source another owner, and no file of the host's is "
    .. "changed here",
}

--- The words behind a volume's destination: how it may be written, whether its ids are the
-- container's, and which mounts are passed on.
local function read_access(field, words)
  local access, idmapped, passed, overlay
  for word in (words .. ","):gmatch("([^,]*),") do
    if word == "O" then
      overlay = true
    elseif NOT_KEPT[word] then
      refuse(field, ("option %s %s"):format(word, NOT_KEPT[word]))
    elseif ACCESS[word] then
      expect(not access or access == word, field, "one of ro, rro and rw", words)
      access = word
    elseif word == "idmap" then
      idmapped = word
    elseif PROPAGATION[word] then
      expect(not passed or passed == word, field, "one of slave and shared", words)
      passed = word
    else
      expect(GRANTED[word], field, "ro, rro or rw after the destination", word)
    end
  end
  if overlay and (access or idmapped or passed) then
    refuse(field, "O, which keeps the source as it is, stands alone")
  end
  return access ~= "rw" and access or nil, idmapped, passed, overlay
end

--- One volume, of its three parts.
-- @string[opt] words
local function bind(field, source, destination, words)
  local access, idmapped, passed, overlay
  if words then
    access, idmapped, passed, overlay = read_access(field, words)
  end
  expect(source:find("^[./]"), field, "a path as source, such as /srv/data or ./data", source)
  destination = read_destination(field, destination)
  local st, message, errno = sys.stat(source)
  if not st then
    refuse(field, message, errno)
  end
  if overlay then
    expect(st.type == "directory", field, "a directory as the source of a volume with O", source)
  end
  -- A device that is named is wanted; one that lies in a directory is not.
  local options = { "rbind", st.type ~= "char" and st.type ~= "block" and "nodev" or nil }
  options[#options + 1] = access
  options[#options + 1] = idmapped
  options[#options + 1] = passed
  return { destination = destination, type = "bind", source = source, options = options,
    overlay = overlay }
end

local function read_volume(field, value)
  text(field, value, VOLUME)
  local source, destination, words = value:match("^([^:]+):([^:]+)(.*)$")
  expect(source and not words:find(":", 2, true), field, VOLUME, value)
  return bind(field, source, destination, words ~= "" and words:sub(2) or nil)
end

--- A volume of the mapping: by its source, as docker's SDK for Python has it.
local function read_named_volume(field, source, value)
  if type(value) ~= "table" then
    refuse(field, ("expected { bind = DESTINATION, mode = OPTIONS }, got %s"):format(
      check.shown(value)))
  end
  for key in next, plain(field, value) do
    expect(key == "bind" or key == "mode", field, "bind or mode", key)
  end
  local mode = rawget(value, "mode")
  return bind(field, source, text(field .. ".bind", rawget(value, "bind"), "an absolute path"),
    mode ~= nil and text(field .. ".mode", mode) or nil)
end

--- The options of a tmpfs: of two contrary ones the last holds, as docker has it.
local function read_tmpfs_options(field, words)
  local chosen = { "nosuid", "nodev", "noexec" } -- docker's defaults
  local function remove(word)
    for i = #chosen, 1, -1 do
      if chosen[i] == word then
        table.remove(chosen, i)
      end
    end
  end
  for word in words:gmatch("[^,]+") do
    local name, setting = word:match("^([%w_]+)=(.*)$")
    local flag = TMPFS_FLAGS[word]
    expect(flag or TMPFS_DATA[name] and setting:lower():find(TMPFS_DATA[name]), field,
      "an option of tmpfs", word)
    if CONTRARY[word] then
      remove(CONTRARY[word])
    elseif flag ~= "default" then
      remove(word)
      chosen[#chosen + 1] = word
    end
  end
  return chosen
end

local function tmpfs_at(field, destination, words)
  return { destination = read_destination(field, destination), type = "tmpfs", source = "tmpfs",
    options = read_tmpfs_options(field, words) }
end

local function read_tmpfs(field, value)
  text(field, value, "DESTINATION[:OPTION,...]")
  local destination, words = value:match("^([^:]+):?(.*)$")
  expect(destination, field, "DESTINATION[:OPTION,...]", value)
  return tmpfs_at(field, destination, words)
end

--- Adds a mount behind those of the default, but before one of the other option that lies in it, or
-- a volume in the same place: whichever of the two options is read first.
local function add(ctx, entry)
  local list = ctx.config.mounts
  ctx.first_given = ctx.first_given or #list + 1
  for i = ctx.first_given, #list do
    local other = list[i]
    local inside = other.destination:find(entry.destination .. "/", 1, true) == 1
      or other.destination == entry.destination and other.type == "bind"
    if inside and other.type ~= entry.type then
      return table.insert(list, i, entry)
    end
  end
  list[#list + 1] = entry
end

local function take(ctx, field, entry)
  local n = #ctx.volumes + 1
  ctx.volumes[n], ctx.volume_fields[n] = entry, field
  add(ctx, entry)
end

--- One volume that another option asks for.
-- @string field of that option
-- @string value as an element of `volumes`
function mounts.volume(ctx, field, value)
  take(ctx, field, read_volume(field, value))
end

function mounts.volumes(ctx, value)
  for i = 1, check.length("volumes", plain("volumes", value)) do
    local field = ("volumes[%d]"):format(i)
    take(ctx, field, read_volume(field, rawget(value, i)))
  end
  for _, source in ipairs(check.keys("volumes", value, "paths of the host")) do
    local field = ("volumes[%s]"):format(check.shown(source))
    take(ctx, field, read_named_volume(field, source, rawget(value, source)))
  end
end

function mounts.tmpfs(ctx, value)
  for i = 1, check.length("tmpfs", plain("tmpfs", value)) do
    add(ctx, read_tmpfs(("tmpfs[%d]"):format(i), rawget(value, i)))
  end
  for _, destination in ipairs(check.keys("tmpfs", value, "absolute paths")) do
    local field = ("tmpfs[%s]"):format(check.shown(destination))
    add(ctx, tmpfs_at(field, destination, text(field, rawget(value, destination),
      "the options of a tmpfs, such as \"size=1M\"")))
  end
end

function mounts.masked_paths(ctx, value)
  ctx.config.linux.maskedPaths = read_paths("masked_paths", value)
end

function mounts.readonly_paths(ctx, value)
  ctx.config.linux.readonlyPaths = read_paths("readonly_paths", value)
end

return mounts
