---@meta container

-- Editor types of lua-container, in the form of LuaCATS. Made by docs/generate.lua.

---@alias container.Hook fun(state: table)|container.HookProgram
---@alias container.Input "inherit"|"null"|"pipe"|string|string[]|(fun(): string?)|file*|integer
---@alias container.Output "inherit"|"null"|"capture"|"pipe"|(fun(piece: string))|file*|integer

--- The options of container.run and container.spawn.
---@class container.Options
---@field [integer] string The command and its arguments.
---@field name? string Name of the container, unique among your running containers.
---@field rootfs? string Directory that becomes the root; with :O what is written in it is thrown away. Default: an overlay of the host's root.
---@field hostname? string Host name, 1 to 64 bytes. Default: container.
---@field domainname? string NIS domain name, 1 to 64 bytes.
---@field annotations? table<string, string> Set an annotation, which the state that hooks get has.
---@field sysctl? table<string, string|integer> Set a setting of the kernel that the container's namespaces have, such as net.ipv4.ip_forward=1.
---@field time_offsets? table<string, number> Move a clock of the container, monotonic or boottime, relative to the host's. In seconds.
---@field readonly? boolean Make the root read-only. Default: false.
---@field volumes? string[]|table<string, { bind: string, mode?: string }> Mount a file or directory of the host at DST; options: rw, ro, rro, O, idmap, rslave, rshared.
---@field tmpfs? string[]|table<string, string> Mount an empty tmpfs at DST, with options such as size=1M,exec.
---@field files? table<string, string|{ content: string, mode?: integer, user?: string }> Put a read-only file at DST, with what PATH has now, or standard input.
---@field shm_size? integer|string Size of /dev/shm. In bytes. Default: 64M.
---@field add_hosts? string[] Add a name and its address to /etc/hosts.
---@field dns? string[] Ask this server for names, instead of those of the network.
---@field dns_search? string[] Look names without a dot up in this domain.
---@field network? string Network: "none" has only loopback; "host" is the host's own; "pasta" has a way out; "ns:PATH" and "container:NAME" join one that is there; another word is one of CNI. Default: none.
---@field namespaces? table<string, string|integer> Namespaces that are not the container's own, by ipc, pid, time or uts.
---@field init? boolean Run a small init as pid 1; with false the program is pid 1. Default: true.
---@field hooks? container.Hooks Functions and programs to run at moments of the container's life.
---@field announce? boolean Print on standard error what runs, and its pid. Default: false.
---@field debug? boolean|fun(line: string) Trace every step of the start on standard error, or call the function with each line. Default: false.
---@field env? string[]|table<string, string> Environment variables to set, beside the default ones. Default: PATH, HOME, HOSTNAME and TERM.
---@field cwd? string Working directory, an absolute path in the container. Default: /.
---@field user? string User and group that run the program, by name or id. Default: root.
---@field additional_groups? (string|integer)[] Add a group to those of the program, by name or id.
---@field umask? string|integer Permission bits that new files of the program do not get. Default: 022.
---@field scheduler? string Scheduling policy of the program: other, batch, idle, fifo:N or rr:N.
---@field io_priority? string When disks serve the program: rt:N, be:N or idle, with N from 0 to 7.
---@field personality? "linux"|"linux32" The machine that the program sees: linux32 is a 32-bit one.
---@field tty? boolean|"auto"|{ height: integer, width: integer } Allocate a terminal for the standard streams; takes container.spawn. Default: false.
---@field stdin? container.Input Standard input. Default: inherit.
---@field stdout? container.Output Standard output. Default: inherit.
---@field stderr? container.Output|"stdout" Standard error: as `stdout`; "stdout" sends it there. Default: inherit.
---@field output_limit? integer How much is kept of each captured stream, and how much `read "a"` of a stream takes. In bytes. Default: 16 MiB.
---@field timeout? number Send TERM to the program after this time; 0 is no limit. In seconds. Default: no limit.
---@field stop_timeout? number Kill all processes this long after TERM. In seconds. Default: 1.
---@field rlimits? table<string, integer|string|{ soft?: integer, hard?: integer }> Limits of each process, such as nofile=64 or fsize=10M.
---@field on? container.Events Functions to call for events, while the caller waits for the container.
---@field publish? (string|{ address?: string, host_port?: integer, port: integer })[] Publish a TCP port of the container on the host, at 127.0.0.1 if no address is given. Default: none.
---@field allow? string[] Allow TCP connections to a host by its name; the ports are 80 and 443 if left out. Default: none.
---@field connections? integer Maximum number of outgoing connections at once; further ones wait. Default: 256.
---@field network_log? string|fun(event: container.NetworkEvent) Append a line of JSON to a file for each name and connection, allowed or refused.
---@field pids? integer|"max" Maximum number of processes; max and -1 are no limit. In processes. Default: 20.
---@field memory? integer|string Maximum memory, such as 64M; a container that needs more is killed. In bytes. Default: no limit.
---@field memory_swap? integer|string Maximum of memory and swap together; -1 is no limit. In bytes. Default: twice the memory.
---@field memory_reservation? integer|string Memory that the kernel leaves to the container when the host is short of it. In bytes.
---@field cpus? number|"max" Maximum processor time, in processors, such as 0.5. In processors. Default: all.
---@field cpu_weight? integer Share of processor time under load, relative to others, 2 to 262144. Default: 1024.
---@field cpuset_cpus? string Processors that may be used, such as 0-2,7. Default: all.
---@field cpuset_mems? string Memory nodes that may be used, such as 0-1. Default: all.
---@field io? table<string, container.IoRates> Maximum rates of disks, by the path of the device.
---@field io_weight? integer Share of disk time under load, relative to others, 10 to 1000.
---@field hugepages? table<string, integer|string> Maximum memory in huge pages, by page size, such as { ["2MB"] = "64M" }. In bytes.
---@field unified? table<string, string|integer> Write a file of a cgroup v2 controller, such as memory.high=32M.
---@field oom_score_adj? integer Adjust how early the kernel kills it when the host is out of memory, -1000 to 1000. Default: the caller's.
---@field stats? boolean Count everything that c:stats() can report. Default: false.
---@field devices? string[] Add a device of the host, at DST below /dev.
---@field userns? "auto"|"subid" User namespace: auto has 65536 ids of its own, for root; subid has those of /etc/subuid, for others. Default: none for root; one with the caller's id for others.
---@field capabilities? string[] The whole set of capabilities that root has. Default: docker's without CAP_MKNOD.
---@field cap_add? string[] Add a capability to the default set; ALL adds every one.
---@field cap_drop? string[] Remove a capability; ALL removes every one.
---@field no_new_privileges? boolean Keep set-user-ID programs from gaining privileges. Default: true.
---@field seccomp? false|string|table System call filter: "default", the path of a JSON profile, or a table as OCI's. Default: default.
---@field landlock? { read?: string[], write?: string[] } Allow the program to read and execute, or also to write, only below these paths.
---@field privileged? boolean Give all capabilities, and all of /proc and /sys, writable. Default: false.
---@field masked_paths? string[] Absolute paths in the container that are hidden. Default: OCI's list.
---@field readonly_paths? string[] Absolute paths in the container that are read-only. Default: OCI's list.

--- The options of container.call and container.spawn_call.
---@class container.CallOptions
---@field name? string Name of the container, unique among your running containers.
---@field rootfs? string Directory that becomes the root; with :O what is written in it is thrown away. Default: an overlay of the host's root.
---@field hostname? string Host name, 1 to 64 bytes. Default: container.
---@field domainname? string NIS domain name, 1 to 64 bytes.
---@field annotations? table<string, string> Set an annotation, which the state that hooks get has.
---@field sysctl? table<string, string|integer> Set a setting of the kernel that the container's namespaces have, such as net.ipv4.ip_forward=1.
---@field time_offsets? table<string, number> Move a clock of the container, monotonic or boottime, relative to the host's. In seconds.
---@field readonly? boolean Make the root read-only. Default: false.
---@field volumes? string[]|table<string, { bind: string, mode?: string }> Mount a file or directory of the host at DST; options: rw, ro, rro, O, idmap, rslave, rshared.
---@field tmpfs? string[]|table<string, string> Mount an empty tmpfs at DST, with options such as size=1M,exec.
---@field files? table<string, string|{ content: string, mode?: integer, user?: string }> Put a read-only file at DST, with what PATH has now, or standard input.
---@field shm_size? integer|string Size of /dev/shm. In bytes. Default: 64M.
---@field add_hosts? string[] Add a name and its address to /etc/hosts.
---@field dns? string[] Ask this server for names, instead of those of the network.
---@field dns_search? string[] Look names without a dot up in this domain.
---@field network? string Network: "none" has only loopback; "host" is the host's own; "pasta" has a way out; "ns:PATH" and "container:NAME" join one that is there; another word is one of CNI. Default: none.
---@field namespaces? table<string, string|integer> Namespaces that are not the container's own, by ipc, pid, time or uts.
---@field announce? boolean Print on standard error what runs, and its pid. Default: false.
---@field debug? boolean|fun(line: string) Trace every step of the start on standard error, or call the function with each line. Default: false.
---@field env? string[]|table<string, string> Environment variables to set, beside the default ones. Default: PATH, HOME, HOSTNAME and TERM.
---@field cwd? string Working directory, an absolute path in the container. Default: /.
---@field user? string User and group that run the program, by name or id. Default: root.
---@field additional_groups? (string|integer)[] Add a group to those of the program, by name or id.
---@field umask? string|integer Permission bits that new files of the program do not get. Default: 022.
---@field scheduler? string Scheduling policy of the program: other, batch, idle, fifo:N or rr:N.
---@field io_priority? string When disks serve the program: rt:N, be:N or idle, with N from 0 to 7.
---@field personality? "linux"|"linux32" The machine that the program sees: linux32 is a 32-bit one.
---@field stdin? container.Input Standard input. Default: inherit.
---@field stdout? container.Output Standard output. Default: inherit.
---@field stderr? container.Output|"stdout" Standard error: as `stdout`; "stdout" sends it there. Default: inherit.
---@field output_limit? integer How much is kept of each captured stream, and how much `read "a"` of a stream takes. In bytes. Default: 16 MiB.
---@field timeout? number Send TERM to the program after this time; 0 is no limit. In seconds. Default: no limit.
---@field stop_timeout? number Kill all processes this long after TERM. In seconds. Default: 1.
---@field rlimits? table<string, integer|string|{ soft?: integer, hard?: integer }> Limits of each process, such as nofile=64 or fsize=10M.
---@field on? container.Events Functions to call for events, while the caller waits for the container.
---@field result_limit? integer How large the values that the function returns may be. In bytes. Default: 16 MiB.
---@field publish? (string|{ address?: string, host_port?: integer, port: integer })[] Publish a TCP port of the container on the host, at 127.0.0.1 if no address is given. Default: none.
---@field allow? string[] Allow TCP connections to a host by its name; the ports are 80 and 443 if left out. Default: none.
---@field connections? integer Maximum number of outgoing connections at once; further ones wait. Default: 256.
---@field network_log? string|fun(event: container.NetworkEvent) Append a line of JSON to a file for each name and connection, allowed or refused.
---@field pids? integer|"max" Maximum number of processes; max and -1 are no limit. In processes. Default: 20.
---@field memory? integer|string Maximum memory, such as 64M; a container that needs more is killed. In bytes. Default: no limit.
---@field memory_swap? integer|string Maximum of memory and swap together; -1 is no limit. In bytes. Default: twice the memory.
---@field memory_reservation? integer|string Memory that the kernel leaves to the container when the host is short of it. In bytes.
---@field cpus? number|"max" Maximum processor time, in processors, such as 0.5. In processors. Default: all.
---@field cpu_weight? integer Share of processor time under load, relative to others, 2 to 262144. Default: 1024.
---@field cpuset_cpus? string Processors that may be used, such as 0-2,7. Default: all.
---@field cpuset_mems? string Memory nodes that may be used, such as 0-1. Default: all.
---@field io? table<string, container.IoRates> Maximum rates of disks, by the path of the device.
---@field io_weight? integer Share of disk time under load, relative to others, 10 to 1000.
---@field hugepages? table<string, integer|string> Maximum memory in huge pages, by page size, such as { ["2MB"] = "64M" }. In bytes.
---@field unified? table<string, string|integer> Write a file of a cgroup v2 controller, such as memory.high=32M.
---@field oom_score_adj? integer Adjust how early the kernel kills it when the host is out of memory, -1000 to 1000. Default: the caller's.
---@field stats? boolean Count everything that c:stats() can report. Default: false.
---@field devices? string[] Add a device of the host, at DST below /dev.
---@field userns? "auto"|"subid" User namespace: auto has 65536 ids of its own, for root; subid has those of /etc/subuid, for others. Default: none for root; one with the caller's id for others.
---@field capabilities? string[] The whole set of capabilities that root has. Default: docker's without CAP_MKNOD.
---@field cap_add? string[] Add a capability to the default set; ALL adds every one.
---@field cap_drop? string[] Remove a capability; ALL removes every one.
---@field no_new_privileges? boolean Keep set-user-ID programs from gaining privileges. Default: true.
---@field seccomp? false|string|table System call filter: "default", the path of a JSON profile, or a table as OCI's. Default: default.
---@field landlock? { read?: string[], write?: string[] } Allow the program to read and execute, or also to write, only below these paths.
---@field privileged? boolean Give all capabilities, and all of /proc and /sys, writable. Default: false.
---@field masked_paths? string[] Absolute paths in the container that are hidden. Default: OCI's list.
---@field readonly_paths? string[] Absolute paths in the container that are read-only. Default: OCI's list.

--- The options of c:exec.
---@class container.ExecOptions
---@field [integer] string The command and its arguments.
---@field debug? boolean|fun(line: string) Trace every step of the start on standard error, or call the function with each line. Default: false.
---@field env? string[]|table<string, string> Environment variables to set, beside the default ones. Default: PATH, HOME, HOSTNAME and TERM.
---@field cwd? string Working directory, an absolute path in the container. Default: /.
---@field user? string User and group that run the program, by name or id. Default: root.
---@field scheduler? string Scheduling policy of the program: other, batch, idle, fifo:N or rr:N.
---@field io_priority? string When disks serve the program: rt:N, be:N or idle, with N from 0 to 7.
---@field tty? boolean|"auto"|{ height: integer, width: integer } Allocate a terminal for the standard streams; takes container.spawn. Default: false.
---@field stdin? container.Input Standard input. Default: inherit.
---@field stdout? container.Output Standard output. Default: inherit.
---@field stderr? container.Output|"stdout" Standard error: as `stdout`; "stdout" sends it there. Default: inherit.
---@field output_limit? integer How much is kept of each captured stream, and how much `read "a"` of a stream takes. In bytes. Default: 16 MiB.
---@field timeout? number Send TERM to the program after this time; 0 is no limit. In seconds. Default: no limit.
---@field stop_timeout? number Kill all processes this long after TERM. In seconds. Default: 1.
---@field on? container.Events Functions to call for events, while the caller waits for the container.
---@field capabilities? string[] The whole set of capabilities that root has. Default: docker's without CAP_MKNOD.
---@field cap_drop? string[] Remove a capability; ALL removes every one.

--- The options of c:update.
---@class container.UpdateOptions
---@field pids? integer|"max" Maximum number of processes; max and -1 are no limit. In processes. Default: 20.
---@field memory? integer|string Maximum memory, such as 64M; a container that needs more is killed. In bytes. Default: no limit.
---@field memory_swap? integer|string Maximum of memory and swap together; -1 is no limit. In bytes. Default: twice the memory.
---@field memory_reservation? integer|string Memory that the kernel leaves to the container when the host is short of it. In bytes.
---@field cpus? number|"max" Maximum processor time, in processors, such as 0.5. In processors. Default: all.
---@field cpu_weight? integer Share of processor time under load, relative to others, 2 to 262144. Default: 1024.
---@field cpuset_cpus? string Processors that may be used, such as 0-2,7. Default: all.
---@field cpuset_mems? string Memory nodes that may be used, such as 0-1. Default: all.
---@field io? table<string, container.IoRates> Maximum rates of disks, by the path of the device.
---@field io_weight? integer Share of disk time under load, relative to others, 10 to 1000.
---@field hugepages? table<string, integer|string> Maximum memory in huge pages, by page size, such as { ["2MB"] = "64M" }. In bytes.
---@field unified? table<string, string|integer> Write a file of a cgroup v2 controller, such as memory.high=32M.

--- Hooks by the moment at which they run.
---@class container.Hooks
---@field prestart? container.Hook[] After the namespaces are made, in the parent.
---@field createRuntime? container.Hook[] After prestart, in the parent.
---@field createContainer? container.Hook[] In the container, before its root changes.
---@field startContainer? container.Hook[] In the container, before the program runs.
---@field poststart? container.Hook[] After the program has started, in the parent.
---@field poststop? container.Hook[] After the container has ended, in the parent.

--- A program that is a hook.
---@class container.HookProgram
---@field path string Absolute path of the program.
---@field args? string[] Its arguments, from the program's name on.
---@field env? string[] Its environment, as NAME=value.
---@field timeout? number Seconds after which it is killed.

--- Functions that are called for events.
---@class container.Events
---@field exit? fun(c: container.Container, result: container.Result) It has ended.
---@field output? fun(c: container.Container, name: string, piece: string) A piece of captured output came.
---@field timeout? fun(c: container.Container) The time limit has passed.
---@field oom? fun(c: container.Container) The memory limit killed a process.
---@field connect? fun(c: container.Container, request: container.Request): boolean|string?, integer? Whether an outgoing connection may be made; or an address and a port instead.

--- An outgoing connection.
---@class container.Request
---@field name string? The host by the name that was asked for; nil for an address.
---@field address string? Its first address outside; nil if it has none that is allowed.
---@field port integer The port.
---@field protocol "tcp" The protocol.

--- A published port.
---@class container.Port
---@field address string The address on the host.
---@field host_port integer The port on the host.
---@field port integer The port in the container.

--- A decision about a name or a connection.
---@class container.NetworkEvent
---@field event "name"|"connect"|"end" A name was asked for, a connection was begun, or it has ended.
---@field time string When, as 2026-12-01T12:00:00Z.
---@field container string? The name of the container.
---@field name string? The host by its name.
---@field address string? The address that was connected to.
---@field port integer? The port.
---@field protocol "tcp"? Of a connection.
---@field allowed boolean? What was decided; nil at the end.
---@field reason string? Why it was refused, or has failed.
---@field sent integer? At the end, the bytes that went out.
---@field received integer? At the end, the bytes that came in.

--- Maximum rates of a disk.
---@class container.IoRates
---@field read_bps? integer|string Bytes a second.
---@field write_bps? integer|string Bytes a second.
---@field read_iops? integer Reads a second.
---@field write_iops? integer Writes a second.

--- A step of a start, as container.plan lists it.
---@class container.Step
---@field name string Its name.
---@field side "prepare"|"parent"|"child" Where it runs.
---@field why string Why it is there.
---@field needs string[] The steps that have to come before it.

--- An error. `tostring` and `..` make one sentence of it.
---@class container.Error
---@field step string What was being done: "spec" for a wrong option, else a step.
---@field subject string The option or the file.
---@field errno integer? The number of the kernel's refusal.
---@field message string The reason.
---@field reason string? Of a call: why there are no values, such as "error".
---@field value any Of a call: the error of the function, if it is not a string.
---@field result container.Result? The result of the container, if it ran.

--- Processor time.
---@class container.Cpu
---@field user number Seconds in programs.
---@field system number Seconds in the kernel.

--- How a container ended.
---@class container.Result
---@field reason "exit"|"signal"|"timeout"|"rlimit"|"oom"|"seccomp" Why it ended.
---@field status integer The exit status, or 128 and the number of the signal.
---@field signal string? The name of the signal, such as "KILL".
---@field wall number Seconds from the start of the program to its end.
---@field cpu container.Cpu Seconds of processor time of all processes.
---@field memory_peak integer? Bytes, of all processes where the memory is counted, else of the largest process; nil without an init.
---@field pids_refused integer? How many forks the limit of processes refused.
---@field pids_limit integer? That limit, where a cgroup holds it.
---@field oom_kills integer? How many processes the memory limit killed.
---@field stats container.Stats? With `stats = true`: the last value of c:stats().
---@field warnings container.Error[]? Errors of hooks that ran too late to stop anything.
---@field stdout string? Captured output.
---@field stdout_size integer? How many bytes came, also those that were not kept.
---@field stderr string? Captured output.
---@field stderr_size integer? How many bytes came, also those that were not kept.

--- What a container uses. What is not counted is nil.
---@class container.Stats
---@field cpu table? usage, user, system and throttled in seconds; periods, throttled_periods.
---@field memory table? current, peak, limit, cache, anon and kernel in bytes; oom_kills.
---@field pids table? current, peak and limit in processes; refused in forks.
---@field io table? By device, as "8:0": read_bytes, write_bytes, read_operations and write_operations.
---@field network table? With `allow`: connections, accepted, refused, names, names_refused; sent and received in bytes.
---@field pressure table? cpu, memory and io, each some and full. cgroup v2 only.

--- A pipe to or from a container, or its terminal.
---@class container.Stream
local Stream = {}

--- Reads as Lua's files do, with at most `limit` bytes for a line.
---@param format? string|integer As of file:read; "l".
---@param limit? integer Bytes; 1 MiB for a line, output_limit for "a".
---@return string? text
---@return container.Error? err
function Stream:read(format, limit) end

--- Reads what is there now.
---@param size? integer Bytes at most; 65536.
---@return string|false|nil text
---@return container.Error? err
function Stream:readsome(size) end

--- Iterates over the lines.
---@param format? string|integer As of file:lines; "l".
---@param limit? integer Bytes of a line; 1 MiB.
---@return fun(): string? iterator
function Stream:lines(format, limit) end

--- Writes strings and numbers.
---@param ... string|number What is written.
---@return container.Stream|false|nil stream
---@return container.Error|integer|nil written
function Stream:write(...) end

--- Closes the stream.
---@return true? ok
---@return container.Error? err
function Stream:close() end

--- Changes the size of a terminal.
---@param height integer Rows.
---@param width integer Columns.
---@return true? ok
---@return container.Error? err
function Stream:resize(height, width) end

--- Returns the number of its fd, for event loops.
---@return integer? fd
---@return container.Error? err
function Stream:fileno() end

--- Returns its fd, for container.ppoll.
---@return userdata fd
function Stream:fd() end

--- A running container, or a further process in one. It ends with its object.
---@class container.Container
---@field pid integer The pid of the child on the host.
---@field name string? Its name.
---@field container container.Container? Of a further process: its container.
---@field stdin container.Stream? With stdin = "pipe".
---@field stdout container.Stream? With stdout = "pipe".
---@field stderr container.Stream? With stderr = "pipe".
---@field tty container.Stream? With `tty`: the master of the terminal.
local Container = {}

--- Waits for the end; of spawn_call it returns the function's values.
---@param seconds? number How long to wait at most.
---@return container.Result? result
---@return container.Error? err
function Container:wait(seconds) end

--- Serves the container without waiting: false while it runs.
---@return container.Result|boolean|nil result
---@return container.Error? err
function Container:poll() end

--- Sends TERM, and kills everything after the stop timeout.
---@param signal? string|integer Another signal than TERM.
---@return true? ok
---@return container.Error? err
function Container:stop(signal) end

--- Sends a signal.
---@param signal string|integer Name or number.
---@return true? ok
---@return container.Error? err
function Container:kill(signal) end

--- Starts a further process in the container.
---@param options container.ExecOptions The command and the options.
---@return container.Container? object
---@return container.Error? err
function Container:exec(options) end

--- Lists the pids of all processes, as the caller sees them.
---@return integer[]? pids
---@return container.Error? err
function Container:processes() end

--- Tells which ports are published.
---@return container.Port[] ports
function Container:ports() end

--- Has the plugins of CNI check the network.
---@return true? ok
---@return container.Error? err
function Container:check_network() end

--- Freezes all processes.
---@return true? ok
---@return container.Error? err
function Container:pause() end

--- Thaws all processes.
---@return true? ok
---@return container.Error? err
function Container:resume() end

--- Returns what it uses.
---@return container.Stats? stats
---@return container.Error? err
function Container:stats() end

--- Sets new limits: all of them, or none.
---@param options container.UpdateOptions The limits.
---@return true? ok
---@return container.Error? err
function Container:update(options) end

--- After how many seconds `poll` should be called at the latest.
---@return number? seconds
function Container:due_in() end

--- Returns the number of an fd for event loops.
---@return integer? fd
---@return container.Error? err
function Container:fileno() end

--- Returns that fd, for container.ppoll.
---@return userdata? fd
---@return container.Error? err
function Container:fd() end

--- Lets it run without its object, as long as the caller lives.
---@return container.Container object
function Container:detach() end

--- Kills everything, and removes what was made for it.
function Container:close() end

---@class container
---@field _VERSION string
local container = {}

--- Runs a container to its end.
---@param options container.Options The command and the options.
---@return container.Result? result
---@return container.Error? err
function container.run(options) end

--- Starts a container, and does not wait for it.
---@param options container.Options The command and the options.
---@return container.Container? object
---@return container.Error? err
function container.spawn(options) end

--- Runs a function in a container, and returns its values.
---@param options container.CallOptions The options, without a command.
---@param fn fun(...): ... The function.
---@param ... any Its arguments.
---@return any ...
function container.call(options, fn, ...) end

--- Starts a function in a container; `wait` returns its values.
---@param options container.CallOptions The options, without a command.
---@param fn fun(...): ... The function.
---@param ... any Its arguments.
---@return container.Container? object
---@return container.Error? err
function container.spawn_call(options, fn, ...) end

--- Serves many containers until at least one of them has ended.
---@param list container.Container[] The containers.
---@param seconds? number How long to wait at most.
---@return container.Container[]? ended
---@return container.Error? err
function container.poll(list, seconds) end

--- Tries what this kernel lets this user do.
---@param format? "json" Return JSON text instead of a table.
---@return table|string features
function container.features(format) end

--- Lists the steps of a start, and does nothing.
---@param options container.Options The command and the options.
---@return container.Step[]? steps
---@return container.Error? err
function container.plan(options) end

return container
