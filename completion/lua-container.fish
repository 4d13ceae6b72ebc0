# Completion of lua-container for fish.
# Made by docs/generate.lua from lua/container/config/options/.

# Prints the command and its arguments; fails where there is none yet.
function __lua_container_command
    set -l tokens (commandline -opc) (commandline -ct)
    set -e tokens[1]
    argparse -s name=+ rootfs=+ h/hostname=+ domainname=+ annotation=+ sysctl=+ time-offset=+ read-only v/volume=+ tmpfs=+ file=+ shm-size=+ add-host=+ dns=+ dns-search=+ network=+ net=+ pid=+ ipc=+ uts=+ no-init q/quiet debug e/env=+ env-file=+ w/workdir=+ u/user=+ group-add=+ umask=+ scheduler=+ io-priority=+ personality=+ t/tty timeout=+ stop-timeout=+ ulimit=+ p/publish=+ allow=+ connections=+ network-log=+ pids-limit=+ m/memory=+ memory-swap=+ memory-reservation=+ cpus=+ cpu-shares=+ cpuset-cpus=+ cpuset-mems=+ device-read-bps=+ device-write-bps=+ device-read-iops=+ device-write-iops=+ blkio-weight=+ cgroup-conf=+ oom-score-adj=+ stats'=?' device=+ userns=+ cap-add=+ cap-drop=+ security-opt=+ landlock=+ privileged i/interactive rm init plan features help version -- $tokens 2>/dev/null
    or return 1
    test -n "$argv[1]"
    and not string match -qr '^-' -- $argv[1]
    and string join0 -- $argv
end

function __lua_container_no_command
    not __lua_container_command >/dev/null
end

function __lua_container_subcommand
    set -l args (__lua_container_command | string split0)
    __fish_complete_subcommand --commandline $args
end

complete -c lua-container -x -n 'not __lua_container_no_command' -a '(__lua_container_subcommand)'
complete -c lua-container -x -n __lua_container_no_command -a '(__fish_complete_command)'
complete -c lua-container -n __lua_container_no_command -l name -x -d 'Name of the container, unique among your running containers.'
complete -c lua-container -n __lua_container_no_command -l rootfs -x -a '(__fish_complete_directories)' -d 'Directory that becomes the root; with :O what is written in it is thrown away.'
complete -c lua-container -n __lua_container_no_command -l hostname -s h -x -d 'Host name, 1 to 64 bytes.'
complete -c lua-container -n __lua_container_no_command -l domainname -x -d 'NIS domain name, 1 to 64 bytes.'
complete -c lua-container -n __lua_container_no_command -l annotation -x -d 'Set an annotation, which the state that hooks get has.'
complete -c lua-container -n __lua_container_no_command -l sysctl -x -d 'Set a setting of the kernel that the container\'s namespaces have, such as net.ipv4.ip_forward=1.'
complete -c lua-container -n __lua_container_no_command -l time-offset -x -a 'monotonic= boottime=' -d 'Move a clock of the container, monotonic or boottime, relative to the host\'s.'
complete -c lua-container -n __lua_container_no_command -l read-only -d 'Make the root read-only.'
complete -c lua-container -n __lua_container_no_command -l volume -s v -r -F -d 'Mount a file or directory of the host at DST; options: rw, ro, rro, O, idmap, rslave, rshared.'
complete -c lua-container -n __lua_container_no_command -l tmpfs -x -d 'Mount an empty tmpfs at DST, with options such as size=1M,exec.'
complete -c lua-container -n __lua_container_no_command -l file -x -d 'Put a read-only file at DST, with what PATH has now, or standard input.'
complete -c lua-container -n __lua_container_no_command -l shm-size -x -d 'Size of /dev/shm.'
complete -c lua-container -n __lua_container_no_command -l add-host -x -d 'Add a name and its address to /etc/hosts.'
complete -c lua-container -n __lua_container_no_command -l dns -x -d 'Ask this server for names, instead of those of the network.'
complete -c lua-container -n __lua_container_no_command -l dns-search -x -d 'Look names without a dot up in this domain.'
complete -c lua-container -n __lua_container_no_command -l network -x -a 'none host pasta ns: container:' -d 'Network: none has only loopback; host is the host\'s own; pasta has a way out; ns:PATH and container:NAME join one that is there; another word is one of CNI.'
complete -c lua-container -n __lua_container_no_command -l net -x -d 'As --network.'
complete -c lua-container -n __lua_container_no_command -l pid -x -a 'private host container:' -d 'PID namespace: private; host; a pid; a path; or container:NAME.'
complete -c lua-container -n __lua_container_no_command -l ipc -x -a 'private host container:' -d 'IPC namespace, as --pid.'
complete -c lua-container -n __lua_container_no_command -l uts -x -a 'private host container:' -d 'UTS namespace, that of the host name, as --pid.'
complete -c lua-container -n __lua_container_no_command -l no-init -d 'Make COMMAND pid 1 itself, without an init.'
complete -c lua-container -n __lua_container_no_command -l quiet -s q -d 'Do not print what runs.'
complete -c lua-container -n __lua_container_no_command -l debug -d 'Print every step of the start on standard error.'
complete -c lua-container -n __lua_container_no_command -l env -s e -x -a '(set -nx)' -d 'Set an environment variable; without a value, copy the caller\'s.'
complete -c lua-container -n __lua_container_no_command -l env-file -r -F -d 'Set the variables in FILE: a line NAME=VALUE or NAME for each.'
complete -c lua-container -n __lua_container_no_command -l workdir -s w -x -d 'Working directory, an absolute path in the container.'
complete -c lua-container -n __lua_container_no_command -l user -s u -x -a '(__fish_complete_users)' -d 'User and group that run the program, by name or id.'
complete -c lua-container -n __lua_container_no_command -l group-add -x -d 'Add a group to those of the program, by name or id.'
complete -c lua-container -n __lua_container_no_command -l umask -x -d 'Permission bits that new files of the program do not get.'
complete -c lua-container -n __lua_container_no_command -l scheduler -x -a 'batch idle fifo: rr:' -d 'Scheduling policy of the program: other, batch, idle, fifo:N or rr:N.'
complete -c lua-container -n __lua_container_no_command -l io-priority -x -a 'be: idle rt:' -d 'When disks serve the program: rt:N, be:N or idle, with N from 0 to 7.'
complete -c lua-container -n __lua_container_no_command -l personality -x -a 'linux linux32' -d 'The machine that the program sees: linux32 is a 32-bit one.'
complete -c lua-container -n __lua_container_no_command -l tty -s t -d 'Allocate a terminal, also if the standard streams are none.'
complete -c lua-container -n __lua_container_no_command -l timeout -x -d 'Send TERM to the program after this time; 0 is no limit.'
complete -c lua-container -n __lua_container_no_command -l stop-timeout -x -d 'Kill all processes this long after TERM.'
complete -c lua-container -n __lua_container_no_command -l ulimit -x -a 'as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= rtprio= rttime= sigpending= stack=' -d 'Limits of each process, such as nofile=64 or fsize=10M.'
complete -c lua-container -n __lua_container_no_command -l publish -s p -x -d 'Publish a TCP port of the container on the host, at 127.0.0.1 if no address is given.'
complete -c lua-container -n __lua_container_no_command -l allow -x -d 'Allow TCP connections to a host by its name; the ports are 80 and 443 if left out.'
complete -c lua-container -n __lua_container_no_command -l connections -x -d 'Maximum number of outgoing connections at once; further ones wait.'
complete -c lua-container -n __lua_container_no_command -l network-log -r -F -d 'Append a line of JSON to a file for each name and connection, allowed or refused.'
complete -c lua-container -n __lua_container_no_command -l pids-limit -x -d 'Maximum number of processes; max and -1 are no limit.'
complete -c lua-container -n __lua_container_no_command -l memory -s m -x -d 'Maximum memory, such as 64M; a container that needs more is killed.'
complete -c lua-container -n __lua_container_no_command -l memory-swap -x -d 'Maximum of memory and swap together; -1 is no limit.'
complete -c lua-container -n __lua_container_no_command -l memory-reservation -x -d 'Memory that the kernel leaves to the container when the host is short of it.'
complete -c lua-container -n __lua_container_no_command -l cpus -x -d 'Maximum processor time, in processors, such as 0.5.'
complete -c lua-container -n __lua_container_no_command -l cpu-shares -x -d 'Share of processor time under load, relative to others, 2 to 262144.'
complete -c lua-container -n __lua_container_no_command -l cpuset-cpus -x -d 'Processors that may be used, such as 0-2,7.'
complete -c lua-container -n __lua_container_no_command -l cpuset-mems -x -d 'Memory nodes that may be used, such as 0-1.'
complete -c lua-container -n __lua_container_no_command -l device-read-bps -r -F -d 'Maximum bytes a second read from a disk.'
complete -c lua-container -n __lua_container_no_command -l device-write-bps -r -F -d 'Maximum bytes a second written to a disk.'
complete -c lua-container -n __lua_container_no_command -l device-read-iops -r -F -d 'Maximum reads a second from a disk.'
complete -c lua-container -n __lua_container_no_command -l device-write-iops -r -F -d 'Maximum writes a second to a disk.'
complete -c lua-container -n __lua_container_no_command -l blkio-weight -x -d 'Share of disk time under load, relative to others, 10 to 1000.'
complete -c lua-container -n __lua_container_no_command -l cgroup-conf -x -d 'Write a file of a cgroup v2 controller, such as memory.high=32M.'
complete -c lua-container -n __lua_container_no_command -l oom-score-adj -x -d 'Adjust how early the kernel kills it when the host is out of memory, -1000 to 1000.'
complete -c lua-container -n __lua_container_no_command -l stats -a 'json' -d 'Show the usage in a line, and at the end; =json prints numbers at the end.'
complete -c lua-container -n __lua_container_no_command -l device -r -F -d 'Add a device of the host, at DST below /dev.'
complete -c lua-container -n __lua_container_no_command -l userns -x -a 'auto subid' -d 'User namespace: auto has 65536 ids of its own, for root; subid has those of /etc/subuid, for others.'
complete -c lua-container -n __lua_container_no_command -l cap-add -x -a 'ALL CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE' -d 'Add a capability to the default set; ALL adds every one.'
complete -c lua-container -n __lua_container_no_command -l cap-drop -x -a 'ALL CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE' -d 'Remove a capability; ALL removes every one.'
complete -c lua-container -n __lua_container_no_command -l security-opt -x -a 'no-new-privileges=false seccomp=unconfined seccomp=' -d 'Let set-user-ID programs gain privileges.'
complete -c lua-container -n __lua_container_no_command -l landlock -x -a 'read= write=' -d 'Allow reading and executing only below the paths that are given; repeatable.'
complete -c lua-container -n __lua_container_no_command -l privileged -d 'Give all capabilities, and all of /proc and /sys, writable.'
complete -c lua-container -n __lua_container_no_command -l interactive -s i -d 'Accepted, as docker\'s; standard input is always open.'
complete -c lua-container -n __lua_container_no_command -l rm -d 'Accepted, as docker\'s; nothing of a container stays.'
complete -c lua-container -n __lua_container_no_command -l init -d 'Accepted, as docker\'s; there is an init unless --no-init says otherwise.'
complete -c lua-container -n __lua_container_no_command -l plan -d 'Print the steps that the start would take, and do nothing.'
complete -c lua-container -n __lua_container_no_command -l features -d 'Print as JSON what this kernel lets this user do.'
complete -c lua-container -n __lua_container_no_command -l help -d 'Print this text.'
complete -c lua-container -n __lua_container_no_command -l version -d 'Print the version.'
