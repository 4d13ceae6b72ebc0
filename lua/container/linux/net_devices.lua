-- Network interfaces of the host that a container is given: OCI's linux.netDevices. They are moved
-- into its network namespace, where they have the addresses that they had, and are up.
-- rtnetlink(7), netdevice(7); OCI runtime specification, config-linux, "Network Devices"

local errors = require "container.error"
local sys = require "container.sys"

local try <const> = errors.try

local net_devices = {}

-- linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h
local HEAD <const>, LINK <const>, ADDRESS <const> = "=I4I2I2I4I4", "=BxI2i4I4I4", "=BBBBI4"
local ATTRIBUTE <const> = "=I2I2"
local NEWLINK <const>, GETLINK <const>, NEWADDR <const>, GETADDR <const> = 16, 18, 20, 22
local REQUEST <const>, DUMP <const>, CREATE <const> = 0x5, 0x301, 0x605 -- with ACK; and EXCL
local IFLA_ADDRESS <const>, IFLA_IFNAME <const>, IFLA_NET_NS_PID <const> = 1, 3, 19
local IFA_FLAGS <const>, IFA_CACHEINFO <const>, IFA_LABEL <const> = 8, 6, 3
local PERMANENT <const>, UNIVERSE <const> = 0x80, 0
local UP <const> = 1

local function attribute(kind, data)
  local size = ATTRIBUTE:packsize() + #data
  return ATTRIBUTE:pack(size, kind) .. data .. ("\0"):rep(-size % 4)
end

local function ask(kind, flags, body)
  return sys.rtnetlink(HEAD:pack(HEAD:packsize() + #body, kind, flags, 1, 0) .. body)
end

local function link(index, flags, ...)
  return LINK:pack(0, 0, index, flags or 0, flags and UP or 0) .. table.concat { ... }
end

--- The attributes behind a header, by their kinds.
local function attributes(body, at)
  local found = {}
  while at + ATTRIBUTE:packsize() - 1 <= #body do
    local size, kind = ATTRIBUTE:unpack(body, at)
    if size < ATTRIBUTE:packsize() then
      break
    end
    found[kind] = body:sub(at + ATTRIBUTE:packsize(), at + size - 1)
    at = at + size + -size % 4
  end
  return found
end

--- The bodies of an answer's messages of one kind.
local function messages(answer, wanted)
  local list, at = {}, 1
  while at + HEAD:packsize() - 1 <= #answer do
    local size, kind = HEAD:unpack(answer, at)
    if size < HEAD:packsize() then
      break
    end
    if kind == wanted then
      list[#list + 1] = answer:sub(at + HEAD:packsize(), at + size - 1)
    end
    at = at + size + -size % 4
  end
  return list
end

--- The links of this network namespace, or the one that has a name.
-- @treturn table array of { index, name, address }; or nil, message, errno
local function links(name)
  local answer, message, errno = ask(GETLINK, name and REQUEST or DUMP,
    link(0, nil, name and attribute(IFLA_IFNAME, name .. "\0") or ""))
  if not answer then
    return nil, message, errno
  end
  local list = {}
  for i, body in ipairs(messages(answer, NEWLINK)) do
    local _, _, index = LINK:unpack(body)
    local known = attributes(body, LINK:packsize() + 1)
    list[i] = { index = index, name = (known[IFLA_IFNAME] or ""):gsub("%z", ""),
      address = known[IFLA_ADDRESS] }
  end
  return list
end

--- The addresses that an interface is to keep: the lasting ones of the whole network.
local function addresses(index)
  local list = {}
  for _, body in ipairs(messages(try(ask(GETADDR, DUMP, ADDRESS:pack(0, 0, 0, 0, 0))), NEWADDR)) do
    local family, prefix, flags, scope, of = ADDRESS:unpack(body)
    local known = attributes(body, ADDRESS:packsize() + 1)
    flags = known[IFA_FLAGS] and ("=I4"):unpack(known[IFA_FLAGS]) or flags
    if of == index and flags & PERMANENT ~= 0 and scope == UNIVERSE then
      local kept = {}
      for kind, data in pairs(known) do
        if kind ~= IFA_CACHEINFO and kind ~= IFA_LABEL and kind ~= IFA_FLAGS then
          kept[#kept + 1] = attribute(kind, data)
        end
      end
      list[#list + 1] = { family = family, prefix = prefix, attributes = table.concat(kept) }
    end
  end
  return list
end

local function failed(name, message, errno)
  return nil, ("linux.netDevices[%s]: %s"):format(name, message:match("[^:]*$"):gsub("^ ", "")),
    errno
end

--- Finds them, before anything is made.
function net_devices.prepare(ctx)
  local names, list = {}, {}
  for name in pairs(ctx.config.linux.netDevices) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local found, message, errno = links(name)
    if not found or not found[1] then
      return failed(name, message or "No such device", errno or sys.errno.ENODEV)
    end
    list[i] = { name = name, new = ctx.config.linux.netDevices[name].name or name,
      index = found[1].index, address = found[1].address, kept = addresses(found[1].index) }
  end
  ctx.net_devices = list
  return true
end

--- Moves them, while the child waits.
function net_devices.parent(ctx, pid)
  for _, device in ipairs(ctx.net_devices) do
    local ok, message, errno = ask(NEWLINK, REQUEST, link(device.index, nil,
      attribute(IFLA_NET_NS_PID, ("=I4"):pack(pid)), attribute(IFLA_IFNAME, device.new .. "\0")))
    if not ok then
      return failed(device.name, message, errno)
    end
  end
  return true
end

--- The interface that was moved: by its name, or where the kernel chose that, by its address.
local function arrived(device)
  if not device.new:find("%", 1, true) then
    return (try(links(device.new)))[1]
  end
  for _, there in ipairs(try(links())) do
    if there.address == device.address then
      return there
    end
  end
end

--- Gives them their addresses and has them up, in the container's network namespace.
function net_devices.child(ctx)
  for _, device in ipairs(ctx.net_devices) do
    local there = arrived(device)
    if not there then
      return failed(device.name, "No such device", sys.errno.ENODEV)
    end
    for _, one in ipairs(device.kept) do
      local ok, message, errno = ask(NEWADDR, CREATE,
        ADDRESS:pack(one.family, one.prefix, PERMANENT, UNIVERSE, there.index) .. one.attributes)
      if not ok then
        return failed(device.name, message, errno)
      end
    end
    local ok, message, errno = ask(NEWLINK, REQUEST, link(there.index, UP))
    if not ok then
      return failed(device.name, message, errno)
    end
  end
  return true
end

return net_devices
