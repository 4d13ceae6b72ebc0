-- Ranges of ids: which of them an administrator has given away, and one that no other running
-- container has. subuid(5), subgid(5)
--
-- A launcher has a lock on a file that is named after its range, as long as it lives: fs/lock.lua.

local sys = require "container.sys"
local file = require "container.fs.path"
local lock = require "container.fs.lock"

local subid = {}

-- As many ids as a container gets: all that 16 bits can say, which images keep to.
subid.SIZE = 0x10000

local FILES <const> = { uid = "/etc/subuid", gid = "/etc/subgid" }

-- Whose entries root's containers take: the name that is kept for it, then root's own. Where there
-- are none, from an area that nothing else is known to use.
local OWNERS <const> = { "containers", "root" }
local FIRST <const>, LAST <const> = 0x80000000, 0xfffdffff

local PLACE <const> = "/run/lua-container"

--- The entries of a file, of one owner or of all: array of { owner, first, last }.
local function entries(kind, owner)
  local list = {}
  for line in (sys.read_file(FILES[kind]) or ""):gmatch("[^\n]+") do
    local name, first, count = line:match("^([^:]+):(%d+):(%d+)%s*$")
    first, count = math.tointeger(first), math.tointeger(count)
    if first and count and count > 0 and first + count <= 0xffffffff
        and (not owner or owner == name) then
      list[#list + 1] = { owner = name, first = first, last = first + count - 1 }
    end
  end
  return list
end

--- What was given to an ordinary user.
-- @string kind "uid" or "gid"
-- @tparam table owners the user's name, and the id as a string
-- @treturn table array of { first, last }; empty if nothing was
-- @treturn string the file that says so
function subid.given(kind, owners)
  local list = {}
  for _, owner in ipairs(owners) do
    table.move(entries(kind, owner), 1, 0xff, #list + 1, list)
  end
  return list, FILES[kind]
end

local function overlaps(first, list)
  for _, entry in ipairs(list) do
    if first <= entry.last and entry.first < first + subid.SIZE then
      return true
    end
  end
  return false
end

--- The areas that may be cut into ranges, and what is to be left out of them.
local function areas(kind)
  for _, owner in ipairs(OWNERS) do
    local list = entries(kind, owner)
    if list[1] then
      return list, {}
    end
  end
  return { { first = FIRST, last = LAST } }, entries(kind)
end

--- Whether another range that has a file has ids of this one, for an administrator may have changed
-- the areas meanwhile.
local function is_crossed(kind, first)
  for _, name in ipairs(sys.list(PLACE) or {}) do
    local other = math.tointeger(name:match("^" .. kind .. ":(%d+)$"))
    if other and other ~= first and math.abs(other - first) < subid.SIZE then
      return true
    end
  end
  return false
end

--- A lock on a range that has no file; nil without a message if it has, or has just been removed.
local function claim(dir, kind, first)
  local name = ("%s:%d"):format(kind, first)
  local fd, message, errno = lock.file(dir, name, true)
  if not fd then
    if errno == sys.errno.EEXIST or errno == sys.errno.EAGAIN then
      return nil
    end
    return nil, message, errno
  elseif not is_crossed(kind, first) then
    return fd
  end
  os.remove(PLACE .. "/" .. name)
  fd:close()
end

local function choose(dir, kind)
  local list, others = areas(kind)
  for _, area in ipairs(list) do
    for first = area.first, area.last - subid.SIZE + 1, subid.SIZE do
      if not overlaps(first, others) then
        local fd, message, errno = claim(dir, kind, first)
        if fd or message then
          return fd and first, fd or message, errno
        end
      end
    end
  end
end

--- Removes what killed launchers left.
local function sweep()
  lock.sweep(PLACE, function(name) return name:find("^[ug]id:%d+$") end, os.remove)
end

--- Takes a range that no other container has, until `undo` runs or this process ends.
-- @param undo stack
-- @string kind "uid" or "gid"
-- @treturn int the first id of it; or nil, message, errno
function subid.take(undo, kind)
  local dir <close>, refusal, number = file.own_directory(PLACE)
  if not dir then
    return nil, refusal, number
  end
  local first, fd, errno = choose(dir, kind)
  -- After, not before: what a launcher left that was killed just now may still be ending, and its
  -- range is the last to be used again.
  sweep()
  if not first and not fd then
    first, fd, errno = choose(dir, kind)
  end
  if first then
    undo:push(fd.close, fd)
    undo:push(os.remove, ("%s/%s:%d"):format(PLACE, kind, first)) -- while the lock is held
    return first
  elseif fd then
    return nil, fd, errno
  end
  return nil, ("%s: every range of %d ids for containers is in use"):format(FILES[kind],
    subid.SIZE), sys.errno.EUSERS
end

return subid
