-- The mounts of a bundle. OCI runtime specification, config, "Mounts"

local check = require "container.check"

local refuse = check.refuse

local mounts = {}

--- A place in the container, without steps that lead nowhere or up. A path that is not absolute is
-- one of the root.
local function place(field, path)
  path = check.clean(path)
  if (path .. "/"):find("/../", 1, true) then
    refuse(field, "goes up by ..")
  elseif path == "/" then
    refuse(field, "is the root itself")
  end
  return path
end

local function is_bind(entry)
  for _, word in ipairs(entry.options) do
    if word == "bind" or word == "rbind" then
      return true
    end
  end
  return entry.type == "bind"
end

--- What a bind has, and what changes nothing here.
local DROPPED <const> = { rw = true, defaults = true, private = true, rprivate = true }

local REFUSED <const> = "^r?shared$ ^r?slave$ ^r?unbindable$ ^suid$ ^dev$ ^exec$ ^tmpcopyup$ "
  .. "^r?idmap"

local function read_options(field, entry)
  local kept = {}
  for i, word in ipairs(entry.options) do
    for pattern in REFUSED:gmatch("%S+") do
      if word:find(pattern) then
        refuse(("%s.options[%d]"):format(field, i - 1), ("%s: not supported"):format(word))
      end
    end
    kept[#kept + 1] = not DROPPED[word] and word or nil
  end
  entry.options = kept
end

--- Reads all of them.
-- @tparam Context ctx
-- @string directory of the bundle
function mounts.read(ctx, directory)
  for i, entry in ipairs(ctx.config.mounts) do
    local field = ("mounts[%d]"):format(i - 1)
    entry.options = entry.options or {}
    entry.destination = place(field .. ".destination", entry.destination)
    read_options(field, entry)
    if is_bind(entry) then
      if not entry.source or entry.source == "" then
        refuse(field .. ".source", "is missing")
      elseif entry.source:sub(1, 1) ~= "/" then
        entry.source = directory .. "/" .. entry.source
      end
      entry.type = "bind"
      local options = table.concat(entry.options, " ")
      if not (" " .. options .. " "):find(" r?bind ") then
        table.insert(entry.options, 1, "bind")
      end
      local n = #ctx.volumes + 1
      ctx.volumes[n], ctx.volume_fields[n] = entry, field
    elseif not entry.type or entry.type == "" then
      refuse(field .. ".type", "is missing")
    end
    entry.source = entry.source or entry.type
  end
end

return mounts
