-- The labels by which a security module of the kernel knows the container's program: OCI's
-- process.apparmorProfile and process.selinuxLabel. proc_pid_attr(5)

local errors = require "container.error"
local sys = require "container.sys"

local try <const> = errors.try

local labels = {}

local MODULES <const> = {
  { field = "apparmorProfile", name = "AppArmor", files = { "apparmor/exec", "exec" },
    text = "exec %s" },
  { field = "selinuxLabel", name = "SELinux", files = { "exec" }, text = "%s" },
}

local function is_enabled(name)
  if name == "AppArmor" then
    return (sys.read_file("/sys/module/apparmor/parameters/enabled") or ""):sub(1, 1) == "Y"
  end
  return (sys.read_file("/proc/filesystems") or ""):find("\tselinuxfs\n", 1, true) ~= nil
end

--- Whether the kernel has the module that a label is for.
-- @string field "apparmorProfile" or "selinuxLabel"
-- @treturn bool
-- @treturn string the module's name
function labels.has(field)
  for _, module in ipairs(MODULES) do
    if module.field == field then
      return is_enabled(module.name), module.name
    end
  end
end

--- In the child, while the host's /proc is there: opens where it says with which label its next
-- program is executed.
function labels.open(ctx)
  ctx.label_files = {}
  for _, module in ipairs(MODULES) do
    if ctx.config.process[module.field] then
      local fd, message, errno
      for _, name in ipairs(module.files) do
        if not fd then
          fd, message, errno = sys.open("/proc/thread-self/attr/" .. name, "wronly")
        end
      end
      ctx.label_files[module.field] = try(fd, message, errno)
    end
  end
  return true
end

--- In the child, before the filter of system calls: says it.
function labels.child(ctx)
  for _, module in ipairs(MODULES) do
    local fd <close> = ctx.label_files[module.field]
    if fd then
      local ok, _, errno = sys.write(fd, module.text:format(ctx.config.process[module.field]))
      if not ok then
        return nil, ("process.%s: %s: %s"):format(module.field,
          ctx.config.process[module.field], sys.strerror(errno)), errno
      end
    end
  end
  return true
end

return labels
