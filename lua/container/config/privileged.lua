-- Options that open the container towards the host.

local masks = require "container.fs.masks"

local privileged = {}

--- Everything that the default takes away from root, left to it; what was asked for holds.
function privileged.privileged(ctx)
  local config, linux = ctx.config, ctx.config.linux
  config.process.noNewPrivileges = false
  config.process.capabilities = nil
  linux.maskedPaths = linux.maskedPaths ~= masks.MASKED and linux.maskedPaths or {}
  linux.readonlyPaths = linux.readonlyPaths ~= masks.READONLY and linux.readonlyPaths or {}
  for _, entry in ipairs(config.mounts) do
    if entry.type == "sysfs" then
      entry.options = { "nosuid", "nodev", "noexec" }
    elseif entry.type == "bind" and entry.options[2] == "nodev" and ctx.userns ~= "auto" then
      table.remove(entry.options, 2)
    end
  end
end

--- The host's network: no namespace of its own. A sysfs shows the network of the process that
-- mounts it, and in a user namespace that may be done for one's own only; the host's is bound
-- instead, with what is mounted in it, which cannot be taken off there.
function privileged.share_network(ctx)
  local kept, user = {}, false
  for _, entry in ipairs(ctx.config.linux.namespaces) do
    if entry.type ~= "network" then
      kept[#kept + 1] = entry
    end
    user = user or entry.type == "user"
  end
  ctx.config.linux.namespaces, ctx.config.linux.sysctl = kept, nil
  for _, entry in ipairs(ctx.config.mounts) do
    if entry.type == "sysfs" and user then
      entry.type, entry.source, entry.options = "bind", "/sys", { "rbind", "ro" }
    end
  end
end

return privileged
