-- The default profile: the system calls that a program in a container has a use for. What is
-- not named is refused with EPERM; what is newer than all of it, with ENOSYS. It is data, in the
-- form of OCI's linux.seccomp, with docker's `includes` and `excludes`: an entry counts when the
-- container has the capability, or has it not. Its breadth is that of docker's default profile.
--
-- Refused with any capabilities, because each has been the way out of a container, or
-- is of a part of the kernel that few look after: io_uring (its work passes no filter),
-- userfaultfd (holds the kernel up at a place of one's choosing), the keyrings (known to no
-- namespace), kexec, pivot_root, swap, nfsservctl and the other calls of a time gone by.

local ALLOW <const>, ERRNO <const> = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
local EQ <const>, MASKED <const> = "SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"
local ENOSYS <const> = 38

local syscalls = {}

local function add(action, names, more)
  local entry = more or {}
  entry.names, entry.action = {}, action
  for name in names:gmatch("%S+") do
    table.insert(entry.names, name)
  end
  syscalls[#syscalls + 1] = entry
end

--- For all.
local function allow(names)
  add(ALLOW, names)
end

--- For those that have a capability.
local function with(capability, names)
  add(ALLOW, names, { includes = { caps = { capability } } })
end

--- With one argument of a value.
local function equal(names, index, ...)
  for _, value in ipairs { ... } do
    add(ALLOW, names, { args = { { index = index, op = EQ, value = value } } })
  end
end

--- With an argument whose low 32 bits, all that the kernel looks at, are any but these. A filter
-- can only say what is allowed, so it is said bit by bit: a number that is none of these departs
-- from them at some highest bit. Comparing 64 bits would be wrong: a program that sets one of the
-- high ones passes the filter and means the same to the kernel.
local function except(names, index, ...)
  local function branch(values, bit, mask, prefix)
    if #values == 0 then
      add(ALLOW, names, { args = { { index = index, op = MASKED, value = mask,
        valueTwo = prefix } } })
    elseif bit >= 0 then
      for _, side in ipairs { 0, 1 << bit } do
        local here = {}
        for _, value in ipairs(values) do
          here[#here + 1] = value & 1 << bit == side and value or nil
        end
        branch(here, bit - 1, mask | 1 << bit, prefix | side)
      end
    end
  end
  branch({ ... }, 31, 0, 0)
end

-- Files ------------------------------------------------------------------------------------------

-- What is open, and what opens it.
allow [[
  open openat openat2 creat close close_range dup dup2 dup3 fcntl flock
  read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek
  sendfile splice tee vmsplice copy_file_range truncate ftruncate fallocate fadvise64 readahead
  fsync fdatasync sync syncfs sync_file_range pipe pipe2 memfd_create memfd_secret cachestat ]]

-- What they are, and to whom. name_to_handle_at only tells; its counterpart that opens by such a
-- handle finds any file of the file system, also outside of the root.
allow [[
  stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 name_to_handle_at
  chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat umask
  utime utimes futimesat utimensat file_getattr file_setattr
  getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
  listxattr llistxattr flistxattr listxattrat
  removexattr lremovexattr fremovexattr removexattrat ]]
with("CAP_DAC_READ_SEARCH", "open_by_handle_at")

-- Their names. Whether a node may be a device is the capability's and the devices' matter.
allow [[
  link linkat unlink unlinkat rename renameat renameat2 symlink symlinkat readlink readlinkat
  mkdir mkdirat rmdir mknod mknodat getdents getdents64 getcwd chdir fchdir
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark ]]
with("CAP_SYS_CHROOT", "chroot")

-- Waiting for them, and the older way to read without.
allow [[
  poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
  epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime timerfd_gettime
  io_setup io_submit io_cancel io_destroy io_getevents io_pgetevents ]]

-- TIOCSTI types into the terminal, which in a pipeline is the launcher's and read by its shell;
-- TIOCLINUX does the same on a console.
except("ioctl", 1, 0x5412, 0x541c)

-- Memory -----------------------------------------------------------------------------------------

allow [[
  brk mmap munmap mremap mprotect madvise msync mincore remap_file_pages membarrier mseal
  mlock mlock2 mlockall munlock munlockall pkey_alloc pkey_free pkey_mprotect map_shadow_stack ]]
-- On which node memory lies is the whole machine's.
with("CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node")

-- Processes --------------------------------------------------------------------------------------

allow [[
  fork vfork execve execveat exit exit_group wait4 waitid restart_syscall
  getpid getppid gettid getpgid getpgrp getsid setpgid setsid pidfd_open pidfd_send_signal
  process_mrelease prctl arch_prctl modify_ldt set_thread_area get_thread_area
  set_tid_address set_robust_list get_robust_list rseq
  futex futex_wait futex_wake futex_waitv futex_requeue ]]

-- CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. A user namespace has been the
-- door to most ways out: it gives root's rights over parts of the kernel that else no user
-- reaches. Time namespaces are unshare's alone.
add(ALLOW, "clone", { excludes = { caps = { "CAP_SYS_ADMIN" } },
  args = { { index = 0, op = MASKED, value = 0x7e020000, valueTwo = 0 } } })
-- Its flags lie in memory, where no filter reads. Without it a libc calls clone.
add(ERRNO, "clone3", { errnoRet = ENOSYS, excludes = { caps = { "CAP_SYS_ADMIN" } } })

-- The personalities of Linux, of a 32-bit uname, of both without randomized addresses, and the
-- question which. Others take safeguards away from the programs that come after.
equal("personality", 0, 0x0, 0x8, 0x20000, 0x20008, 0xffffffff)

-- Those of the same user, in the same container: since 4.8 the filter is asked again after it.
allow "ptrace"
-- Another process's memory and files, with no stop that it could notice.
with("CAP_SYS_PTRACE", "process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp")

-- Signals.
allow [[
  kill tkill tgkill pause rt_sigaction rt_sigprocmask rt_sigpending rt_sigqueueinfo
  rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait sigaltstack ]]

-- Their ids, and what they may spend.
allow [[
  getuid geteuid getgid getegid getgroups getresuid getresgid setuid setgid setreuid setregid
  setresuid setresgid setgroups setfsuid setfsgid capget capset
  getrlimit setrlimit prlimit64 getrusage times getpriority setpriority ioprio_get ioprio_set
  sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam
  sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max
  sched_get_priority_min sched_rr_get_interval getcpu ]]

-- To have less: filters and rules of a program's own.
allow [[
  seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
  lsm_get_self_attr lsm_list_modules ]]

-- The machine ------------------------------------------------------------------------------------

-- Time and the rest that is asked. To change the clock takes a capability also where the same call
-- reads it.
allow [[
  time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep adjtimex clock_adjtime
  alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete
  uname sysinfo getrandom ]]
with("CAP_SYS_TIME", "settimeofday clock_settime")

with("CAP_SYS_BOOT", "reboot")
with("CAP_SYS_MODULE", "init_module finit_module delete_module")
with("CAP_SYS_PACCT", "acct")
with("CAP_SYS_RAWIO", "iopl ioperm")
with("CAP_SYS_TTY_CONFIG", "vhangup")
with("CAP_SYSLOG", "syslog")
with("CAP_BPF", "bpf")
with("CAP_PERFMON", "perf_event_open")

-- Namespaces and mounts, and all that the kernel asks this one capability for.
with("CAP_SYS_ADMIN", [[
  clone clone3 unshare setns mount umount2 fsopen fsconfig fsmount fspick open_tree
  open_tree_attr move_mount mount_setattr statmount listmount lsm_set_self_attr
  sethostname setdomainname quotactl quotactl_fd fanotify_init syslog bpf perf_event_open ]])
-- Asked first by what has /proc/self/mountinfo to fall back on.
add(ERRNO, "statmount listmount", { errnoRet = ENOSYS, excludes = { caps = { "CAP_SYS_ADMIN" } } })

-- Other processes --------------------------------------------------------------------------------

-- AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK. Of the rest some know no namespace (AF_VSOCK is a line
-- to the hypervisor), and most are seldom looked after.
equal("socket", 0, 1, 2, 10, 16)
equal("socketpair", 0, 1)
-- AF_PACKET: frames as they are.
add(ALLOW, "socket", { includes = { caps = { "CAP_NET_ADMIN" } },
  args = { { index = 0, op = EQ, value = 17 } } })
allow [[
  bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown
  sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg ]]

allow [[
  shmget shmat shmdt shmctl semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
  mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr ]]

return {
  defaultAction = ERRNO,
  defaultErrnoRet = 1,
  syscalls = syscalls,
}
