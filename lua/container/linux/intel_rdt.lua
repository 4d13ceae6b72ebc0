-- Shares of a processor's cache and memory bandwidth: OCI's linux.intelRdt, by the files of a
-- mounted resctrl. Kernel documents, arch/x86/resctrl; OCI runtime specification, config-linux,
-- "IntelRdt"

local errors = require "container.error"
local file = require "container.fs.path"
local sys = require "container.sys"

local try <const> = errors.try

local intel_rdt = {}

-- Where resctrl is mounted, for specs; otherwise mountinfo says it.
intel_rdt.root = nil

local NONE <const> = "linux.intelRdt: no resctrl is mounted; the processor or this kernel has no "
  .. "Resource Director Technology, or it has to be mounted (mount -t resctrl resctrl "
  .. "/sys/fs/resctrl)"

local function find_root()
  if intel_rdt.root then
    return intel_rdt.root
  end
  for _, entry in ipairs(file.mounts() or {}) do
    if entry.type == "resctrl" then
      return entry.target
    end
  end
  return nil, NONE, sys.errno.ENOENT
end

local function lines_of(wanted)
  local list = { wanted.l3CacheSchema }
  list[#list + 1] = wanted.memBwSchema
  table.move(wanted.schemata or {}, 1, #(wanted.schemata or {}), #list + 1, list)
  return list
end

--- What a line says, by the numbers of the parts: "L3:0=ff;1=f".
local function parts(line)
  local name, rest = line:match("^%s*(%w+):(.*)$")
  local values, base = {}, name == "MB" and 10 or 16
  for id, value in (rest or ""):gmatch("(%d+)%s*=%s*(%x+)") do
    values[math.tointeger(tonumber(id))] = tonumber(value, base)
  end
  return name, values
end

--- Compares what a class that is there has with what was asked for.
local function check_same(directory, wanted)
  local there = {}
  for line in try(sys.read_file(directory .. "/schemata")):gmatch("[^\n]+") do
    local name, values = parts(line)
    there[name or ""] = values
  end
  for _, field in ipairs { "l3CacheSchema", "memBwSchema" } do
    local name, values = parts(wanted[field] or "")
    for id, value in pairs(values) do
      if (there[name] or {})[id] ~= value then
        return nil, ("linux.intelRdt.%s: the class %s is there and has another"):format(field,
          wanted.closID), sys.errno.EEXIST
      end
    end
  end
  return true
end

--- Makes a directory that goes with the container.
local function make(ctx, path, stays)
  local ok, message, errno = sys.mkdir(path)
  if not ok then
    return nil, ("linux.intelRdt: %s%s"):format(message, errno == sys.errno.ENOSPC
      and "; the processor has no room for more" or ""), errno
  end
  if not stays then
    ctx.undo:push(sys.rmdir, path)
  end
  return true
end

--- Writes a file of resctrl. In the tree of a spec it may be missing.
local function write(path, text)
  local fd <close>, message, errno = sys.open(path, "wronly,creat")
  local ok = fd
  if fd then
    ok, message, errno = sys.write(fd, text)
  end
  return ok, message and "linux.intelRdt: " .. message, errno
end

--- Makes the class, before the child is there.
function intel_rdt.prepare(ctx)
  local wanted = ctx.config.linux.intelRdt
  local root = try(find_root())
  local own = ctx.name or ctx.hook and ctx.hook.id or "lua-container-" .. sys.getpid()
  local lines, id = lines_of(wanted), wanted.closID or own
  local directory = id == "/" and root or root .. "/" .. id
  local there = sys.stat(directory) ~= nil
  if there and wanted.closID and lines[1] then
    try(check_same(directory, wanted))
  elseif not there and wanted.closID and not lines[1] then
    return nil, ("linux.intelRdt.closID: there is no class %s, and nothing says what it would have")
      :format(wanted.closID), sys.errno.ENOENT
  end
  if not there then
    try(make(ctx, directory, wanted.closID))
  end
  if lines[1] then
    try(write(directory .. "/schemata", table.concat(lines, "\n") .. "\n"))
  end
  local groups = { directory }
  if wanted.enableMonitoring then
    groups[2] = directory .. "/mon_groups/" .. own
    try(make(ctx, groups[2]))
  end
  ctx.rdt_groups = groups
  ctx.start_barrier = true -- nothing comes from the program before it is in the class
  return true
end

--- Puts the child into it.
function intel_rdt.parent(ctx, pid)
  for _, directory in ipairs(ctx.rdt_groups) do
    try(write(directory .. "/tasks", tostring(pid)))
  end
  return true
end

return intel_rdt
