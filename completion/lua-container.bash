# Completion of lua-container for bash.
# Made by docs/generate.lua from lua/container/config/options/.

# Sets `words` to the words up to the cursor as the shell sees them, and `at` to where each of them
# begins in COMP_WORDS: bash separates them at = and : too.
_lua_container_words() {
  local line=$COMP_LINE token i
  words=() at=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    token=${COMP_WORDS[i]}
    if [[ $i -eq 0 || -z $line || $line == [[:blank:]]* ]]; then
      words+=("") at+=("$i")
      line=${line#"${line%%[![:blank:]]*}"}
    fi
    words[${#words[@]}-1]+=$token
    line=${line#"$token"}
  done
}

# What the value of option $1 may be, of which $2 is the beginning.
_lua_container_values() {
  case $1 in
  --rootfs) compgen -d -S / -- "$2" ;;
  --time-offset) compgen -W "monotonic= boottime=" -- "$2" ;;
  --volume|-v) compgen -f -- "$2" ;;
  --network) compgen -W "none host pasta ns: container:" -- "$2" ;;
  --pid) compgen -W "private host container:" -- "$2" ;;
  --ipc) compgen -W "private host container:" -- "$2" ;;
  --uts) compgen -W "private host container:" -- "$2" ;;
  --env|-e) compgen -e -- "$2" ;;
  --env-file) compgen -f -- "$2" ;;
  --user|-u) compgen -u -- "$2" ;;
  --scheduler) compgen -W "batch idle fifo: rr:" -- "$2" ;;
  --io-priority) compgen -W "be: idle rt:" -- "$2" ;;
  --personality) compgen -W "linux linux32" -- "$2" ;;
  --ulimit) compgen -W "as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= rtprio= rttime= sigpending= stack=" -- "$2" ;;
  --network-log) compgen -f -- "$2" ;;
  --device-read-bps) compgen -f -- "${2:-/dev/}" ;;
  --device-write-bps) compgen -f -- "${2:-/dev/}" ;;
  --device-read-iops) compgen -f -- "${2:-/dev/}" ;;
  --device-write-iops) compgen -f -- "${2:-/dev/}" ;;
  --stats) compgen -W "json" -- "$2" ;;
  --device) compgen -f -- "${2:-/dev/}" ;;
  --userns) compgen -W "auto subid" -- "$2" ;;
  --cap-add) compgen -W "ALL CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE" -- "$2" ;;
  --cap-drop) compgen -W "ALL CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE" -- "$2" ;;
  --security-opt) compgen -W "no-new-privileges=false seccomp=unconfined seccomp=" -- "$2" ;;
  --landlock) compgen -W "read= write=" -- "$2" ;;
  esac
}

# Sets `i` to the index of the command in `words`, and `option` to the option whose value is the
# last word.
_lua_container_scan() {
  i=1 option=''
  while ((i < n)); do
    case ${words[i]} in
    --) i=$((i + 1)); return ;;
    --name|--rootfs|--hostname|-h|--domainname|--annotation|--sysctl|--time-offset|--volume|-v|--tmpfs|--file|--shm-size|--add-host|--dns|--dns-search|--network|--net|--pid|--ipc|--uts|--env|-e|--env-file|--workdir|-w|--user|-u|--group-add|--umask|--scheduler|--io-priority|--personality|--timeout|--stop-timeout|--ulimit|--publish|-p|--allow|--connections|--network-log|--pids-limit|--memory|-m|--memory-swap|--memory-reservation|--cpus|--cpu-shares|--cpuset-cpus|--cpuset-mems|--device-read-bps|--device-write-bps|--device-read-iops|--device-write-iops|--blkio-weight|--cgroup-conf|--oom-score-adj|--device|--userns|--cap-add|--cap-drop|--security-opt|--landlock)
      if ((i + 1 == n)); then
        option=${words[i]}
        return
      fi
      i=$((i + 2)) ;;
    -?*) i=$((i + 1)) ;;
    *) return ;;
    esac
  done
}

_lua_container() {
  local words at n i option cur head='' value
  _lua_container_words
  n=$((${#words[@]} - 1))
  cur=${words[n]} value=${words[n]}
  _lua_container_scan
  COMPREPLY=()
  if [[ -n $option ]]; then
    :
  elif ((i < n)); then
    # An argument of the command: its own completion, where there is one.
    if declare -F _command_offset >/dev/null; then
      _command_offset "${at[i]}"
    else
      compopt -o default
    fi
    return
  elif [[ ${words[n-1]} == -- || $cur != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    return
  elif [[ $cur == --*=* ]]; then
    option=${cur%%=*} head=${cur%%=*}= value=${cur#*=}
  else
    mapfile -t COMPREPLY < <(compgen -W "--name --rootfs --hostname --domainname --annotation --sysctl --time-offset --read-only --volume --tmpfs --file --shm-size --add-host --dns --dns-search --network --net --pid --ipc --uts --no-init --quiet --debug --env --env-file --workdir --user --group-add --umask --scheduler --io-priority --personality --tty --timeout --stop-timeout --ulimit --publish --allow --connections --network-log --pids-limit --memory --memory-swap --memory-reservation --cpus --cpu-shares --cpuset-cpus --cpuset-mems --device-read-bps --device-write-bps --device-read-iops --device-write-iops --blkio-weight --cgroup-conf --oom-score-adj --stats --stats=json --device --userns --cap-add --cap-drop --security-opt --landlock --privileged --interactive --rm --init --plan --features --help --version" -- "$cur")
    return
  fi
  mapfile -t COMPREPLY < <(_lua_container_values "$option" "$value")
  [[ ${COMPREPLY[0]} != *[=/] ]] || compopt -o nospace
  # Bash replaces only what follows the last = or :.
  local last=${COMP_WORDS[COMP_CWORD]} before
  [[ $last != [=:] ]] || last=''
  before=${cur%"$last"}
  COMPREPLY=("${COMPREPLY[@]/#/$head}")
  COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

complete -F _lua_container lua-container
