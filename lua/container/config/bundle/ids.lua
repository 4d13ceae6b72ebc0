-- The user namespace of a bundle: linux.uidMappings and linux.gidMappings. user_namespaces(7)

local caller = require "container.linux.caller"
local check = require "container.check"
local sys = require "container.sys"
local userns = require "container.linux.userns"

local refuse = check.refuse

local ids = {}

local FIELDS <const> = { "uidMappings", "gidMappings" }

--- Whether it is what an ordinary user may write without help: one line with the own id.
local function is_own(linux)
  local uid, gid = sys.geteuid()
  local own = { uidMappings = uid, gidMappings = gid }
  for _, field in ipairs(FIELDS) do
    local map = linux[field]
    if #map ~= 1 or map[1].size ~= 1 or map[1].hostID ~= own[field] then
      return false
    end
  end
  return true
end

--- Checks the mappings, and decides which process writes them.
-- @tparam Context ctx
-- @tparam[opt] table user the namespace, if there is one
function ids.read(ctx, user)
  local linux = ctx.config.linux
  for _, field in ipairs(FIELDS) do
    local there = linux[field] and linux[field][1] ~= nil
    if there and not user then
      refuse("linux." .. field, "takes a user namespace in linux.namespaces")
    elseif user and not there and not user.path then
      refuse("linux." .. field, "is missing: the user namespace has no ids")
    elseif not there then
      linux[field] = nil
    end
  end
  local who = ctx.config.process.user
  if not userns.maps(linux.uidMappings, who.uid) then
    refuse("process.user.uid", ("the user namespace has no id %d"):format(who.uid))
  elseif not userns.maps(linux.gidMappings, who.gid) then
    refuse("process.user.gid", ("the user namespace has no id %d"):format(who.gid))
  end
  ctx.lacks_host = not user and not caller.is_root()
  if not user then
    return
  elseif user.path then
    ctx.userns, ctx.trees = "joined", caller.is_root() and {} or nil
  elseif caller.maps_ids() then
    ctx.userns, ctx.maps_itself = "given", true
    ctx.trees = caller.is_root() and {} or nil
  elseif not is_own(linux) then
    ctx.userns = "subid"
  end
end

return ids
