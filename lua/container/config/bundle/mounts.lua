-- The mounts of a bundle. OCI runtime specification, config, "Mounts"

local check = require "container.check"
local errors = require "container.error"
local mount_options = require "container.fs.mount_options"

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

--- Checks the words of one, and says which are of no use: what no word of ours is belongs to the
-- filesystem, and a bind has none.
local function check_options(field, entry, how, user)
  if how.idmap and not user and not entry.uidMappings then
    refuse(field .. ".options", "idmap takes a user namespace, or uidMappings and gidMappings")
  elseif how.bind and how.tmpcopyup then
    refuse(field .. ".options", "tmpcopyup takes the type tmpfs")
  elseif how.tmpcopyup and entry.type ~= "tmpfs" then
    refuse(field .. ".options", "tmpcopyup takes the type tmpfs")
  elseif how.bind and how.data ~= "" then
    warn("lua-container: ", ("%s.options: a bind has no options of a filesystem: %s"):format(field,
      errors.plain(how.data, 50)))
  end
end

--- Mappings of a mount's own: both or none, and of a bind.
local function check_mappings(field, entry, how)
  for _, name in ipairs { "uidMappings", "gidMappings" } do
    if entry[name] and not entry[name][1] then
      entry[name] = nil
    end
  end
  if (entry.uidMappings ~= nil) ~= (entry.gidMappings ~= nil) then
    refuse(field .. (entry.uidMappings and ".gidMappings" or ".uidMappings"), "is missing")
  elseif entry.uidMappings and not (how.bind and not how.remount) then
    refuse(field .. ".uidMappings", "takes a bind")
  end
end

--- Reads all of them.
-- @tparam Context ctx
-- @string directory of the bundle
-- @tparam[opt] table user the user namespace, if there is one
function mounts.read(ctx, directory, user)
  for i, entry in ipairs(ctx.config.mounts) do
    local field = ("mounts[%d]"):format(i - 1)
    entry.options = entry.options or {}
    entry.destination = place(field .. ".destination", entry.destination)
    if entry.type == "bind" and not (" " .. table.concat(entry.options, " ") .. " ")
        :find(" r?bind ") then
      table.insert(entry.options, 1, "bind")
    end
    local how = mount_options.read(entry.options, true)
    check_mappings(field, entry, how)
    check_options(field, entry, how, user)
    if how.bind and how.remount then
      entry.source = nil
    elseif how.bind then
      if not entry.source or entry.source == "" then
        refuse(field .. ".source", "is missing")
      elseif entry.source:sub(1, 1) ~= "/" then
        entry.source = directory .. "/" .. entry.source
      end
      entry.type = "bind"
      local n = #ctx.volumes + 1
      ctx.volumes[n], ctx.volume_fields[n] = entry, field
    elseif not how.remount and (entry.type or "") == "" then
      refuse(field .. ".type", "is missing")
    end
    entry.source = entry.source or entry.type or "none"
  end
end

return mounts
