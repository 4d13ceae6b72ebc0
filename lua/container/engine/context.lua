-- The one table that a start passes along, from the options to the running container. Every field
-- is listed here, in one of the four groups that say how long it is there; a spec reads the list
-- and fails on a field that is not in it. Nothing in it is a module or has methods but fds, `undo`
-- and what the caller gave.

local context = {}

--- @class Context
---
--- Asked: what config/ made of the options. There as long as the container, but for those of START.
--- @field config table OCI's config.json: config/defaults.lua
--- @field bundle string|false the directory of an OCI bundle, whose config.json holds to the letter
--- @field name string|false the name that no other container of this user has
--- @field init boolean whether an init is pid 1, and not the program
--- @field announce boolean whether the two lines "Running ..." are printed
--- @field stop_timeout number seconds from TERM to KILL
--- @field timeout number|false seconds until TERM
--- @field on table|false the caller's functions by event
--- @field user string|false NAME[:GROUP], as it was given
--- @field userns string|false "auto", "subid", "given" or "joined": the kind of user namespace
--- @field groups table|false array of the groups that the program has beside its own, as given
--- @field sysctl_given table|false settings that have to hold, by their names with dots
--- @field namespaces_given table|false what the option says, by type: config/namespaces.lua
--- @field neighbours boolean whether a namespace is another container's
--- @field home_given boolean whether env says HOME
--- @field network string|false as it was given: config/network.lua
--- @field network_path string|false of the network namespace that is joined
--- @field pasta table|false options of pasta, whose network is its own
--- @field network_name string|false the network of CNI that is made for it
--- @field network_owner string|false the container whose network is joined
--- @field outgoing table|false what is reached by name: config/outgoing.lua
--- @field privileged boolean
--- @field devices table|false devices of the host: config/resources.lua
--- @field volumes table set of the mounts that were asked for
--- @field volume_fields table where in the options each of them stands, for its error
--- @field first_given table|false the first mount that was asked for
--- @field implied table|false which option stands behind a setting: config/resources.lua
--- @field cap_add table|false set of names
--- @field cap_drop table|false set of names
--- @field capabilities_given boolean whether `capabilities` says the whole set
--- @field asked_capabilities table set of those that have to be there
--- @field resource boolean whether an option is about resources
--- @field stats boolean whether all is counted
--- @field cpu_limit number|false seconds of the rlimit
--- @field call table|false the function that runs in the place of a program: engine/call.lua
--- @field stream table|false how the standard streams are given: config/streams.lua
--- @field terminal table|false streams and size of a terminal: config/terminal.lua
--- @field landlock table|false paths: linux/landlock.lua
--- @field schedule boolean whether it says how the program is scheduled: linux/schedule.lua
--- @field net_devices table|boolean interfaces that it is given: linux/net_devices.lua
--- @field rdt boolean whether it is in a class of Intel's RDT
--- @field labels boolean whether it has a label of a security module: linux/labels.lua
--- @field copy_on_write boolean whether what is written in the root is thrown away
--- @field files table|false array of files that are made of strings: fs/files.lua
--- @field dns table|false nameservers and search for /etc/resolv.conf
--- @field add_hosts table|false array of lines for /etc/hosts
--- @field target Context|false of an exec process: the container that it joins
--- @field id string|false of an OCI container, for its hooks
--- @field start_socket userdata|false where the first process waits to be started: csrc/init.c
--- @field outlives boolean whether an exec process lives on without the launcher
--- @field kept table|false array of fds that the program gets as 3 and the numbers after it
--- @field debug boolean|function|false where the lines of the trace go
---
--- Prepared: made in the parent before the clone, and gone when the program runs.
--- @field hook table|false the hooks and what they are told: engine/hooks.lua
--- @field child_mode string "fork" or "vfork": engine/spawn.lua
--- @field start_barrier boolean whether init waits until the parent has hold of it
--- @field shares_memory boolean whether the child's memory is the caller's until its exec
--- @field namespaces table array of the names that the child is born in
--- @field joins table|false array of { type, path, about }: namespaces that are there
--- @field plugins table|false the network of CNI: linux/cni/config.lua
--- @field address string|false its address in that network
--- @field name_servers string|false the text of its /etc/resolv.conf
--- @field name_lock userdata|false fd of the file that holds the name
--- @field shares_pids boolean whether its PID namespace is not its own
--- @field user_namespace boolean
--- @field network_namespace boolean
--- @field cgroup_namespace boolean
--- @field time_namespace boolean
--- @field lacks_host boolean whether the caller is root, but not of the host
--- @field maps_itself boolean whether the child writes its maps of ids
--- @field born_in_cgroup boolean
--- @field resolver string|false what the resolver reads where the network is the host's
--- @field leaf table|false of an exec process: its cgroup { path, version }
--- @field view boolean whether the root is an overlay of the host's
--- @field trees table|false mounts that are held for the child: fs/mount_fd.lua
--- @field seccomp table|false { program, flags }
--- @field rdt_groups table|false the directories of its class: linux/intel_rdt.lua
--- @field listener userdata|false where the listener of the filter of system calls is told of it
--- @field image userdata|integer|false the sealed image of init
--- @field channel table|false the fds of the pipe and of the socket: engine/sync.lua
--- @field tell userdata|integer|false where this process says what failed
--- @field trace userdata|integer|false where this process writes the lines of the trace
--- @field nproc integer|false the limit of processes where no cgroup holds it
---
--- Child only: what one of its steps leaves to another.
--- @field sources table|false fds of the volumes' sources: fs/mounts.lua
--- @field root userdata|false fd of the new root
--- @field held table|false fds of /dev, /dev/pts, /proc and /sys as they were mounted
--- @field name_server string|false where programs ask for names: engine/outgoing.lua
--- @field capabilities table|false array of those that the program may have
--- @field passes_on string|false "slave" or "shared": what a bundle has the host's mounts do
--- @field label_files table|false fds by the name of the label
--- @field listener_number integer|false the fd of the listener in the child
--- @field outer_pid integer|false what the child is called outside
--- @field setgroups_denied boolean
--- @field handed integer|false the number of the first fd for init: engine/files.lua
---
--- Running: what the container is held by.
--- @field pid integer|false
--- @field pidfd userdata|false
--- @field undo table what takes everything away: engine/cleanup.lua
--- @field tty userdata|false the master of its terminal
--- @field published table|false array of { address, host_port, port, fd }: engine/ports.lua
--- @field listeners table|false sockets of its network: engine/outgoing.lua
--- @field network_log userdata|false fd of the file
--- @field traffic table|false counters: runtime/network.lua
--- @field attached table|false how it is attached to a network of CNI: engine/attachment.lua
--- @field cgroup table|false its cgroups: linux/cgroup.lua
--- @field memory_counted boolean
--- @field freezer table|false linux/cgroup/freezer.lua
--- @field paused boolean
--- @field execs table set of the contexts of its exec processes: linux/cgroup/processes.lua
--- @field started number|false when the program began to run, by clock_gettime
--- @field warnings table|false errors of hooks that stopped nothing

-- What each field is until it is set. It is shared, so that a container that is held takes little
-- memory: no table in it is changed.
local DEFAULTS <const> = {
  bundle = false, name = false, init = false, announce = false, stop_timeout = false,
  timeout = false, on = false, user = false, userns = false, home_given = false, network = false,
  net_devices = false, rdt = false, namespaces_given = false, neighbours = false, shares_pids =
  false,
  groups = false, sysctl_given = false,
  network_path = false, network_name = false, network_owner = false, name_lock = false,
  pasta = false, published = false, plugins = false, address = false,
  name_servers = false, attached = false,
  privileged = false, devices = false, volumes = {}, volume_fields = {}, first_given = false,
  implied = false, cap_add = false, cap_drop = false, capabilities_given = false,
  asked_capabilities = false, resource = false, stats = false, cpu_limit = false, call = false,
  stream = false, terminal = false, landlock = false, schedule = false, labels = false,
  copy_on_write = false, files = false, dns = false, add_hosts = false, target = false,
  debug = false, id = false, start_socket = false, outlives = false, kept = false, hook = false,
  child_mode = "fork", start_barrier = false, shares_memory = false,
  namespaces = {}, user_namespace = false, network_namespace = false,
  cgroup_namespace = false, time_namespace = false, joins = false, lacks_host = false,
  maps_itself = false, born_in_cgroup = false,
  outgoing = false, name_server = false, listeners = false, network_log = false, traffic = false,
  resolver = false, leaf = false, view = false, trees = false, seccomp = false, image = false,
  channel = false, tell = false, trace = false,
  nproc = false, sources = false, root = false, held = false, capabilities = false,
  rdt_groups = false, label_files = false, listener = false, listener_number = false,
  outer_pid = false, passes_on = false, setgroups_denied = false, handed = false, pid = false,
  pidfd = false, tty = false, cgroup = false, memory_counted = false, freezer = false,
  paused = false, started = false, warnings = false,
}

local metatable = { __index = DEFAULTS }

--- Makes the context of a start.
-- @tparam table asked what config/spec.lua made of the options
-- @tparam table undo a stack of engine/cleanup.lua, which the context's owner runs
-- @treturn Context
function context.new(asked, undo)
  local ctx = setmetatable({ config = asked.config, undo = undo, execs = {} }, metatable)
  for field in pairs(DEFAULTS) do
    ctx[field] = asked[field] or nil
  end
  return ctx
end

-- What only a start asks for.
local START <const> = { "address", "asked_capabilities", "name_lock", "name_servers", "plugins",
  "resolver", "tell", "trees", "trace", "volumes", "volume_fields" }

--- The program runs: forgets what only the start asked for.
-- @tparam Context ctx
function context.started(ctx)
  for _, field in ipairs(START) do
    ctx[field] = nil
  end
  ctx.config.mounts, ctx.config.linux.namespaces = nil, nil
end

return context
