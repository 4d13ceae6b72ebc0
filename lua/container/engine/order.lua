-- What happens when, and why in that order: data. What drives a start, the trace (`debug`), the
-- plan and the specs of the order read it.
--
-- A step is { name, side, fn, only, needs, why }. Its name begins with what an error of it names.
-- `side` is the process that runs it: "prepare", the caller's process before the child is there;
-- "parent", the same process after that; "join", the process between (between.lua); "child". Parent
-- and child run at the same time, and wait for each other in the steps of the channel.
-- `fn(ctx, pid)` answers true, or nil, message, errno, subject; or raises that by errors.try. With
-- `only`, a field of the context, it runs where that is set. `needs` names steps that have to come
-- before it.

local attachment = require "container.engine.attachment"
local call = require "container.engine.call"
local capabilities = require "container.linux.capabilities"
local cgroup = require "container.linux.cgroup"
local chroot = require "container.fs.chroot"
local devices = require "container.fs.devices"
local hooks = require "container.engine.hooks"
local hosts = require "container.fs.hosts"
local intel_rdt = require "container.linux.intel_rdt"
local keyring = require "container.linux.keyring"
local labels = require "container.linux.labels"
local landlock = require "container.linux.landlock"
local masks = require "container.fs.masks"
local mount_fd = require "container.fs.mount_fd"
local mounts = require "container.fs.mounts"
local names = require "container.engine.names"
local namespaces = require "container.linux.namespaces"
local loopback = require "container.linux.network"
local neighbours = require "container.engine.neighbours"
local net_devices = require "container.linux.net_devices"
local network = require "container.engine.network"
local order_exec = require "container.engine.order_exec"
local outgoing = require "container.engine.outgoing"
local process = require "container.linux.process"
local pasta = require "container.engine.pasta"
local ports = require "container.engine.ports"
local resolver = require "container.fs.resolver"
local rlimits = require "container.linux.rlimits"
local rootfs = require "container.fs.rootfs"
local schedule = require "container.linux.schedule"
local seccomp = require "container.linux.seccomp"
local streams = require "container.engine.streams"
local files = require "container.engine.files"
local files_of_strings = require "container.fs.files"
local sync = require "container.engine.sync"
local sysctl = require "container.linux.sysctl"
local terminal = require "container.engine.terminal"
local user = require "container.linux.user"
local userns = require "container.linux.userns"
local uts = require "container.linux.uts"

local order = {}

--- A container's start.
order.start = {
  { name = "network.find", side = "prepare", fn = network.find, only = "network_owner",
    why = "the network of another container is one of the namespaces" },
  { name = "network.make", side = "prepare", fn = attachment.prepare, only = "network_name",
    why = "the namespace that the plugins of CNI attach is there before the child" },
  { name = "namespace.find", side = "prepare", fn = neighbours.find, only = "neighbours",
    why = "those of other containers are found by name" },
  { name = "namespace.choose", side = "prepare", fn = namespaces.prepare,
    why = "others ask whether there is a user namespace" },
  { name = "hooks.begin", side = "prepare", fn = hooks.prepare, only = "hook",
    why = "poststop hooks run when everything else is undone" },
  { name = "rootfs.check", side = "prepare", fn = rootfs.prepare, needs = { "namespace.choose" },
    why = "the likeliest mistake is refused before anything is made" },
  { name = "mount.check", side = "prepare", fn = mounts.prepare,
    why = "the sources of volumes are as likely a mistake" },
  { name = "file.check", side = "prepare", fn = files_of_strings.prepare, only = "files",
    needs = { "rootfs.check" }, why = "looks owners up in /etc/passwd of that root" },
  { name = "user.find", side = "prepare", fn = user.prepare, needs = { "rootfs.check" },
    why = "reads /etc/passwd of that root" },
  { name = "seccomp.compile", side = "prepare", fn = seccomp.prepare,
    why = "reads a profile, and may compile it" },
  { name = "name.claim", side = "prepare", fn = names.prepare,
    why = "the first that another process can see" },
  { name = "cgroup.make", side = "prepare", fn = cgroup.prepare, needs = { "name.claim" },
    why = "the child is born in it, or joins it first" },
  { name = "network.look", side = "prepare", fn = net_devices.prepare, only = "net_devices",
    why = "an interface that is not there is found out before anything is made" },
  { name = "rdt.make", side = "prepare", fn = intel_rdt.prepare, only = "rdt",
    why = "its class is there before the child" },
  { name = "process.check", side = "prepare", fn = process.prepare,
    why = "makes the sealed image that pid 1 runs from" },
  { name = "stream.open", side = "prepare", fn = streams.prepare, only = "stream",
    why = "pipes and files in the place of the caller's streams" },
  { name = "stream.permit", side = "prepare", fn = streams.permit, needs = { "stream.open" },
    why = "pipes that another user in the container may open, as /dev/stdout" },
  { name = "network.log", side = "prepare", fn = outgoing.prepare, only = "outgoing",
    why = "a file of the caller, by its rights; and where names are asked for" },
  { name = "call.open", side = "prepare", fn = call.prepare, only = "call",
    why = "the pipe that the function's values come over" },
  { name = "idmap.claim", side = "prepare", fn = userns.prepare, needs = { "namespace.choose" },
    why = "a range of ids that no other container has" },
  { name = "pasta.check", side = "prepare", fn = pasta.prepare, only = "pasta",
    why = "a program or a device that is missing is refused before more is made" },
  { name = "port.listen", side = "prepare", fn = ports.prepare, only = "published",
    why = "a port of the host that another process has is refused before more is made" },
  { name = "network.attach", side = "prepare", fn = attachment.attach, only = "network_name",
    needs = { "network.make" }, why = "programs that change the host's network: nearly the last" },
  { name = "resolver.choose", side = "prepare", fn = resolver.prepare, only = "dns",
    why = "when every kind of network has said which servers it has" },
  { name = "channel.open", side = "prepare", fn = sync.prepare,
    why = "the pipe for refusals and the socket, the last that the child needs" },

  { name = "namespace.hold", side = "parent", fn = namespaces.parent,
    why = "a pidfd means the child and never another process of its number" },
  { name = "name.note", side = "parent", fn = names.parent, only = "name",
    needs = { "name.claim" }, why = "a container that joins its network finds it by the name" },
  { name = "cgroup.limit", side = "parent", fn = cgroup.parent, needs = { "cgroup.make" },
    why = "limits that the child's start would exceed in shared memory" },
  { name = "rdt.join", side = "parent", fn = intel_rdt.parent, only = "rdt",
    needs = { "rdt.make" }, why = "before anything comes from the child" },
  { name = "channel.barrier", side = "parent", fn = sync.open_barrier, only = "start_barrier",
    needs = { "cgroup.limit" }, why = "init goes on when its limits are set" },
  { name = "stream.leave", side = "parent", fn = streams.parent, only = "stream",
    why = "only the child holds its ends, so their end can be seen" },
  { name = "call.leave", side = "parent", fn = call.parent, only = "call",
    why = "only the child can write values" },
  { name = "idmap.write", side = "parent", fn = userns.parent, only = "userns",
    needs = { "idmap.claim" }, why = "the child waits for its ids" },
  { name = "tree.map", side = "parent", fn = mount_fd.parent, only = "trees",
    needs = { "idmap.write" }, why = "idmapped mounts take the user namespace with its maps" },
  { name = "network.move", side = "parent", fn = net_devices.parent, only = "net_devices",
    why = "the child waits, and its network namespace is there" },
  { name = "channel.release", side = "parent", fn = sync.parent,
    needs = { "idmap.write", "tree.map" }, why = "a child that waits goes on" },
  { name = "hooks.host", side = "parent", fn = hooks.parent, only = "hook",
    needs = { "channel.release" }, why = "prestart and createRuntime, while the child waits" },

  { name = "pasta.start", side = "parent", fn = pasta.parent, only = "pasta",
    needs = { "channel.release" }, why = "for the child's network, while the child waits" },

  { name = "namespace.join", side = "join", fn = namespaces.join, only = "joins",
    why = "in a process between, for the caller stays where it is" },

  { name = "stream.place", side = "child", fn = streams.child, only = "stream",
    why = "from files of the caller, which are closed next" },
  { name = "channel.close_others", side = "child", fn = files.child,
    needs = { "stream.place" }, why = "no file of the caller is open after this" },
  { name = "channel.wait", side = "child", fn = sync.await, needs = { "channel.close_others" },
    why = "no step is any good before the child has its ids" },
  { name = "process.session", side = "child", fn = process.child, needs = { "channel.wait" },
    why = "from here on it dies with the launcher" },
  { name = "seccomp.note", side = "child", fn = seccomp.note, only = "listener",
    why = "the host's /proc says what it is called outside" },
  { name = "cgroup.join", side = "child", fn = cgroup.child, needs = { "process.session" },
    why = "before anything is spent that the limits count" },
  { name = "idmap.become", side = "child", fn = userns.child, needs = { "cgroup.join" },
    why = "without ids nothing can be mounted; with those of a range no cgroup of root's joined" },
  { name = "namespace.time", side = "child", fn = namespaces.time, only = "time_namespace",
    needs = { "idmap.become" }, why = "has the rights, and the host's /proc" },
  { name = "hostname.set", side = "child", fn = uts.child, needs = { "idmap.become" },
    why = "takes the rights in the new UTS namespace" },
  { name = "chroot.leave", side = "child", fn = chroot.leave, needs = { "idmap.become" },
    why = "nothing of the host's is above the root after this" },
  { name = "mount.private", side = "child", fn = mounts.private, needs = { "idmap.become" },
    why = "or the host would see the first mount" },
  { name = "mount.sources", side = "child", fn = mounts.sources, needs = { "mount.private" },
    why = "before the new root is on top of what \"..\" leads to" },
  { name = "rootfs.make", side = "child", fn = rootfs.child, needs = { "mount.sources" },
    why = "what is mounted needs a root to be mounted in" },
  { name = "mount.all", side = "child", fn = mounts.child, needs = { "rootfs.make" },
    why = "while the old root is there: proc needs it" },
  { name = "hosts.write", side = "child", fn = hosts.child, needs = { "mount.all" },
    why = "has the container's /dev" },
  { name = "resolver.write", side = "child", fn = resolver.child, only = "name_servers",
    needs = { "mount.all" }, why = "as hosts.write: its /etc/resolv.conf" },
  { name = "sysctl.set", side = "child", fn = sysctl.child, needs = { "mount.all" },
    why = "before /proc/sys is read-only, in the container's network namespace" },
  { name = "terminal.open", side = "child", fn = terminal.child, only = "terminal",
    needs = { "mount.all" }, why = "of the devpts just mounted" },
  { name = "device.make", side = "child", fn = devices.child, needs = { "mount.all" },
    why = "into the /dev just mounted, from the host's nodes" },
  { name = "mount.given", side = "child", fn = mounts.given, needs = { "device.make" },
    why = "volumes from the old root, also onto devices" },
  { name = "file.put", side = "child", fn = files_of_strings.child, only = "files",
    needs = { "mount.given" }, why = "a file may lie in a volume" },
  { name = "mask.cover", side = "child", fn = masks.child, needs = { "mount.given", "sysctl.set" },
    why = "over what has just been mounted" },
  { name = "hooks.create", side = "child", fn = hooks.create, only = "hook",
    needs = { "mask.cover" }, why = "all is made, and nothing of the host's is gone yet" },
  { name = "label.open", side = "child", fn = labels.open, only = "labels",
    why = "by the host's /proc" },
  { name = "rootfs.pivot", side = "child", fn = rootfs.pivot,
    needs = { "mount.all", "device.make", "mask.cover" }, why = "the host's files end here" },
  { name = "network.up", side = "child", fn = loopback.child, only = "network_namespace",
    needs = { "idmap.become" }, why = "the loopback interface" },
  { name = "pasta.wait", side = "child", fn = pasta.child, only = "pasta",
    needs = { "network.up" }, why = "the program finds its network ready" },
  { name = "network.listen", side = "child", fn = outgoing.child, only = "outgoing",
    needs = { "network.up", "rootfs.pivot" },
    why = "sockets in the container's network that the parent serves" },
  { name = "network.devices", side = "child", fn = net_devices.child, only = "net_devices",
    needs = { "network.move" }, why = "has the rights in the network namespace" },
  { name = "process.enter", side = "child", fn = process.enter, needs = { "rootfs.pivot" },
    why = "with the rights to make a directory" },
  { name = "exec.find", side = "child", fn = process.find, only = "start_socket",
    needs = { "process.enter" }, why = "the start is another command's, and too late to say it" },
  { name = "limit.oom_score", side = "child", fn = rlimits.score, needs = { "rootfs.pivot" },
    why = "by the container's own /proc" },
  { name = "limit.set", side = "child", fn = rlimits.child, needs = { "rootfs.pivot" },
    why = "after the last step that could need more than the limit" },
  { name = "limit.check", side = "child", fn = rlimits.holds, needs = { "limit.set" },
    why = "a limit that does not hold is refused" },
  { name = "process.schedule", side = "child", fn = schedule.child, only = "schedule",
    needs = { "limit.set" }, why = "takes rights that end below" },
  { name = "keyring.join", side = "child", fn = keyring.child,
    why = "a session keyring of its own" },
  { name = "landlock.restrict", side = "child", fn = landlock.child, only = "landlock",
    needs = { "rootfs.pivot", "process.enter" },
    why = "the last that has the right to it and still sees files" },
  { name = "seccomp.early", side = "child", fn = seccomp.early, only = "seccomp",
    needs = { "landlock.restrict" },
    why = "without no_new_privs it takes a right that ends below" },
  { name = "capability.bound", side = "child", fn = capabilities.bound,
    needs = { "landlock.restrict" }, why = "takes a right that the next step may end" },
  { name = "user.become", side = "child", fn = user.child, needs = { "capability.bound" },
    why = "takes rights that the next step ends" },
  { name = "capability.set", side = "child", fn = capabilities.child, needs = { "user.become" },
    why = "with no_new_privs there is no way back" },
  { name = "label.set", side = "child", fn = labels.child, only = "labels",
    needs = { "label.open", "capability.set" }, why = "the next program has it" },
  { name = "seccomp.filter", side = "child", fn = seccomp.child, only = "seccomp",
    needs = { "capability.set" }, why = "it would refuse the other steps" },
  { name = "hooks.start", side = "child", fn = hooks.start, only = "hook",
    needs = { "seccomp.filter" }, why = "with all the restrictions of the program" },
  { name = "call.run", side = "child", fn = call.child, only = "call",
    needs = { "seccomp.filter" }, why = "a function of the caller in the program's place" },
  { name = "exec.init", side = "child", fn = process.exec,
    needs = { "limit.set", "seccomp.filter" }, why = "becomes init, which starts the program" },
}

--- A further process in a running container.
order.exec = order_exec

return order
