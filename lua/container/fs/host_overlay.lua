-- A throw-away, copy-on-write view of the host's own `/`: everything can be read and run, what is
-- written goes to a tmpfs that ends with the container. Kernel document filesystems/overlayfs

local errors = require "container.error"
local sys = require "container.sys"
local file = require "container.fs.path"
local mount_fd = require "container.fs.mount_fd"
local run_directory = require "container.fs.run_directory"
local secrets = require "container.fs.secrets"

local try <const> = errors.try

-- Filesystems through which one talks to the kernel. A view of files has no use for them: the
-- container gets those it needs anew.
local KERNEL <const> = {
  autofs = true, binfmt_misc = true, bpf = true, cgroup = true, cgroup2 = true, configfs = true,
  debugfs = true, devpts = true, devtmpfs = true, efivarfs = true, fusectl = true,
  hugetlbfs = true, mqueue = true, nsfs = true, proc = true, pstore = true, rpc_pipefs = true,
  securityfs = true, selinuxfs = true, sysfs = true, tracefs = true,
}

-- Where the container's own are mounted, so that the view needs nothing there.
local OWN <const> = { ["/proc"] = true, ["/sys"] = true, ["/dev"] = true }

-- What is whose: a view shows the system, not its users and what runs on it. Empty, with these
-- modes; what is wanted from there a volume brings.
local EMPTY <const> = {
  ["/home"] = 0x1ed, ["/mnt"] = 0x1ed, ["/root"] = 0x1c0, ["/run"] = 0x1ed, -- 0755, 0700
  ["/tmp"] = 0x3ff, ["/var/tmp"] = 0x3ff, -- 01777
}

-- The options of the tmpfs that takes what is written.
local SCRATCH <const> = "mode=0755"

-- How deep a view is put together from single directories around what is mounted on the host.
local DEPTH <const> = 2

local function is_below(path, directory)
  return path:sub(1, #directory + 1) == directory .. "/"
end

--- Whether a path is, or lies in, a place that the view takes nothing from.
local function is_left_out(path)
  for _, places in ipairs { OWN, EMPTY } do
    for place in pairs(places) do
      if path == place or is_below(path, place) then
        return true
      end
    end
  end
  return false
end

--- The host's filesystems below `/` that belong in a view, by where they are mounted.
local function filesystems()
  local mounts = try(file.mounts())
  local list, seen = {}, {}
  for _, entry in ipairs(mounts) do
    local target = entry.target
    local ours = target == "/" or KERNEL[entry.type] or is_left_out(target)
    if not ours and not seen[target] then
      seen[target] = true
      list[#list + 1] = target
    end
  end
  return list
end

-- A view being put together: `scratch`, a tmpfs, takes what the container writes; `root` is where
-- the view is mounted; `filesystems` is what the host has mounted.
local host_overlay = {}
host_overlay.__index = host_overlay

--- The directory that an overlay lies over: the host's own; or, where it was held as a mount, that
-- mount, put somewhere in the scratch tmpfs, for overlay takes no mount that is nowhere.
function host_overlay:lower(source)
  local held = mount_fd.of(self.ctx, source)
  if not held then
    return sys.open(source, "path,directory")
  end
  local name = "lower" .. self.layers
  try(sys.mkdir(name, 0x1c0, self.scratch)) -- 0700
  local place <close> = assert(sys.open(name, "path,directory", nil, self.scratch))
  try(sys.move_mount(held, place))
  return sys.open(name, "path,directory", nil, self.scratch)
end

--- An overlay of one directory of the host on `target`, an fd. What is written goes to the scratch
-- tmpfs, under the same owner and permissions as far as they exist here.
function host_overlay:overlay(source, target)
  self.layers = self.layers + 1
  -- By fd, for a path may hold a comma or a colon, which mean something to overlay.
  local lower <close> = try(self:lower(source))
  local st = assert(sys.stat(lower))
  local upper, work = "upper" .. self.layers, "work" .. self.layers
  try(sys.mkdir(upper, st.mode, self.scratch))
  try(sys.mkdir(work, 0x1ed, self.scratch)) -- 0755
  if not self.composed then
    try(sys.chown(upper, st.uid, st.gid, self.scratch))
  end
  if source == "/" and not self.ctx.privileged then
    local made <close> = assert(sys.open(upper, "path,directory", nil, self.scratch))
    try(secrets.prepare(self, lower, made))
  end
  local scratch = file.path(self.scratch)
  local data = ("lowerdir=%s,upperdir=%s/%s,workdir=%s/%s%s"):format(
    file.path(lower), scratch, upper, scratch, work, self.userns and ",userxattr" or "")
  return try(sys.mount("overlay", file.path(target), "overlay", "nodev", data))
end

--- Whether there is one: where the kernel refuses it, another way is taken.
function host_overlay:can_overlay(source, target)
  return errors.caught(self.overlay, self, source, target)
end

function host_overlay:bind(path)
  local top, message, errno =
    file.bind(self.root, path, mount_fd.of(self.ctx, path) or path, { all = "ro,nodev" })
  if type(top) == "userdata" then
    top:close()
  end
  return top and true, message, errno
end

--- One directory of the host: as an overlay where the kernel agrees; where something is mounted
-- below it, put together from its entries; else read-only.
function host_overlay:directory(path, depth)
  local target <close> = try(file.beneath(self.root, path, "directory"))
  local crowded = false
  for _, mounted in ipairs(self.filesystems) do
    crowded = crowded or is_below(mounted, path)
  end
  if crowded and depth < DEPTH then
    return self:entries(path, target, depth)
  elseif not crowded and self:can_overlay(path, target) then
    return true
  end
  return self:bind(path)
end

--- Everything in one directory of the host, which `target` stands for. What is neither a file, a
-- directory nor a link, or cannot be seen, is not in the view.
function host_overlay:entries(directory, target, depth)
  local names, message, errno = sys.list(directory)
  if not names and errno == sys.errno.EACCES then
    return true
  elseif not names then
    return nil, message, errno
  end
  for _, name in ipairs(names) do
    local path = (directory == "/" and "" or directory) .. "/" .. name
    local link = sys.readlink(path)
    local st = not link and not OWN[path] and sys.stat(path)
    local ok, why, number = true, nil, nil
    if EMPTY[path] and st then
      ok, why, number = sys.mkdir(name, EMPTY[path], target)
    elseif link then
      ok, why, number = sys.symlink(link, name, target)
    elseif st and st.type == "directory" then
      ok, why, number = self:directory(path, depth + 1)
    elseif st and st.type == "file" then
      ok, why, number = self:bind(path)
    end
    if not ok then
      return nil, why, number
    end
  end
  return true
end

--- What is mounted on one directory or file of the host.
function host_overlay:mounted(path)
  local place <close> = sys.open_beneath(self.root, path, "path")
  -- Not there means that something else is mounted over it, also on the host.
  if not place or self:can_overlay(path, place) then
    return true
  end
  return self:bind(path)
end

--- Makes the view's root, a mount of its own in the scratch tmpfs, and opens it. As root it is one
-- overlay of the whole of `/`. In a user namespace overlay refuses that, because the mounts below
-- `/` are locked to it, unless root has held `/` without them; there it is one more tmpfs, to be
-- filled from the entries of `/`.
function host_overlay:mount_root()
  try(sys.mkdir("root", 0x1ed, self.scratch)) -- 0755
  local place <close> = assert(sys.open("root", "path,directory", nil, self.scratch))
  if self.composed then
    try(sys.mount("tmpfs", file.path(place), "tmpfs", "nosuid,nodev", SCRATCH))
  else
    self:overlay("/", place)
  end
  return sys.open("root", "path,directory", nil, self.scratch)
end

--- A name in the scratch tmpfs that nothing has.
function host_overlay:new_name(kind)
  self.layers = self.layers + 1
  return kind .. self.layers
end

--- An empty directory in the place of one of the host, if there is that.
function host_overlay:empty(path, mode)
  local target <close>, message, errno = sys.open_beneath(self.root, path, "path,directory")
  if not target then
    return errno == sys.errno.ENOENT, message, errno
  end
  local name = self:new_name "empty"
  try(sys.mkdir(name, mode, self.scratch))
  return sys.mount(file.path(self.scratch) .. "/" .. name, file.path(target), nil, "bind")
end

function host_overlay:fill()
  if self.composed then
    try(self:entries("/", self.root, 0))
  end
  for _, path in ipairs(not self.composed and self.filesystems or {}) do
    try(self:mounted(path))
  end
  for path, mode in pairs(EMPTY) do
    try(self:empty(path, mode))
  end
  try(run_directory.fill(self.root, self.ctx.resolver))
  if not self.ctx.privileged then
    try(secrets.hide(self))
  end
end

--- In the parent: holds what a view is made of, idmapped; `/` has to be.
function host_overlay.hold(ctx)
  local list = try(filesystems())
  try(mount_fd.hold(ctx, "/", "/", { mapped = true }))
  for _, path in ipairs(list) do
    -- Not there means that something else is mounted over it.
    if sys.stat(path) then
      try(mount_fd.hold(ctx, path, path, { mapped = true, optional = true }))
    end
  end
  return true
end

--- Puts a view together, on top of `/`.
-- @tparam Context ctx
-- @return an fd of the view's root
function host_overlay.make(ctx)
  local list = try(filesystems())
  try(sys.mount("tmpfs", "/", "tmpfs", "nosuid,nodev", SCRATCH))
  local scratch <close> = assert(sys.open("/..", "path,directory"))
  local v = setmetatable({ ctx = ctx, scratch = scratch, layers = 0, filesystems = list,
    userns = ctx.user_namespace or ctx.lacks_host,
    composed = ctx.lacks_host or ctx.user_namespace and not ctx.trees }, host_overlay)
  v.root = try(v:mount_root())
  v:fill()
  return v.root
end

return host_overlay
