-- Why each system call of a start is made: for syscalls.lua, in the order of trace.lua. A line of
-- strace that has one of the patterns begins a reason; calls of those that the reason `takes` go
-- on with it until another begins.

local FILE <const> = "newfstatat read close lseek openat dup3"

return {
  {
    title = "the launcher",
    { "^brk", "^mmap%(NULL, %d+, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS", aside = true,
      text = "memory: libc's, and the heap of Lua as it grows" },
    { "^execve", text = "the kernel executes `lua5.4`; ld.so looks for the libraries that it is "
      .. "linked with, as Debian does it: readline, tinfo, m, c; an open, a read of its head, a "
      .. "stat, four or five maps and a close for each; then libc sets itself up",
      takes = "access openat newfstatat mmap close read pread64 arch_prctl set_tid_address "
      .. "set_robust_list rseq mprotect prlimit64 munmap getrandom" },
    { '"run%.lua"', text = "the front script, which finds out where its tree lies", takes = FILE },
    { "^rt_sigaction%(SIGINT, {sa_handler=0x", "^rt_sigaction%(SIGINT, {sa_handler=SIG_DFL",
      text = "the interpreter's own handler of Ctrl-C", takes = "" },
    { "^openat.*/cli%.luac", "^openat.*lua/container/cli%.lua", takes = FILE,
      text = "the room that reads the arguments, as bytecode, and where its source is" },
    { "^openat.*/library%.luac", "^openat.*lua/container/library%.lua", takes = FILE,
      text = "the rooms that every container needs, as one piece of bytecode" },
    { "container%.lua\"", "container/init%.lua\"", text = "where Lua looks for `container` before "
      .. "it finds the module: a file of Lua would be first", takes = "" },
    { "container%.so", text = "the module in C: whether it is there, then loaded by ld.so",
      takes = "read newfstatat getcwd mmap close mprotect" },
    { "/proc/self/cwd", "^openat.*lua/container/\"", "^newfstatat%(%d+<[^>]*/lua/container>",
      "^newfstatat%(AT_FDCWD[^,]*, \"[^\"]*%.luac\"", text = "whether the source of a room "
      .. "is still as it was when the bytecode was made", takes = "close" },
    { "TCGETS", text = "whether there is a terminal", takes = "" },
    { "^rt_sigaction%(SIGCHLD", "^rt_sigprocmask%(SIG_BLOCK, %[HUP", "^signalfd4",
      text = "the signals that are passed on to the program are kept for a descriptor; and that a "
      .. "child's end is told", takes = "" },
    { "^gete[ug]id", text = "whether it takes a user namespace", takes = "" },
    { "/proc/self/task", "/proc/self/statm", "/proc/self/stat\"",
      text = "whether there are threads, and how much memory: which way to a child is better",
      takes = FILE },
    { '/rootfs"', text = "that the root is a directory, and not the host's own", takes = FILE },
    { "seccomp/default%.lua", "seccomp%.bpf",
      text = "the filter of system calls, compiled by `make`, and that it still is that of the "
      .. "profile", takes = FILE },
    { "/proc/self/cgroup", "/proc/self/mountinfo",
      text = "which cgroups there are, where, and where this process is in them", takes = FILE },
    { "/pids\", [^)]*O_DIRECTORY", "^getdents64", text = "what launchers that were killed left "
      .. "there goes", takes = "newfstatat close flock openat unlinkat" },
    { "^mkdirat", "lua%-container%-%d", "^unlinkat",
      text = "the container's cgroup: made, locked as in use, its limit set; at the end removed",
      takes = "flock newfstatat write close openat" },
    { "^memfd_create", text = "init, of four kilobytes, in a file of memory that nobody can write",
      takes = "pwrite64 fcntl write" },
    { "^newfstatat%([012]<", text = "whether the standard streams are there and of what kind",
      takes = "" },
    { "^pipe2", "^socketpair", text = "the channel on which a refusal comes, and init's line "
      .. "to the launcher, whose end of file is its death", takes = "" },
    { "^madvise", "^readlink%(\"/proc/self\"", "^clone%(.*CLONE_THREAD", "^futex", "^sched_",
      "^munmap%(0x%x+, 16576",
      "^rt_sigprocmask%(SIG_SETMASK, ~%[RTMIN", "^close%(%d+<net:",
      text = "a thread that makes the network namespace meanwhile, on another processor",
      takes = "" },
    { "^mmap%(NULL, 262144", "^rt_sigprocmask%(SIG_BLOCK, ~", "^clone", "^vfork",
      "^rt_sigprocmask%(SIG_SETMASK", "PR_GET_DUMPABLE", "PR_SET_DUMPABLE",
      text = "the child, on a stack of its own, with every signal held back meanwhile; what a "
      .. "change of its ids does to this memory is undone", takes = "mprotect munmap" },
    { "^pidfd", text = "a descriptor of it, which no other process can come to be",
      takes = "" },
    { "^ppoll", "^read%(%d+<socket", "^read%(%d+<pipe", "^waitid", "^close%(%d+<pipe",
      "^close%(%d+<socket", "^close%(%d+<anon_inode", text = "waits until the program runs, then "
      .. "until it ends; reads what init says of it", takes = "close read" },
    { "^getpid", text = "whether this is still the process that made the container, and its name",
      takes = "" },
    { "^exit_group", text = "the end", takes = "" },
  },
  {
    title = "the thread",
    { "^futex", text = "until it is on the other processor", takes = "" },
    { "^unshare", "^socket", "^ioctl", "^openat", "^fstat", takes = "close",
      text = "the network namespace, its lo up, and a descriptor of it" },
    { "^exit", text = "the end", takes = "" },
  },
  {
    title = "the child, until it becomes init",
    { "^execveat", text = "the exec of init", takes = "" },
    { "^brk", "^mmap%(NULL, %d+, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS", aside = true,
      text = "memory of Lua" },
    { "^fcntl%(%d+<[^>]*>[^,]*, F_DUPFD", "^dup3", "^close_range",
      text = "what init needs comes to lie at 3, 4 and 5; everything else of the host program is "
      .. "closed, in one call", takes = "" },
    { "^openat%(AT_FDCWD[^,]*, \"/proc/%d+/fd/%d+\"", "^setns", "^futex",
      text = "into the network namespace, when it is that", takes = "newfstatat close" },
    { "^umask", text = "modes are as asked for; at the end as programs expect it", takes = "" },
    { "^setsid", text = "away from the caller's terminal", takes = "" },
    { "PR_SET_PDEATHSIG", "^ppoll", text = "it dies with the launcher, or is dead already; once "
      .. "more after the ids, a change of which takes it away", takes = "" },
    { "/tasks\"", "cgroup.procs\"", "^write%(%d+</sys/fs/cgroup",
      "^close%(%d+</sys/fs/cgroup/[^/]*/lua%-", text = "into its cgroup", takes = "write close" },
    { "^unshare%(CLONE_NEWCGROUP", text = "of which it sees no more than itself", takes = "" },
    { "^sethostname", text = "the host name", takes = "" },
    { "^mount%(\"none\", \"/\", NULL, MS_REC|MS_PRIVATE",
      text = "no mount from here on is one of the host's", takes = "" },
    { "MS_BIND|MS_REC", text = "the root, over the old one, without devices",
      takes = "openat mount_setattr close" },
    { "^mknodat", "^symlinkat", text = "six devices and five links in /dev", takes = "" },
    { '"/acpi"', '"/asound"', '"/bus"', '"/interrupts"', '"/irq"', '"/kcore"', '"/keys"',
      '"/kpage', '"/latency_stats"', '"/pagetypeinfo"', '"/sched_debug"', '"/scsi"', '"/slabinfo"',
      '"/timer_', '"/vmallocinfo"', '"/devices/', '"/firmware"', '"/null"',
      text = "what is masked of /proc and /sys: for a file /dev/null, for a directory the same "
      .. "empty one, each a mount moved to where it is found; some are not in this kernel",
      takes = "newfstatat open_tree move_mount mount_setattr mount close openat2" },
    { "^openat2%(%d+</proc[^,]*, \"/fs\"", "^openat2%(%d+</proc[^,]*, \"/sys\"",
      '"/sysrq%-trigger"', text = "what is read-only of /proc",
      takes = "newfstatat open_tree move_mount mount_setattr close openat2 fchdir" },
    { "^openat2", "^mount%(\"proc\"", "^mount%(\"tmpfs\"", "^mount%(\"cgroup",
      text = "the mounts: /proc, /dev with pts, shm and mqueue, /sys with the cgroups. Each is "
      .. "found without following a link out of the root, mounted where nobody sees it, and "
      .. "moved there",
      takes = "newfstatat mount openat move_mount close openat2 mkdirat mount_setattr open_tree" },
    { "^fchdir", "^pivot_root", "^statx", "^umount2", text = "it becomes the root, and the "
      .. "host's files are gone; that they are is looked at by the numbers of the mounts",
      takes = "chdir close" },
    { "^chdir", text = "the working directory", takes = "close" },
    { "^prlimit64", text = "no core files", takes = "" },
    { "^keyctl", text = "a keyring of its own", takes = "" },
    { "PR_CAPBSET", "^capget", "^capset", "^gete[ug]id",
      text = "the capabilities: each that is not to be had can never be gained again, up to the "
      .. "last that the kernel knows; then the set that stays", takes = "" },
    { "^setgroups", "^setres", text = "the ids of the program's user", takes = "" },
    { "PR_SET_NO_NEW_PRIVS", "^seccomp", text = "no program gains rights, and the filter",
      takes = "" },
    { "^fcntl%([012]", text = "the standard streams stay open over the exec", takes = "" },
  },
  {
    title = "init",
    from = "^execveat",
    { "F_SETFD", "^close%(5", text = "its descriptors are not for the program", takes = "" },
    { "PR_SET_DUMPABLE", text = "the program cannot look into it", takes = "" },
    { "PR_SET_NAME", text = "it is called init", takes = "" },
    { "^rt_sigprocmask", "^signalfd4", text = "all signals come as data", takes = "" },
    { "^rt_sigaction", text = "what the launcher ignored is not ignored any more: an exec leaves "
      .. "that as it is, and there are 64 signals", takes = "" },
    { "^clone", "^vfork", text = "the program's process", takes = "" },
    { "^close%(3", text = "the channel: when all have closed it, the program runs", takes = "" },
    { "TCGETS", "^close%([012]", text = "the program's streams, given up but where they are a "
      .. "terminal", takes = "" },
    { "^ppoll", "^read", "^wait4", "^getrusage", "^write", "^exit_group",
      text = "waits for the program's end or the launcher's, says how it went, and ends with it",
      takes = "" },
  },
  {
    title = "the program's process, until its exec",
    to = "^execve",
    { "^rt_sigprocmask", text = "and none is held back", takes = "" },
    { "^execve", text = "the program", takes = "" },
  },
}
