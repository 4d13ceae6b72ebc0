-- The child's side: from its birth in the new namespaces to the exec of init. Only the order, and
-- why it is that order; runs with the rights of the caller, or with those of root in a new
-- user namespace. It never comes back: it becomes init, or it tells what failed and is gone.

local sys = require "container.sys"
local sync = require "container.engine.sync"
local capabilities = require "container.linux.capabilities"
local call = require "container.engine.call"
local cgroup = require "container.linux.cgroup"
local chroot = require "container.fs.chroot"
local devices = require "container.fs.devices"
local hooks = require "container.engine.hooks"
local hosts = require "container.fs.hosts"
local uts = require "container.linux.uts"
local userns = require "container.linux.userns"
local keyring = require "container.linux.keyring"
local landlock = require "container.linux.landlock"
local rlimits = require "container.linux.rlimits"
local masks = require "container.fs.masks"
local mounts = require "container.fs.mounts"
local network = require "container.linux.network"
local process = require "container.linux.process"
local rootfs = require "container.fs.rootfs"
local seccomp = require "container.linux.seccomp"
local sysctl = require "container.linux.sysctl"
local streams = require "container.engine.streams"
local terminal = require "container.engine.terminal"
local user = require "container.linux.user"

local child = {}

-- Each is { step, function }. The step is what an error names.
child.order = {
  { "stream", streams.child }, -- from files of the host program
  { "channel", sync.child }, -- no file of the host program is open after this
  { "channel", sync.await }, -- no step is any good before it has ids
  { "process", process.child }, -- from here on it dies with the launcher
  { "cgroup", cgroup.child }, -- before anything is spent that the limits should count
  -- Without ids nothing can be mounted or made; with those of a range no cgroup of root's joined.
  { "idmap", userns.child },
  { "hostname", uts.child },
  { "chroot", chroot.leave }, -- there is nothing of the host's above the root after this
  { "mount", mounts.private }, -- before the first mount, or the host would see it
  { "mount", mounts.sources }, -- before the new root is on top of what ".." leads to
  { "rootfs", rootfs.child },
  { "mount", mounts.child }, -- while the old root is there: proc needs it
  { "hosts", hosts.child }, -- has the container's /dev
  { "sysctl", sysctl.child }, -- before /proc/sys is read-only, and in the own network namespace
  { "terminal", terminal.child }, -- of the devpts just mounted; has the rights and /proc
  { "device", devices.child }, -- into the /dev just mounted
  { "mount", mounts.given }, -- volumes from the old root, also onto devices
  { "mask", masks.child }, -- over what has just been mounted
  { "hooks", hooks.create }, -- all is made, and nothing of the host's is gone yet
  { "rootfs", rootfs.pivot }, -- the host's files end here
  { "network", network.child },
  { "process", process.enter }, -- with the rights to make a directory
  { "limit", rlimits.score }, -- by the container's own /proc
  { "limit", rlimits.child }, -- after the last step that could need more than the limit
  { "limit", rlimits.holds },
  { "keyring", keyring.child },
  { "landlock", landlock.child }, -- the last that have the right to it, and see files
  { "seccomp", seccomp.early }, -- who gives no such promise has the right to this until here
  { "capability", capabilities.bound }, -- takes a right that the next step may take away
  { "user", user.child }, -- takes rights that the next step takes away
  { "capability", capabilities.child }, -- and with no_new_privs there is no way back
  { "seccomp", seccomp.child }, -- the last of ours, for it would refuse the others
  { "hooks", hooks.start }, -- as the program, in all
  { "call", call.child }, -- a function of the caller's in the program's place
  { "exec", process.exec },
}

--- Runs the steps. Whatever they need was required above: after the pivot a require would run code
-- of the container's files, and dlopen or a name service would too.
-- @tparam table c
-- @tparam[opt] table order those of `child.order` if left out
function child.main(c, order)
  local ok, why = pcall(function()
    for _, entry in ipairs(order or child.order) do
      local done, message, errno = entry[2](c)
      if not done then
        sync.tell(c, entry[1], message, errno)
        return
      end
    end
  end)
  if not ok then
    sync.tell(c, "child", tostring(why))
  end
  sys._exit(125)
end

return child
